use daypass_prove::overlap;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::roles::Role;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "overlapping-roles",
    name: "One job can assume the roles of two environments",
    severity: Severity::Medium,
    confidence: Confidence::Low,
    applies_to: Subject::TRUST,
    what: "Two roles of different environments that a common token can assume.",
    why: "What separates the environments is which of the two names a job asks for. Whoever may deploy to staging may deploy to production.",
    example: "two roles, `deploy-staging` and `deploy-prod`, that both admit `repo:acme/app:*`",
    instead: "a condition on the environment in each of the two",
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Roles(check),
};

/// How many pairs of roles are asked about.
const MOST: usize = 2_000;

fn check(roles: &[Role<'_>], found: &mut Vec<Draft>) {
    let mut asked = 0_usize;
    for (at, one) in roles.iter().enumerate() {
        for other in roles.iter().skip(at.saturating_add(1)) {
            let (Some(here), Some(there)) = (one.environment(), other.environment()) else { continue };
            if here == there || one.role() == other.role() || !one.may_meet(other) {
                continue;
            }
            if asked >= MOST {
                return;
            }
            asked = asked.saturating_add(1);
            let Some(witness) = overlap(one.policy, other.policy, one.options).witness else { continue };
            let (file, role) = (&other.found.location, other.role());
            let message =
                format!("`{}` can assume this role of {here} and `{role}` of {there}", witness.subject());
            let draft = Draft::new(&one.found.source, one.found.tree.span, one.role(), message)
                .verdict(Verdict::Warn)
                .confidence(one.confidence().min(other.confidence()))
                .witness(&witness)
                .why([format!("`{role}` is at {file}")])
                .help("ask for the environment in both");
            found.push(draft);
        }
    }
}
