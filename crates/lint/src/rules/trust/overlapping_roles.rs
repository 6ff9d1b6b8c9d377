use daypass_prove::{Meetings, may_meet, overlap};
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
    what: "Two roles of different environments that a common token can assume. Each role is held against the first 16 that ask for more than it does, and 2,000 pairs are asked about in all; where there are more, a finding says so.",
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
    let Meetings { pairs, cut_short } = may_meet(&policies, apart, MOST_EACH);
    let pairs: Vec<_> =
        pairs.into_iter().filter_map(|(one, two)| roles.get(one).zip(roles.get(two))).collect();
    let (asked, left_out) = pairs.split_at_checked(MOST).unwrap_or((&pairs, &[]));
    for (one, other) in asked.iter().copied() {
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
    let unknown = |role: &Role<'_>, message: String| {
        Draft::new(&role.found.source, role.found.tree.span, role.role(), message)
            .severity(Severity::Info)
            .help("check the roles in smaller groups, or ask `daypass prove overlap` of two of them")
    };
    if let Some((role, _)) = left_out.first() {
        let message = format!(
            "whether {} more pairs of roles have a caller in common is unknown because {MOST} pairs are asked about",
            left_out.len()
        );
        found.push(unknown(role, message));
    }
    let cut_short: Vec<&Role<'_>> = cut_short.iter().filter_map(|at| roles.get(*at)).collect();
    if let Some(role) = cut_short.first() {
        let who = match cut_short.len() {
            1 => format!("`{}` has", role.role()),
            many => format!("`{}` and {} others have", role.role(), many.saturating_sub(1)),
        };
        let message = format!(
            "whether {who} callers in common with still more roles is unknown because each is held against {MOST_EACH} of them"
        );
        found.push(unknown(role, message));
    }
}
