use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "unanchored-match",
    name: "A text is looked for anywhere",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "`contains`, or an expression without anchors, over a claim that names the tenant.",
    why: "A name that holds the text is easily registered: `evilacme/app` holds `acme/app`.",
    example: "assertion.repository.contains('acme/app')",
    instead: "assertion.repository_id == '2002' && assertion.repository_owner_id == '1001'",
    references: &[
        "https://docs.cloud.google.com/iam/docs/best-practices-for-using-workload-identity-federation",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::Unanchored,
        |who| format!("the text is looked for anywhere in the claim: `{who}` gets in"),
        "compare the whole value, best of an id",
    ));
}
