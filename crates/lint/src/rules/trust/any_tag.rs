use daypass_prove::Persona;

use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "any-tag",
    name: "Any tag gets in",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A role that tags of the repository can assume, while it is for a branch.",
    why: "Tags are rarely protected: whoever can push can tag any commit.",
    example: r#"sub = "repo:acme/app:ref:refs/tags/*""#,
    instead: r#"sub = "repo:acme/app:environment:release""#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::reached(
        view,
        Persona::Tag,
        "a tag of the repository gets in",
        "deploy releases from an environment with protection rules",
    ));
}
