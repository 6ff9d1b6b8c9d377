use daypass_prove::{may_meet, overlap};
use daypass_trust::form::Policy;

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
/// With how many others a role is paired that ask for more: one that admits nearly everything is another rule's matter.
const MOST_EACH: usize = 16;

fn check(roles: &[Role<'_>], found: &mut Vec<Draft>) {
    let policies: Vec<&Policy> = roles.iter().map(|role| role.policy).collect();
    let apart = |one: usize, two: usize| {
        let pair = roles.get(one).zip(roles.get(two));
        pair.is_some_and(|(one, two)| one.is_apart_from(two))
    };
    let pairs = may_meet(&policies, apart, MOST_EACH).into_iter();
    for (one, other) in pairs.filter_map(|(one, two)| roles.get(one).zip(roles.get(two))).take(MOST) {
        let (Some(here), Some(there)) = (one.environment(), other.environment()) else { continue };
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
