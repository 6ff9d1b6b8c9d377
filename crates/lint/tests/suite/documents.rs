//! Documents of other organisations than those of the corpus, and what is known of them.

use daypass_lint::{Options, Severity, check};
use daypass_prove::Estate;
use daypass_sources::MemoryTree;
use daypass_trust::document::Source;

use crate::support::{on_all_cores, word};

pub(crate) const GITHUB: &str = "token.actions.githubusercontent.com";
pub(crate) const GITLAB: &str = "gitlab.com";
pub(crate) const CLUSTER: &str = "oidc.eks.eu-north-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
pub(crate) const CIRCLECI: &str = "oidc.circleci.com/org/9f8e7d6c-0000-4000-8000-00000000000a";

const ESTATE: &str = r#"
[[organisation]]
platform = "github-actions"
name = "northwind"
id = "7700"
[[repository]]
platform = "github-actions"
name = "northwind/api"
id = "8800"
[[organisation]]
platform = "gitlab-com"
name = "northwind"
[[organisation]]
platform = "hcp-terraform"
name = "northwind"
[[organisation]]
platform = "buildkite"
name = "northwind"
"#;

/// A role of AWS with one statement and these conditions; `KEY` stands for the issuer.
pub(crate) fn aws(issuer: &str, conditions: &str) -> String {
    statements(&[allow(issuer, conditions)])
}

pub(crate) fn allow(issuer: &str, conditions: &str) -> String {
    statement("Allow", issuer, conditions)
}

pub(crate) fn statement(effect: &str, issuer: &str, conditions: &str) -> String {
    let conditions = conditions.replace("KEY", issuer);
    format!(
        r#"{{"Effect": "{effect}", "Principal": {{"Federated": "arn:aws:iam::444455556666:oidc-provider/{issuer}"}},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {conditions}}}"#
    )
}

pub(crate) fn statements(statements: &[String]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
}

/// GitHub's tokens for AWS's usual audience, and a test of the subject.
pub(crate) fn github(operator: &str, subject: &str) -> String {
    aws(
        GITHUB,
        &format!(
            r#"{{"StringEquals": {{"KEY:aud": "sts.amazonaws.com"}}, "{operator}": {{"KEY:sub": "{subject}"}}}}"#
        ),
    )
}

pub(crate) fn subject(issuer: &str, audience: &str, operator: &str, subject: &str) -> String {
    let conditions = format!(
        r#"{{"StringEquals": {{"KEY:aud": "{audience}"}}, "{operator}": {{"KEY:sub": "{subject}"}}}}"#
    );
    // The same operator may not stand there twice.
    let same = format!(r#"{{"StringEquals": {{"KEY:aud": "{audience}", "KEY:sub": "{subject}"}}}}"#);
    aws(issuer, if operator == "StringEquals" { &same } else { &conditions })
}

pub(crate) fn gcp(condition: &str) -> String {
    provider(r#""google.subject": "assertion.sub""#, condition, "principalSet", "*")
}

/// A provider with a mapping and a condition, and what a binding names of its pool.
pub(crate) fn provider(mapping: &str, condition: &str, kind: &str, member: &str) -> String {
    format!(
        r#"{{"name": "projects/12/locations/global/workloadIdentityPools/p/providers/g",
        "attributeMapping": {{{mapping}}}, "attributeCondition": "{condition}",
        "oidc": {{"issuerUri": "https://{GITHUB}"}},
        "bindings": ["{kind}://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/p/{member}"]}}"#
    )
}

pub(crate) fn azure(matching: &str) -> String {
    format!(
        r#"{{"name": "ci", "issuer": "https://{GITHUB}", "audiences": ["api://AzureADTokenExchange"], {matching}}}"#
    )
}

pub(crate) fn vault(more: &str) -> String {
    format!(
        r#"{{"config": {{"oidc_discovery_url": "https://{GITHUB}", "bound_issuer": "https://{GITHUB}"}},
        "role": {{"role_name": "ci", "role_type": "jwt", "user_claim": "repository_id", "token_ttl": 300,
        "bound_audiences": ["https://vault.northwind.example"], {more}}}}}"#
    )
}

/// Checks documents of which each has a name and a verdict.
pub(crate) fn get_their_verdicts(samples: &[(&str, &str, String)]) {
    let mut options = Options::default();
    options.prover.account = Some("444455556666".to_owned());
    options.prover.estate = Estate::parse(&Source::new("daypass.estate.toml", ESTATE)).unwrap();
    let wrong = on_all_cores(samples, |(name, wanted, document)| {
        let file = if document.starts_with("[[") { "trust.toml" } else { "trust.json" };
        let report = check(&MemoryTree::new().with(file, document.as_str()), &[file], &options);
        assert_eq!(report.problems, [], "{name}");
        assert_eq!(report.policies, 1, "{name}");
        let rules: Vec<(&str, &str)> =
            report.findings.iter().map(|it| (it.rule, it.message.as_str())).collect();
        let got = word(&report.findings);
        let silent = report.findings.iter().all(|it| it.severity == Severity::Info);
        let fits = got == *wanted && (*wanted != "good" || silent);
        if fits { Vec::new() } else { vec![format!("{name}: {wanted}, found {got} {rules:?}")] }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}
