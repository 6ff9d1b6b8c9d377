use daypass_claims::{ClaimSet, Issuer};
use daypass_prove::{Persona, Witness, dead, personas};
use daypass_trust::form::{Effect, OtherPrincipal, Permission, Statement, TokenIssuers};
use daypass_trust::{Caller, Context, Dialect, Truth, outcome};

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, admits_tokens, issuers_in};

pub(super) const RULE: Rule = Rule {
    id: "wildcard-principal",
    name: "Everybody is named as principal",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws],
    what: "A statement that lets `*` assume the role, without a condition that keeps callers of other accounts out.",
    why: "Every identity of every AWS account can assume the role; with a token, every one of every identity provider of the account.",
    example: r#"{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}"#,
    instead: r#"{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, "Action": "sts:AssumeRoleWithWebIdentity"}"#,
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
    ],
    check: Check::Policy(check),
};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const ELSEWHERE: &str = "https://idp.example.com";

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.found.dialect != Dialect::Aws {
        return;
    }
    for statement in view.policy().statements.iter().filter(|it| it.effect == Effect::Allow) {
        let anyone = statement.principals.others.contains(&OtherPrincipal::Anyone);
        if anyone && statement.permissions.contains(Permission::AssumeFromSession) {
            // Another account's session, as anybody has one.
            let policy = view.policy();
            match outcome(policy, &ClaimSet::new(), &Context::new().caller(stranger())).0 {
                Truth::True => found.push(
                    draft(view, statement, "any identity of any AWS account gets in").verdict(Verdict::Bad),
                ),
                Truth::Unknown => found.push(
                    draft(
                        view,
                        statement,
                        "everybody is named as principal; whom the conditions keep out is not known",
                    )
                    .severity(Severity::Low)
                    .confidence(Confidence::Medium),
                ),
                Truth::False => {}
            }
        }
        if admits_tokens(statement) && statement.principals.tokens == TokenIssuers::Any {
            let message = "the tokens of every identity provider of the account are accepted";
            if let Some(witness) = token_of_a_stranger(view, statement) {
                found.push(draft(view, statement, message).verdict(Verdict::Bad).witness(&witness));
            } else {
                let message =
                    "the tokens of every identity provider are meant; only the conditions keep them out";
                found.push(draft(view, statement, message).severity(Severity::Low));
            }
        }
    }
}

/// A token with which somebody gets in who is no more at home here than anybody else: of an issuer that the conditions name, of
/// the one that most accounts have, or of one that nothing is known about.
fn token_of_a_stranger(view: &View<'_>, statement: &Statement) -> Option<Witness> {
    let asked = |issuer: Issuer| daypass_prove::Options { issuer: Some(issuer), ..view.prover.clone() };
    let stranger = |issuer: Issuer| {
        let answers = personas(view.policy(), view.options.home.as_ref(), &asked(issuer));
        answers.into_iter().find(|it| it.persona == Persona::Stranger)?.answer.witness
    };
    let mut likely = issuers_in(&statement.condition).into_iter().chain(Issuer::parse(GITHUB).ok());
    let elsewhere = || dead(view.policy(), &asked(Issuer::parse(ELSEWHERE).ok()?)).witness;
    likely.find_map(stranger).or_else(elsewhere)
}

fn draft(view: &View<'_>, statement: &Statement, message: &str) -> Draft {
    let draft = Draft::new(&view.found.source, statement.span, view.role(), message);
    draft
        .why([format!("{} lets them in", statement.label)])
        .help("name the identity provider or the role that is meant")
}

fn stranger() -> Caller {
    let account = "999999999999";
    Caller::Session {
        account: account.to_owned(),
        role: "stranger".to_owned(),
        role_arn: format!("arn:aws:iam::{account}:role/stranger"),
        session_arn: format!("arn:aws:sts::{account}:assumed-role/stranger/session"),
    }
}
