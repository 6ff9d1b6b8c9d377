//! Requests that cannot be met: 400, with a code and a text that says what would be right.

use daypass_devissuer::{IssuerMode, MintRequest};
use serde_json::{Value, json};

use crate::common::Server;

async fn refusal(server: &Server, path: &str, body: &Value) -> String {
    let (status, answer) = server.post(path, body).await;
    assert!(answer["error"].is_string(), "{body} was met");
    format!("{status} {}: {}", answer["error"].as_str().unwrap(), answer["message"].as_str().unwrap())
}

#[tokio::test]
async fn each_mint_that_cannot_be_has_its_reason() {
    let server = Server::start(IssuerMode::True).await;
    let mut refusals = Vec::new();
    for body in [
        json!({}),
        json!({ "platform": "github" }),
        json!({ "platform": "circleci", "variant": "nightly" }),
        json!({ "platform": "circleci", "claim": {} }),
        json!({ "platform": "circleci", "claims": [] }),
        json!({ "platform": "circleci", "claims": { "oidc.circleci.com/org-id": "acme" } }),
        json!({ "platform": "circleci", "claims": { "oidc.circleci.com/org-id": null } }),
        json!({ "platform": "azure-devops", "audience": "sts.amazonaws.com" }),
        json!({ "platform": "hcp-terraform", "audience": [] }),
        json!({ "platform": "github-actions", "audience": ["a", "b"] }),
        json!({ "platform": "github-actions", "audience": 1 }),
        json!({ "platform": "github-actions", "audience": "" }),
        json!({ "platform": "github-actions", "lifetime": "5m" }),
        json!({ "platform": "github-actions", "key": "stolen" }),
        json!({ "platform": "github-actions", "alg": "RS256" }),
        json!({ "platform": "github-actions", "key_of": "gitlab" }),
        json!({ "platform": "github-actions", "key_of": "https://oidc.circleci.com/org/acme" }),
        json!({ "platform": "github-actions", "claims": { "x": "x".repeat(20_000) } }),
    ] {
        refusals.push(refusal(&server, "/mint", &body).await);
    }
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    400 request-malformed: missing field `platform` at line 1 column 2
    400 platform-unknown: there is no platform `github` (did you mean `github-actions`?)
    400 variant-unknown: circleci has no variant `nightly` (known: v1, v2, production, tag, fork-pr, webhook, ssh-rerun, root-issuer)
    400 request-malformed: unknown field `claim`, expected one of `platform`, `variant`, `claims`, `null`, `audience`, `lifetime`, `key`, `key_of`, `kid`, `alg` at line 1 column 8
    400 request-malformed: invalid type: sequence, expected an object of claims at line 1 column 10
    400 claims-incomplete: `acme` cannot stand for `oidc.circleci.com/org-id` in the issuer, which takes uuid
    400 claims-incomplete: the issuer needs a value for `oidc.circleci.com/org-id`
    400 audience-refused: azure-devops always mints for `api://AzureADTokenExchange`; a job cannot ask for `sts.amazonaws.com`
    400 audience-refused: hcp-terraform has no default audience: name one
    400 audience-refused: github-actions mints for one audience, 2 were asked for
    400 request-malformed: `audience` is a number, not a string or a list of strings
    400 request-malformed: `audience`: audience is empty
    400 request-malformed: invalid type: string "5m", expected i64 at line 1 column 16
    400 request-malformed: unknown variant `stolen`, expected one of `current`, `retired`, `rogue` at line 1 column 15
    400 request-malformed: unknown variant `RS256`, expected `none` or `HS256` at line 1 column 14
    400 platform-unknown: there is no platform `gitlab` (did you mean `gitlab-com`?)
    400 issuer-unknown: `https://oidc.circleci.com/org/acme` is not an issuer of any platform
    400 token-too-large: token would have 28340 bytes, at most 20000 are read
    "#);
    server.stop().await;
}

#[tokio::test]
async fn an_issuer_that_is_too_long_on_loopback_is_none() {
    let server = Server::start(IssuerMode::Loopback).await;
    let hostname = format!("{}.example", ["a"; 110].join("."));
    let body = json!({ "platform": "gitlab-self-managed", "claims": { "hostname": hostname } });
    let refusal = refusal(&server, "/mint", &body).await;
    let expected = format!("400 issuer-malformed: gitlab-self-managed has no issuer `https://{hostname}`");
    assert_eq!(refusal, expected);
    server.stop().await;
}

#[tokio::test]
async fn each_act_that_cannot_be_has_its_reason() {
    let server = Server::start(IssuerMode::True).await;
    server.mint(&MintRequest::new("github-actions")).await;
    let mut refusals = Vec::new();
    for (act, body) in [
        ("rotate", json!({ "scope": "jira" })),
        ("rotate", json!({ "scope": "http://192.0.2.1/" })),
        ("remove-key", json!({})),
        ("remove-key", json!({ "scope": "github-actions" })),
        ("remove-key", json!({ "scope": "github-actions", "kid": "k" })),
        ("skew", json!({ "minutes": 5 })),
        ("outage", json!({ "outage": "refuse" })),
        ("outage", json!({})),
        ("outage", json!({ "outage": "hang", "scope": "jira" })),
    ] {
        refusals.push(refusal(&server, &format!("/control/{act}"), &body).await);
    }
    insta::assert_snapshot!(refusals.join("\n"), @"
    400 platform-unknown: there is no platform `jira`
    400 issuer-unknown: `http://192.0.2.1/` is not an issuer of any platform
    400 request-malformed: missing field `scope` at line 1 column 2
    400 key-only-current: `https://token.actions.githubusercontent.com` publishes its current key alone: rotate first, or name the key
    400 key-not-published: `https://token.actions.githubusercontent.com` does not publish a key `k`
    400 request-malformed: unknown field `minutes`, expected `seconds` at line 1 column 10
    400 request-malformed: unknown variant `refuse`, expected one of `unavailable`, `hang`, `garbage`, `redirect`, `wrong-issuer`, `malformed-key`, `empty-set`, `huge`, `slow` at line 1 column 18
    400 request-malformed: missing field `outage` at line 1 column 2
    400 platform-unknown: there is no platform `jira`
    ");
    server.stop().await;
}

#[tokio::test]
async fn a_body_has_an_end() {
    let server = Server::start(IssuerMode::True).await;
    let long = json!({ "platform": "x".repeat(70_000) });
    let refusal = refusal(&server, "/mint", &long).await;
    assert!(refusal.starts_with("413 body-too-large"), "{refusal}");
    server.stop().await;
}
