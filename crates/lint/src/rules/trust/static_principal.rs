use daypass_claims::ClaimSet;
use daypass_trust::form::{Effect, OtherPrincipal, Permission};
use daypass_trust::{Caller, Context, Truth, outcome};

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "static-principal",
    name: "Long-lived keys still reach the role",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws],
    what: "A role for CI tokens that a user, or everybody in an account who is permitted there, can assume as well.",
    why: "The keys that the tokens replace keep working: a leaked access key reaches the role as before.",
    example: r#"{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"}"#,
    instead: "remove the statement, or name the one role that people assume it from",
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.allowing().next().is_none() {
        return;
    }
    for statement in view.policy().statements.iter().filter(|it| it.effect == Effect::Allow) {
        if !statement.permissions.contains(Permission::AssumeFromSession) {
            continue;
        }
        for principal in &statement.principals.others {
            let (who, account) = match principal {
                OtherPrincipal::Account(account) => {
                    (format!("every identity of account {account}"), account.clone())
                }
                OtherPrincipal::User(arn) => {
                    (format!("the user `{arn}`"), arn.split(':').nth(4).unwrap_or_default().to_owned())
                }
                _ => continue,
            };
            if !lets_in(view, &account) {
                continue;
            }
            let message = format!("{who} reaches the role beside the CI tokens, long-lived keys included");
            let draft =
                Draft::new(&view.found.source, statement.span, view.role(), message).verdict(Verdict::Warn);
            let why = format!("{} lets them in", statement.label);
            found.push(draft.why([why]).help("remove the statement once the tokens work"));
        }
    }
}

/// Whether an identity of an account may get in; a user is let in by what names its account here.
fn lets_in(view: &View<'_>, account: &str) -> bool {
    let caller = Caller::Session {
        account: account.to_owned(),
        role: "ci".to_owned(),
        role_arn: format!("arn:aws:iam::{account}:role/ci"),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/ci/session"),
    };
    let users = view.policy().statements.iter().flat_map(|it| &it.principals.others);
    let named = users.into_iter().any(|it| matches!(it, OtherPrincipal::User(_)));
    named || outcome(view.policy(), &ClaimSet::new(), &Context::new().caller(caller)).0 != Truth::False
}
