//! One test per documented rule, then the sample credentials with the tokens that decide their verdicts.

use daypass_claims::{Audience, ClaimSet};

use super::{Credential, Matching};
use crate::context::Context;
use crate::dialect::{CompileOptions, Compiled, Dialect, Facts, compile, compile_tree, detect};
use crate::document::{Node, Source, Value, parse_json};
use crate::evaluate::{Outcome, evaluate};

use Outcome::{Allow, Deny, Unknown};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn source(text: &str) -> Source {
    Source::new("fic.json", text.replace("GITHUB", GITHUB))
}

fn classic(subject: &str) -> Source {
    source(&format!(
        r#"{{"name": "c", "issuer": "GITHUB", "subject": "{subject}", "audiences": ["api://AzureADTokenExchange"]}}"#
    ))
}

fn flexible(expression: &str) -> Source {
    source(&format!(
        r#"{{"name": "f", "issuer": "GITHUB", "audiences": ["api://AzureADTokenExchange"],
            "claimsMatchingExpression": {{"value": "{expression}", "languageVersion": 1}}}}"#
    ))
}

fn compiled(source: &Source) -> Compiled {
    compile(Dialect::Azure, source, &CompileOptions::default()).unwrap()
}

fn notes(source: &Source) -> Vec<String> {
    compiled(source).notes.iter().map(ToString::to_string).collect()
}

fn refusals(source: &Source) -> String {
    compile(Dialect::Azure, source, &CompileOptions::default()).unwrap_err().to_string()
}

fn token(json: &str) -> ClaimSet {
    let mut claims = ClaimSet::from_json(json.as_bytes()).unwrap();
    for (name, value) in [("iss", GITHUB), ("aud", "api://AzureADTokenExchange")] {
        if !claims.contains(name) {
            claims.insert(name, value);
        }
    }
    claims
}

fn decide(source: &Source, json: &str) -> Outcome {
    evaluate(&compiled(source).policy, &token(json), &Context::new()).outcome
}

#[test]
fn everything_is_compared_as_it_is() {
    let policy = classic("repo:acme/app:environment:prod");
    let cases = [
        (r#"{"sub": "repo:acme/app:environment:prod"}"#, Allow),
        (r#"{"sub": "repo:acme/app:environment:prod "}"#, Deny),
        (r#"{"sub": "repo:Acme/app:environment:prod"}"#, Deny),
        (r#"{"sub": ["repo:acme/app:environment:prod"]}"#, Deny),
        (r#"{"sub": null}"#, Deny),
        ("{}", Deny),
        (
            r#"{"sub": "repo:acme/app:environment:prod", "iss": "https://token.actions.githubusercontent.com/"}"#,
            Deny,
        ),
        (r#"{"sub": "repo:acme/app:environment:prod", "aud": "API://AzureADTokenExchange"}"#, Deny),
        (r#"{"sub": "repo:acme/app:environment:prod", "aud": ["api://AzureADTokenExchange"]}"#, Allow),
        // Whether one of several audiences is enough is not documented.
        (r#"{"sub": "repo:acme/app:environment:prod", "aud": ["x", "api://AzureADTokenExchange"]}"#, Unknown),
        (r#"{"sub": "repo:acme/app:environment:prod", "aud": []}"#, Deny),
    ];
    for (json, expected) in cases {
        assert_eq!(decide(&policy, json), expected, "{json}");
    }
    assert_eq!(notes(&policy), [""; 0]);
}

#[test]
fn wildcards_and_blanks_in_a_subject_match_nothing_and_are_noted() {
    let policy = classic("repo:acme/app:*");
    assert_eq!(decide(&policy, r#"{"sub": "repo:acme/app:pull_request"}"#), Deny);
    insta::assert_snapshot!(notes(&policy).join("\n"), @"fic.json:1:83: a subject is compared as it is: `*` and `?` stand for themselves (patterns need a flexible credential (`claimsMatchingExpression`))");
    assert!(notes(&classic(" repo:acme/app:pull_request"))[0].contains("blanks around a subject count"));
}

#[test]
fn an_issuer_that_no_token_carries_is_noted() {
    for (issuer, admits) in [
        ("https://token.actions.githubusercontent.com/", Deny),
        (" https://token.actions.githubusercontent.com", Deny),
        ("https://Token.Actions.githubusercontent.com", Deny),
        ("token.actions.githubusercontent.com", Deny),
        ("https://token.actions.githubusercontent.com", Allow),
        ("https://gitlab.example.com/", Deny),
    ] {
        let text = format!(
            r#"{{"issuer": "{issuer}", "subject": "s", "audiences": ["api://AzureADTokenExchange"]}}"#
        );
        let policy = Source::new("fic.json", text);
        assert_eq!(decide(&policy, r#"{"sub": "s"}"#), admits, "{issuer}");
        let notes = notes(&policy).join("\n");
        assert_eq!(
            notes.contains("tokens of GitHub Actions carry"),
            admits == Deny && !issuer.contains("gitlab")
        );
    }
}

#[test]
fn expressions_are_conjunctions_over_whole_values() {
    let policy = flexible(
        "claims['sub'] matches 'repo:acme/a?p:*' and claims['repository_owner_id'] eq '1001' and claims['job_workflow_ref'] matches '*'",
    );
    let all = r#""repository_owner_id": "1001", "job_workflow_ref": "acme/w/x.yml@refs/heads/main""#;
    let cases = [
        (format!(r#"{{"sub": "repo:acme/app:ref:refs/heads/main", {all}}}"#), Allow),
        (format!(r#"{{"sub": "repo:acme/app:", {all}}}"#), Allow),
        (format!(r#"{{"sub": "repo:acme/ap:x", {all}}}"#), Deny),
        (format!(r#"{{"sub": "xrepo:acme/app:x", {all}}}"#), Deny),
        (format!(r#"{{"sub": "REPO:acme/app:x", {all}}}"#), Deny),
        (r#"{"sub": "repo:acme/app:x", "repository_owner_id": 1001, "job_workflow_ref": "x"}"#.into(), Deny),
        (r#"{"sub": "repo:acme/app:x", "repository_owner_id": "1001"}"#.into(), Deny),
    ];
    for (json, expected) in cases {
        assert_eq!(decide(&policy, &json), expected, "{json}");
    }
    assert_eq!(notes(&policy), [""; 0]);
    assert_eq!(
        decide(
            &flexible("claims['sub'] eq 'it''s * me' and claims['repository_id'] eq '1'"),
            r#"{"sub": "it's * me", "repository_id": "1"}"#
        ),
        Allow
    );
}

#[test]
fn what_entra_would_not_create_today_is_noted_and_decided() {
    let policy = flexible("claims['actor'] eq 'octocat' and claims['repository_id'] matches '2*'");
    assert_eq!(decide(&policy, r#"{"actor": "octocat", "repository_id": "2002"}"#), Allow);
    insta::assert_snapshot!(notes(&policy).join("\n"), @"
    fic.json:2:52: Entra does not let `actor` be compared with `eq` (for this issuer: sub (eq, matches), job_workflow_ref (eq, matches), repository_id (eq), repository_owner_id (eq))
    fic.json:2:85: Entra does not let `repository_id` be compared with `matches` (for this issuer: sub (eq, matches), job_workflow_ref (eq, matches), repository_id (eq), repository_owner_id (eq))
    fic.json:2:51: Entra no longer creates such a credential for GitHub (it must compare `sub` and one of `repository_id` and `repository_owner_id`)
    ");
    let elsewhere = |issuer: &str| {
        notes(&Source::new(
            "fic.json",
            format!(
                r#"{{"issuer": "{issuer}", "audience": "a", "claims_matching_expression": "claims['sub'] eq 'x'"}}"#
            ),
        ))
    };
    assert!(elsewhere("https://agent.buildkite.com")[0].contains("Entra has no flexible credentials"));
    assert_eq!(elsewhere("https://gitlab.com"), [""; 0]);
    assert_eq!(elsewhere("https://gitlab.acme.com"), [""; 0]);
    assert_eq!(elsewhere("https://app.eu.terraform.io"), [""; 0]);
}

#[test]
fn malformed_expressions_are_located() {
    let refusal = |expression: &str| {
        let text = refusals(&flexible(expression));
        text.strip_suffix(" (claims['NAME'] eq|matches 'VALUE', joined by ` and `)")
            .unwrap_or(&text)
            .to_owned()
    };
    let all = [
        "",
        "claims['sub']  eq 'x'",
        "claims['sub'] EQ 'x'",
        "claims['sub'] eq 'x",
        "claims['sub'] eq 'x' or claims['sub'] eq 'y'",
        "claims['sub'] eq 'x' and ",
        "claims['sub'] eq x",
        "claims[sub] eq 'x'",
        "not claims['sub'] eq 'x'",
    ];
    insta::assert_snapshot!(all.map(refusal).join("\n"), @"
    fic.json:2:51: expected `claims[`, found the end
    fic.json:2:66: expected `eq` or `matches`, found ` eq 'x'`
    fic.json:2:66: expected `eq` or `matches`, found `EQ 'x'`
    fic.json:2:69: expected a text that ends with `'`, found `'x`
    fic.json:2:72: expected ` and `, found ` or claims['sub'] eq`
    fic.json:2:77: expected `claims[`, found the end
    fic.json:2:69: expected `'`, found `x`
    fic.json:2:59: expected `'`, found `sub] eq 'x'`
    fic.json:2:52: expected `claims[`, found `not claims['sub'] eq`
    ");
}

#[test]
fn a_language_that_is_not_documented_leaves_everything_open() {
    let policy = source(
        r#"{"issuer": "GITHUB", "audiences": ["a"], "claimsMatchingExpression": {"value": "anything", "languageVersion": 2}}"#,
    );
    assert_eq!(decide(&policy, r#"{"sub": "x", "aud": "a"}"#), Unknown);
    assert_eq!(decide(&policy, r#"{"sub": "x", "aud": "b"}"#), Deny);
}

#[test]
fn what_is_missing_or_too_much_is_refused() {
    let all = [
        r#"{"subject": "s", "audiences": ["a"]}"#,
        r#"{"issuer": "GITHUB", "audiences": ["a"]}"#,
        r#"{"issuer": "GITHUB", "subject": "s"}"#,
        r#"{"issuer": "GITHUB", "subject": "s", "audiences": ["a", "b"]}"#,
        r#"{"issuer": "GITHUB", "subject": "s", "audiences": []}"#,
        r#"{"issuer": "GITHUB", "subject": "s", "audiences": [1]}"#,
        r#"{"issuer": "GITHUB", "subject": "s", "audiences": ["a"], "audience": "a"}"#,
        r#"{"issuer": "GITHUB", "subject": "s", "audiences": ["a"], "claimsMatchingExpression": {"value": "x"}}"#,
        r#"{"issuer": "GITHUB", "audiences": ["a"], "claimsMatchingExpression": {"languageVersion": 1}}"#,
        r#"{"issuer": "GITHUB", "subjects": "s", "subject": "s", "audiences": ["a"]}"#,
        r#"{"issuer": 1, "subject": "s", "audiences": ["a"]}"#,
        r#""x""#,
    ];
    insta::assert_snapshot!(all.map(|text| refusals(&source(text))).join("\n"), @r#"
    fic.json:1:1: `issuer` is missing (the URL that tokens carry in `iss`)
    fic.json:1:1: `subject` is missing (or give `claimsMatchingExpression`)
    fic.json:1:1: `audiences` is missing (usually ["api://AzureADTokenExchange"])
    fic.json:1:1: a credential has exactly one audience, this has 2 (usually `api://AzureADTokenExchange`)
    fic.json:1:1: a credential has exactly one audience, this has 0 (usually `api://AzureADTokenExchange`)
    fic.json:1:89: `audiences` must be a string, this is a number
    fic.json:1:95: `audiences` and `audience` are two names of one member (give one of them)
    fic.json:1:95: `subject` and `claimsMatchingExpression` exclude each other (an exact credential has the one, a flexible one the other)
    fic.json:1:107: `value` is missing (the text of the expression)
    fic.json:1:59: unknown key `subjects` (did you mean `subject`?)
    fic.json:1:12: `issuer` must be a string, this is a number
    fic.json:1:1: a federated identity credential must be a table, this is a string
    "#);
}

#[test]
fn the_credentials_of_an_application_admit_their_union() {
    let graph = source(
        r#"{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata", "value": [
            {"id": "1", "name": "main", "issuer": "GITHUB", "subject": "repo:acme/app:ref:refs/heads/main",
             "claimsMatchingExpression": null, "audiences": ["a"], "description": null},
            {"id": "2", "properties": {"issuer": "GITHUB", "subject": "repo:acme/app:environment:prod", "audiences": ["a"]}}
        ]}"#,
    );
    assert_eq!(detect(&graph).unwrap(), Dialect::Azure);
    assert_eq!(decide(&graph, r#"{"sub": "repo:acme/app:ref:refs/heads/main", "aud": "a"}"#), Allow);
    assert_eq!(decide(&graph, r#"{"sub": "repo:acme/app:environment:prod", "aud": "a"}"#), Allow);
    assert_eq!(decide(&graph, r#"{"sub": "repo:acme/app:pull_request", "aud": "a"}"#), Deny);
    let compiled = compiled(&graph);
    let labels: Vec<&str> = compiled.policy.statements.iter().map(|one| one.label.as_str()).collect();
    assert_eq!(labels, ["main", "credential 2"]);
    let Facts::Azure(credentials) = compiled.facts else { panic!("{:?}", compiled.facts) };
    let expected = Matching::Subject("repo:acme/app:environment:prod".into());
    assert!(
        matches!(&credentials[1], Credential { matching, audience: Some(a), .. } if *matching == expected && a == "a")
    );
}

#[test]
fn limits_are_noted() {
    let one = r#"{"issuer": "GITHUB", "subject": "s", "audiences": ["a"]}"#;
    let many = source(&format!("[{}]", vec![one; 21].join(",")));
    assert!(notes(&many)[0].ends_with("the application has 21 credentials, at most 20 are accepted"));
    let long = classic(&"x".repeat(601));
    assert!(notes(&long)[0].ends_with("the text has 601 characters, at most 600 are accepted"));
}

#[test]
fn what_the_file_leaves_open_is_unknown_and_the_rest_still_counts() {
    let whole = r#"{"issuer": "GITHUB", "subject": "s", "audiences": ["a"]}"#;
    for (open, json, expected) in [
        ("issuer", r#"{"sub": "s", "aud": "a"}"#, Unknown),
        ("issuer", r#"{"sub": "t", "aud": "a"}"#, Deny),
        ("subject", r#"{"sub": "s", "aud": "a"}"#, Unknown),
        ("subject", r#"{"sub": "s", "aud": "b"}"#, Deny),
        ("audiences", r#"{"sub": "s", "aud": "b"}"#, Unknown),
        ("audiences", r#"{"sub": "t", "aud": "b"}"#, Deny),
    ] {
        let source = source(whole);
        let mut tree = parse_json(&source).unwrap();
        let Value::Table(members) = &mut tree.value else { panic!() };
        for member in members.iter_mut().filter(|member| member.name == open) {
            member.node.value = Value::Unresolved(format!("var.{open} has no default"));
        }
        let compiled = compile_tree(Dialect::Azure, &source, &tree, &CompileOptions::default()).unwrap();
        let decision = evaluate(&compiled.policy, &token(json), &Context::new());
        assert_eq!(decision.outcome, expected, "{open} {json}");
        assert_eq!(decision.reasons.join(" ").contains(&format!("var.{open}")), expected == Unknown);
    }
    let source = source("[]");
    let tree = Node {
        value: Value::Array(vec![Node {
            value: Value::Unresolved("for_each".into()),
            ..parse_json(&source).unwrap()
        }]),
        ..parse_json(&source).unwrap()
    };
    let compiled = compile_tree(Dialect::Azure, &source, &tree, &CompileOptions::default()).unwrap();
    assert_eq!(evaluate(&compiled.policy, &token("{}"), &Context::new()).outcome, Unknown);
}

#[test]
fn the_audience_of_the_registration_may_come_from_outside() {
    let policy = source(r#"{"issuer": "GITHUB", "subject": "s"}"#);
    let options =
        CompileOptions { audiences: Some(vec![Audience::parse("a").unwrap()]), ..CompileOptions::default() };
    let policy = compile(Dialect::Azure, &policy, &options).unwrap().policy;
    let decide = |json| evaluate(&policy, &token(json), &Context::new()).outcome;
    assert_eq!(decide(r#"{"sub": "s", "aud": "a"}"#), Allow);
    assert_eq!(decide(r#"{"sub": "s", "aud": "b"}"#), Deny);
}

/// The samples of the corpus with the tokens that their verdicts rest on.
#[test]
fn samples() {
    let main = "repo:acme/app:ref:refs/heads/main";
    let z08 = flexible(
        "claims['sub'] matches 'repo:acme/*:environment:prod' and claims['job_workflow_ref'] eq 'acme/workflows/.github/workflows/deploy.yml@refs/heads/main'",
    );
    let z10 = Source::new("fic.json", classic(main).text().replace(GITHUB, &format!("{GITHUB}/")));
    let workflow = "acme/workflows/.github/workflows/deploy.yml@";
    let cases = [
        (
            "Z01",
            classic("repo:acme/app:environment:prod"),
            r#"{"sub": "repo:acme/app:environment:prod"}"#.to_owned(),
            Allow,
        ),
        (
            "Z01",
            classic("repo:acme/app:environment:prod"),
            r#"{"sub": "repo:acme/app:pull_request"}"#.into(),
            Deny,
        ),
        ("Z02", classic("repo:acme/app:*"), format!(r#"{{"sub": "{main}"}}"#), Deny),
        (
            "Z04",
            classic("environment:prod"),
            r#"{"sub": "environment:prod", "repository": "evil/x"}"#.into(),
            Allow,
        ),
        (
            "Z05",
            flexible("claims['sub'] matches 'repo:*:ref:refs/heads/main'"),
            r#"{"sub": "repo:0/0:ref:refs/heads/main"}"#.into(),
            Allow,
        ),
        (
            "Z07",
            flexible(&format!("claims['job_workflow_ref'] matches '{workflow}*'")),
            format!(r#"{{"sub": "repo:evil/x:pull_request", "job_workflow_ref": "{workflow}0"}}"#),
            Allow,
        ),
        (
            "Z08",
            z08.clone(),
            format!(
                r#"{{"sub": "repo:acme/x:environment:prod", "job_workflow_ref": "{workflow}refs/heads/main"}}"#
            ),
            Allow,
        ),
        (
            "Z08",
            z08,
            format!(
                r#"{{"sub": "repo:evil/x:environment:prod", "job_workflow_ref": "{workflow}refs/heads/main"}}"#
            ),
            Deny,
        ),
        ("Z10", z10, format!(r#"{{"sub": "{main}"}}"#), Deny),
        ("Z11", classic("repo:Acme/App:ref:refs/heads/main"), format!(r#"{{"sub": "{main}"}}"#), Deny),
    ];
    for (id, policy, json, expected) in cases {
        assert_eq!(decide(&policy, &json), expected, "{id} {json}");
        assert_eq!(detect(&policy).unwrap(), Dialect::Azure);
    }
}

#[test]
fn a_refusal_is_explained() {
    let policy = compiled(&flexible(
        "claims['sub'] matches 'repo:acme/*' and claims['repository_owner_id'] eq '1001'",
    ));
    let decision = evaluate(
        &policy.policy,
        &token(r#"{"sub": "repo:acme/app:pull_request", "repository_owner_id": "1002"}"#),
        &Context::new(),
    );
    let misses: Vec<String> = decision.nearest_miss.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(misses.join("\n"), @r#"f: claims['repository_owner_id'] eq is "1002", wanted "1001""#);
}
