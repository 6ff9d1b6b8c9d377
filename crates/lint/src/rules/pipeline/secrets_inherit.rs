use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "secrets-inherit",
    name: "Every secret is handed to another workflow",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A reusable workflow that gets all secrets of the caller, and is not one of the same repository.",
    why: "It gets secrets that it does not need; where it is named by a branch, whoever can push there gets them all.",
    example: "uses: acme/workflows/.github/workflows/deploy.yml@main
secrets: inherit",
    instead: "uses: acme/workflows/.github/workflows/deploy.yml@4f9c1d2e3a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d
secrets: {npm: '${{ secrets.NPM }}'}",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    for job in view.pipeline.own_jobs() {
        let Some(call) = &job.calls else { continue };
        let Some(place) = call.inherits.as_ref().filter(|_| !call.target.is_local()) else { continue };
        let pinned = call.target.is_pinned();
        let how = if pinned { "" } else { ", which is not pinned" };
        let message = format!("every secret is handed to `{}`{how}", call.target.text);
        let draft = view
            .at(job, place, message)
            .help("pass the secrets that it needs by name, and pin it to a commit");
        found.push(if pinned { draft.severity(Severity::Low) } else { draft });
    }
}
