use daypass_claims::ClaimValue;
use daypass_prove::Persona;

use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of, clauses};

pub(super) const RULE: Rule = Rule {
    id: "foreign-tenant",
    name: "A tenant is named that is none of ours",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "An organisation that the estate does not list.",
    why: "Its jobs get the credential whenever they like, and so does whoever takes its name over.",
    example: r#"sub = "repo:contractor/app:ref:refs/heads/main""#,
    instead: "list it in `daypass.estate.toml` if it is one of yours, else give it a role of its own with little in it",
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let draft = super::stranger(
        view,
        Cause::Foreign,
        |who| format!("a tenant is named that is none of ours: `{who}` gets in"),
        "list the organisation in the estate if it is one of yours",
    );
    let Some(draft) = draft else { return };
    found.push(match unknown_id(view) {
        Some(why) => {
            let message = "a tenant is named by an id, and whether it is ours is not known";
            let draft = Draft { message: message.to_owned(), ..draft };
            draft.verdict(Verdict::Warn).severity(Severity::Medium).confidence(Confidence::Low).why([why])
        }
        None => draft,
    });
}

/// Why the estate cannot say whose a tenant is that is told by its id alone, if it cannot.
fn unknown_id(view: &View<'_>) -> Option<String> {
    let witness = view.admitted(Persona::Stranger)?;
    let platform = view.platform(&witness.issuer)?;
    let ids = || platform.tenants.organisation.iter();
    let statement = view.admitting(witness)?;
    let asked = clauses(&statement.condition).into_iter().flat_map(|clause| claims_of(&clause.body));
    let mut of_tenant = asked.filter(|claim| view.is_of_tenant(witness, claim)).peekable();
    of_tenant.peek()?;
    if !of_tenant.all(|claim| ids().any(|slot| slot.name.as_str() == claim)) {
        return None;
    }
    let listed = view.prover.estate.organisations().iter().filter(|it| it.platform == platform.id);
    let mut known = listed.filter_map(|it| it.id.as_deref()).peekable();
    let is_this = |id: &str| {
        ids().any(|slot| witness.claims.get(slot.name.as_str()).and_then(ClaimValue::as_str) == Some(id))
    };
    if known.peek().is_none() {
        return Some(format!("the estate lists no id of an organisation on {}", platform.name));
    }
    // Groups within groups have ids of their own, which those of the groups at the top do not tell.
    known.any(is_this).then(|| format!("the estate lists the id for {} by another name", platform.name))
}
