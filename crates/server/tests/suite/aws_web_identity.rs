//! AssumeRoleWithWebIdentity: what SDKs send, and what they read.

use std::time::Duration;

use crate::tools::{DEPLOY, GITHUB, Keys, Plan, World, form, redacted};

#[tokio::test]
async fn a_token_becomes_a_session() {
    let world = World::new().await;
    let answer = world.web_identity(&world.token(&[]), &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/xml");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-amzn-requestid"), answer.element("RequestId"));
    redacted().bind(|| insta::assert_snapshot!(answer.body.replace("><", ">\n<")));
    let record = world.records(1).await.remove(0);
    assert_eq!(record["id"], answer.element("RequestId"), "what a user quotes is what the operator looks up");
    assert_eq!(record["credential"]["access_key_id"], Keys::of(&answer).id.as_str());
    assert_eq!(record["client"], "127.0.0.1");
}

#[tokio::test]
async fn everything_that_sdks_may_send_is_taken() {
    let world = World::new().await;
    let policy =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    // botocore sends token files with their line end; the others are documented parameters.
    let token = format!("{}\n", world.token(&[]));
    let changes = [
        ("DurationSeconds", "900"),
        ("Policy", policy),
        ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("PolicyArns.member.2.arn", "arn:aws:iam::123456789012:policy/p"),
        ("MinimumSessionTokenSize", "4096"),
        ("RoleSessionName", "run-1@x+=,."),
    ];
    let answer = world.web_identity(&token, &changes).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.element("Expiration"), "2026-09-21T14:28:20Z", "DurationSeconds is kept to");
    let answer = world.web_identity(&world.token(&[]), &[("PolicyArns", ""), ("Version", "")]).await;
    assert_eq!(answer.status, 200, "an empty list is sent as a name without a value: {}", answer.body);
}

#[tokio::test]
async fn parameters_may_stand_in_the_query() {
    let world = World::new().await;
    let token = world.token(&[]);
    let query = form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", DEPLOY),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", &token),
    ]);
    assert_eq!(world.get(&format!("/?{query}")).await.status, 200);
    assert_eq!(world.post(&format!("/?{query}"), "").await.status, 200, "in the query of a POST, too");
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_another_one_another() {
    let world = World::new().await;
    let token = world.token(&[]);
    let first = Keys::of(&world.web_identity(&token, &[]).await);
    assert_eq!(Keys::of(&world.web_identity(&token, &[]).await).id, first.id);
    let other = Keys::of(&world.web_identity(&token, &[("RoleSessionName", "run-2")]).await);
    assert!(!other.id.is_empty() && other.id != first.id);
    world.clock.advance(Duration::from_secs(61));
    let later = Keys::of(&world.web_identity(&token, &[]).await);
    assert!(!later.id.is_empty() && later.id != first.id, "past the window it is another use");
}

#[tokio::test]
async fn another_replica_gives_the_same_answer() {
    let world = World::new().await;
    let replica = world.again().await;
    let token = world.token(&[]);
    let first = Keys::of(&world.web_identity(&token, &[]).await);
    assert_eq!(Keys::of(&replica.web_identity(&token, &[]).await).id, first.id);
}

#[tokio::test]
async fn source_identity_is_told_and_long_subjects_are_not() {
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow",
        "Principal": {{"Federated": "arn:aws:iam::123456789012:oidc-provider/{}"}},
        "Action": ["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity"],
        "Condition": {{"StringLike": {{"token.actions.githubusercontent.com:sub": "repo:acme/app:*",
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}}}}}}}"#,
        GITHUB.trim_start_matches("https://")
    );
    let tables = "[[role]]\nname = \"people\"\ntrust_policy = \"people.json\"\n";
    let plan = Plan { files: vec![("people.json".to_owned(), policy)], ..Plan::tables(tables) };
    let world = World::with(plan).await;
    let arn = "arn:aws:iam::123456789012:role/people";
    let token = world.token(&[("https://aws.amazon.com/source_identity", "octocat".into())]);
    let answer = world.web_identity(&token, &[("RoleArn", arn)]).await;
    assert_eq!(answer.element("SourceIdentity"), "octocat", "{}", answer.body);
    let long = format!("repo:acme/app:{}", "x".repeat(300));
    let answer = world.web_identity(&world.token(&[("sub", long.into())]), &[("RoleArn", arn)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.body.contains("SubjectFromWebIdentityToken"), "AWS's model has up to 255 characters");
}
