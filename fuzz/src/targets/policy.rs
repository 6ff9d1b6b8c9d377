//! What the policy targets share.

use std::sync::LazyLock;

use daypass_claims::{Audience, ClaimSet, Issuer, Timestamp};
use daypass_trust::document::Source;
use daypass_trust::evaluate::Outcome;
use daypass_trust::{CompileError, CompileOptions, Context, Dialect, Policy, compile, evaluate, outcome};

use crate::check::{located, readable};

/// Tokens of GitHub, of CircleCI and of nobody: policies are decided for each.
static CLAIMS: LazyLock<Vec<ClaimSet>> = LazyLock::new(|| {
    [
        r#"{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"repo:acme/app:ref:refs/heads/main",
            "repository":"acme/app","repository_id":"2002","repository_owner_id":"1001","ref":"refs/heads/main",
            "event_name":"push","environment":"production","run_attempt":1,
            "https://aws.amazon.com/tags":{"principal_tags":{"team":["core"]},"transitive_tag_keys":["team"]}}"#,
        r#"{"iss":"https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001","aud":["sts.amazonaws.com"],
            "sub":"org/x/project/y/user/z","oidc.circleci.com/context-ids":["a","b"],"oidc.circleci.com/ssh-rerun":false}"#,
        "{}",
    ]
    .iter()
    .map(|json| ClaimSet::from_json(json.as_bytes()).expect("a constant"))
    .collect()
});

/// Compiles the input and decides with it. Gives the policy, if it is one.
pub(super) fn compiled(dialect: Dialect, data: &[u8]) -> Option<daypass_trust::dialect::Compiled> {
    let text = std::str::from_utf8(data).ok()?;
    let source = Source::new("policy", text);
    let now = Some(Timestamp::from_secs(1_800_000_000));
    let options = CompileOptions { now, account: Some("123456789012".to_owned()), ..Default::default() };
    match compile(dialect, &source, &options) {
        Ok(compiled) => {
            if !compiled.notes.is_empty() {
                located(&compiled.notes, &[&source]);
            }
            decided(&compiled.policy);
            Some(compiled)
        }
        Err(CompileError { problems }) => {
            located(&problems, &[&source]);
            for problem in &problems {
                readable(&problem.to_string());
            }
            None
        }
    }
}

/// Whatever compiles decides every token, and the short way agrees with the one that explains.
fn decided(policy: &Policy) {
    for claims in CLAIMS.iter() {
        for context in [Context::new(), context("https://token.actions.githubusercontent.com")] {
            let evaluation = evaluate(policy, claims, &context);
            let (truth, admitting) = outcome(policy, claims, &context);
            assert_eq!(Outcome::from(truth), evaluation.outcome);
            assert_eq!(admitting.is_some(), evaluation.outcome == Outcome::Allow);
            serde_json::to_string(&evaluation).expect("explanations are JSON");
        }
    }
}

/// A request of which everything is known, with a token of `issuer`.
pub(super) fn context(issuer: &str) -> Context {
    let mut context = Context::new().complete().account("123456789012");
    context = context.issuer(Issuer::parse(issuer).expect("a constant"));
    context.audience = Some(Audience::parse("sts.amazonaws.com").expect("a constant"));
    context.time(Timestamp::from_secs(1_800_000_000))
}
