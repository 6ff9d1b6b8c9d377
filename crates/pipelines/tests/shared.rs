//! The shared samples: what their index says of each must be there to ask for.

use std::collections::BTreeMap;

use daypass_pipelines::inventory::inventory;
use daypass_pipelines::{IdToken, Job, Pipeline, Who};

use crate::samples::{pipeline, tree};

fn shared() -> BTreeMap<String, Vec<u8>> {
    tree("shared")
}

fn workflow(name: &str) -> Pipeline {
    pipeline(&shared(), &format!(".github/workflows/{name}.yml"))
}

fn configures_aws(job: &Job) -> bool {
    job.steps_using("aws-actions/configure-aws-credentials")
        .any(|step| step.input("role-to-assume").is_some())
}

#[test]
fn p04_is_set_off_by_anyone_and_checks_their_code_out() {
    let pipeline = workflow("p04-oidc-pr-target");
    assert!(pipeline.is_triggered_by(Who::PullRequestTarget));
    let job = &pipeline.jobs[0];
    assert_eq!(job.id_token.allowed(), Some(true));
    let checkout = job.steps_using("actions/checkout").next().unwrap();
    assert!(checkout.input("ref").unwrap().as_str().contains("pull_request.head.sha"));
}

#[test]
fn p05_grants_the_token_to_a_job_that_does_not_need_it() {
    let pipeline = workflow("p05-oidc-toplevel-idtoken");
    let [test, deploy] = &pipeline.jobs[..] else { panic!() };
    for job in [test, deploy] {
        assert!(matches!(&job.id_token, IdToken::Granted { by_default: true, place } if place.line == 3));
    }
    assert!(test.requests.is_empty() && configures_aws(deploy));
    let uses = deploy.steps[0].uses.as_ref().unwrap();
    assert_eq!((uses.is_pinned(), uses.version.as_deref()), (false, Some("main")));
}

#[test]
fn p07_needs_a_token_that_it_may_not_have() {
    let job = workflow("p07-missing-idtoken").jobs.remove(0);
    assert!(configures_aws(&job));
    assert!(matches!(&job.id_token, IdToken::Denied(Some(place)) if place.line == 3));
}

#[test]
fn p09_has_all_that_it_needs_and_no_more() {
    let job = workflow("p09-good").jobs.remove(0);
    assert!(matches!(job.id_token, IdToken::Granted { by_default: false, .. }));
    assert!(job.steps[0].uses.as_ref().unwrap().is_pinned());
    assert_eq!(job.environment.unwrap().name.as_str(), "prod");
}

#[test]
fn p11_hands_every_secret_to_an_unpinned_workflow() {
    let job = workflow("p11-secrets-inherit").jobs.remove(0);
    let call = job.calls.unwrap();
    assert!(call.inherits.is_some() && !call.target.is_pinned() && !call.target.is_local());
}

/// The inventory of one sample, a line for each credential.
fn found(path: &str) -> Vec<String> {
    let tree = shared();
    let line = |one: daypass_pipelines::inventory::Credential| {
        let job = one.job.as_deref().unwrap_or("*");
        let confidence = format!("{:?}", one.confidence).to_lowercase();
        format!("{}:{} {confidence} [{job}] {} <- {}", one.line, one.kind, one.sink, one.source)
    };
    inventory(path, &tree[path], &tree).unwrap().credentials.into_iter().map(line).collect()
}

#[test]
fn the_inventory_of_the_workflows() {
    let of = |name: &str| found(&format!(".github/workflows/{name}.yml"));
    assert_eq!(
        of("p01-static-keys"),
        [
            "10:aws-access-key certain [deploy] aws-actions/configure-aws-credentials: aws-access-key-id, aws-secret-access-key <- secrets.AWS_ACCESS_KEY_ID, secrets.AWS_SECRET_ACCESS_KEY"
        ]
    );
    assert_eq!(
        of("p02-env-keys"),
        [
            "5:aws-access-key certain [*] AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- secrets.PROD_KEY_ID, secrets.PROD_KEY",
            "7:azure-client-secret certain [*] ARM_CLIENT_SECRET <- secrets.ARM_CLIENT_SECRET",
            "8:gcp-service-account-key certain [*] TF_VAR_gcp_key <- secrets.GCP_SA",
        ]
    );
    for none in ["p04-oidc-pr-target", "p05-oidc-toplevel-idtoken", "p07-missing-idtoken", "p09-good"] {
        assert_eq!(of(none), [""; 0], "{none}");
    }
    assert_eq!(
        of("p10-hardcoded"),
        [
            "8:aws-access-key certain [d] AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- literal AKIA… (20 characters), literal … (40 characters)"
        ]
    );
    assert_eq!(
        of("p11-secrets-inherit"),
        [
            "8:all-secrets certain [call] acme/workflows/.github/workflows/deploy.yml: secrets <- every secret",
            "13:aws-access-key certain [alias] aws configure set <- secrets.K1",
            "14:gcp-service-account-key certain [alias] gcloud auth activate-service-account <- secrets.SA_JSON",
            "15:azure-client-secret certain [alias] az login <- secrets.SP_PW",
            "16:vault-token certain [alias] vault login <- secrets.VT",
            "17:kubeconfig certain [alias] .kube/config <- secrets.KC",
        ]
    );
}

#[test]
fn the_inventory_of_the_other_platforms() {
    assert_eq!(
        found("gitlab-static.gitlab-ci.yml"),
        [
            "2:aws-access-key certain [*] AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- PROD_AWS_KEY, PROD_AWS_SECRET",
            "9:gcp-service-account-key certain [gcp] gcloud auth activate-service-account <- GCP_SA_JSON",
            "14:azure-client-secret certain [tf] TF_VAR_arm_client_secret <- ARM_CLIENT_SECRET",
        ]
    );
    assert_eq!(found("circleci-oidc.yml"), [""; 0]);
    assert_eq!(
        found("circleci-static.yml"),
        [
            "5:docker-hub-password certain [deploy] image: password <- DOCKERHUB_PASSWORD (context aws-prod or gcp-prod)",
            "7:aws-access-key certain [deploy] circleci/aws-cli/setup: aws-access-key-id, aws-secret-access-key <- AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (context aws-prod or gcp-prod)",
            "8:gcp-service-account-key certain [deploy] gcloud auth activate-service-account <- GCLOUD_SERVICE_KEY (context aws-prod or gcp-prod)",
        ]
    );
    assert_eq!(
        found("bitbucket-pipelines.yml"),
        [
            "4:aws-access-key certain [static] AWS_ACCESS_KEY_ID, atlassian/aws-s3-deploy: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY <- PROD_KEY, AWS_SECRET_ACCESS_KEY"
        ]
    );
    assert_eq!(
        found("azure-pipelines.yml"),
        [
            "5:azure-client-secret inferred [job] azurecli: addSpnToEnvironment <- connection sc-prod-secret",
            "7:aws-access-key inferred [job] awsshellscript: awsCredentials <- connection aws-static-connection",
            "9:azure-client-secret certain [job] ARM_CLIENT_SECRET <- ARM_CLIENT_SECRET (variable group prod-secrets)",
            "9:aws-access-key certain [job] AWS_SECRET_ACCESS_KEY <- AWS_SECRET_ACCESS_KEY (variable group prod-secrets)",
        ]
    );
}
