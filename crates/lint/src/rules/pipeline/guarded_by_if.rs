use daypass_pipelines::{Condition, Fact, Platform, ValueSet, Who};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "guarded-by-if",
    name: "Only a condition in the file keeps other branches out",
    severity: Severity::Low,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A job that exchanges a token, is limited to a branch by its own condition, and names no environment.",
    why: "Whoever can push a branch can take the condition out of the file on that branch. What they cannot change is what the platform and the trust ask for.",
    example: "if: github.ref == 'refs/heads/main'",
    instead: "environment: production   # with protection rules, and in the trust",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    let pushed = view
        .pipeline
        .triggers
        .iter()
        .any(|it| matches!(it.who, Who::Writer | Who::PullRequest) && is_open(&it.branches));
    if !pushed || view.pipeline.platform != Platform::GitHubActions {
        return;
    }
    for job in view.pipeline.own_jobs() {
        let asks = job.id_token.allowed() == Some(true) && !job.requests.is_empty();
        if asks && job.environment.is_none() && is_about_ref(&job.condition) {
            let draft = view.at(job, &job.id.place, "only the job's own condition keeps other branches out");
            found.push(draft.help("name an environment with protection rules, and ask for it in the trust"));
        }
    }
}

/// Whether nothing limits the branches to ones that are written out.
fn is_open(branches: &ValueSet) -> bool {
    !matches!(branches, ValueSet::Exactly(_))
}

fn is_about_ref(condition: &Condition) -> bool {
    match condition {
        Condition::Is(Fact::Ref | Fact::RefName | Fact::Branch, _) => true,
        Condition::All(all) => all.iter().any(is_about_ref),
        _ => false,
    }
}
