use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::ClaimName;
use daypass_issuers::{Mintable, ValuePattern, ValueSet};
use daypass_prove::{Estate, Options};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// A trust policy of AWS for GitHub, from pairs of operator and condition.
pub(crate) fn aws(conditions: &[(&str, &str, &str)]) -> Policy {
    let host = GITHUB.trim_start_matches("https://");
    let mut operators: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (operator, claim, value) in conditions {
        operators.entry(operator).or_default().push(format!(r#""{host}:{claim}": {value}"#));
    }
    let operators: Vec<String> =
        operators.iter().map(|(name, keys)| format!(r#""{name}": {{ {} }}"#, keys.join(", "))).collect();
    let text = format!(
        r#"{{ "Version": "2012-10-17", "Statement": [{{ "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{host}" }},
        "Condition": {{ {} }} }}] }}"#,
        operators.join(", ")
    );
    compile(Dialect::Aws, &Source::new("p.json", text), &CompileOptions::default()).unwrap().policy
}

/// One that admits these subjects, for STS.
pub(crate) fn on_sub(operator: &str, subject: &str) -> Policy {
    aws(&[(operator, "sub", &format!("\"{subject}\"")), ("StringEquals", "aud", "\"sts.amazonaws.com\"")])
}

pub(crate) fn estate(text: &str) -> Options {
    let estate = Estate::parse(&Source::new("daypass.estate.toml", text)).unwrap();
    Options { estate, ..Options::default() }
}

/// Acme's repository, of which everything is known.
pub(crate) const ACME: &str = "
[[organisation]]
platform = 'github-actions'
name = 'acme'
id = '1001'
[[repository]]
platform = 'github-actions'
name = 'acme/app'
id = '2002'
subjects = ['classic']
protected_refs = ['refs/heads/main']
protected_environments = ['prod']
";

/// A job of Acme's repository that a push sets off.
pub(crate) fn job(name: &str, claims: &[(&str, ValueSet)]) -> Mintable {
    let fixed = [
        ("repository", "acme/app"),
        ("repository_id", "2002"),
        ("repository_owner_id", "1001"),
        ("event_name", "push"),
        ("workflow_file", "deploy.yml"),
    ];
    let fixed = fixed.map(|(claim, value)| (ClaimName::from(claim), ValueSet::exactly(value)));
    let mut all: BTreeMap<ClaimName, ValueSet> = fixed.into_iter().collect();
    all.insert("environment".into(), ValueSet::Absent);
    all.extend(claims.iter().map(|(claim, set)| (ClaimName::from(*claim), set.clone())));
    Mintable {
        platform: "github-actions",
        file: ".github/workflows/deploy.yml".into(),
        location: (".github/workflows/deploy.yml".into(), 12),
        job: name.to_owned(),
        trigger: "push".to_owned(),
        audiences: ValueSet::exactly("sts.amazonaws.com"),
        claims: all,
        at_most: BTreeSet::new(),
    }
}

pub(crate) fn branches_like(glob: &str) -> ValueSet {
    let regex = glob.replace('*', "(?s:.*)");
    ValueSet::Matching(ValuePattern { written: glob.to_owned(), regex })
}
