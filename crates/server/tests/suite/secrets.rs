//! Tokens and secrets appear where they are handed over, and nowhere else: not in logs, errors, metrics or records, and not
//! on disk.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use daypass_token::sign::TokenHeader;
use http::Method;
use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::tools::{Answer, Plan, World, answer, form, key};

/// Logs, kept.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What must not be seen. Of a token that is its signature: the rest says nothing that is not on record.
#[derive(Default)]
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn token(&mut self, name: &str, token: &str) {
        self.0.push((name.to_owned(), token.rsplit('.').next().unwrap().to_owned()));
    }

    fn secret(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 32, "{name}: {secret}");
        self.0.push((name.to_owned(), secret.to_owned()));
    }

    fn not_in(&self, place: &str, bytes: &[u8]) {
        for (name, secret) in &self.0 {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{name} is in {place}");
        }
    }
}

fn files(directory: &Path, visit: &mut impl FnMut(&Path, &[u8])) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, visit) } else { visit(&path, &std::fs::read(&path).unwrap()) }
    }
}

#[tokio::test]
async fn nothing_secret_is_seen_where_it_does_not_belong() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(logs.clone())
        .with_ansi(false)
        .finish();
    // Everything of this test runs on this thread, and the client's logs are among those of the service.
    let _logging = tracing::subscriber::set_default(subscriber);
    // While there is only one, whatever another test's thread comes to first is switched off for all: it has none.
    let _another = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let plan = Plan { top: "explain_to_caller = \"full\"".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let mut secrets = Secrets::default();
    let mut errors: Vec<(String, Answer)> = Vec::new();

    // What goes well.
    let token = world.token(&[]);
    secrets.token("the subject token", &token);
    let keys = crate::tools::Keys::of(&world.web_identity(&token, &[]).await);
    secrets.secret("the secret key", &keys.secret);
    secrets.secret("the session token", &keys.token);
    let identity = [("Action", "GetCallerIdentity")];
    assert_eq!(world.signed(&keys, &identity).await.status, 200);
    let target = world.presign(&world.signer(&keys), "GET", &form(&identity), 60);
    assert_eq!(world.get(&target).await.status, 200);
    let token = world.token(&[]);
    secrets.token("the exchanged token", &token);
    let reply = world.exchange(&token, &[]).await;
    secrets.token("the re-issued token", reply.json()["access_token"].as_str().unwrap());
    assert_eq!(world.exchange(&token, &[]).await.body, reply.body, "a retry, which needs the answer again");

    // What does not: every way of being refused, and tokens in all the wrong places.
    let forged = key().sign(&TokenHeader::new("JWT"), &world.claims()).unwrap();
    secrets.token("a forged token", &forged);
    let denied = world.token(&[("ref", "refs/heads/dev".into())]);
    secrets.token("a token that is not admitted", &denied);
    for (name, token) in [("forged", &forged), ("denied", &denied)] {
        errors.push((name.to_owned(), world.web_identity(token, &[]).await));
        errors.push((name.to_owned(), world.exchange(token, &[("audience", "deploy")]).await));
    }
    for parameter in
        ["RoleSessionName", "RoleArn", "DurationSeconds", "ProviderId", "Action", "Version", "Policy"]
    {
        errors.push((parameter.to_owned(), world.web_identity(&denied, &[(parameter, &denied)]).await));
    }
    for parameter in ["audience", "resource", "scope", "session_name", "grant_type", "duration_seconds"] {
        let answer = world.exchange(&denied, &[("audience", "deploy"), (parameter, &denied)]).await;
        errors.push((parameter.to_owned(), answer));
    }
    let other = world.token(&[("iss", "https://evil.example".into())]);
    secrets.token("a stranger's token", &other);
    errors.push(("issuer".to_owned(), world.exchange(&other, &[]).await));
    let (headers, body) = world.sign(&world.signer(&keys), &form(&identity));
    errors.push(("signature".to_owned(), world.post_with(&headers, &format!("{body}&x=y")).await));
    errors.push((
        "host".to_owned(),
        world.get(&target.replace("SignedHeaders=host", "SignedHeaders=accept")).await,
    ));

    // Administrators present secrets, too.
    secrets.secret("the bootstrap token", &world.admin_token());
    let question = json!({ "role": "deploy", "token": denied });
    assert_eq!(world.admin(Method::POST, "/api/v1/explain", Some(question)).await.status, 200);
    for token in [&denied, &forged] {
        let request = world.admin_request(Method::GET, "/api/v1/audit", None).bearer_auth(token);
        errors.push(("admin".to_owned(), answer(request).await));
    }
    let in_place_of_an_id = json!({ "decision": denied });
    errors.push((
        "explain".to_owned(),
        world.admin(Method::POST, "/api/v1/explain", Some(in_place_of_an_id)).await,
    ));

    for (name, answer) in &errors {
        assert!(answer.status.is_client_error(), "{name}: {}", answer.body);
        secrets.not_in(&format!("the error about {name}"), answer.body.as_bytes());
        secrets.not_in(&format!("the headers about {name}"), format!("{:?}", answer.headers).as_bytes());
    }
    let listed = world.admin(Method::GET, "/api/v1/keys", None).await;
    secrets.not_in("the list of keys", listed.body.as_bytes());
    let metrics = answer(world.admin_request(Method::GET, "/metrics", None)).await;
    secrets.not_in("the metrics", metrics.body.as_bytes());
    let audit = world.admin(Method::GET, "/api/v1/audit?limit=1000", None).await;
    secrets.not_in("the log of decisions", audit.body.as_bytes());
    assert!(audit.body.contains(&keys.id), "an access key id is no secret");

    let directory = Arc::clone(&world.directory);
    world.service.stop().await.unwrap();
    let logs = logs.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logs).contains("TRACE"), "something was logged");
    secrets.not_in("the logs", &logs);
    files(directory.path(), &mut |path, bytes| {
        // The bootstrap token lies where its reader looks for it.
        if !path.ends_with("admin-token") {
            secrets.not_in(&path.display().to_string(), bytes);
        }
    });
}
