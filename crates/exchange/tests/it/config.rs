//! `daypass.toml`: what is refused, and where.

use daypass_claims::Timestamp;
use daypass_exchange::config::{Loaded, load, review};

use crate::support::{Memory, START, config_text, jwks, key};

fn loaded(text: &str, files: &[(&str, &str)]) -> Result<Loaded, String> {
    let own = jwks(&[&key()]);
    let mut all = vec![("daypass.toml", text), ("github.jwks.json", own.as_str())];
    all.extend(files);
    let env = |name: &str| (name == "ACCOUNT").then(|| "999999999999".to_owned());
    load("daypass.toml".into(), &Memory::of(&all), &env, Timestamp::from_secs(START))
        .map_err(|error| error.to_string())
}

fn refusal(text: &str) -> String {
    loaded(text, &[]).unwrap_err()
}

#[test]
fn values_come_from_the_environment_with_their_place_when_they_do_not() {
    let config = loaded(&config_text("").replace("123456789012", "${ACCOUNT}"), &[]).unwrap().config;
    assert_eq!(config.account_id, "999999999999");
    let why = refusal(&config_text("").replace("123456789012", "${NOT_SET}"));
    assert_eq!(why, "daypass.toml:3:14: the environment variable `NOT_SET` is not set");
    assert!(refusal(&config_text("").replace("123456789012", "${OPEN")).contains("`${` without `}`"));
}

#[test]
fn everything_wrong_is_said_at_once_with_its_place() {
    insta::assert_snapshot!(refusal(
        r#"
lisen = "127.0.0.1:1"
listen = "0.0.0.0:8080"
account_id = "12"
explain_to_caller = "all"
trusted_proxies = ["10.0.0.0/99"]
kek = { file = "a", env = "B" }
signing = { algorithms = ["HS256"], rotate_every = "1h", publish_ahead = "2h" }
[[issuer]]
name = "a"
url = "http://issuer.example"
audiences = []
[[issuer]]
name = "b"
url = "https://gitlab.com"
platform = "github-actions"
audiences = ["x"]
jwks_ttl = "2d"
[[role]]
name = "bad name"
max_session = "13h"
path = "ci"
credential = { kind = "gold" }
[[role]]
name = "none"
credential = { kind = "jwt", audience = "a", subject = "x:{", claims = { iss = "me" } }
"#
    ), @r#"
    daypass.toml:1:1: `data` is missing (a directory, or postgres://... for replicas)
    daypass.toml:2:1: unknown key `lisen` (did you mean `listen`?)
    daypass.toml:3:10: plain HTTP is served on loopback only, this is 0.0.0.0:8080 (give `tls = { cert = "...", key = "..." }`, or put a proxy in front)
    daypass.toml:3:10: `public_url` is missing (it is the service's identity in tokens and presigned requests, and is never taken from a Host header)
    daypass.toml:4:14: `account_id` must be 12 digits, this is `12`
    daypass.toml:5:21: `explain_to_caller` must be reference, own-claims or full, this is `all`
    daypass.toml:6:20: `10.0.0.0/99` is not an address or network (for example 10.0.0.0/8)
    daypass.toml:7:7: `kek` wants exactly one of `file` and `env`
    daypass.toml:8:11: `publish_ahead` must be shorter than `rotate_every`
    daypass.toml:8:27: tokens cannot be signed with `HS256` (ES256 (default), EdDSA, RS256)
    daypass.toml:9:1: `audiences` is empty: no token could be accepted
    daypass.toml:11:7: issuer must be an https URL (http only on loopback, for development)
    daypass.toml:15:7: `https://gitlab.com` is no issuer of github-actions (its issuers look like https://token.actions.githubusercontent.com)
    daypass.toml:18:12: `jwks_ttl` must be a duration like "15m", from 5m to 1h, this is `2d`
    daypass.toml:19:1: the role has no trust (write [[role.trust]], or `trust_policy` with the path of a document)
    daypass.toml:20:8: `bad name` cannot be the name of a role (1 to 64 letters, digits and _+=,.@-)
    daypass.toml:21:15: `max_session` must be a duration like "15m", from 1m to 12h, this is `13h`
    daypass.toml:22:8: `ci` cannot be the path of a role (it begins and ends with `/`, for example /ci/)
    daypass.toml:23:23: no kind of credential is called `gold` (known: aws-session, jwt)
    daypass.toml:24:1: the role has no trust (write [[role.trust]], or `trust_policy` with the path of a document)
    daypass.toml:26:56: template `x:{` has an unbalanced brace
    daypass.toml:26:74: `iss` is set by the service
    "#);
}

#[test]
fn plain_http_is_for_loopback_and_an_identity_is_needed_elsewhere() {
    let with = |line: &str| refusal(&format!("{line}\n{}", config_text("")));
    assert!(with("listen = \"0.0.0.0:80\"").contains("plain HTTP is served on loopback only"));
    let tls = "listen = \"0.0.0.0:443\"\ntls = { cert = \"c.pem\", key = \"k.pem\" }";
    assert!(with(tls).contains("`public_url` is missing"));
    assert!(with("public_url = \"https://sts.example.com/path\"").contains("`public_url` has a path"));
    assert!(with("[admin]\nlisten = \"0.0.0.0:9\"\n").contains("the admin listener is for loopback"));
    assert!(
        refusal(&config_text("").replace("data = \"data\"", "data = \"postgres://u:secret@db/x\""))
            .contains("`kek` is missing")
    );
    let url = loaded(
        &config_text("")
            .replace("data = \"data\"", "data = \"postgres://u:secret@db/x\"\nkek = { env = \"K\" }"),
        &[],
    );
    assert!(!format!("{:?}", url.unwrap().config).contains("secret"));
}

#[test]
fn roles_lie_in_files_too_and_are_defined_once() {
    let role = "[[role]]\nname = \"more\"\n[[role.trust]]\nissuer = \"github\"\naudience = \"sts.amazonaws.com\"\nclaims.repository_id = \"1\"\nclaims.repository_owner_id = \"2\"\n";
    let text = format!("roles = \"roles\"\n{}", config_text(""));
    let config = loaded(&text, &[("roles/more.toml", role)]).unwrap().config;
    assert!(config.roles.iter().any(|role| role.name == "more"));
    let twice = loaded(&text, &[("roles/a.toml", &role.replace("more", "Deploy"))]).unwrap_err();
    assert!(twice.contains("role `Deploy` is defined twice (first at daypass.toml:"), "{twice}");
    assert!(loaded(&text, &[]).is_ok(), "the directory may be absent");
    let located = loaded(&text, &[("roles/a.toml", "[[role]]\nname = 3\n")]).unwrap_err();
    assert!(located.contains("roles/a.toml:2:8: `name` must be a string, this is `3`"), "{located}");
}

#[test]
fn a_role_whose_policy_tests_fail_is_not_served() {
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}}}"#;
    let role = "[[role]]\nname = \"checked\"\ntrust_policy = \"checked.json\"\n";
    let test = |expect: &str| {
        format!(
            "policy = \"checked.json\"\nissuer = \"https://token.actions.githubusercontent.com\"\n[[case]]\nname = \"siblings stay out\"\n\
             claims = {{ sub = \"repo:acme/sibling:ref:refs/heads/main\" }}\nexpect = \"{expect}\"\n"
        )
    };
    let text = format!("roles = \"roles\"\n{}", config_text(""));
    let load = |expect: &str| {
        let test = test(expect);
        let files =
            [("roles/c.toml", role), ("roles/checked.json", policy), ("roles/c.test.toml", test.as_str())];
        let config = loaded(&text, &files).unwrap().config;
        config.roles.into_iter().find(|role| role.name == "checked").unwrap().refused
    };
    assert_eq!(load("allow"), None);
    let why = load("deny").unwrap();
    assert!(
        why.starts_with("policy test `siblings stay out` of roles/c.test.toml expects deny and got allow"),
        "{why}"
    );
}

#[test]
fn a_review_warns_about_short_sessions_shared_audiences_and_overlapping_environments() {
    let extra = r#"
[[role]]
name = "short"
environment = "staging"
max_session = "10m"
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
claims.ref = { glob = "refs/heads/*" }
[[role]]
name = "prod"
environment = "production"
[[role.trust]]
issuer = "github"
audience = "sts.amazonaws.com"
claims.repository_owner_id = "1001"
claims.repository_id = "2002"
claims.ref = "refs/heads/main"
claims.environment = "production"
"#;
    let config = loaded(&config_text(extra), &[]).unwrap().config;
    let warnings: Vec<String> = review(&config).iter().map(|warning| warning.message.clone()).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    sessions of `short` last at most 10m: the AWS SDKs then refresh before every call
    issuer `github`: audience `sts.amazonaws.com` is that of AWS STS: a token made for one can be presented to the other
    one token can assume `short` (staging) and `prod` (production): {"aud":"sts.amazonaws.com","environment":"production","iss":"https://token.actions.githubusercontent.com","ref":"refs/heads/main","repository_id":"2002","repository_owner_id":"1001","sub":"repo:acme/app:environment:production"}
    "#);
    let apart = extra.replace("claims.ref = { glob = \"refs/heads/*\" }", "claims.environment = \"staging\"");
    let config = loaded(&config_text(&apart), &[]).unwrap().config;
    assert!(!review(&config).iter().any(|warning| warning.message.contains("one token can assume")));
}

/// An AWS trust policy on the tokens of a repository's GitHub jobs whose subject is one of these.
fn document(subject: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated":
                "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": { "token.actions.githubusercontent.com:aud": "sts.amazonaws.com" },
                "StringLike": { "token.actions.githubusercontent.com:sub": subject },
            },
        }],
    })
    .to_string()
}

#[test]
fn a_production_document_that_pull_requests_reach_is_not_served() {
    let role = |environment: &str| {
        format!("[[role]]\nname = \"live\"\n{environment}\ntrust_policy = \"live.json\"\n")
    };
    let refused = |environment: &str, subject: &str| {
        let files = [("live.json", &*document(subject))];
        let config = loaded(&config_text(&role(environment)), &files).unwrap().config;
        config.roles.iter().find(|role| role.name == "live").unwrap().refused.clone()
    };
    let production = "environment = \"production\"";
    let why = refused(production, "repo:acme/app:*").unwrap();
    assert!(
        why.starts_with("jobs that a pull request starts can assume this production role, with {"),
        "{why}"
    );
    assert!(why.contains("\"sub\":\"repo:acme/app:"), "{why}");
    // `pull_request_target` and `workflow_run` carry the main branch's ref.
    assert!(refused(production, "repo:acme/app:ref:refs/heads/main").is_some());
    assert_eq!(refused(production, "repo:acme/app:environment:production"), None);
    assert_eq!(refused("environment = \"staging\"", "repo:acme/app:*"), None);
    assert_eq!(refused("", "repo:acme/app:*"), None);
}
