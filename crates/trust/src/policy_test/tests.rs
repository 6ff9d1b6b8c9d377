use super::*;

const POLICY: &str = r#"{"Statement": {"Effect": "Allow",
  "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
  "Action": "sts:AssumeRoleWithWebIdentity",
  "Condition": {"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"},
                "StringLike": {"sts:RoleSessionName": "ci-*"}}}}"#;

fn run_text(name: &str, text: &str) -> Report {
    let tests = parse(&Source::new(name, text)).unwrap();
    run(&tests, &CompileOptions::default(), &mut |path| match path {
        "trust.json" => Ok(Source::new(path, POLICY)),
        _ => Err(format!("{path}: no such file")),
    })
}

#[test]
fn cases_pass_fail_and_cannot_run() {
    let report = run_text(
        "t.toml",
        r#"
policy = "trust.json"
issuer = "https://token.actions.githubusercontent.com"
[[case]]
name = "main deploys"
claims = { sub = "repo:acme/app:ref:refs/heads/main" }
context = { "sts:RoleSessionName" = "ci-1" }
expect = "allow"
[[case]]
name = "nobody said what the session is called"
claims = { sub = "repo:acme/app:ref:refs/heads/main" }
expect = "unknown"
[[case]]
name = "a wrong expectation"
claims = { sub = "repo:acme/app:pull_request" }
context = { "STS:rolesessionname" = "ci-1" }
expect = "allow"
[[case]]
name = "another issuer"
issuer = "https://gitlab.com"
claims = { sub = "repo:acme/app:ref:refs/heads/main" }
context = { "sts:RoleSessionName" = "ci-1" }
expect = "deny"
[[case]]
name = "no such policy"
policy = "missing.json"
claims = {}
expect = "deny"
"#,
    );
    assert_eq!((report.passed, report.failed), (3, 2));
    assert_eq!(report.cases[2].got, Some(Outcome::Deny));
    assert!(
        report.cases[2].reason.contains("nearest miss: statement 1: StringEquals"),
        "{}",
        report.cases[2].reason
    );
    assert_eq!(report.cases[4].got, None);
    assert_eq!(report.cases[4].reason, "missing.json: no such file");
}

#[test]
fn json_files_use_the_same_keys_and_null_is_absent() {
    let report = run_text(
        "t.json",
        &format!(
            r#"{{"policy": null, "dialect": null, "audiences": null, "cases": [
                {{"name": "inline object", "document": {POLICY}, "dialect": "aws",
                  "claims": {{"iss": "https://token.actions.githubusercontent.com", "sub": "x", "n": 1.5, "o": {{"a": [null]}}}},
                  "context": {{"sts:RoleSessionName": "ci-1"}}, "expect": "deny"}},
                {{"name": "inline text", "document": {:?}, "audiences": ["a"],
                  "claims": {{"sub": "repo:acme/app:ref:refs/heads/main", "aud": "a"}},
                  "context": {{"sts:RoleSessionName": "ci-1"}}, "expect": "allow"}}]}}"#,
            POLICY.replace('\n', " ")
        ),
    );
    assert_eq!((report.passed, report.failed), (2, 0), "{:?}", report.cases);
}

#[test]
fn mistakes_are_located() {
    let refusal = |text: &str| parse(&Source::new("t.toml", text)).unwrap_err().to_string();
    assert!(refusal("policy = \"x\"").contains("the file has no cases"));
    let text = "polcy = \"x\"\nissuer = \"http://x\"\n[[case]]\nname = \"a\"\nexpect = \"maybe\"\nclaims = { t = 2026-01-01 }\n";
    insta::assert_snapshot!(refusal(text), @"
    t.toml:1:1: unknown key `polcy` (did you mean `policy`?)
    t.toml:2:10: issuer must be an https URL (http only on loopback, for development)
    t.toml:5:10: `expect` must be allow, deny or unknown, this is `maybe`
    t.toml:6:16: a token holds no dates (write the string or the seconds since 1970 that the issuer writes)
    ");
    assert!(
        refusal("[[case]]\nname = \"a\"\nexpect = \"deny\"\nclaims = {}\n")
            .contains("the case has no policy")
    );
}

#[test]
fn every_cloud_is_told_by_its_document_and_reads_issuer_and_audiences() {
    let report = run_text(
        "t.toml",
        r#"
issuer = "https://token.actions.githubusercontent.com"
audiences = ["sts"]
[[case]]
name = "azure"
document = '''{"issuer": "https://token.actions.githubusercontent.com", "subject": "s"}'''
claims = { sub = "s", aud = "sts" }
expect = "allow"
[[case]]
name = "gcp takes the issuer and the audiences of the file where the document has none"
document = '''{"attributeMapping": {"google.subject": "assertion.sub"}, "attributeCondition": "assertion.ref != 'x'"}'''
claims = { sub = "s", aud = "sts", ref = "y" }
expect = "allow"
[[case]]
name = "gcp of another audience"
document = '''{"attributeMapping": {"google.subject": "assertion.sub"}}'''
claims = { sub = "s", aud = "other" }
expect = "deny"
[[case]]
name = "vault"
document = '''{"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}'''
claims = { sub = "s", aud = ["sts", "vault"] }
expect = "allow"
[[case]]
name = "vault with the issuer of its mount, which is another"
document = '''{"config": {"bound_issuer": "https://gitlab.com"}, "role": {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]}}'''
claims = { sub = "s", aud = "vault" }
expect = "deny"
[[case]]
name = "vault does not say which server"
document = '''{"role_type": "jwt", "user_claim": "sub", "bound_subject": "s"}'''
claims = { sub = "s", aud = "vault" }
expect = "unknown"
"#,
    );
    assert_eq!((report.passed, report.failed), (6, 0), "{:?}", report.cases);
}

#[test]
fn dialects_have_names() {
    for dialect in crate::Dialect::ALL {
        assert_eq!(dialect.as_str().parse(), Ok(dialect));
    }
    let unknown = "ibm".parse::<crate::Dialect>().unwrap_err().to_string();
    assert_eq!(unknown, "no dialect is called `ibm` (known: aws, azure, daypass, gcp, vault)");
}
