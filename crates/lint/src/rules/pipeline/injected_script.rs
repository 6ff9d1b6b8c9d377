use daypass_pipelines::Platform;

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "injected-script",
    name: "Somebody else's text is put into a script beside a token",
    severity: Severity::High,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "An expression in a script that whoever opens a pull request, an issue or a branch writes, in a job that may have a token.",
    why: "The text is put into the script before the shell reads it: a title with a `$(...)` in it runs, and can mint the token.",
    example: r#"run: echo "${{ github.event.pull_request.title }}""#,
    instead: r#"env: {TITLE: '${{ github.event.pull_request.title }}'}
run: echo "$TITLE""#,
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

/// What others write, below `github.`.
const THEIRS: [&str; 12] = [
    "event.pull_request.title",
    "event.pull_request.body",
    "event.pull_request.head.ref",
    "event.pull_request.head.label",
    "event.pull_request.head.repo.default_branch",
    "event.issue.title",
    "event.issue.body",
    "event.comment.body",
    "event.review.body",
    "event.discussion.title",
    "event.discussion.body",
    "head_ref",
];

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    if view.pipeline.platform != Platform::GitHubActions {
        return;
    }
    for job in view.pipeline.jobs.iter().filter(|job| job.id_token.allowed() == Some(true)) {
        for script in job.steps.iter().flat_map(|step| &step.scripts) {
            let mut expressions =
                script.as_str().split("${{").skip(1).filter_map(|rest| rest.split("}}").next());
            let theirs = expressions.find_map(|expression| {
                let expression = expression.trim();
                THEIRS
                    .iter()
                    .find(|name| expression.strip_prefix("github.").is_some_and(|rest| rest == **name))
            });
            let Some(name) = theirs else { continue };
            let message =
                format!("`github.{name}` is somebody else's text, and becomes a part of the script");
            found.push(view.at(job, &script.place, message).help("pass it by an environment variable"));
        }
    }
}
