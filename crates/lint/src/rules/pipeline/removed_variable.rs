use daypass_pipelines::Platform;

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "removed-variable",
    name: "A variable is read that is there no more",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "`CI_JOB_JWT` and its versions, which GitLab took away in 17.0.",
    why: "The login fails. Its tokens had one audience for everybody, which is why they were removed.",
    example: "script: [vault write -field=token auth/jwt/login role=ci jwt=$CI_JOB_JWT_V2]",
    instead: "id_tokens: {VAULT_ID_TOKEN: {aud: https://vault.example.com}}
script: [vault write -field=token auth/jwt/login role=ci jwt=$VAULT_ID_TOKEN]",
    references: &["https://docs.gitlab.com/ci/secrets/id_token_authentication/"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    if view.pipeline.platform != Platform::GitLab {
        return;
    }
    for job in &view.pipeline.jobs {
        let scripts = job.steps.iter().flat_map(|step| &step.scripts);
        let values = job.env.iter().chain(&view.pipeline.env).map(|variable| &variable.value);
        let used = scripts.chain(values).find(|text| text.as_str().contains("CI_JOB_JWT"));
        let Some(text) = used else { continue };
        let draft = view.at(job, &text.place, "`CI_JOB_JWT` and its versions were removed in GitLab 17.0");
        found.push(draft.help("ask for a token with `id_tokens`, and an audience of its own"));
    }
}
