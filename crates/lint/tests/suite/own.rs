//! Samples of other organisations, issuers and ways of writing, so that rules are keyed to meaning and not to the shared corpus.
//! Each verdict was reasoned out from the issuer's subject grammar and the dialect's rules before anything was run.

use daypass_lint::{Options, Severity, check};
use daypass_prove::Estate;
use daypass_sources::MemoryTree;
use daypass_trust::document::Source;

use crate::support::{on_all_cores, word};

const GITHUB: &str = "token.actions.githubusercontent.com";
const GITLAB: &str = "gitlab.com";
const CLUSTER: &str = "oidc.eks.eu-north-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
const CIRCLECI: &str = "oidc.circleci.com/org/9f8e7d6c-0000-4000-8000-00000000000a";

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
fn aws(issuer: &str, conditions: &str) -> String {
    statements(&[allow(issuer, conditions)])
}

fn allow(issuer: &str, conditions: &str) -> String {
    statement("Allow", issuer, conditions)
}

fn statement(effect: &str, issuer: &str, conditions: &str) -> String {
    let conditions = conditions.replace("KEY", issuer);
    format!(
        r#"{{"Effect": "{effect}", "Principal": {{"Federated": "arn:aws:iam::444455556666:oidc-provider/{issuer}"}},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {conditions}}}"#
    )
}

fn statements(statements: &[String]) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "))
}

/// GitHub's tokens for AWS's usual audience, and a test of the subject.
fn github(operator: &str, subject: &str) -> String {
    aws(
        GITHUB,
        &format!(
            r#"{{"StringEquals": {{"KEY:aud": "sts.amazonaws.com"}}, "{operator}": {{"KEY:sub": "{subject}"}}}}"#
        ),
    )
}

fn subject(issuer: &str, audience: &str, operator: &str, subject: &str) -> String {
    let conditions = format!(
        r#"{{"StringEquals": {{"KEY:aud": "{audience}"}}, "{operator}": {{"KEY:sub": "{subject}"}}}}"#
    );
    // The same operator may not stand there twice.
    let same = format!(r#"{{"StringEquals": {{"KEY:aud": "{audience}", "KEY:sub": "{subject}"}}}}"#);
    aws(issuer, if operator == "StringEquals" { &same } else { &conditions })
}

fn gcp(condition: &str) -> String {
    format!(
        r#"{{"name": "projects/12/locations/global/workloadIdentityPools/p/providers/g",
        "attributeMapping": {{"google.subject": "assertion.sub"}}, "attributeCondition": "{condition}",
        "oidc": {{"issuerUri": "https://{GITHUB}"}},
        "bindings": ["principalSet://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/p/*"]}}"#
    )
}

fn azure(matching: &str) -> String {
    format!(
        r#"{{"name": "ci", "issuer": "https://{GITHUB}", "audiences": ["api://AzureADTokenExchange"], {matching}}}"#
    )
}

fn vault(more: &str) -> String {
    format!(
        r#"{{"config": {{"oidc_discovery_url": "https://{GITHUB}", "bound_issuer": "https://{GITHUB}"}},
        "role": {{"role_name": "ci", "role_type": "jwt", "user_claim": "repository_id", "token_ttl": 300,
        "bound_audiences": ["https://vault.northwind.example"], {more}}}}}"#
    )
}

fn samples() -> Vec<(&'static str, &'static str, String)> {
    let like = "StringLike";
    let equals = "StringEquals";
    let both = |sub: &str, more: &str| {
        aws(
            GITHUB,
            &format!(r#"{{"StringEquals": {{"KEY:aud": "sts.amazonaws.com", "KEY:sub": "{sub}", {more}}}}}"#),
        )
    };
    let claims = |claims: &str| {
        aws(GITHUB, &format!(r#"{{"StringEquals": {{"KEY:aud": "sts.amazonaws.com", {claims}}}}}"#))
    };
    vec![
        ("an environment of a numbered repository", "good", github(like, "repo:northwind@7700/api@8800:environment:live")),
        ("a numbered owner and any of its repositories", "warn", github(like, "repo:northwind@7700/*:environment:live")),
        ("a dash instead of a slash", "bad", github(like, "repo:northwind-*/*:ref:refs/heads/main")),
        ("one open letter in the repository", "warn", github(like, "repo:northwind/ap?:environment:live")),
        ("one open letter in the owner", "bad", github(like, "repo:northwin?/api:environment:live")),
        ("some value of a single one", "good", github("ForAnyValue:StringLike", "repo:northwind/api:environment:live")),
        ("if it exists, and it always does", "good", github("StringEqualsIfExists", "repo:northwind/api:environment:live")),
        ("all values of a key that is always there", "good", github("ForAllValues:StringEquals", "repo:northwind/api:environment:live")),
        ("the subject is there, whatever it is", "bad", aws(GITHUB, r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com"}, "Null": {"KEY:sub": "false"}}"#)),
        ("any branch, written out as a folder", "warn", github(like, "repo:northwind/api:ref:refs/heads/*")),
        ("a pull request or the branch", "warn", github(like, "repo:northwind/api:p*")),
        ("everybody on the branch but two", "bad", github("StringNotLike", "repo:contoso/*")),
        ("a deny that leaves one organisation", "warn", statements(&[
            allow(GITHUB, r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com"}, "StringLike": {"KEY:sub": "repo:*:environment:live"}}"#),
            statement("Deny", GITHUB, r#"{"StringNotLike": {"KEY:sub": "repo:northwind/*"}}"#),
        ])),
        ("a deny beside what is narrow already", "good", statements(&[
            allow(GITHUB, r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com", "KEY:sub": "repo:northwind/api:environment:live"}}"#),
            statement("Deny", GITHUB, r#"{"StringNotEquals": {"KEY:repository_owner_id": "7700"}}"#),
        ])),
        ("ids and an environment, without a subject", "good", claims(r#""KEY:repository_id": "8800", "KEY:repository_owner_id": "7700", "KEY:environment": "live""#)),
        ("an owner's id and a workflow at its branch", "warn", claims(r#""KEY:repository_owner_id": "7700", "KEY:job_workflow_ref": "northwind/ci/.github/workflows/d.yml@refs/heads/main""#)),
        ("a person", "bad", claims(r#""KEY:actor": "mira""#)),
        ("an environment, whoever has one", "bad", claims(r#""KEY:environment": "live""#)),
        ("a branch of the repository's id", "good", both("repo:northwind/api:ref:refs/heads/main", r#""KEY:repository_id": "8800""#)),
        ("a test of a key that AWS does not fill", "dead", both("repo:northwind/api:ref:refs/heads/main", r#""KEY:event_name": "push""#)),
        ("a subject of another issuer", "dead", github(like, "project_path:northwind/api:ref_type:branch:ref:main")),
        ("one group", "warn", subject(GITLAB, "https://gitlab.com", like, "project_path:northwind/*:ref_type:branch:ref:main")),
        ("one project's branch", "good", subject(GITLAB, "https://gitlab.com", equals, "project_path:northwind/api:ref_type:branch:ref:main")),
        ("a group's name that goes on", "bad", subject(GITLAB, "https://gitlab.com", like, "project_path:northwind*:ref_type:branch:ref:main")),
        ("a kind of ref that no token has", "dead", subject(GITLAB, "https://gitlab.com", equals, "project_path:northwind/api:ref_type:commit:ref:main")),
        ("one workspace's apply", "good", subject("app.terraform.io", "aws.workload.identity", equals, "organization:northwind:project:net:workspace:live:run_phase:apply")),
        ("every workspace", "warn", subject("app.terraform.io", "aws.workload.identity", like, "organization:northwind:project:*:workspace:*:run_phase:apply")),
        ("any pipeline", "warn", subject("agent.buildkite.com", "sts.amazonaws.com", like, "organization:northwind:pipeline:*")),
        ("a project of one's own issuer", "warn", aws(CIRCLECI, r#"{"StringEquals": {"KEY:aud": "9f8e7d6c-0000-4000-8000-00000000000a", "KEY:oidc.circleci.com/project-id": "1b2c3d4e-0000-4000-8000-00000000000b"}}"#)),
        ("one service account", "good", subject(CLUSTER, "sts.amazonaws.com", equals, "system:serviceaccount:ci:deployer")),
        ("any service account of a namespace", "warn", subject(CLUSTER, "sts.amazonaws.com", like, "system:serviceaccount:ci:*")),
        ("everybody, if of one's own AWS organisation", "good", r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:PrincipalAccount": "444455556666"}}}}"#.to_owned()),
        ("ids and a branch", "good", gcp("assertion.repository_id == '8800' && assertion.repository_owner_id == '7700' && assertion.ref == 'refs/heads/main'")),
        ("a name found anywhere", "bad", gcp("assertion.repository_owner.matches('northwind')")),
        ("a name that is matched whole", "warn", gcp("assertion.repository.matches('^northwind/api$') && assertion.ref == 'refs/heads/main'")),
        ("always true, written long", "bad", gcp("assertion.repository_owner_id == '7700' || assertion.ref != ''")),
        ("one exact subject of two", "good", gcp("assertion.sub in ['repo:northwind/api:environment:live', 'repo:northwind@7700/api@8800:environment:live']")),
        ("a pull request of the repository", "warn", azure(r#""subject": "repo:northwind/api:pull_request""#)),
        ("an environment, exactly", "good", azure(r#""subject": "repo:northwind@7700/api@8800:environment:live""#)),
        ("an expression for the organisation", "warn", azure(r#""claimsMatchingExpression": {"value": "claims['sub'] matches 'repo:northwind/*:environment:live'", "languageVersion": 1}"#)),
        ("an expression without the slash", "bad", azure(r#""claimsMatchingExpression": {"value": "claims['sub'] matches 'repo:northwind*:environment:live'", "languageVersion": 1}"#)),
        ("a glob for the organisation", "warn", vault(r#""bound_claims_type": "glob", "bound_claims": {"sub": "repo:northwind/*:environment:live"}"#)),
        ("a glob without the slash", "bad", vault(r#""bound_claims_type": "glob", "bound_claims": {"sub": "repo:northwind*"}"#)),
        ("one subject", "good", vault(r#""bound_subject": "repo:northwind@7700/api@8800:environment:live""#)),
    ]
}

#[test]
fn samples_of_other_organisations_get_their_verdicts() {
    let mut options = Options::default();
    options.prover.account = Some("444455556666".to_owned());
    options.prover.estate = Estate::parse(&Source::new("daypass.estate.toml", ESTATE)).unwrap();
    let samples = samples();
    assert!(samples.len() >= 40);
    let wrong = on_all_cores(&samples, |(name, wanted, document)| {
        let tree = MemoryTree::new().with("trust.json", document.as_str());
        let report = check(&tree, &["trust.json"], &options);
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

/// SAML assertions have keys of their own; a role may trust both.
#[test]
fn keys_of_saml_are_not_held_against_tokens() {
    let saml = r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::444455556666:saml-provider/corporate"},
        "Action": ["sts:TagSession", "sts:AssumeRoleWithSAML"],
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}}"#;
    let tokens = allow(
        GITHUB,
        r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com", "KEY:sub": "repo:northwind/api:environment:production"}}"#,
    );
    for document in [statements(&[saml.to_owned()]), statements(&[saml.to_owned(), tokens])] {
        let tree = MemoryTree::new().with("role.json", document.as_str());
        let report = check(&tree, &["role.json"], &Options::default());
        let rules: Vec<&str> = report.findings.iter().map(|finding| finding.rule).collect();
        assert!(!rules.contains(&"unsupported-key"), "{rules:?}");
    }
}
