use daypass_claims::Issuer;
use daypass_prove::{Answer, Options, dead};
use daypass_trust::form::{Effect, Permission, Policy, Statement, TokenIssuers};

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "idle-deny",
    name: "A Deny refuses nobody",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws],
    what: "A statement that denies, with conditions that no token of the issuers can meet.",
    why: "It reads like a guard and is none; whoever reviews the policy relies on it.",
    example: r#"{"Effect": "Deny", "Condition": {"StringNotLikeIfExists": {"token.actions.githubusercontent.com:sub": "repo:*"}}}"#,
    instead: r#"{"Effect": "Deny", "Condition": {"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let issuers: Vec<Issuer> = view.issuers().into_iter().cloned().collect();
    for statement in &view.policy().statements {
        let about_tokens = statement.permissions.contains(Permission::AssumeWithToken)
            && statement.principals.tokens != TokenIssuers::None;
        if statement.effect != Effect::Deny || !about_tokens || issuers.is_empty() {
            continue;
        }
        // Whom it refuses is whom it would let in if it allowed.
        let allowing = Statement { effect: Effect::Allow, ..statement.clone() };
        let policy = Policy { statements: vec![allowing], ..view.policy().clone() };
        let refuses_nobody = |issuer: &Issuer| {
            let options = Options { issuer: Some(issuer.clone()), ..view.prover.clone() };
            dead(&policy, &options)
        };
        let answers: Vec<Answer> = issuers.iter().map(refuses_nobody).collect();
        if answers.iter().all(|answer| answer.answer == daypass_prove::Verdict::Yes) {
            let message = format!("{} denies, and refuses nobody", statement.label);
            let draft = Draft::new(&view.found.source, statement.span, view.role(), message);
            let why = answers.into_iter().flat_map(|answer| answer.why);
            found.push(
                draft.verdict(Verdict::Warn).why(why).help("negate the condition, or remove the statement"),
            );
        }
    }
}
