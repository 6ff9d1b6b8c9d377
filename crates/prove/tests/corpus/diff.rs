use daypass_prove::{Change, diff};
use daypass_trust::document::Source;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Context, Dialect, compile, evaluate};

use super::aws::{options, policy};

fn descriptions(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.description.as_str()).collect()
}

/// A policy on the subject alone.
fn on_subject(operator: &str, patterns: &str) -> Policy {
    let text = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
            "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {{"{operator}": {{"token.actions.githubusercontent.com:sub": {patterns}}}}}}}}}"#
    );
    compile(Dialect::Aws, &Source::new("trust.json", text), &CompileOptions::default()).unwrap().policy
}

#[test]
fn a_policy_is_equivalent_to_itself_in_other_words() {
    assert!(diff(&policy("A08"), &policy("A08"), &options()).equivalent);
    let one = on_subject(
        "StringLike",
        r#"["repo:acme/app:ref:refs/heads/main", "repo:acme/app:ref:refs/heads/*"]"#,
    );
    let two = on_subject("StringLike", r#""repo:acme/app:ref:refs/heads/*""#);
    let found = diff(&one, &two, &options());
    assert!(found.equivalent, "{found:?}");
}

#[test]
fn what_is_gained_is_said_by_kind_and_each_kind_has_its_token() {
    let old = on_subject("StringEquals", r#""repo:acme/app:ref:refs/heads/main""#);
    let new = on_subject(
        "StringLike",
        r#"["repo:acme/app:ref:refs/heads/*", "repo:acme/app:ref:refs/tags/*", "repo:acme/app:environment:prod"]"#,
    );
    let found = diff(&old, &new, &options());
    assert!(!found.equivalent && found.lost.is_empty(), "{:?}", found.lost);
    assert_eq!(
        descriptions(&found.gained),
        [
            "organisation acme, repository app, any branch but refs/heads/main or any tag, no environment (classic subjects)",
            "organisation acme, repository app, environment prod (classic subjects)",
        ]
    );
    for change in found.gained {
        let witness = change.witness.unwrap();
        let context = Context::new().issuer(witness.issuer.clone());
        assert_eq!(evaluate(&new, &witness.claims, &context).outcome, Outcome::Allow);
        assert_eq!(evaluate(&old, &witness.claims, &context).outcome, Outcome::Deny);
    }
}

#[test]
fn what_is_lost_is_what_the_other_way_round_is_gained() {
    let (narrow, wide) = (policy("A38"), policy("A08"));
    let (there, back) = (diff(&narrow, &wide, &options()), diff(&wide, &narrow, &options()));
    assert_eq!(there.gained, back.lost);
    assert_eq!(there.lost, back.gained);
    assert!(there.lost.is_empty() && !there.gained.is_empty());
}

#[test]
fn what_is_unknown_is_no_equivalence() {
    let unknown = on_subject("StringLike", r#""repo:acme/${aws:username}:*""#);
    let found = diff(&unknown, &policy("A11"), &options());
    assert!(!found.equivalent);
    assert!(!found.why.is_empty(), "{found:?}");
    assert!(found.lost.iter().all(|change| change.witness.is_none()), "{found:?}");
}
