//! The catalogue's facts beside those of the reference that it was written from.

use std::collections::{BTreeMap, BTreeSet};

use daypass_issuers::{ClaimSpec, ClaimType, Confidence, Platform, Presence, Topic, catalogue};
use toml::{Table, Value};

use crate::reference::root;

/// Where the catalogue says something else, and why.
const CHOSEN: &[(&str, &str, &str)] = &[
    ("circleci", "oidc.circleci.com/ssh-rerun", "consumers also compare with the string"),
    ("env0", "aud", "a list by the documentation, a string in its sample"),
    ("kubernetes", "kubernetes.io", "it names the workload"),
    ("render", "iat", "no token is of use without"),
    ("render", "exp", "no token is of use without"),
    ("render", "aud", "nothing about the platform is from a primary source"),
    ("render", "sub", "nothing about the platform is from a primary source"),
    ("bitrise", "iat", "no token is of use without"),
    ("bitrise", "exp", "no token is of use without"),
    ("bitrise", "aud", "no token is of use without"),
    ("bitrise", "repository_owner", "nothing about the platform is from a primary source"),
    ("bitrise", "repository_slug", "nothing about the platform is from a primary source"),
    ("bitrise", "repository_url", "nothing about the platform is from a primary source"),
    ("activestate", "aud", "no token is of use without"),
];

fn reference() -> Option<Table> {
    let text = std::fs::read_to_string(root()?.join("issuers.toml")).unwrap();
    Some(text.parse().unwrap())
}

fn tables<'v>(table: &'v Table, key: &str) -> Vec<&'v Table> {
    table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_table).collect()
}

fn text<'v>(table: &'v Table, key: &str) -> Option<&'v str> {
    table.get(key).and_then(Value::as_str)
}

fn flag(table: &Table, key: &str) -> bool {
    table.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn texts(table: &Table, key: &str) -> BTreeSet<String> {
    let items = table.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    items.map(str::to_owned).collect()
}

#[test]
fn the_same_platforms_in_the_same_order() {
    let Some(reference) = reference() else { return };
    let ids: Vec<&str> =
        tables(&reference, "issuer").into_iter().filter_map(|issuer| text(issuer, "id")).collect();
    let own: Vec<&str> = catalogue().platforms().iter().map(|platform| platform.id.as_str()).collect();
    assert_eq!(own, ids);
}

#[test]
fn issuers_keys_and_times_are_the_same() {
    let Some(reference) = reference() else { return };
    for issuer in tables(&reference, "issuer") {
        let platform = catalogue().platform(text(issuer, "id").unwrap()).unwrap();
        let id = &platform.id;
        let jwks = text(issuer, "jwks_path").or_else(|| text(issuer, "jwks_url"));
        assert_eq!(platform.issuer.jwks.as_deref(), jwks, "{id}");
        let algorithms: BTreeSet<String> =
            platform.issuer.algorithms.iter().map(ToString::to_string).collect();
        assert_eq!(algorithms, texts(issuer, "algs"), "{id}");
        let seconds = issuer.get("lifetime_seconds").and_then(Value::as_integer);
        assert_eq!(platform.lifetime.seconds.map(u64::cast_signed), seconds, "{id}");
        assert_eq!(platform.issuer.is_shared(), flag(issuer, "multi_tenant"), "{id}");
        let known: BTreeSet<String> = platform.sources.iter().cloned().collect();
        let cited = texts(issuer, "source_keys");
        // One source is not among the project's papers.
        let lost: Vec<&String> = cited.difference(&known).filter(|key| *key != "mission").collect();
        assert!(lost.is_empty(), "{id}: {lost:?}");
        for (key, topic) in [
            ("jwks_path_confidence", Topic::Jwks),
            ("algs_confidence", Topic::Algorithms),
            ("lifetime_confidence", Topic::Lifetime),
            ("confidence", Topic::Everything),
        ] {
            if text(issuer, key) == Some("low") {
                assert_eq!(platform.confidence(topic), Confidence::Low, "{id}: {topic:?}");
            }
        }
        let example = daypass_claims::Issuer::parse(text(issuer, "issuer_example").unwrap()).unwrap();
        assert!(platform.issuer.form_of(&example).is_some(), "{id}: {example}");
    }
}

#[test]
fn claims_are_the_same() {
    let Some(reference) = reference() else { return };
    let issuers = tables(&reference, "issuer");
    for issuer in &issuers {
        let platform = catalogue().platform(text(issuer, "id").unwrap()).unwrap();
        let parent = text(issuer, "inherits")
            .and_then(|parent| issuers.iter().find(|issuer| text(issuer, "id") == Some(parent)));
        let listed = parent.into_iter().chain([issuer]).flat_map(|issuer| tables(issuer, "claim"));
        let listed: BTreeMap<String, &Table> =
            listed.map(|claim| (text(claim, "name").unwrap().replace(":NAME", ":*"), claim)).collect();
        let chosen = |name: &str| CHOSEN.iter().any(|(id, claim, _)| *id == platform.id && *claim == name);
        for (name, claim) in &listed {
            let spec = platform.claims.iter().find(|spec| spec.name.as_str() == name);
            let spec = spec.unwrap_or_else(|| panic!("{}: {name} is missing", platform.id));
            if !chosen(name) {
                same(platform, spec, claim);
            }
        }
        for spec in &platform.claims {
            let known = listed.contains_key(spec.name.as_str()) || chosen(spec.name.as_str());
            assert!(known, "{}: {} is not in the reference", platform.id, spec.name);
        }
    }
}

fn same(platform: &Platform, spec: &ClaimSpec, claim: &Table) {
    let place = format!("{}: {}", platform.id, spec.name);
    assert_eq!(spec.immutable, flag(claim, "immutable"), "{place}");
    assert_eq!(spec.attacker_influenced, flag(claim, "attacker_influenced"), "{place}");
    assert_eq!(spec.presence == Presence::Always, flag(claim, "required"), "{place}");
    assert_eq!(spec.confidence == Confidence::Low, text(claim, "confidence") == Some("low"), "{place}");
    let groups = text(claim, "type").unwrap().split('|').map(|name| match name {
        "string" => &[ClaimType::String, ClaimType::BooleanString][..],
        "int" => &[ClaimType::Integer],
        "bool" => &[ClaimType::Boolean],
        "array" => &[ClaimType::Strings, ClaimType::Objects],
        "object" => &[ClaimType::Object],
        "null" => &[ClaimType::Null],
        "unknown" => &[ClaimType::Any],
        other => panic!("{place}: type {other}"),
    });
    let groups: Vec<&[ClaimType]> = groups.collect();
    assert!(
        spec.types.iter().all(|one| groups.iter().any(|group| group.contains(one))),
        "{place}: {:?}",
        spec.types
    );
    assert!(
        groups.iter().all(|group| spec.types.iter().any(|one| group.contains(one))),
        "{place}: {:?}",
        spec.types
    );
    let identifies = match text(claim, "identifies").unwrap() {
        "org" => "organisation",
        "repo" => "repository",
        "service-account" | "role" => "workload",
        "misc" | "custom" => "other",
        "session-tags" => "session tags",
        several if several.contains('+') => "subject",
        other => other,
    };
    assert_eq!(spec.identifies.as_str(), identifies, "{place}");
}

#[test]
fn aws_sees_the_same_claims() {
    let Some(reference) = reference() else { return };
    let aws = reference.get("aws").and_then(Value::as_table).unwrap();
    let skeleton = |text: &str| -> String {
        let mut pieces = text.split('{');
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |all, piece| all + "{}" + piece.split_once('}').map_or("", |(_, rest)| rest))
    };
    let listed: BTreeMap<String, BTreeSet<String>> = tables(aws, "condition_keys")
        .into_iter()
        .map(|keys| (skeleton(text(keys, "prefix").unwrap()), texts(keys, "claims")))
        .collect();
    let own: BTreeMap<String, BTreeSet<String>> = catalogue()
        .aws()
        .lists
        .iter()
        .map(|list| {
            let prefix = list.issuer.as_str().trim_start_matches("https://");
            (skeleton(prefix), list.claims.iter().cloned().collect())
        })
        .collect();
    assert_eq!(own, listed);
    let defaults: BTreeSet<String> = catalogue().aws().defaults.iter().map(|one| one.key.clone()).collect();
    assert_eq!(defaults, texts(aws, "default_keys"));
    for (key, wanted) in [
        ("requires_sub_issuers", "sub"),
        ("requires_aud_issuers", "aud"),
        ("requires_role_session_name_issuers", "sts:RoleSessionName"),
    ] {
        for issuer in texts(aws, key) {
            let issuer = daypass_claims::Issuer::parse(&format!("https://{issuer}")).unwrap();
            let rail = catalogue().aws().guardrail(&issuer).unwrap_or_else(|| panic!("{issuer}"));
            assert!(rail.keys.iter().any(|key| key == wanted), "{issuer}");
        }
    }
}
