use crate::blame::Cause;
use crate::finding::{Confidence, Draft, Severity};
use crate::rule::{Check, Rule, Subject};
use crate::view::View;

pub(super) const RULE: Rule = Rule {
    id: "borrowed-claim",
    name: "Only claims are asked for that any tenant's token can have",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "Conditions on a workflow, an actor, a ref or an environment, and none on the organisation or the repository.",
    why: "A public reusable workflow can be called from anywhere, every repository has a `main`, and every organisation can name an environment like yours.",
    example: r#"{"StringEquals": {"token.actions.githubusercontent.com:job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/main"}}"#,
    instead: r#"{"StringEquals": {
  "token.actions.githubusercontent.com:job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/main",
  "token.actions.githubusercontent.com:repository_owner_id": "1001"
}}"#,
    references: &[
        "https://unit42.paloaltonetworks.com/oidc-misconfigurations-in-ci-cd/",
        "https://docs.github.com/en/actions/reference/security/oidc",
    ],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    found.extend(super::stranger(
        view,
        Cause::BorrowedClaim,
        |who| format!("any tenant's token can have that: `{who}` gets in"),
        "ask for the organisation's id or the subject beside it",
    ));
}
