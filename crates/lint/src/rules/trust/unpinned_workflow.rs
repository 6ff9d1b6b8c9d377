use daypass_prove::Witness;

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::reach::{at_another_ref, changed, workflows};
use crate::rule::{Check, Rule, Subject};
use crate::view::{View, claims_of, clauses};

pub(super) const RULE: Rule = Rule {
    id: "unpinned-workflow",
    name: "A reusable workflow is trusted at any ref",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: Subject::TRUST,
    what: "A condition on a reusable workflow that accepts every ref of it.",
    why: "Whoever can push a branch to the workflow's repository changes what the workflow does, and is let in.",
    example: r#"{"StringLike": {"token.actions.githubusercontent.com:job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@*"}}"#,
    instead: r#"{"StringEquals": {"token.actions.githubusercontent.com:job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/main"}}"#,
    references: &["https://docs.github.com/en/actions/reference/security/oidc"],
    check: Check::Policy(check),
};

fn check(view: &View<'_>, found: &mut Vec<Draft>) {
    let witnesses = view.personas.iter().filter_map(|it| it.answer.witness.as_ref());
    for witness in witnesses {
        for (claim, workflow) in workflows(view, witness) {
            let Some(elsewhere) = at_another_ref(workflow) else { continue };
            let claims = changed(witness, claim, elsewhere.clone());
            if !view.admits(view.policy(), witness, &claims) {
                continue;
            }
            let Some(statement) = view.admitting(witness) else { continue };
            let clause = clauses(&statement.condition)
                .into_iter()
                .find(|clause| claims_of(&clause.body).iter().any(|named| named == claim));
            let span = clause.map_or(statement.span, |clause| clause.span);
            let message = format!("the workflow is trusted at any ref: `{elsewhere}` gets in");
            let shown = Witness { claims, ..witness.clone() };
            let draft = Draft::new(&view.found.source, span, view.role(), message)
                .verdict(Verdict::Warn)
                .witness(&shown)
                .help("write the ref out: `@refs/heads/main`, or a commit");
            found.push(super::assuming(view, draft));
            return;
        }
    }
}
