use daypass_pipelines::{Place, Platform, Step, Text, Who};

use crate::finding::{Confidence, Draft, Severity, Verdict};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "untrusted-code-with-token",
    name: "Somebody else's code runs beside a token",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A job that anybody can set off by a pull request, a comment or a fork, that may have a token, and that checks out the code of the pull request.",
    why: "The job runs with the target branch's rights: code that nobody has reviewed mints a token whose subject says that it is the target branch.",
    example: "on: pull_request_target
permissions: {id-token: write}
steps:
  - uses: actions/checkout@v4
    with: {ref: '${{ github.event.pull_request.head.sha }}'}
  - run: make plan",
    instead: "on: pull_request
permissions: {contents: read}",
    references: &[
        "https://securitylab.github.com/resources/github-actions-preventing-pwn-requests/",
        "https://docs.github.com/en/actions/concepts/security/openid-connect",
    ],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    let outsiders = [Who::PullRequestTarget, Who::Outsider, Who::Follows];
    let trigger = view.pipeline.triggers.iter().find(|trigger| outsiders.contains(&trigger.who));
    // Other platforms' pipelines that follow one of their own are not for strangers to set off.
    let Some(trigger) = trigger.filter(|_| view.pipeline.platform == Platform::GitHubActions) else { return };
    for job in view.pipeline.jobs.iter().filter(|job| job.id_token.allowed() == Some(true)) {
        match job.steps.iter().find_map(foreign_code) {
            Some(place) => {
                let message = format!(
                    "`{}` lets anybody set the job off, and it runs their code beside a token",
                    trigger.event
                );
                let draft = view.at(job, place, message).verdict(Verdict::Bad);
                found.push(
                    draft.help("run such code in a job without `id-token: write`, or on `pull_request`"),
                );
            }
            None if trigger.who == Who::PullRequestTarget => {
                let message = "`pull_request_target` lets anybody set off a job that may have a token";
                let draft = view.at(job, &trigger.event.place, message).severity(Severity::Medium);
                found.push(draft.help(
                    "a token of such a run says that it is the target branch; take `id-token: write` away",
                ));
            }
            None => {}
        }
    }
}

/// Where a step fetches code that the pull request's author wrote.
fn foreign_code(step: &Step) -> Option<&Place> {
    let is_theirs = |text: &str| {
        let text: String = text.split_whitespace().collect();
        [
            "pull_request.head.",
            "github.head_ref",
            "workflow_run.head_",
            "refs/pull/",
            "event.number",
            "pull_request.number",
        ]
        .iter()
        .any(|sign| text.contains(sign))
    };
    let checkout = step.uses.as_ref().filter(|uses| uses.name == "actions/checkout");
    if checkout.is_some() {
        let inputs = ["ref", "repository"].into_iter().filter_map(|name| step.input(name));
        return inputs.into_iter().find(|text| is_theirs(text.as_str())).map(|text| &text.place);
    }
    let fetches = |script: &&Text| {
        let text = script.as_str();
        let git = ["git fetch", "git pull", "git clone", "git checkout"]
            .iter()
            .any(|command| text.contains(command));
        text.contains("gh pr checkout") || (git && is_theirs(text)) || (git && text.contains("pull/"))
    };
    step.scripts.iter().find(fetches).map(|script| &script.place)
}
