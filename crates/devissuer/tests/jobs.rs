//! Jobs, as the programs in them see it.

use std::collections::BTreeMap;

use daypass_claims::{Audience, ClaimValue};
use daypass_devissuer::{IssuerMode, JobReply, MintRequest, PIPELINE_VARIABLE};
use daypass_issuers::catalogue;
use serde_json::{Value, json};

use crate::common::{Server, claims, github, issuer_of};

async fn environment(server: &Server, request: &MintRequest) -> BTreeMap<String, String> {
    let (status, body) = server.post("/job", request).await;
    assert_eq!(status, 200, "{body}");
    serde_json::from_value::<JobReply>(body).unwrap().environment
}

fn text(token: &str, claim: &str) -> String {
    claims(token).get(claim).and_then(ClaimValue::as_str).unwrap().to_owned()
}

/// What actions/toolkit does: the URL has a query, to which the audience is appended.
async fn ask_github(server: &Server, job: &BTreeMap<String, String>, rest: &str) -> (u16, Value) {
    let url = format!("{}{rest}", job["ACTIONS_ID_TOKEN_REQUEST_URL"]);
    let request = server.http.get(url).bearer_auth(&job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_github_job_asks_for_its_token() {
    let server = Server::start(IssuerMode::Loopback).await;
    let job = environment(&server, &github().variant("environment").claim("repository", "acme/web")).await;
    assert_eq!(job["GITHUB_ACTIONS"], "true");
    let (status, answer) = ask_github(&server, &job, "&audience=https%3A%2F%2Fsts.example.com").await;
    assert_eq!(status, 200);
    let token = answer["value"].as_str().unwrap();
    assert_eq!(answer["count"], token.len());
    assert_eq!(text(token, "aud"), "https://sts.example.com");
    assert_eq!(text(token, "sub"), "repo:acme/web:environment:production");
    server.verify(&issuer_of(token), token).await.unwrap();

    // Without an audience, the platform's own; and each token is another one.
    let (_, again) = ask_github(&server, &job, "").await;
    let again = again["value"].as_str().unwrap();
    assert_eq!(text(again, "aud"), "https://github.com/acme");
    assert_ne!(text(again, "jti"), text(token, "jti"));
    server.stop().await;
}

#[tokio::test]
async fn a_github_job_gets_the_token_that_it_was_made_for_however_bad() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &github().lifetime(-600).key(daypass_devissuer::KeyChoice::Rogue)).await;
    let (_, answer) = ask_github(&server, &job, "&audience=x").await;
    let token = answer["value"].as_str().unwrap();
    assert_eq!(server.verify(&issuer_of(token), token).await.unwrap_err().code(), "signature-invalid");
    server.stop().await;
}

#[tokio::test]
async fn a_job_without_its_secret_gets_nothing() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &github()).await;
    let url = &job["ACTIONS_ID_TOKEN_REQUEST_URL"];
    let secret = &job["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    let other = environment(&server, &github()).await;
    let status = async |request: reqwest::RequestBuilder| {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap()["error"].clone())
    };
    let refused = (401, json!("job-unauthorised"));
    assert_eq!(status(server.http.get(url)).await, refused);
    assert_eq!(status(server.http.get(url).bearer_auth("x")).await, refused);
    assert_eq!(status(server.http.get(url).basic_auth("x", Some(secret))).await, refused);
    let foreign = &other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    assert_eq!(status(server.http.get(url).bearer_auth(foreign)).await, refused);
    let elsewhere = url.replace("/github-actions/", "/forgejo/");
    assert_eq!(status(server.http.get(elsewhere).bearer_auth(secret)).await, refused);
    let jobless = server.url("/github-actions/idtoken?audience=x");
    assert_eq!(status(server.http.get(jobless).bearer_auth(secret)).await, refused);
    let long = format!("{url}&audience={}", "x".repeat(1_025));
    assert_eq!(status(server.http.get(long).bearer_auth(secret)).await, (400, json!("name-malformed")));
    let two = format!("{url}&audience=a&audience=b");
    assert_eq!(status(server.http.get(two).bearer_auth(secret)).await, (400, json!("audience-refused")));
    server.stop().await;
}

#[tokio::test]
async fn an_azure_devops_job_posts_for_its_token() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &MintRequest::new("azure-devops")).await;
    assert_eq!(job["TF_BUILD"], "true");
    let url = format!("{}?api-version=7.1", job["SYSTEM_OIDCREQUESTURI"]);
    let request = server.http.post(&url).header("content-type", "application/json");
    let response = request.bearer_auth(&job["SYSTEM_ACCESSTOKEN"]).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    let token = answer["oidcToken"].as_str().unwrap();
    assert_eq!(text(token, "aud"), "api://AzureADTokenExchange");
    server.verify(&issuer_of(token), token).await.unwrap();
    assert_eq!(server.http.post(&url).bearer_auth("x").send().await.unwrap().status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn a_buildkite_agent_asks_for_the_token_of_its_job() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &MintRequest::new("buildkite")).await;
    let url = format!("{}/jobs/{}/oidc/tokens", job["BUILDKITE_AGENT_ENDPOINT"], job["BUILDKITE_JOB_ID"]);
    let ask = async |body: Value| {
        let secret = format!("Token {}", job["BUILDKITE_AGENT_ACCESS_TOKEN"]);
        let response =
            server.http.post(&url).header("authorization", secret).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, answer) =
        ask(json!({ "audience": "sts.example.com", "lifetime": 600, "claims": ["organization_id"] })).await;
    assert_eq!(status, 200, "{answer}");
    let token = answer["token"].as_str().unwrap();
    assert_eq!(text(token, "aud"), "sts.example.com");
    assert!(claims(token).contains("organization_id"));
    let verified = server.verify(&issuer_of(token), token).await.unwrap();
    assert_eq!(verified.expires_at().since(verified.issued_at()).as_secs(), 600);
    let (_, plain) = ask(json!({})).await;
    assert_eq!(text(plain["token"].as_str().unwrap(), "aud"), "https://buildkite.com/acme");
    let (status, answer) = ask(json!({ "aws_session_tags": ["organization_slug"] })).await;
    assert_eq!((status, &answer["error"]), (400, &json!("request-malformed")));
    server.stop().await;
}

#[tokio::test]
async fn a_circleci_job_has_two_tokens_with_two_subjects() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &MintRequest::new("circleci").variant("production")).await;
    let (v1, v2) = (&job["CIRCLE_OIDC_TOKEN"], &job["CIRCLE_OIDC_TOKEN_V2"]);
    let org = "0a1b2c3d-0000-4000-8000-000000000001";
    for token in [v1, v2] {
        assert_eq!(text(token, "aud"), org);
        let contexts = claims(token).get("oidc.circleci.com/context-ids").unwrap().to_string();
        assert_eq!(contexts, r#"["33333333-3333-4333-8333-333333333333"]"#);
        server.verify(&issuer_of(token), token).await.unwrap();
    }
    assert!(text(v2, "sub").ends_with("/vcs-origin/github.com/acme/app/vcs-ref/refs/heads/main"));
    assert_eq!(text(v2, "sub").split("/vcs-origin/").next(), Some(text(v1, "sub").as_str()));
    let named = MintRequest::new("circleci").audience(Audience::parse("sts.example.com").unwrap());
    let job = environment(&server, &named).await;
    assert_eq!(text(&job["CIRCLE_OIDC_TOKEN_V2"], "aud"), "sts.example.com");
    server.stop().await;
}

#[tokio::test]
async fn a_gitlab_job_has_the_variable_of_its_pipeline_file() {
    let server = Server::start(IssuerMode::True).await;
    let job = environment(&server, &MintRequest::new("gitlab-com")).await;
    assert_eq!(job["CI_SERVER_HOST"], "gitlab.com");
    assert_eq!(text(&job[PIPELINE_VARIABLE], "aud"), "sts.amazonaws.com");
    server.stop().await;
}

#[tokio::test]
async fn every_platform_gives_an_environment_or_says_why_not() {
    let server = Server::start(IssuerMode::True).await;
    let mut impossible = Vec::new();
    for platform in catalogue().platforms() {
        let (status, body) = server.post("/job", &MintRequest::new(&platform.id)).await;
        if status == 200 {
            let job = serde_json::from_value::<JobReply>(body).unwrap().environment;
            let seen =
                platform.job.detect.is_empty() || platform.job.is_seen_in(|name| job.get(name).cloned());
            assert!(seen, "{}", platform.id);
        } else {
            assert_eq!((status, &body["error"]), (400, &json!("environment-impossible")), "{body}");
            impossible.push(format!("{}: {}", platform.id, body["message"].as_str().unwrap()));
        }
    }
    insta::assert_snapshot!(impossible.join("\n"), @"
    codefresh: jobs on codefresh get their token in a way that was not established, and no variable can stand in for that: mint one instead
    harness: jobs on harness get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    scalr: jobs on scalr get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    google-cloud: jobs on google-cloud get their token from a service at a place of its own, and no variable can stand in for that: mint one instead
    aws-sts-outbound: jobs on aws-sts-outbound get their token from a command, and no variable can stand in for that: mint one instead
    concourse: jobs on concourse get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    kubernetes: jobs on kubernetes get their token from a file, and no variable can stand in for that: mint one instead
    render: jobs on render get their token in a way that was not established, and no variable can stand in for that: mint one instead
    fly-io: jobs on fly-io get their token from a service at a place of its own, and no variable can stand in for that: mint one instead
    pulumi-cloud: jobs on pulumi-cloud get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    octopus-deploy: jobs on octopus-deploy get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    gitpod-classic: jobs on gitpod-classic get their token from a command, and no variable can stand in for that: mint one instead
    buddy: jobs on buddy get their token in a way that was not established, and no variable can stand in for that: mint one instead
    activestate: jobs on activestate get their token by the platform's own doing, and no variable can stand in for that: mint one instead
    ");
    server.stop().await;
}
