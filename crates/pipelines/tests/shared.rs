//! The shared samples: what their index says of each must be there to ask for.

use std::collections::BTreeMap;

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
