use daypass_pipelines::{IdToken, Job, Uses};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "token-for-every-job",
    name: "Jobs that need no token may have one",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "Permission for a token that is given to all jobs of a file, where some are not seen to use one.",
    why: "A test that runs other people's packages can mint the token that deploys.",
    example: "permissions: {id-token: write}
jobs:
  test:
    steps: [{run: npm ci && npm test}]",
    instead: "jobs:
  deploy:
    permissions: {id-token: write}",
    references: &[
        "https://docs.github.com/en/actions/concepts/security/openid-connect",
        "https://docs.github.com/en/actions/reference/security/secure-use",
    ],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    let jobs: Vec<_> = view.pipeline.own_jobs().collect();
    let idle = jobs.iter().filter_map(|job| match &job.id_token {
        IdToken::Granted { place, by_default: true } if needs_none(job) => Some((*job, place)),
        _ => None,
    });
    let idle: Vec<_> = idle.collect();
    let Some((first, place)) = idle.first() else { return };
    let names: Vec<String> = idle.iter().map(|(job, _)| format!("`{}`", job.id)).collect();
    let message = format!("every job may have a token, and {} needs none", names.join(", "));
    let draft =
        if jobs.len() == 1 { view.at(first, place, message) } else { view.everywhere(place, message) };
    found.push(draft.help("give the permission to the job that exchanges the token, and to no other"));
}

/// Whether a job is seen to do without a token. What an action of others does with one is not known.
fn needs_none(job: &Job) -> bool {
    let harmless = |uses: &Uses| {
        let plain = [
            "checkout",
            "cache",
            "upload-artifact",
            "download-artifact",
            "github-script",
            "labeler",
            "stale",
        ];
        let name = uses.name.strip_prefix("actions/");
        name.is_some_and(|name| {
            plain.contains(&name) || name.starts_with("setup-") || name.starts_with("cache/")
        })
    };
    let asks = |text: &str| {
        [
            "ACTIONS_ID_TOKEN_REQUEST",
            "ID_TOKEN",
            "OIDC_TOKEN",
            "cosign",
            "sigstore",
            "id-token",
            "--provenance",
        ]
        .iter()
        .any(|sign| text.contains(sign))
    };
    job.requests.is_empty()
        && job.calls.is_none()
        && job.steps.iter().filter_map(|step| step.uses.as_ref()).all(harmless)
        && !job.steps.iter().flat_map(|step| &step.scripts).any(|script| asks(script.as_str()))
        && !job.steps.iter().flat_map(|step| &step.env).chain(&job.env).any(|it| asks(it.value.as_str()))
}
