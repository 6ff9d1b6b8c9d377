//! Callers behind proxies: whom the record names, and whether they came over TLS.

use crate::site::Authority;
use crate::tools::{Plan, World, answer, form};

/// Asks with these headers; the address on record.
async fn on_record(world: &World, headers: &[(&str, &str)]) -> String {
    let mut request = world.http.post(format!("{}/token", world.url));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let token = world.token(&[("repository_id", "9".into())]);
    let body = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("audience", "api"),
    ]);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(answer(request.body(body)).await.status, 400);
    world.records(1).await[0]["client"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_a_proxy_of_ours() {
    let world = World::new().await;
    assert_eq!(on_record(&world, &[("x-forwarded-for", "203.0.113.7")]).await, "127.0.0.1");
}

#[tokio::test]
async fn the_last_address_that_is_not_a_proxy_of_ours_is_the_callers() {
    let plan =
        Plan { top: "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    for (forwarded, expected) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        // What a client sends itself comes first, and is not believed.
        (&["198.51.100.1, 203.0.113.7, 10.1.2.3"][..], "203.0.113.7"),
        (&["198.51.100.1", "203.0.113.7, 10.1.2.3"][..], "203.0.113.7"),
        (&["203.0.113.7, 10.1.2.3 , 10.4.5.6"][..], "203.0.113.7"),
        (&["10.9.9.9, 10.1.2.3"][..], "10.9.9.9"),
        (&["::ffff:203.0.113.7"][..], "203.0.113.7"),
        (&["2001:db8::7"][..], "2001:db8::7"),
        (&["203.0.113.7, nonsense, 10.1.2.3"][..], "10.1.2.3"),
        (&["203.0.113.7, nonsense"][..], "127.0.0.1"),
        (&[""][..], "127.0.0.1"),
    ] {
        let headers: Vec<(&str, &str)> = forwarded.iter().map(|value| ("x-forwarded-for", *value)).collect();
        assert_eq!(on_record(&world, &headers).await, expected, "{forwarded:?}");
    }
}

/// A role that is for callers over TLS.
fn careful(top: &str) -> Plan {
    let policy = r#"{"Statement": {"Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"Bool": {"aws:SecureTransport": "true"},
        "StringEquals": {"token.actions.githubusercontent.com:sub": "repo:acme/app:ref:refs/heads/main"}}}}"#;
    let tables = "[[role]]\nname = \"careful\"\ntrust_policy = \"careful.json\"\n";
    let files = vec![("careful.json".to_owned(), policy.to_owned())];
    Plan { top: top.to_owned(), files, ..Plan::tables(tables) }
}

async fn is_secure(world: &World, headers: &[(&str, &str)]) -> bool {
    let mut request = world.http.post(&world.url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let token = world.token(&[]);
    let body = form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", "arn:aws:iam::123456789012:role/careful"),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", &token),
    ]);
    let answer = answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await;
    assert!([200, 403].contains(&answer.status.as_u16()), "{}", answer.body);
    answer.status == 200
}

#[tokio::test]
async fn whether_a_caller_came_over_tls_is_known() {
    let world = World::with(careful("")).await;
    assert!(!is_secure(&world, &[]).await);
    assert!(!is_secure(&world, &[("x-forwarded-proto", "https")]).await, "anybody can say so");
    let world = World::with(Plan { tls: Some(Authority::new()), ..careful("") }).await;
    assert!(is_secure(&world, &[]).await);
    let world = World::with(careful("trusted_proxies = [\"127.0.0.1\"]")).await;
    let proto = |value| ("x-forwarded-proto", value);
    assert!(is_secure(&world, &[proto("https")]).await);
    assert!(is_secure(&world, &[proto("http, HTTPS")]).await);
    assert!(!is_secure(&world, &[proto("http")]).await);
    assert!(!is_secure(&world, &[proto("https"), proto("http")]).await, "the proxy has the last word");
    assert!(!is_secure(&world, &[proto("https, http")]).await);
}
