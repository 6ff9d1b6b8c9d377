use daypass_pipelines::{Platform, Runner, Who};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "self-hosted-for-strangers",
    name: "Pull requests run on a machine of one's own beside a token",
    severity: Severity::Medium,
    confidence: Confidence::Medium,
    applies_to: &[Subject::Pipelines],
    what: "A job on a self-hosted runner that may have a token, in a pipeline that pull requests set off.",
    why: "What a pull request leaves behind on the machine is there when the next job mints its token.",
    example: "on: pull_request
jobs:
  plan: {runs-on: self-hosted, permissions: {id-token: write}}",
    instead: "runs-on: ubuntu-24.04",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    let strangers = [Who::PullRequest, Who::PullRequestTarget, Who::Outsider];
    if view.pipeline.platform != Platform::GitHubActions
        || !strangers.iter().any(|who| view.pipeline.is_triggered_by(*who))
    {
        return;
    }
    for job in view.pipeline.own_jobs().filter(|job| job.id_token.allowed() == Some(true)) {
        let Runner::SelfHosted(label) = &job.runner else { continue };
        let draft =
            view.at(job, &label.place, "pull requests run on this machine, and its jobs may have tokens");
        found.push(draft.help("use a hosted runner, or one that is thrown away after each job"));
    }
}
