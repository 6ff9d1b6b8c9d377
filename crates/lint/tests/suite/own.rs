//! Samples of other organisations, issuers and ways of writing, so that rules are keyed to meaning and not to the shared corpus.
//! Each verdict was reasoned out from the issuer's subject grammar and the dialect's rules before anything was run.

use daypass_lint::{Options, check};
use daypass_sources::MemoryTree;

use crate::documents::{
    CIRCLECI, CLUSTER, GITHUB, GITLAB, allow, aws, azure, gcp, get_their_verdicts, github, statement,
    statements, subject, vault,
};

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
    let samples = samples();
    assert!(samples.len() >= 40);
    get_their_verdicts(&samples);
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
