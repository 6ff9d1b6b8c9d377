//! Roles of different environments that a common token can assume, and what is said where not every pair was asked about.

use daypass_lint::{Finding, Options, check};
use daypass_sources::MemoryTree;

use crate::documents::github;

/// What the rule finds about roles by their names and the subjects that they admit.
fn findings(roles: &[(String, &str)]) -> Vec<Finding> {
    let mut tree = MemoryTree::new();
    for (role, subject) in roles {
        tree = tree.with(&format!("{role}.json"), github("StringLike", subject));
    }
    let report = check(&tree, &[""], &Options::default());
    assert_eq!(report.policies, roles.len());
    report.findings.into_iter().filter(|it| it.rule == "overlapping-roles").collect()
}

#[test]
fn two_environments_with_a_caller_in_common_are_shown_the_caller() {
    let found = findings(&[
        ("deploy-staging".to_owned(), "repo:northwind/api:*"),
        ("deploy-production".to_owned(), "repo:northwind/api:environment:live"),
        ("audit-production".to_owned(), "repo:northwind/audit:environment:live"),
    ]);
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!(one.witness.as_ref().unwrap().subject(), "repo:northwind/api:environment:live");
}

#[test]
fn pairs_that_were_not_asked_about_are_said_to_be_unknown() {
    let mut roles = vec![("deploy-staging".to_owned(), "repo:northwind/*")];
    roles.extend(
        (1..=17).map(|at| (format!("deploy-production-{at}"), "repo:northwind/api:environment:live")),
    );
    let found = findings(&roles);
    let (shown, unknown): (Vec<_>, Vec<_>) = found.iter().partition(|it| it.witness.is_some());
    assert_eq!(shown.len(), 16);
    let [unknown] = &unknown[..] else { panic!("{unknown:?}") };
    assert_eq!(
        unknown.message,
        "whether `deploy-staging` has callers in common with still more roles is unknown because each is held against 16 of them"
    );
}
