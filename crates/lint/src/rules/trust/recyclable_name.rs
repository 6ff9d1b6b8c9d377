use daypass_prove::{Estate, Persona, Witness, personas};
use daypass_trust::form::{Clause, Statement};

use crate::blame::is_of_presence;
use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of, clauses};

pub(super) const RULE: Rule = Rule {
    id: "recyclable-name",
    name: "A name is compared where there is an id",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws, Subject::Azure, Subject::Gcp, Subject::Vault],
    what: "A condition on the name of an organisation or repository, on a platform whose tokens carry their ids as well; or on a subject in which any id will do.",
    why: "A name can be given up and registered by somebody else, whose tokens then get in; an id is never used again.",
    example: "assertion.repository_owner == 'acme'",
    instead: "assertion.repository_owner_id == '1001'",
    references: &[
        "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.is_open() || view.personas.is_empty() {
        return;
    }
    let Some(platform) = view.issuers().into_iter().find_map(|issuer| view.platform(issuer)) else { return };
    let names = platform.tenants.organisation_names.iter().chain(&platform.tenants.repository_names);
    let names: Vec<&str> = names.map(|slot| slot.name.as_str()).collect();
    // Where the subject is compared, its form decides whether there is an id in it; a pattern may still take any.
    let is_numbered = |it: &Witness| it.form.as_deref() == Some("immutable");
    let numbered = view.admitted(Persona::Intended).is_some_and(is_numbered);
    let by_name = |statement: &Statement| {
        let asked: Vec<String> = clauses(&statement.condition)
            .into_iter()
            .filter(|it| compares(it))
            .flat_map(|it| claims_of(&it.body))
            .collect();
        let by_subject = asked.iter().any(|claim| claim == "sub");
        if by_subject { numbered } else { asked.iter().any(|claim| names.contains(&claim.as_str())) }
    };
    if !view.allowing().any(by_name) {
        return;
    }
    // Whose the names are today is no matter here.
    let prover = daypass_prove::Options { estate: Estate::default(), ..view.prover.clone() };
    let answers = personas(view.policy(), view.options.home.as_ref(), &prover);
    let squatter = answers.into_iter().find(|it| it.persona == Persona::Squatter);
    let Some(witness) = squatter.and_then(|it| it.answer.witness) else { return };
    let Some(statement) = view.admitting(&witness).filter(|statement| by_name(statement)) else { return };
    if numbered && !is_numbered(&witness) {
        return;
    }
    let is_name = |claim: &String| if numbered { claim == "sub" } else { names.contains(&claim.as_str()) };
    let named = |clause: &&Clause| claims_of(&clause.body).into_iter().find(is_name);
    let Some((clause, name)) =
        clauses(&statement.condition).into_iter().find_map(|clause| Some((clause, named(&clause)?)))
    else {
        return;
    };
    let ids = platform.tenants.organisation.iter().chain(&platform.tenants.repository);
    let ids: Vec<String> = ids.map(|slot| format!("`{}`", slot.name)).collect();
    let who = witness.subject();
    let message = if numbered {
        format!(
            "the ids in the subject may be any, and somebody else may have the names tomorrow: `{who}` gets in"
        )
    } else {
        format!("`{name}` is a name that somebody else may have tomorrow: `{who}` gets in")
    };
    let draft = Draft::new(&view.found.source, clause.span, view.role(), message)
        .verdict(Verdict::Warn)
        .shown_by(Persona::Squatter, &witness)
        .help(format!("compare an id: {}", ids.join(", ")));
    found.push(super::assuming(view, draft));
}

/// Whether a condition looks at what a value is, and not only whether there is one.
fn compares(clause: &Clause) -> bool {
    !clause.body.atoms().into_iter().all(is_of_presence)
}
