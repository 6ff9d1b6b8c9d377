//! One test per rule of the login, then the sample roles with the tokens that decide their verdicts.

use daypass_claims::ClaimSet;

use super::{Role, Server};
use crate::context::Context;
use crate::dialect::{CompileOptions, Compiled, Dialect, Facts, compile, compile_tree, detect};
use crate::document::{Source, Value, parse_json};
use crate::evaluate::{Outcome, evaluate};

use Outcome::{Allow, Deny, Unknown};

/// A role that binds the audience `vault` and what else is given.
pub(super) fn role(more: &str) -> Source {
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    Source::new(
        "role.json",
        format!(
            r#"{{"role_name": "deploy", "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"]{more}}}"#
        ),
    )
}

fn compiled(source: &Source) -> Compiled {
    compile(Dialect::Vault, source, &CompileOptions::default()).unwrap()
}

pub(super) fn facts(source: &Source) -> Role {
    match compiled(source).facts {
        Facts::Vault(role) => *role,
        other => panic!("{other:?}"),
    }
}

fn notes(source: &Source) -> String {
    compiled(source).notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refusals(text: &str) -> String {
    compile(Dialect::Vault, &Source::new("role.json", text), &CompileOptions::default())
        .unwrap_err()
        .to_string()
}

/// A token with a subject, for `vault`, unless the claims say otherwise.
pub(super) fn token(json: &str) -> ClaimSet {
    let mut claims = ClaimSet::from_json(json.as_bytes()).unwrap();
    for (name, value) in [("sub", "s"), ("aud", "vault")] {
        if !claims.contains(name) {
            claims.insert(name, value);
        }
    }
    claims
}

pub(super) fn decide(source: &Source, json: &str) -> Outcome {
    evaluate(&compiled(source).policy, &token(json), &Context::new()).outcome
}

fn decide_each(source: &Source, cases: &[(&str, Outcome)]) {
    for (json, expected) in cases {
        assert_eq!(decide(source, json), *expected, "{} {json}", source.text());
    }
}

#[test]
fn one_of_the_bound_audiences_is_enough() {
    decide_each(
        &role(""),
        &[
            (r#"{"aud": "vault"}"#, Allow),
            (r#"{"aud": ["other", "vault"]}"#, Allow),
            (r#"{"aud": "other"}"#, Deny),
            (r#"{"aud": []}"#, Deny),
            (r#"{"aud": null}"#, Deny),
        ],
    );
    let listed = r#"{"role_type": "jwt", "user_claim": "sub", "bound_audiences": "a, vault"}"#;
    assert_eq!(decide(&Source::new("role.json", listed), "{}"), Allow);
}

#[test]
fn an_audience_without_bound_audiences_depends_on_the_server() {
    let text = r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": {"ref": "refs/heads/main"}}"#;
    let source = Source::new("role.json", text);
    for (server, string, list) in [
        (None, Unknown, Unknown),
        (Some(Server::Vault), Deny, Deny),
        (Some(Server::VaultBefore117), Allow, Allow),
        (Some(Server::OpenBao), Allow, Deny),
    ] {
        let options = CompileOptions { vault: server, ..CompileOptions::default() };
        let policy = compile(Dialect::Vault, &source, &options).unwrap().policy;
        let decide = |json: &str| {
            let claims = ClaimSet::from_json(json.as_bytes()).unwrap();
            evaluate(&policy, &claims, &Context::new()).outcome
        };
        assert_eq!(decide(r#"{"sub": "s", "ref": "refs/heads/main", "aud": "x"}"#), string, "{server:?}");
        assert_eq!(decide(r#"{"sub": "s", "ref": "refs/heads/main", "aud": ["x"]}"#), list, "{server:?}");
        assert_eq!(decide(r#"{"sub": "s", "ref": "refs/heads/main", "aud": []}"#), Allow, "{server:?}");
        assert_eq!(decide(r#"{"sub": "s", "ref": "refs/heads/main"}"#), Allow, "{server:?}");
        assert_eq!(decide(r#"{"sub": "s", "ref": "refs/heads/dev", "aud": "x"}"#), Deny, "{server:?}");
    }
}

#[test]
fn the_bound_subject_is_compared_as_it_is() {
    let cases = [
        (r#"{"sub": "repo:a/b:*"}"#, Allow),
        (r#"{"sub": "repo:a/b:x"}"#, Deny),
        (r#"{"sub": ["repo:a/b:*"]}"#, Deny),
    ];
    decide_each(&role(r#""bound_subject": "repo:a/b:*", "bound_claims_type": "glob""#), &cases);
    assert_eq!(decide(&role(r#""bound_subject": """#), r#"{"sub": "x"}"#), Allow);
}

#[test]
fn every_claim_has_one_of_its_values() {
    decide_each(
        &role(r#""bound_claims": {"a": "1", "b": ["x", "y"]}"#),
        &[
            (r#"{"a": "1", "b": "x"}"#, Allow),
            (r#"{"a": "1", "b": "y"}"#, Allow),
            (r#"{"a": "1", "b": ["z", "y"]}"#, Allow),
            (r#"{"a": ["0", "1"], "b": "x"}"#, Allow),
            (r#"{"a": "1", "b": "z"}"#, Deny),
            (r#"{"a": "1"}"#, Deny),
            (r#"{"a": "1", "b": null}"#, Deny),
            (r#"{"a": "1", "b": []}"#, Deny),
            (r#"{"a": "1", "b": {"x": "x"}}"#, Deny),
            (r#"{"a": 1, "b": "x"}"#, Deny),
        ],
    );
}

#[test]
fn nothing_becomes_anything_else() {
    decide_each(
        &role(r#""bound_claims": {"n": 9919}"#),
        &[
            (r#"{"n": 9919}"#, Allow),
            (r#"{"n": 9919.7}"#, Allow),
            (r#"{"n": "9919"}"#, Deny),
            // The items of a list stay floats, and a float is not equal to the digits in the role.
            (r#"{"n": [9919]}"#, Deny),
            (r#"{"n": 9920}"#, Deny),
        ],
    );
    decide_each(
        &role(r#""bound_claims": {"b": true, "s": "true"}"#),
        &[
            (r#"{"b": true, "s": "true"}"#, Allow),
            (r#"{"b": [true], "s": ["true"]}"#, Allow),
            (r#"{"b": "true", "s": "true"}"#, Deny),
            (r#"{"b": true, "s": true}"#, Deny),
        ],
    );
    let fraction = role(r#""bound_claims": {"n": 1.5}"#);
    decide_each(&fraction, &[(r#"{"n": 1.5}"#, Unknown), ("{}", Deny)]);
    assert!(notes(&fraction).contains("depends on the version of the server"));
}

#[test]
fn globs_have_one_wildcard_and_match_the_whole() {
    decide_each(
        &role(r#""bound_claims_type": "glob", "bound_claims": {"ref": ["refs/heads/r?l-*", "v*.*"]}"#),
        &[
            (r#"{"ref": "refs/heads/r?l-1/2:3"}"#, Allow),
            (r#"{"ref": "refs/heads/r?l-"}"#, Allow),
            (r#"{"ref": "refs/heads/rel-1"}"#, Deny),
            (r#"{"ref": "REFS/heads/r?l-1"}"#, Deny),
            (r#"{"ref": "v1.2"}"#, Allow),
            (r#"{"ref": "xv1.2"}"#, Deny),
            (r#"{"ref": [1, "v1.2"]}"#, Allow),
            (r#"{"ref": 1}"#, Deny),
        ],
    );
}

#[test]
fn a_wildcard_among_literal_values_is_noted() {
    let literal = role(r#""bound_claims": {"sub": "repo:acme/app:*"}"#);
    assert_eq!(decide(&literal, r#"{"sub": "repo:acme/app:ref"}"#), Deny);
    insta::assert_snapshot!(notes(&literal), @r#"role.json:1:120: `*` stands for itself: the values of `bound_claims` are compared as they are (patterns need `bound_claims_type = "glob"`)"#);
    let empty = role(r#""bound_claims": {"sub": []}"#);
    assert_eq!(decide(&empty, "{}"), Deny);
    assert!(notes(&empty).contains("an empty list of values matches nothing"));
}

#[test]
fn names_that_begin_with_a_slash_are_pointers() {
    decide_each(
        &role(r#""bound_claims": {"/a~1b/0/c~0d": "x", "e/f": "y"}"#),
        &[
            (r#"{"a/b": [{"c~d": "x"}], "e/f": "y"}"#, Allow),
            (r#"{"a/b": {"0": {"c~d": "x"}}, "e/f": "y"}"#, Allow),
            (r#"{"a/b": [{}, {"c~d": "x"}], "e/f": "y"}"#, Deny),
            (r#"{"/a~1b/0/c~0d": "x", "e/f": "y"}"#, Deny),
            (r#"{"a/b": [{"c~d": "x"}], "e": {"f": "y"}}"#, Deny),
        ],
    );
}

#[test]
fn what_a_pointer_of_many_numbers_leads_to_is_unknown() {
    let of = |numbers: &str| {
        role(&format!(r#""bound_claims": {{"/a{numbers}": "x"}}, "groups_claim": "/a{numbers}""#))
    };
    decide_each(&of("/0/0/0/0/0/0"), &[(r#"{"a": [[[[[["x"]]]]]]}"#, Allow), (r#"{"a": "x"}"#, Deny)]);
    decide_each(&of(&"/0".repeat(7)), &[(r#"{"a": [[[[[[["x"]]]]]]]}"#, Unknown)]);
    decide_each(&of(&"/0".repeat(900)), &[("{}", Unknown)]);
}

#[test]
fn the_user_claim_is_there_and_a_string() {
    let source = |pointer: bool| {
        let text = r#"{"role_type": "jwt", "user_claim": "/u/name", "bound_audiences": ["vault"]"#;
        Source::new("role.json", format!(r#"{text}, "user_claim_json_pointer": {pointer}}}"#))
    };
    let cases = |inside, literal| {
        [
            (r#"{"u": {"name": "x"}}"#, inside),
            (r#"{"/u/name": "x"}"#, literal),
            (r#"{"/u/name": 1, "u": {"name": 1}}"#, Deny),
            (r#"{"/u/name": null, "u": {"name": null}}"#, Deny),
            (r#"{"/u/name": ["x"], "u": {"name": ["x"]}}"#, Deny),
            ("{}", Deny),
        ]
    };
    decide_each(&source(true), &cases(Allow, Deny));
    decide_each(&source(false), &cases(Deny, Allow));
}

#[test]
fn groups_and_metadata_are_strings() {
    decide_each(
        &role(r#""groups_claim": "teams""#),
        &[
            (r#"{"teams": ["a", "b"]}"#, Allow),
            (r#"{"teams": []}"#, Allow),
            (r#"{"teams": "a"}"#, Allow),
            (r#"{"teams": ["a", 1]}"#, Deny),
            (r#"{"teams": 1}"#, Deny),
            ("{}", Deny),
        ],
    );
    decide_each(
        &role(r#""claim_mappings": {"build_number": "build"}"#),
        &[
            (r#"{"build_number": "7"}"#, Allow),
            ("{}", Allow),
            (r#"{"build_number": 7}"#, Deny),
            (r#"{"build_number": ["7"]}"#, Deny),
        ],
    );
}

#[test]
fn logins_come_from_bound_networks() {
    let policy = compiled(&role(r#""token_bound_cidrs": ["10.0.0.0/8", "2001:db8::1"]"#)).policy;
    let from = |address: &str| Context::new().source_ip(address.parse().unwrap());
    for (context, expected) in [
        (from("10.1.2.3"), Allow),
        (from("2001:db8::1"), Allow),
        (from("2001:db8::2"), Deny),
        (from("192.0.2.1"), Deny),
        (Context::new(), Unknown),
    ] {
        assert_eq!(evaluate(&policy, &token("{}"), &context).outcome, expected);
    }
}

#[test]
fn a_role_for_browsers_admits_no_token() {
    for kind in [r#""role_type": "oidc", "#, ""] {
        let text = format!(r#"{{{kind}"user_claim": "sub", "bound_audiences": ["vault"]}}"#);
        let source = Source::new("role.json", text);
        assert_eq!(decide(&source, "{}"), Deny);
        assert!(notes(&source).contains("admits no token"));
        assert_eq!(facts(&source).admits_tokens, Some(false));
        assert!(!facts(&source).redirects);
    }
    let with_redirects = |uris: &str| {
        let text = format!(
            r#"{{"user_claim": "sub", "bound_audiences": ["vault"], "allowed_redirect_uris": {uris}}}"#
        );
        facts(&Source::new("role.json", text)).redirects
    };
    assert!(with_redirects(r#"["http://localhost:8250/oidc/callback"]"#));
    assert!(!with_redirects("[]"));
}

#[test]
fn what_vault_would_refuse_is_refused() {
    let all = [
        r#"{"role_type": "jwt", "bound_audiences": ["a"]}"#,
        r#"{"role_type": "jwt", "user_claim": "sub"}"#,
        r#"{"role_type": "saml", "user_claim": "sub", "bound_audiences": ["a"]}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": {"a": "b"}, "bound_claims_type": "regex"}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": {"a": 1}, "bound_claims_type": "glob"}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": {"a": {"b": "c"}}}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": ["a"]}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_claims": {"a": "1", "a": "2"}}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["a"], "claim_mappings": {"a": "role"}}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "token_bound_cidrs": ["10.0.0.0/33"]}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["a"], "token_ttl": "soon", "token_num_uses": "few"}"#,
        r#"{"role_type": "jwt", "user_claim": "sub", "bound_audience": ["a"]}"#,
    ];
    insta::assert_snapshot!(all.map(refusals).join("\n"), @r#"
    role.json:1:1: `user_claim` is missing (the claim that names the entity, for example `repository_id`)
    role.json:1:1: the role binds nothing (at least one of `bound_audiences`, `bound_subject`, `bound_claims` and `token_bound_cidrs`)
    role.json:1:15: `role_type` must be "jwt" or "oidc", this is `saml` (a role for tokens is of type "jwt")
    role.json:1:92: `bound_claims_type` must be "string" or "glob", this is `regex` (without one it is "string")
    role.json:1:65: `bound_claims.a` must be a string, this is a number
    role.json:1:65: `bound_claims.a` must be a string, a number or a boolean, this is a table
    role.json:1:1: the role binds nothing (at least one of `bound_audiences`, `bound_subject`, `bound_claims` and `token_bound_cidrs`)
    role.json:1:59: `bound_claims` must be a table, this is a list
    role.json:1:70: duplicate member `a` (readers disagree about which one counts)
    role.json:1:93: the metadata key `role` is reserved (name it otherwise)
    role.json:1:65: `10.0.0.0/33` is not a network (for example 192.0.2.0/24, or one address)
    role.json:1:82: `token_ttl` must be a number of seconds or a duration like "15m", this is a string
    role.json:1:108: `token_num_uses` must be a whole number, this is a string
    role.json:1:1: the role binds nothing (at least one of `bound_audiences`, `bound_subject`, `bound_claims` and `token_bound_cidrs`)
    role.json:1:43: unknown key `bound_audience` (did you mean `bound_audiences`?)
    "#);
}

#[test]
fn what_the_file_leaves_open_is_unknown_and_the_rest_still_counts() {
    let source =
        role(r#""bound_subject": "s", "bound_claims": {"ref": "main"}, "bound_claims_type": "string""#);
    for (open, json, expected) in [
        ("role_type", r#"{"ref": "main"}"#, Unknown),
        ("role_type", r#"{"ref": "dev"}"#, Deny),
        ("bound_audiences", r#"{"ref": "main", "aud": "x"}"#, Unknown),
        ("bound_subject", r#"{"ref": "main", "sub": "t"}"#, Unknown),
        ("bound_claims", r#"{"ref": "dev"}"#, Unknown),
        ("bound_claims", r#"{"ref": "dev", "sub": "t"}"#, Deny),
        ("bound_claims_type", r#"{"ref": "main"}"#, Unknown),
        ("user_claim", r#"{"ref": "main"}"#, Unknown),
    ] {
        let mut tree = parse_json(&source).unwrap();
        let Value::Table(members) = &mut tree.value else { panic!() };
        for member in members.iter_mut().filter(|member| member.name == open) {
            member.node.value = Value::Unresolved(format!("var.{open} has no default"));
        }
        let compiled = compile_tree(Dialect::Vault, &source, &tree, &CompileOptions::default()).unwrap();
        let decision = evaluate(&compiled.policy, &token(json), &Context::new());
        assert_eq!(decision.outcome, expected, "{open} {json}");
        assert_eq!(decision.reasons.join(" ").contains(&format!("var.{open}")), expected == Unknown);
    }
}

/// The samples of the corpus with the tokens that their verdicts rest on.
#[test]
fn samples() {
    let sample = |more: &str| {
        let text = r#"{"role_name": "v", "role_type": "jwt", "user_claim": "repository", "token_policies": ["deploy"], "token_ttl": 300, "#;
        Source::new("role.json", format!("{text}{more}}}"))
    };
    let stranger =
        r#"{"sub": "repo:0/0:ref:refs/heads/main", "repository": "0/0", "ref": "refs/heads/main"}"#;
    let v08 = r#""bound_audiences": ["vault"], "bound_claims": {"repository_id": "2002", "repository_owner_id": "1001", "ref": "refs/heads/main", "ref_protected": "true"}"#;
    let ours = r#"{"repository": "acme/app", "repository_id": "2002", "repository_owner_id": "1001", "ref": "refs/heads/main", "ref_protected": "true"}"#;
    for (id, more, json, expected) in [
        ("V01", r#""bound_audiences": ["vault"]"#, stranger, Allow),
        ("V02", r#""bound_claims": {"ref": "refs/heads/main"}"#, stranger, Unknown),
        (
            "V04",
            r#""bound_audiences": ["vault"], "bound_claims": {"sub": "repo:acme/app:*"}"#,
            r#"{"sub": "repo:acme/app:pull_request", "repository": "acme/app"}"#,
            Deny,
        ),
        (
            "V05",
            r#""bound_audiences": ["vault"], "bound_claims": {"ref": "refs/heads/main"}"#,
            stranger,
            Allow,
        ),
        ("V08", v08, ours, Allow),
        ("V08", v08, stranger, Deny),
        (
            "V10",
            r#""bound_audiences": ["vault"], "bound_claims": {"repository_id": "2002"}, "token_period": 86400"#,
            ours,
            Allow,
        ),
    ] {
        assert_eq!(decide(&sample(more), json), expected, "{id} {json}");
        assert_eq!(detect(&sample(more)).unwrap(), Dialect::Vault);
    }
}

#[test]
fn a_refusal_is_explained() {
    let source = role(
        r#""bound_claims_type": "glob", "bound_claims": {"repository_owner_id": "1001", "ref": ["refs/heads/main", "refs/tags/v*"]}"#,
    );
    let claims = token(r#"{"repository_owner_id": "1001", "ref": "refs/heads/dev"}"#);
    let decision = evaluate(&compiled(&source).policy, &claims, &Context::new());
    let misses: Vec<String> = decision.nearest_miss.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(misses.join("\n"), @r#"deploy: bound_claims.ref is "refs/heads/dev", wanted like "refs/heads/main" or "refs/tags/v*""#);
}
