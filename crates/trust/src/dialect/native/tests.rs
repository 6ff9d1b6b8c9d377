use std::time::Duration;

use daypass_claims::{ClaimSet, Issuer, Timestamp};
use daypass_issuers::catalogue;

use super::{Issuers, KnownIssuer, Risk};
use crate::context::{Caller, Context};
use crate::dialect::{CompileOptions, Compiled, Dialect, compile};
use crate::document::Source;
use crate::evaluate::{Outcome, evaluate};

fn options() -> CompileOptions {
    let known = [
        ("github", "https://token.actions.githubusercontent.com", "github-actions"),
        ("circleci", "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001", "circleci"),
        ("env0", "https://login.app.env0.com/", "env0"),
        ("plain", "https://issuer.example.com", ""),
    ];
    let known = known.into_iter().map(|(name, url, platform)| KnownIssuer {
        name: name.to_owned(),
        issuer: Issuer::parse(url).unwrap(),
        platform: catalogue().platform(platform),
    });
    CompileOptions { issuers: Issuers::Configured(known.collect()), ..CompileOptions::default() }
}

fn read(text: &str, options: &CompileOptions) -> Result<Compiled, String> {
    compile(Dialect::Daypass, &Source::new("role.toml", text), options).map_err(|error| error.to_string())
}

const TIGHT: &str = r#"
[[trust]]
issuer = "github"
audience = "https://sts.example.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
"#;

fn with(claims: &str) -> String {
    format!("{TIGHT}{claims}\n")
}

fn decide(claims: &str, token: &str) -> Outcome {
    let policy = read(&with(claims), &options()).unwrap().policy;
    let mut token = ClaimSet::from_json(token.as_bytes()).unwrap();
    for (name, value) in [
        ("iss", "https://token.actions.githubusercontent.com"),
        ("aud", "https://sts.example.com"),
        ("repository_id", "2002"),
        ("repository_owner_id", "1001"),
    ] {
        if !token.contains(name) {
            token.insert(name, value);
        }
    }
    evaluate(&policy, &token, &Context::new()).outcome
}

use Outcome::{Allow, Deny};

#[test]
fn exact_by_default_and_type_strict() {
    assert_eq!(decide("", "{}"), Allow);
    assert_eq!(decide("", r#"{"repository_id": "2003"}"#), Deny);
    assert_eq!(decide("", r#"{"repository_id": 2002}"#), Deny, "a number is not its digits");
    assert_eq!(decide("", r#"{"repository_id": ["2002"]}"#), Deny, "a scalar test never matches a list");
    assert_eq!(decide("", r#"{"aud": "other"}"#), Deny);
    assert_eq!(decide("", r#"{"iss": "https://token.actions.githubusercontent.com/"}"#), Deny);
    assert_eq!(decide("claims.ref = \"refs/heads/main\"", r#"{"ref": "refs/heads/Main"}"#), Deny);
    assert_eq!(
        decide("claims.ref = \"refs/heads/*\"", r#"{"ref": "refs/heads/x"}"#),
        Deny,
        "a star is a star"
    );
}

#[test]
fn one_of_none_of_and_presence() {
    let one_of = "claims.environment = { one_of = [\"production\", \"canary\"] }";
    assert_eq!(decide(one_of, r#"{"environment": "canary"}"#), Allow);
    assert_eq!(decide(one_of, r#"{"environment": ""}"#), Deny);
    assert_eq!(decide(one_of, "{}"), Deny);
    let none_of = "claims.event_name = { none_of = [\"pull_request\"] }";
    assert_eq!(decide(none_of, r#"{"event_name": "push"}"#), Allow);
    assert_eq!(decide(none_of, r#"{"event_name": "pull_request"}"#), Deny);
    assert_eq!(decide(none_of, "{}"), Deny, "absent fails");
    assert_eq!(decide(none_of, r#"{"event_name": null}"#), Allow, "null is a value that is not excluded");
    assert_eq!(decide("claims.environment = { present = false }", "{}"), Allow);
    assert_eq!(decide("claims.environment = { present = false }", r#"{"environment": "x"}"#), Deny);
    assert_eq!(decide("claims.environment = { present = true }", "{}"), Deny);
}

#[test]
fn a_star_stays_within_a_segment_unless_doubled() {
    let narrow = "claims.ref = { glob = \"refs/heads/release-*\" }";
    assert_eq!(decide(narrow, r#"{"ref": "refs/heads/release-1"}"#), Allow);
    assert_eq!(decide(narrow, r#"{"ref": "refs/heads/release-1/evil"}"#), Deny);
    assert_eq!(decide(narrow, r#"{"ref": "xrefs/heads/release-1"}"#), Deny, "anchored at both ends");
    let wide = "claims.ref = { glob = \"refs/heads/release-**\" }";
    assert_eq!(decide(wide, r#"{"ref": "refs/heads/release-1/x"}"#), Allow);
    assert_eq!(decide("claims.ref = { glob = [\"a?\", \"b\"] }", r#"{"ref": "ax"}"#), Allow);
}

#[test]
fn list_claims_have_their_own_tests() {
    let text = |test: &str| {
        format!(
            "[[trust]]\nissuer = \"circleci\"\naudience = \"a\"\nclaims.\"oidc.circleci.com/project-id\" = \"p\"\n\
             claims.\"oidc.circleci.com/context-ids\" = {test}\n"
        )
    };
    let decide = |test: &str, contexts: &str| {
        let policy = read(&text(test), &options()).unwrap().policy;
        let json = format!(
            r#"{{"iss": "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001", "aud": "a",
                "oidc.circleci.com/project-id": "p"{contexts}}}"#
        );
        evaluate(&policy, &ClaimSet::from_json(json.as_bytes()).unwrap(), &Context::new()).outcome
    };
    let list = |items: &str| format!(r#", "oidc.circleci.com/context-ids": {items}"#);
    assert_eq!(decide("{ has = \"x\" }", &list(r#"["y", "x"]"#)), Allow);
    assert_eq!(decide("{ has = [\"x\", \"y\"] }", &list(r#"["x"]"#)), Deny, "all of them");
    assert_eq!(decide("{ has = \"x\" }", &list(r#""x""#)), Deny, "a string is no list");
    assert_eq!(decide("{ has_only = [\"x\", \"y\"] }", &list(r#"["x"]"#)), Allow);
    assert_eq!(decide("{ has_only = [\"x\"] }", &list(r#"["x", "y"]"#)), Deny);
    assert_eq!(decide("{ has_only = [\"x\"] }", &list("[]")), Deny, "empty fails");
    assert_eq!(decide("{ has_only = [\"x\"] }", ""), Deny, "absent fails");
    let refusal = read(&text("\"x\""), &options()).unwrap_err();
    assert!(refusal.contains("is a list of strings in tokens of circleci: this never matches"), "{refusal}");
}

#[test]
fn values_that_the_platform_never_writes_are_refused() {
    let refusal = |claims: &str| read(&with(claims), &options()).unwrap_err();
    assert!(refusal("claims.ref_protected = true").contains("write \"true\""));
    assert!(refusal("claims.run_id = 7").contains("write \"7\""));
    assert!(refusal("claims.ref = { has = \"x\" }").contains("use an exact value or `one_of`"));
    assert!(refusal("claims.ref = [\"a\"]").contains("{ one_of = [...] }"));
    assert!(refusal("claims.ref = { one_of = [] }").contains("an empty list matches nothing"));
    assert!(refusal("claims.ref = {}").contains("has no test"));
    assert!(refusal("claims.ref = { equals = \"x\" }").contains("unknown test `equals`"));
    assert!(refusal("claims.oidc.circleci = \"x\"").contains("claims.\"oidc.circleci\""));
    let notes = read(&with("claims.repositry = \"x\""), &options()).unwrap().notes;
    assert!(notes[0].message.contains("lists no claim `repositry`"), "{}", notes[0]);
}

fn risks(text: &str, environment: Option<&str>) -> Vec<String> {
    let options = CompileOptions { environment: environment.map(str::to_owned), ..options() };
    match read(text, &options) {
        Ok(_) => Vec::new(),
        Err(refusal) => Risk::ALL
            .into_iter()
            .filter(|risk| refusal.contains(&format!("[{risk}]")))
            .map(|risk| risk.to_string())
            .collect(),
    }
}

#[test]
fn unsafe_trust_is_refused_by_name() {
    let github = |rest: &str| format!("[[trust]]\nissuer = \"github\"\naudience = \"a\"\n{rest}\n");
    let both = "claims.repository_id = \"2002\"\nclaims.repository_owner_id = \"1001\"\n";
    assert_eq!(risks(&github(both), None), Vec::<String>::new());
    assert_eq!(risks(&github(both).replace("audience = \"a\"\n", ""), None), ["no-audience"]);
    assert_eq!(risks(&github("claims.ref = \"refs/heads/main\""), None), ["no-tenant"]);
    assert_eq!(risks(&github("claims.repository_owner_id = \"1001\""), None), ["no-tenant"]);
    assert_eq!(
        risks(&github("claims.repository = { glob = \"acme/*\" }\nclaims.repository_owner_id = \"1\""), None),
        ["no-tenant"]
    );
    assert_eq!(risks(&github("claims.repository = \"acme/app\""), None), ["mutable-names"]);
    assert_eq!(risks(&github("claims.sub = \"repo:acme/app:ref:refs/heads/main\""), None), ["mutable-names"]);
    let env0 = "[[trust]]\nissuer = \"env0\"\naudience = \"a\"\nclaims.sub = \"auth0|1\"\n";
    assert_eq!(risks(env0, None), ["no-tenant"], "its subject names the organisation only");
    let circleci = "[[trust]]\nissuer = \"circleci\"\naudience = \"a\"\n";
    assert_eq!(risks(circleci, None), ["organisation-wide"]);
    assert_eq!(
        risks("[[trust]]\nissuer = \"plain\"\naudience = \"a\"\n", None),
        Vec::<String>::new(),
        "nothing is known about it"
    );
}

#[test]
fn a_production_role_must_shut_out_pull_requests() {
    let both = "claims.repository_id = \"2002\"\nclaims.repository_owner_id = \"1001\"\n";
    let production = |rest: &str| {
        risks(
            &format!("[[trust]]\nissuer = \"github\"\naudience = \"a\"\n{both}{rest}\n"),
            Some("production"),
        )
    };
    assert_eq!(production(""), ["pull-requests"]);
    assert_eq!(
        production("claims.ref = \"refs/heads/main\""),
        ["pull-requests"],
        "pull_request_target carries main's ref"
    );
    assert_eq!(production("claims.environment = \"production\""), Vec::<String>::new());
    assert_eq!(
        production("claims.event_name = { one_of = [\"push\", \"workflow_dispatch\"] }"),
        Vec::<String>::new()
    );
    assert_eq!(
        production("claims.event_name = { none_of = [\"pull_request\"] }"),
        ["pull-requests"],
        "others are left"
    );
    assert_eq!(production("claims.event_name = { glob = \"pu*\" }"), ["pull-requests"]);
}

#[test]
fn a_risk_is_accepted_by_name_with_a_reason_until_a_day() {
    let text = |accept: &str| {
        format!(
            "[[trust]]\nissuer = \"github\"\naudience = \"a\"\nclaims.repository = \"acme/app\"\n{accept}\n"
        )
    };
    let accept =
        "accept_risk = { rule = \"mutable-names\", reason = \"forge without ids\", until = 2027-01-31 }";
    let at = |day: &str| CompileOptions { now: Some(Timestamp::parse(day).unwrap()), ..options() };
    let compiled = read(&text(accept), &at("2027-01-31T23:59:59Z")).unwrap();
    assert_eq!(compiled.accepted_risks.len(), 1);
    assert_eq!(
        compiled.accepted_risks[0].expires,
        Timestamp::parse("2027-01-31T00:00:00Z").unwrap() + Duration::from_secs(86_400)
    );
    let expired = read(&text(accept), &at("2027-02-01T00:00:00Z")).unwrap_err();
    assert!(expired.contains("was accepted until 2027-01-31 only"), "{expired}");
    for (from, to, says) in [
        ("mutable-names", "mutable", "no risk is called `mutable`"),
        ("forge without ids", " ", "the reason is empty"),
        ("2027-01-31", "\"soon\"", "must be a day like 2027-01-31"),
        (", until = 2027-01-31", "", "`until` is missing"),
    ] {
        let refusal = read(&text(&accept.replace(from, to)), &options()).unwrap_err();
        assert!(refusal.contains(says), "{refusal}");
    }
    let unneeded = read(&with(accept), &options()).unwrap();
    assert!(unneeded.notes[0].message.contains("is not needed here"));
    assert!(unneeded.accepted_risks.is_empty());
}

#[test]
fn a_session_of_another_role_is_admitted_by_from_role_only() {
    let policy = read("[[trust]]\nfrom_role = \"deploy-staging\"\n", &options()).unwrap().policy;
    let session = |role: &str| {
        Context::new().complete().caller(Caller::Session {
            account: "123456789012".into(),
            role: role.into(),
            role_arn: format!("arn:aws:iam::123456789012:role/{role}"),
            session_arn: format!("arn:aws:sts::123456789012:assumed-role/{role}/x"),
        })
    };
    let decide = |context: &Context| evaluate(&policy, &ClaimSet::new(), context).outcome;
    assert_eq!(decide(&session("deploy-staging")), Allow);
    assert_eq!(decide(&session("deploy-prod")), Deny);
    assert_eq!(decide(&Context::new()), Deny, "a token is no session");
    let refusal = read("[[trust]]\nfrom_role = \"a\"\nissuer = \"github\"\n", &options()).unwrap_err();
    assert!(refusal.contains("`issuer` does not go with `from_role`"));
}

#[test]
fn mistakes_are_located_and_helped() {
    insta::assert_snapshot!(read(
        "[[trust]]\nissuer = \"githb\"\naudiense = \"a\"\naudience = [1]\nclaims = 3\n[[trust]]\naudience = \"\"\n",
        &options()
    ).unwrap_err(), @"
    role.toml:2:10: no issuer is called `githb` (did you mean `github`?)
    role.toml:3:1: unknown key `audiense` (did you mean `audience`?)
    role.toml:4:13: `audience` must be a list of strings, this is `1`
    role.toml:6:1: `issuer` is missing (the name of a configured issuer, an issuer URL, or the id of a platform)
    role.toml:7:12: audience is empty
    ");
    assert!(read("", &options()).unwrap_err().contains("the document holds no trust"));
    assert!(read("trust = []", &options()).unwrap_err().contains("at least one table"));
    assert!(read("[[role]]\n[[role]]\n", &options()).unwrap_err().contains("holds 2 roles"));
}

#[test]
fn without_a_configuration_an_url_or_a_platform_names_the_issuer() {
    let bare = CompileOptions::default();
    for issuer in ["https://token.actions.githubusercontent.com", "github-actions"] {
        let text = TIGHT.replace("\"github\"", &format!("\"{issuer}\""));
        assert!(read(&text, &bare).is_ok(), "{issuer}");
    }
    assert!(read(TIGHT, &bare).unwrap_err().contains("no issuer is called `github`"));
}

#[test]
fn a_document_that_begins_with_a_table_is_no_list_of_json() {
    for text in
        ["[[trust]]\nissuer = \"github\"\n", "[[role]]\nname = \"deploy\"\n", "\n[role]\nname = \"deploy\"\n"]
    {
        assert_eq!(
            crate::dialect::detect(&Source::new("role.toml", text)).unwrap(),
            Dialect::Daypass,
            "{text}"
        );
    }
}
