//! What AWS's own clients are told: each reason with the code and the status that SDKs know it by. The snapshots are the
//! reference; the SDKs' side of it is in the STS API reference, "Errors" of each operation.

use std::sync::atomic::Ordering;
use std::time::Duration;

use daypass_claims::ClaimValue;
use daypass_token::sign::TokenHeader;

use crate::tools::{Answer, DEPLOY, Listing, Plan, World, form, key, redacted};

macro_rules! assert_listed {
    ($listing:expr) => {
        redacted().bind(|| insta::assert_snapshot!($listing.0))
    };
}

#[tokio::test]
async fn the_envelope_is_that_of_sts() {
    let world = World::new().await;
    let answer = world.web_identity(&world.token(&[("ref", "refs/heads/<dev>&".into())]), &[]).await;
    assert_eq!(answer.status, 403);
    redacted().bind(|| insta::assert_snapshot!(answer.body.replace("><", ">\n<")));
    assert_eq!(world.records(1).await[0]["id"], answer.element("RequestId"));
}

#[tokio::test]
async fn requests_that_are_none() {
    let world = World::new().await;
    let token = world.token(&[]);
    let mut listing = Listing::default();
    let version = ("Version", "2011-06-15");
    listing.add("no action", &world.aws(&[version]).await);
    listing.add("no parameters", &world.get("/").await);
    listing.add("unknown action", &world.aws(&[("Action", "GetSessionToken"), version]).await);
    listing.add("wrong case", &world.aws(&[("Action", "getcalleridentity"), version]).await);
    listing.add("wrong version", &world.web_identity(&token, &[("Version", "2010-05-08")]).await);
    let twice = format!("{}&RoleArn=x", form(&[("Action", "GetCallerIdentity"), ("RoleArn", DEPLOY)]));
    listing.add("parameter twice", &world.post("/", &twice).await);
    let both = world.post("/?Action=GetCallerIdentity", "Action=AssumeRole").await;
    listing.add("in query and body", &both);
    listing.add("broken encoding", &world.post("/", "Action=%zz").await);
    listing.add("not UTF-8 once decoded", &world.post("/", "Action=%ff").await);
    let raw = world.http.post(&world.url).header("content-type", "application/x-www-form-urlencoded");
    listing.add("not UTF-8", &crate::tools::answer(raw.body(vec![b'A', 0xff])).await);
    let json = world.http.post(&world.url).header("content-type", "application/json").body("{}");
    listing.add("JSON", &crate::tools::answer(json).await);
    let untyped = world.http.post(&world.url).body("Action=GetCallerIdentity");
    listing.add("no content type", &crate::tools::answer(untyped).await);
    listing.add("too many parameters", &world.post("/", &"a=1&".repeat(257)).await);
    listing.add("too large a body", &world.post("/", &"a".repeat(128 * 1_024 + 1)).await);
    assert_listed!(listing);
}

#[tokio::test]
async fn parameters_that_are_wrong() {
    let world = World::new().await;
    let token = world.token(&[]);
    let long = "x".repeat(65);
    let policies: Vec<String> = (1..=11).map(|n| format!("PolicyArns.member.{n}.arn")).collect();
    let many: Vec<(&str, &str)> =
        policies.iter().map(|name| (name.as_str(), "arn:aws:iam::aws:policy/ReadOnlyAccess")).collect();
    let huge = "x".repeat(20_001);
    let wide = format!(r#"{{"Statement":"{}"}}"#, "x".repeat(2_048));
    let cases: Vec<(&str, Vec<(&str, &str)>)> = vec![
        ("no role", vec![("RoleArn", "")]),
        ("no session name", vec![("RoleSessionName", "")]),
        ("no token", vec![("WebIdentityToken", "")]),
        ("nothing at all", vec![("RoleArn", ""), ("RoleSessionName", ""), ("WebIdentityToken", "")]),
        ("a role's name", vec![("RoleArn", "deploy")]),
        ("a long role's name", vec![("RoleArn", "deploy-production-eu-west-1")]),
        ("a user's ARN", vec![("RoleArn", "arn:aws:iam::123456789012:user/deploy")]),
        ("session name too short", vec![("RoleSessionName", "x")]),
        ("session name too long", vec![("RoleSessionName", &long)]),
        ("session name with a space", vec![("RoleSessionName", "run 1")]),
        ("session name not ASCII", vec![("RoleSessionName", "läufe")]),
        ("session name with markup", vec![("RoleSessionName", "<b>&'\"")]),
        ("duration too short", vec![("DurationSeconds", "899")]),
        ("duration too long", vec![("DurationSeconds", "43201")]),
        ("duration not a number", vec![("DurationSeconds", "1h")]),
        ("duration negative", vec![("DurationSeconds", "-900")]),
        ("longer than the role allows", vec![("DurationSeconds", "3601")]),
        ("token too short", vec![("WebIdentityToken", "x.y")]),
        ("token too long", vec![("WebIdentityToken", &huge)]),
        ("provider id", vec![("ProviderId", "www.amazon.com")]),
        ("policy not JSON", vec![("Policy", "{")]),
        ("policy without statement", vec![("Policy", "{}")]),
        ("policy too large", vec![("Policy", &wide)]),
        ("eleven policies", many),
        ("misspelt policy", vec![("PolicyArns.member.1.Arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")]),
        (
            "policy without a number",
            vec![("PolicyArns.member.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess")],
        ),
        ("policy too short", vec![("PolicyArns.member.1.arn", "arn")]),
    ];
    let mut listing = Listing::default();
    for (name, changes) in cases {
        listing.add(name, &world.web_identity(&token, &changes).await);
    }
    assert_listed!(listing);
}

#[tokio::test]
async fn tokens_that_are_not_accepted() {
    let world = World::new().await;
    let now = daypass_claims::Clock::now(&*world.clock).as_secs();
    let text = |text: &str| ClaimValue::from(text);
    let cases: Vec<(&str, Vec<(&str, ClaimValue)>)> = vec![
        ("unknown issuer", vec![("iss", text("https://evil.example/<x>"))]),
        ("expired", vec![("exp", (now - 61).into()), ("iat", (now - 400).into())]),
        ("not yet valid", vec![("nbf", (now + 120).into())]),
        ("of the future", vec![("iat", (now + 120).into()), ("exp", (now + 420).into())]),
        ("lives too long", vec![("exp", (now + 90_000).into())]),
        ("other audience", vec![("aud", text("https://other.example"))]),
        ("several audiences", vec![("aud", vec!["sts.amazonaws.com", "x"].into())]),
        ("empty subject", vec![("sub", text(""))]),
        ("time as text", vec![("exp", text("tomorrow"))]),
        ("malformed tags", vec![("https://aws.amazon.com/tags", text("x"))]),
        ("malformed source identity", vec![("https://aws.amazon.com/source_identity", text("x y"))]),
        ("other role claimed", vec![("https://aws.amazon.com/roles", text("arn:aws:iam::1:role/x"))]),
        ("malformed roles", vec![("https://aws.amazon.com/roles", 7.into())]),
    ];
    let mut listing = Listing::default();
    for (name, changes) in cases {
        listing.add(name, &world.web_identity(&world.token(&changes), &[]).await);
    }
    for absent in ["iss", "aud", "sub", "exp", "iat"] {
        let mut claims = world.claims();
        claims.remove(absent);
        let token = world.key.sign(&TokenHeader::new("JWT"), &claims).unwrap();
        listing.add(&format!("without {absent}"), &world.web_identity(&token, &[]).await);
    }
    listing.add("not a token", &world.web_identity("not a token at all", &[]).await);
    listing.add("encrypted", &world.web_identity("a.b.c.d.e", &[]).await);
    let forged = key().sign(&TokenHeader::new("JWT"), &world.claims()).unwrap();
    listing.add("unknown key", &world.web_identity(&forged, &[]).await);
    let id = world.key.key_id().clone();
    let forged = key().with_key_id(id).sign(&TokenHeader::new("JWT"), &world.claims()).unwrap();
    listing.add("signature", &world.web_identity(&forged, &[]).await);
    let access = world.key.sign(&TokenHeader::new("at+jwt"), &world.claims()).unwrap();
    listing.add("access token", &world.web_identity(&access, &[]).await);
    // {"alg":"none"}.{"iss":"https://token.actions.githubusercontent.com"}.
    let unsigned =
        "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL3Rva2VuLmFjdGlvbnMuZ2l0aHVidXNlcmNvbnRlbnQuY29tIn0.";
    listing.add("alg none", &world.web_identity(unsigned, &[]).await);
    assert_listed!(listing);
}

/// Roles that refuse in other ways than by their trust, and an issuer that cannot be reached.
const OTHERS: &str = r#"
[[issuer]]
name = "far"
url = "https://ci.example.com"
audiences = ["sts.amazonaws.com"]
algorithms = ["ES256"]

[[role]]
name = "once"
max_uses = 1
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
claims.ref = "refs/heads/main"

[[role]]
name = "guess"
trust_policy = "vpc.json"
"#;

const VPC: &str = r#"{"Statement": {"Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}}"#;

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

#[tokio::test]
async fn what_trust_and_state_refuse() {
    let plan = Plan { files: vec![("vpc.json".to_owned(), VPC.to_owned())], ..Plan::tables(OTHERS) };
    let world = World::with(plan).await;
    let mut listing = Listing::default();
    let branch = world.token(&[("ref", "refs/heads/dev".into())]);
    listing.add("own branch", &world.web_identity(&branch, &[]).await);
    let stranger = world.token(&[("repository_owner_id", "9".into())]);
    listing.add("other organisation", &world.web_identity(&stranger, &[]).await);
    let nobody = role("nobody");
    listing.add("no such role", &world.web_identity(&world.token(&[]), &[("RoleArn", &nobody)]).await);
    let elsewhere = "arn:aws:iam::210987654321:role/deploy";
    listing.add("other account", &world.web_identity(&world.token(&[]), &[("RoleArn", elsewhere)]).await);
    let guess = role("guess");
    listing.add("undecided", &world.web_identity(&world.token(&[]), &[("RoleArn", &guess)]).await);
    let api = role("api");
    listing.add("another wire's role", &world.web_identity(&world.token(&[]), &[("RoleArn", &api)]).await);

    let (once, token) = (role("once"), world.token(&[]));
    assert_eq!(world.web_identity(&token, &[("RoleArn", &once)]).await.status, 200);
    let again = world.web_identity(&token, &[("RoleArn", &once), ("RoleSessionName", "run-2")]).await;
    listing.add("used already", &again);

    let far = world.token(&[("iss", "https://ci.example.com".into())]);
    listing.add("keys not at hand", &world.web_identity(&far, &[]).await);
    let token = world.token(&[]);
    world.random.dry.store(true, Ordering::SeqCst);
    listing.add("no randomness", &world.web_identity(&token, &[]).await);
    assert_listed!(listing);
}

#[tokio::test]
async fn a_role_whose_policy_tests_fail_is_not_served() {
    let policy = VPC.replace("aws:SourceVpc", "token.actions.githubusercontent.com:aud");
    let policy = policy.replace("vpc-1", "sts.amazonaws.com");
    let test = "policy = \"open.json\"\nissuer = \"https://token.actions.githubusercontent.com\"\n[[case]]\n\
                name = \"strangers stay out\"\nclaims = { aud = \"sts.amazonaws.com\", sub = \"repo:evil/x\" }\nexpect = \"deny\"\n";
    let role = "[[role]]\nname = \"open\"\ntrust_policy = \"open.json\"\n";
    let files = [("roles/open.toml", role), ("roles/open.json", &policy), ("roles/open.test.toml", test)];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec();
    let world = World::with(Plan { top: "roles = \"roles\"".to_owned(), files, ..Plan::default() }).await;
    let answer = world.web_identity(&world.token(&[]), &[("RoleArn", &self::role("open"))]).await;
    assert_eq!((answer.status.as_u16(), answer.element("Code")), (403, "AccessDenied"));
    assert!(!answer.body.contains("strangers"), "why is the operator's business: {}", answer.body);
    assert_eq!(world.records(1).await[0]["reason"], "role-refused");
}

#[tokio::test]
async fn strangers_and_unknown_roles_get_the_identical_answer() {
    let world = World::new().await;
    let same = |answer: &Answer| {
        let id = answer.element("RequestId");
        (answer.status, answer.body.replace(id, "[id]"))
    };
    let stranger = world.token(&[("repository_owner_id", "9".into())]);
    let denied = same(&world.web_identity(&stranger, &[]).await);
    let unknown = same(&world.web_identity(&stranger, &[("RoleArn", &role("nobody"))]).await);
    assert_eq!(denied, unknown);
}

#[tokio::test]
async fn a_reference_is_all_that_is_told_where_that_is_configured() {
    let plan = Plan { top: "explain_to_caller = \"reference\"".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let answer = world.web_identity(&world.token(&[("ref", "refs/heads/dev".into())]), &[]).await;
    let id = answer.element("RequestId");
    let message = format!("Not authorized to perform sts:AssumeRoleWithWebIdentity (decision {id})");
    assert_eq!(answer.element("Message"), message);
}

#[tokio::test]
async fn in_development_everything_is_told() {
    let plan = Plan { top: "explain_to_caller = \"full\"".to_owned(), ..Plan::default() };
    let world = World::with(plan).await;
    let answer = world.web_identity(&world.token(&[("ref", "refs/heads/dev".into())]), &[]).await;
    assert!(answer.element("Message").contains("refs/heads/main"), "{}", answer.body);
}

#[tokio::test]
async fn a_store_that_cannot_write_is_retried_by_sdks_and_nothing_leaves() {
    let world = World::new().await;
    let token = world.token(&[]);
    let database = world.directory.path().join("data/daypass.sqlite3");
    let other = rusqlite::Connection::open(database).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut listing = Listing::default();
    listing.add("locked", &world.web_identity(&token, &[]).await);
    world.clock.advance(Duration::from_secs(2));
    let ready = world.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json()["why"], "the database is locked by another process");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(world.web_identity(&token, &[]).await.status, 200, "the same token is as good as before");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.get("/readyz").await.status, 200);
    assert_listed!(listing);
}
