use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of, clauses};

pub(super) const RULE: Rule = Rule {
    id: "recyclable-name",
    name: "A name is compared where there is an id",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Aws, Subject::Azure, Subject::Gcp, Subject::Vault],
    what: "A condition on the name of an organisation or repository, on a platform whose tokens carry their ids as well.",
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
    if view.is_open() {
        return;
    }
    let Some(witness) = view.admitted(Persona::Squatter) else { return };
    let Some(statement) = view.admitting(witness) else { return };
    let Some(platform) = view.platform(&witness.issuer) else { return };
    let clauses = clauses(&statement.condition);
    // Where the subject is compared, its form decides whether there is an id in it.
    let asks_for =
        |claim: &str| clauses.iter().any(|it| claims_of(&it.body).iter().any(|named| named == claim));
    if asks_for("sub") {
        return;
    }
    let names = platform.tenants.organisation_names.iter().chain(&platform.tenants.repository_names);
    let mut names = names.map(|slot| slot.name.as_str());
    let Some(name) = names.find(|name| asks_for(name)) else { return };
    let clause = clauses.iter().find(|it| claims_of(&it.body).iter().any(|claim| claim == name));
    let span = clause.map_or(statement.span, |clause| clause.span);
    let ids = platform.tenants.organisation.iter().chain(&platform.tenants.repository);
    let ids: Vec<String> = ids.map(|slot| format!("`{}`", slot.name)).collect();
    let message =
        format!("`{name}` is a name that somebody else may have tomorrow: `{}` gets in", witness.subject());
    let draft = Draft::new(&view.found.source, span, view.role(), message)
        .verdict(Verdict::Warn)
        .shown_by(Persona::Squatter, witness)
        .help(format!("compare an id: {}", ids.join(", ")));
    found.push(super::assuming(view, draft));
}
