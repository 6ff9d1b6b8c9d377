use daypass_pipelines::Job;
use daypass_pipelines::inventory::{self, credentials};

use crate::finding::{Confidence, Draft, Severity};
use crate::pipeline_view::PipelineView;
use crate::rule::{Check, Rule, Subject};

pub(super) const RULE: Rule = Rule {
    id: "static-fallback",
    name: "A stored credential stands beside a token",
    severity: Severity::Medium,
    confidence: Confidence::High,
    applies_to: &[Subject::Pipelines],
    what: "A job that exchanges a token with a cloud and has a stored credential of the same cloud as well.",
    why: "The tools of the clouds take what is in the environment first: the key may be what deploys, and it can never be removed with a quiet mind.",
    example: "with:
  role-to-assume: arn:aws:iam::111122223333:role/deploy
  aws-access-key-id: ${{ secrets.AWS_ACCESS_KEY_ID }}",
    instead: "with:
  role-to-assume: arn:aws:iam::111122223333:role/deploy",
    references: &["https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html"],
    check: Check::Pipeline(check),
};

fn check(view: &PipelineView<'_>, found: &mut Vec<Draft>) {
    let all = credentials(view.pipeline);
    for job in &view.pipeline.jobs {
        for cloud in clouds(job) {
            let beside = all.iter().find(|it| {
                let seen = it.job.as_deref().is_none_or(|name| name == job.path());
                seen && it.cloud == cloud && it.confidence == inventory::Confidence::Certain
            });
            let Some(credential) = beside else { continue };
            let place = credential.places.iter().find(|place| *place.file == *view.pipeline.file);
            let message =
                format!("the job exchanges a token with {cloud} and has {} as well", credential.kind);
            let draft = view.at(job, place.unwrap_or(&job.place), message);
            found.push(draft.help("remove the credential from the job once the token works"));
        }
    }
}

/// The clouds that a job exchanges tokens with, in the inventory's words.
fn clouds(job: &Job) -> Vec<&'static str> {
    let mut clouds = Vec::new();
    for step in &job.steps {
        let Some(uses) = &step.uses else { continue };
        let given = |name: &str| step.input(name).is_some_and(|text| !text.as_str().is_empty());
        let cloud = match uses.name.as_str() {
            "aws-actions/configure-aws-credentials" if given("role-to-assume") => "aws",
            "google-github-actions/auth" if given("workload_identity_provider") => "gcp",
            "azure/login" if given("client-id") && !given("creds") => "azure",
            "hashicorp/vault-action" if step.input("method").is_some_and(|it| it.as_str() == "jwt") => {
                "vault"
            }
            _ if given("role_arn") && uses.name.contains("aws-cli") => "aws",
            _ if given("AWS_OIDC_ROLE_ARN") => "aws",
            _ => continue,
        };
        if !clouds.contains(&cloud) {
            clouds.push(cloud);
        }
    }
    clouds
}
