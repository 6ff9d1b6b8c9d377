use daypass_pipelines::Platform;

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "unpinned-action",
    name: "Code that can change under one's feet runs beside a token",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "An action or reusable workflow, in a job that exchanges a token, that is named by a branch, or by a tag of somebody who is none of the clouds.",
    why: "Whoever can push to that repository changes what runs beside the token.",
    example: "uses: aws-actions/configure-aws-credentials@main",
    instead: "uses: aws-actions/configure-aws-credentials@e3dd6a429d7300a6a4c196c26e071d42e0343502 # v4.0.2",
    references: &["https://docs.github.com/en/actions/reference/security/secure-use"],
    check: Check::Pipeline(check),
};

/// Who moves tags in public and is trusted with the token anyway.
const KNOWN: [&str; 8] =
    ["actions", "aws-actions", "azure", "docker", "github", "google-github-actions", "hashicorp", "sigstore"];

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    if view.pipeline.platform != Platform::GitHubActions {
        return;
    }
    for job in &view.pipeline.jobs {
        if job.id_token.allowed() != Some(true) || job.requests.is_empty() {
            continue;
        }
        for uses in job.steps.iter().filter_map(|step| step.uses.as_ref()) {
            if uses.is_pinned() || uses.name.starts_with("docker://") {
                continue;
            }
            let owner = uses.name.split('/').next().unwrap_or_default();
            let branch = uses.major().is_none();
            if !branch && KNOWN.contains(&owner) {
                continue;
            }
            let message = if branch {
                format!("`{}` follows a branch, and runs beside a token", uses.text)
            } else {
                format!("`{}` follows a tag, and runs beside a token", uses.text)
            };
            let draft = view
                .at(job, &uses.text.place, message)
                .help("name the commit, with the version in a comment");
            found.push(if branch { draft } else { draft.severity(Severity::Low) });
        }
    }
}
