use daypass_pipelines::{IdToken, Role};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "missing-id-token",
    name: "A token is needed and not permitted",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A job that exchanges a token with a cloud and may not have one.",
    why: "It fails when it runs. What usually follows is that the stored key comes back.",
    example: "permissions: {contents: read}
steps:
  - uses: aws-actions/configure-aws-credentials@v4
    with: {role-to-assume: 'arn:aws:iam::111122223333:role/deploy'}",
    instead: "permissions: {contents: read, id-token: write}",
    references: &["https://docs.github.com/en/actions/concepts/security/openid-connect"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    if view.pipeline.role != Role::Pipeline {
        return;
    }
    for job in view.pipeline.own_jobs() {
        let Some(request) = job.requests.first().filter(|_| job.id_token.allowed() == Some(false)) else {
            continue;
        };
        let draft = view.at(job, &request.place, "the job asks for a token that it may not have");
        let why = match &job.id_token {
            IdToken::Denied(Some(place)) => format!("its permissions at {place} leave the token out"),
            _ => "nothing permits it".to_owned(),
        };
        found.push(draft.why([why]).help("add `id-token: write` to the permissions of the job"));
    }
}
