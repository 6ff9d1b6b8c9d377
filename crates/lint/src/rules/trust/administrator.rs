use daypass_trust::Dialect;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "administrator",
    name: "CI jobs become administrators",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role for CI tokens with a policy of the cloud that permits nearly everything.",
    why: "Whoever gets in owns the account. A role for one job needs what that job does.",
    example: r#"managed_policy_arns = ["arn:aws:iam::aws:policy/AdministratorAccess"]"#,
    instead: "a policy with the actions that the job was seen to use",
    references: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
    ],
    check: Check::Policy(check),
};

/// Policies of the clouds that let their holder do everything, or give themselves everything.
const EVERYTHING: [&str; 8] = [
    "policy/AdministratorAccess",
    "policy/IAMFullAccess",
    "policy/PowerUserAccess",
    "roles/owner",
    "roles/editor",
    "roles/iam.securityAdmin",
    "roles/resourcemanager.organizationAdmin",
    "roles/resourcemanager.projectIamAdmin",
];

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    if view.allowing().next().is_none() {
        return;
    }
    for permission in &view.found.facts.permissions {
        let is_everything = EVERYTHING.iter().any(|name| permission.ends_with(name))
            || (view.found.dialect == Dialect::Vault && permission == "root");
        if is_everything {
            let message = format!("whoever gets in is given `{permission}`");
            let draft = Draft::new(&view.found.source, view.found.tree.span, view.role(), message);
            found.push(draft.help("give the role what its job does, and no more"));
        }
    }
}
