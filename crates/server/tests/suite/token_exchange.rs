//! RFC 8693: what OAuth clients send, and what they read.

use std::time::Duration;

use daypass_claims::ClaimValue;
use daypass_token::UnverifiedToken;
use serde_json::{Value, json};

use crate::tools::{Answer, DEPLOY, GITHUB, Plan, World, answer, form, redacted};

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A role that issues access tokens, and one that may be asked for once only.
const MORE: &str = r#"
[[role]]
name = "access"
credential = { kind = "jwt", audience = "https://api.example.com", subject = "{repository_id}", access_token = true }
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"

[[role]]
name = "environment"
credential = { kind = "jwt", audience = "https://api.example.com", subject = "env:{environment}" }
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"

[[issuer]]
name = "far"
url = "https://ci.example.com"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]
"#;

fn never_kept(answer: &Answer) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
}

#[tokio::test]
async fn a_token_becomes_a_re_issued_one() {
    let world = World::new().await;
    let answer = world.exchange(&world.token(&[]), &[("scope", "read")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    never_kept(&answer);
    let mut body = answer.json();
    let token = body["access_token"].take();
    let expected = json!({
        "access_token": null, "issued_token_type": ID_TOKEN, "token_type": "Bearer", "expires_in": 1_800, "scope": "read",
    });
    assert_eq!(body, expected);
    let token = UnverifiedToken::parse(token.as_str().unwrap()).unwrap();
    let claims = token.unverified_claims();
    assert_eq!(claims.get("iss"), Some(&world.url.as_str().into()));
    assert_eq!(claims.get("sub"), Some(&"repo:2002:ref:refs/heads/main".into()));
    assert_eq!(claims.get("repository"), Some(&"acme/app".into()));
    assert_eq!(claims.get("jti"), Some(&world.records(1).await[0]["id"].as_str().unwrap().into()));
}

#[tokio::test]
async fn the_type_that_was_issued_is_said_truly() {
    let world = World::with(Plan::tables(MORE)).await;
    let issued = async |role: &str, wanted: &str| {
        let changes = [("audience", role), ("requested_token_type", wanted)];
        let answer = world.exchange(&world.token(&[]), &changes).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["issued_token_type"].as_str().unwrap().to_owned()
    };
    assert_eq!(issued("api", "").await, ID_TOKEN);
    assert_eq!(issued("api", JWT).await, JWT, "which it is, too");
    assert_eq!(issued("api", ACCESS_TOKEN).await, ID_TOKEN, "the role decides");
    assert_eq!(issued("access", "").await, ACCESS_TOKEN);
    assert_eq!(issued("access", ID_TOKEN).await, ACCESS_TOKEN);
}

#[tokio::test]
async fn aws_keys_come_as_credential_process_gives_them() {
    let world = World::new().await;
    let answer =
        world.exchange(&world.token(&[]), &[("audience", DEPLOY), ("duration_seconds", "600")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    never_kept(&answer);
    let body = answer.json();
    assert_eq!(body["token_type"], "N_A", "they are no access token");
    assert_eq!(body["issued_token_type"], "urn:daypass:params:oauth:token-type:aws-session");
    assert_eq!(body["expires_in"], 600);
    let keys = &body["aws_credentials"];
    assert_eq!(keys["Version"], 1);
    assert_eq!(keys["AccountId"], "123456789012");
    assert_eq!(keys["Expiration"], "2026-09-21T14:23:20Z");
    assert_eq!(keys["SessionToken"], body["access_token"]);
    let text = |name: &str| keys[name].as_str().unwrap().to_owned();
    let keys = crate::tools::Keys {
        id: text("AccessKeyId"),
        secret: text("SecretAccessKey"),
        token: text("SessionToken"),
    };
    let who = world.signed(&keys, &[("Action", "GetCallerIdentity")]).await;
    assert_eq!(who.status, 200, "{}", who.body);
    let session = who.element("Arn").rsplit('/').next().unwrap();
    assert!(session.contains("77"), "without a name a session has that of its run: {session}");
}

#[tokio::test]
async fn a_role_is_named_in_every_way_the_standard_has() {
    let world = World::new().await;
    let url = format!("{}/roles/api", world.url);
    let arn = "arn:aws:iam::123456789012:role/api";
    let none = ("audience", "");
    for named in [
        vec![("audience", "api")],
        vec![("audience", arn)],
        vec![none, ("resource", arn)],
        vec![none, ("resource", url.as_str())],
        vec![("audience", "api"), ("resource", url.as_str())],
        vec![("audience", "api"), ("subject_token_type", JWT)],
    ] {
        let answer = world.exchange(&world.token(&[]), &named).await;
        assert_eq!(answer.status, 200, "{named:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_ignored() {
    let world = World::new().await;
    let fields = [("client_id", "me"), ("client_secret", "s3cret"), ("client_assertion", "x.y.z")];
    assert_eq!(world.exchange(&world.token(&[]), &fields).await.status, 200);
    let token = world.token(&[]);
    let body = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &token),
        ("subject_token_type", ID_TOKEN),
        ("audience", "api"),
    ]);
    let request = world.http.post(format!("{}/token", world.url)).basic_auth("me", Some("s3cret"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = answer(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("www-authenticate"), "");
}

#[tokio::test]
async fn a_parameter_without_a_value_is_as_good_as_none() {
    let world = World::new().await;
    let empty = "&resource=&scope=&requested_token_type=&actor_token=&actor_token_type=&duration_seconds=&session_name=";
    let answer = world.post("/token", &usual(&world.token(&[]), empty)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = world.post("/token", &usual("", "")).await;
    assert_eq!(answer.json()["error_description"], "`subject_token` is missing");
    let answer = world.post("/token", &usual(&world.token(&[]), "&scope=&scope=read")).await;
    assert_eq!(answer.json()["error_description"], "parameter `scope` is there more than once");
}

/// What each wrong request is told: status, error, description.
struct Errors(String);

impl Errors {
    fn add(&mut self, name: &str, answer: &Answer) {
        assert!(
            answer.status.is_client_error() || answer.status.is_server_error(),
            "{name}: {}",
            answer.body
        );
        never_kept(answer);
        let body = answer.json();
        let Value::Object(members) = &body else { panic!("{name}: {body}") };
        let known = ["error", "error_description", "decision"];
        assert!(members.keys().all(|member| known.contains(&member.as_str())), "{name}: {body}");
        let description = body["error_description"].as_str().unwrap();
        // RFC 6749 section 5.2.
        assert!(
            description.chars().all(|c| matches!(c, ' '..='~') && c != '"' && c != '\\'),
            "{name}: {body}"
        );
        let decided = if body["decision"].is_string() { ", decided" } else { "" };
        let after = answer.header("retry-after");
        let after = if after.is_empty() { String::new() } else { format!(", retry after {after}") };
        let error = body["error"].as_str().unwrap();
        self.0.push_str(&format!(
            "{name}: {} {error}: {description}{decided}{after}\n",
            answer.status.as_u16()
        ));
    }
}

#[tokio::test]
async fn requests_that_are_wrong() {
    let world = World::new().await;
    let token = world.token(&[]);
    let mut errors = Errors(String::new());
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("no grant type", vec![("grant_type", "")]),
        ("other grant type", vec![("grant_type", "client_credentials")]),
        ("no token", vec![("subject_token", "")]),
        ("no token type", vec![("subject_token_type", "")]),
        ("other token type", vec![("subject_token_type", ACCESS_TOKEN)]),
        ("other requested type", vec![("requested_token_type", "urn:ietf:params:oauth:token-type:saml2")]),
        ("actor", vec![("actor_token", "x"), ("actor_token_type", JWT)]),
        ("actor type alone", vec![("actor_token_type", JWT)]),
        ("no role", vec![("audience", "")]),
        ("two roles", vec![("resource", "arn:aws:iam::123456789012:role/deploy")]),
        ("relative resource", vec![("audience", ""), ("resource", "api")]),
        ("resource with a fragment", vec![("audience", ""), ("resource", "urn:x#y")]),
        ("duration not a number", vec![("duration_seconds", "1h")]),
        ("duration of nothing", vec![("duration_seconds", "0")]),
        ("duration too long", vec![("duration_seconds", "99999999999")]),
        ("longer than the role allows", vec![("duration_seconds", "1801")]),
        ("session name", vec![("session_name", "a b")]),
        ("scope", vec![("scope", "read admin")]),
    ];
    for (name, changes) in cases {
        errors.add(name, &world.exchange(&token, &changes).await);
    }
    let long = "x".repeat(2_049);
    errors.add("long audience", &world.exchange(&token, &[("audience", &long)]).await);
    errors.add("empty body", &world.post("/token", "").await);
    errors.add("parameter twice", &world.post("/token", "grant_type=a&grant_type=b").await);
    errors.add("audience twice", &world.post("/token", &usual(&token, "&audience=deploy")).await);
    errors.add("broken encoding", &world.post("/token", "grant_type=%zz").await);
    errors.add("too large", &world.post("/token", &"a".repeat(128 * 1_024 + 1)).await);
    let json = world.http.post(format!("{}/token", world.url)).json(&json!({ "grant_type": "x" }));
    errors.add("JSON", &answer(json).await);
    redacted().bind(|| insta::assert_snapshot!(errors.0));
}

fn usual(token: &str, more: &str) -> String {
    let usual = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", token),
        ("subject_token_type", ID_TOKEN),
        ("audience", "api"),
    ]);
    format!("{usual}{more}")
}

#[tokio::test]
async fn tokens_that_are_refused() {
    let world = World::with(Plan::tables(MORE)).await;
    let now = daypass_claims::Clock::now(&*world.clock).as_secs();
    let text = |text: &str| ClaimValue::from(text);
    let mut errors = Errors(String::new());
    for (name, changes) in [
        ("unknown issuer", vec![("iss", text("https://evil.example/\"\\ä"))]),
        ("expired", vec![("exp", (now - 61).into()), ("iat", (now - 400).into())]),
        ("other audience", vec![("aud", text("https://other.example"))]),
        ("other repository", vec![("repository_id", text("9"))]),
        ("other organisation", vec![("repository_owner_id", text("9"))]),
        ("issuer that cannot be reached", vec![("iss", text("https://ci.example.com"))]),
        ("malformed tags", vec![("https://aws.amazon.com/tags", text("x"))]),
    ] {
        errors.add(name, &world.exchange(&world.token(&changes), &[]).await);
    }
    errors.add("no such role", &world.exchange(&world.token(&[]), &[("audience", "nobody")]).await);
    errors.add("no token at all", &world.exchange("x", &[]).await);
    errors.add("too long a token", &world.exchange(&"x".repeat(20_001), &[]).await);
    let wanted = world.exchange(&world.token(&[]), &[("audience", "environment")]).await;
    errors.add("claim that the role needs", &wanted);
    let token = world.token(&[]);
    assert_eq!(world.exchange(&token, &[]).await.status, 200);
    errors.add("used already", &world.exchange(&token, &[("scope", "write")]).await);
    redacted().bind(|| insta::assert_snapshot!(errors.0));
}

#[tokio::test]
async fn strangers_and_unknown_roles_get_the_identical_answer() {
    let world = World::new().await;
    let stranger = world.token(&[("repository_owner_id", "9".into())]);
    let same = async |role: &str| {
        let answer = world.exchange(&stranger, &[("audience", role)]).await;
        let decision = answer.json()["decision"].as_str().unwrap().to_owned();
        (answer.status, answer.body.replace(&decision, "[id]"))
    };
    assert_eq!(same("api").await, same("nobody").await);
}

#[tokio::test]
async fn a_retry_gets_the_same_token_and_another_request_none() {
    let world = World::new().await;
    let token = world.token(&[]);
    let first = world.exchange(&token, &[]).await.json();
    world.clock.advance(Duration::from_secs(30));
    let again = world.exchange(&token, &[]).await.json();
    assert_eq!(again["access_token"], first["access_token"]);
    assert_eq!(again["expires_in"], 1_770);
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(world.exchange(&token, &[]).await.status, 400, "past the window it is another use");
}

#[tokio::test]
async fn only_post_is_answered() {
    let world = World::new().await;
    for path in ["/token", "/token?grant_type=x"] {
        let answer = world.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    }
    let put = answer(world.http.put(format!("{}/", world.url)).body("x")).await;
    assert_eq!(put.status, 405);
    assert_eq!(world.get("/nothing").await.status, 404);
    let query = usual(&world.token(&[]), "");
    let answer = world.post(&format!("/token?{query}"), "").await;
    assert_eq!(answer.json()["error"], "invalid_request", "a token in an URL would be in every log");
}

#[tokio::test]
async fn the_issuer_of_the_subject_token_is_the_one_on_record() {
    let world = World::new().await;
    world.exchange(&world.token(&[]), &[]).await;
    let record = world.records(1).await.remove(0);
    assert_eq!((&record["issuer"], &record["wire"]), (&json!(GITHUB), &json!("token-exchange")));
    assert_eq!(record["credential"]["kind"], "jwt");
}
