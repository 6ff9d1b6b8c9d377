use daypass_prove::{Branch, Cases, Certificate, CertificateError, Options, Verdict, certify, implies};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

/// A policy of GitHub's tokens with these conditions, `K:` standing for the issuer's keys.
fn policy(conditions: &str) -> Policy {
    let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/HOST"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {CONDITIONS}}}"#;
    let text = text.replace("CONDITIONS", conditions).replace("K:", "HOST:");
    let text = text.replace("HOST", "token.actions.githubusercontent.com");
    compile(Dialect::Aws, &Source::new("trust.json", text), &CompileOptions::default()).unwrap().policy
}

fn narrow() -> Policy {
    policy(r#""StringEquals": {"K:aud": "sts.amazonaws.com", "K:sub": "repo:acme/app:ref:refs/heads/main"}"#)
}

fn wide() -> Policy {
    policy(r#""StringLike": {"K:sub": "repo:acme/*"}"#)
}

fn certificate() -> Certificate {
    certify(&narrow(), &wide(), &Options::default()).unwrap()
}

fn check(certificate: &Certificate) -> Result<(), CertificateError> {
    certificate.check(&narrow(), &wide(), &Options::default())
}

#[test]
fn what_is_implied_is_certified_and_the_certificate_survives_writing() {
    let written = serde_json::to_string(&certificate()).unwrap();
    assert!(written.len() < 20_000, "{}", written.len());
    let read: Certificate = serde_json::from_str(&written).unwrap();
    assert_eq!(check(&read), Ok(()));
}

#[test]
fn what_is_not_implied_has_no_certificate_and_another_ones_does_not_prove_it() {
    let options = Options::default();
    assert_eq!(implies(&wide(), &narrow(), &options).answer, Verdict::No);
    assert_eq!(certify(&wide(), &narrow(), &options), None);
    let stolen = certificate().check(&wide(), &narrow(), &options);
    assert!(stolen.is_err(), "{stolen:?}");
}

/// Every certificate that is this one with one thing changed.
fn mutants(cases: &Cases) -> Vec<Cases> {
    let Cases::By { part, branches } = cases else { return Vec::new() };
    let by = |branches: Vec<Branch>| Cases::By { part: part.clone(), branches };
    let mut all = vec![Cases::Plain, Cases::By { part: "nonsense".to_owned(), branches: branches.clone() }];
    for (at, branch) in branches.iter().enumerate() {
        let mut without = branches.clone();
        without.remove(at);
        all.push(by(without));
        for value in 0..branch.values.len() {
            let mut fewer = branches.clone();
            fewer[at].values.remove(value);
            all.push(by(fewer));
            let mut other = branches.clone();
            other[at].values[value] = Some("no such value".to_owned());
            all.push(by(other));
        }
        for then in mutants(&branch.then) {
            let mut changed = branches.clone();
            changed[at].then = then;
            all.push(by(changed));
        }
    }
    all
}

#[test]
fn every_change_of_a_certificate_is_refused() {
    let good = certificate();
    let mut count = 0;
    for (at, universe) in good.universes.iter().enumerate() {
        for cases in mutants(&universe.cases) {
            let mut changed = good.clone();
            changed.universes[at].cases = cases;
            assert!(check(&changed).is_err(), "{:?}", changed.universes[at]);
            count += 1;
        }
    }
    assert!(count > 10, "{count} mutants");
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let mut without = certificate();
    let gone = without.universes.remove(0);
    let said = check(&without).unwrap_err().to_string();
    assert!(said.contains(gone.form.as_deref().unwrap()), "{said}");
    let change = |change: &dyn Fn(&mut String, &mut Vec<Branch>)| {
        let mut changed = certificate();
        let found = changed.universes.iter_mut().find_map(|it| match &mut it.cases {
            Cases::By { part, branches } => Some((part, branches)),
            Cases::Plain => None,
        });
        let (part, branches) = found.unwrap();
        change(part, branches);
        check(&changed).unwrap_err()
    };
    let error = change(&|part, _| "nonsense".clone_into(part));
    assert_eq!(error, CertificateError::NoPart("nonsense".to_owned()));
    let error = change(&|_, branches| branches[0].values[0] = Some("no such value".to_owned()));
    assert!(matches!(error, CertificateError::NoValue(_)), "{error}");
    let error = change(&|_, branches| branches.truncate(1));
    assert!(matches!(error, CertificateError::Incomplete(_)), "{error}");
    let error = change(&|_, branches| branches.iter_mut().for_each(|branch| branch.then = Cases::Plain));
    assert!(matches!(error, CertificateError::NotPlain(_)), "{error}");
    let any = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*",
        "Action": "sts:AssumeRoleWithWebIdentity"}}"#;
    let any =
        compile(Dialect::Aws, &Source::new("any.json", any), &CompileOptions::default()).unwrap().policy;
    let error = certificate().check(&any, &wide(), &Options::default()).unwrap_err();
    assert!(matches!(error, CertificateError::OpenIssuers(_)), "{error}");
}
