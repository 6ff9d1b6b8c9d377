//! Documents: providers, pools and bindings, then the samples with the tokens that decide their verdicts.

use daypass_claims::{Audience, ClaimSet};

use super::{Member, Pool};
use crate::context::Context;
use crate::dialect::{CompileOptions, Compiled, Dialect, Facts, compile, compile_tree, detect};
use crate::document::{Source, Value, parse_json};
use crate::evaluate::{Outcome, evaluate};
use crate::form::{JoinPart, TokenIssuers};

use Outcome::{Allow, Deny, Unknown};

const POOL: &str = "iam.googleapis.com/projects/1234567890/locations/global/workloadIdentityPools/ci";
const MAPPING: &str = r#"{"google.subject": "assertion.sub", "attribute.repository": "assertion.repository",
    "attribute.repository_owner": "assertion.repository_owner", "attribute.ref": "assertion.ref"}"#;

/// A provider for GitHub with these members besides; GITHUB and POOL stand for their long names.
fn provider(more: &str) -> Source {
    let more = if more.is_empty() { String::new() } else { format!(", {more}") };
    document(&format!(r#"{{"attributeMapping": {MAPPING}, "oidc": {{"issuerUri": "GITHUB"}}{more}}}"#))
}

fn document(text: &str) -> Source {
    let text = text.replace("GITHUB", "https://token.actions.githubusercontent.com").replace("POOL", POOL);
    Source::new("pool.json", text)
}

fn compiled(source: &Source) -> Compiled {
    compile(Dialect::Gcp, source, &CompileOptions::default()).unwrap()
}

fn facts(source: &Source) -> Pool {
    match compiled(source).facts {
        Facts::Gcp(pool) => *pool,
        other => panic!("{other:?}"),
    }
}

fn notes(source: &Source) -> String {
    compiled(source).notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn refusals(source: &Source) -> String {
    compile(Dialect::Gcp, source, &CompileOptions::default()).unwrap_err().to_string()
}

/// A token of a job of `repository`, with what else is given.
fn token(repository: &str, more: &str) -> ClaimSet {
    let owner = repository.split('/').next().unwrap();
    let text = format!(
        r#"{{"iss": "https://token.actions.githubusercontent.com", "sub": "repo:{repository}:ref:refs/heads/main",
            "repository": "{repository}", "repository_owner": "{owner}", "ref": "refs/heads/main", "aud": "x"{more}}}"#
    );
    ClaimSet::from_json(text.as_bytes()).unwrap()
}

fn with(mut claims: ClaimSet, name: &str, value: &str) -> ClaimSet {
    claims.insert(name, value);
    claims
}

fn decide(source: &Source, claims: &ClaimSet) -> Outcome {
    evaluate(&compiled(source).policy, claims, &Context::new()).outcome
}

#[test]
fn without_bindings_the_policy_is_who_the_pool_admits() {
    let conditional = provider(r#""attributeCondition": "assertion.repository_owner == 'acme'""#);
    assert_eq!(decide(&conditional, &token("acme/app", "")), Allow);
    assert_eq!(decide(&conditional, &token("evil/app", "")), Deny);
    for open in ["", r#""attributeCondition": " ""#, r#""attributeCondition": null, "bindings": []"#] {
        assert_eq!(decide(&provider(open), &token("evil/app", "")), Allow, "{open}");
    }
    assert_eq!(decide(&provider(""), &with(token("acme/app", ""), "iss", "https://gitlab.com")), Deny);
}

#[test]
fn bindings_are_composed_with_the_mapping() {
    let bound = |who: &str| provider(&format!(r#""bindings": ["{who}"]"#));
    let main = "subject/repo:acme/app:ref:refs/heads/main";
    for (who, expected, other) in [
        (format!("principal://POOL/{main}"), Allow, Deny),
        ("principalSet://POOL/attribute.repository/acme/app".into(), Allow, Deny),
        ("principalSet://POOL/attribute.repository_owner/acme".into(), Allow, Deny),
        ("principalSet://POOL/attribute.repository/acme/*".into(), Deny, Deny),
        ("principalSet://POOL/attribute.nothing/acme".into(), Deny, Deny),
        ("principalSet://POOL/group/dev".into(), Deny, Deny),
        ("principalSet://POOL/*".into(), Allow, Allow),
    ] {
        assert_eq!(decide(&bound(&who), &token("acme/app", "")), expected, "{who}");
        assert_eq!(decide(&bound(&who), &token("evil/app", "")), other, "{who}");
    }
    assert!(
        notes(&bound("principalSet://POOL/attribute.repository/acme/*")).contains("`*` stands for itself")
    );
    let subject = "x".repeat(128);
    let long = provider(&format!(r#""bindings": ["principal://POOL/subject/{subject}"]"#));
    assert_eq!(decide(&long, &with(token("acme/app", ""), "sub", subject.as_str())), Deny);
}

#[test]
fn groups_and_computed_attributes() {
    let source = document(
        r#"{"attributeMapping": {"google.subject": "assertion.repository + '@' + assertion.ref", "google.groups": "assertion.teams",
              "attribute.org": "assertion.sub.extract('repo:{o}/').lowerAscii()"},
            "issuer": "GITHUB", "bindings": [
              {"role": "roles/iam.workloadIdentityUser", "members": ["principalSet://POOL/group/dev", "principalSet://POOL/attribute.org/acme"]},
              {"role": "roles/viewer", "member": "principal://POOL/subject/evil/app@refs/heads/main"}]}"#,
    );
    assert_eq!(decide(&source, &token("evil/x", r#", "teams": ["ops", "dev"]"#)), Allow);
    assert_eq!(decide(&source, &token("evil/x", r#", "teams": ["ops"]"#)), Deny);
    assert_eq!(decide(&source, &token("Acme/x", "")), Allow);
    assert_eq!(decide(&source, &token("evil/app", "")), Allow);
    let pool = facts(&source);
    assert_eq!(pool.statements, [(0, Some(0)), (0, Some(1)), (0, Some(2))]);
    assert_eq!(pool.bindings[2].role.as_deref(), Some("roles/viewer"));
    assert_eq!(pool.bindings[1].member, Member::Attribute { name: "org".into(), value: "acme".into() });
    let parts = pool.providers[0].mapping[0].parts.as_deref().unwrap();
    assert!(matches!(parts, [JoinPart::Claim(_), JoinPart::Text(text), JoinPart::Claim(_)] if text == "@"));
}

#[test]
fn the_providers_of_a_pool_share_its_names() {
    let pool = document(
        r#"{"name": "projects/1234567890/locations/global/workloadIdentityPools/ci", "providers": [
            {"name": "projects/p/locations/global/workloadIdentityPools/ci/providers/gh", "oidc": {"issuerUri": "GITHUB"},
             "attributeMapping": {"google.subject": "assertion.sub", "attribute.repository": "assertion.repository"},
             "attributeCondition": "assertion.repository_owner == 'acme'"},
            {"workload_identity_pool_provider_id": "gl", "oidc": [{"issuer_uri": "https://gitlab.com", "allowed_audiences": ["x"]}],
             "attribute_mapping": {"google.subject": "assertion.sub", "attribute.repository": "assertion.project_path"}}],
            "bindings": ["principalSet://POOL/attribute.repository/acme/app",
              "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/other/*"]}"#,
    );
    assert_eq!(detect(&pool).unwrap(), Dialect::Gcp);
    let labels: Vec<String> = compiled(&pool).policy.statements.iter().map(|one| one.label.clone()).collect();
    assert_eq!(
        labels,
        [
            "provider gh, ci/attribute.repository/acme/app",
            "provider gl, ci/attribute.repository/acme/app",
            "provider gl, other/*",
        ]
    );
    let spoof = br#"{"iss": "https://gitlab.com", "sub": "s", "aud": "x", "project_path": "acme/app"}"#;
    assert_eq!(decide(&pool, &ClaimSet::from_json(spoof).unwrap()), Allow);
    assert_eq!(decide(&pool, &token("acme/app", "")), Allow);
    assert_eq!(decide(&pool, &token("acme/other", "")), Deny);
}

#[test]
fn audiences_are_listed_or_the_providers_own_name() {
    let name = "projects/1234567890/locations/global/workloadIdentityPools/ci/providers/gh";
    let own = provider(&format!(r#""name": "{name}""#));
    let addressed =
        |source: &Source, audience: &str| decide(source, &with(token("acme/app", ""), "aud", audience));
    assert_eq!(addressed(&own, &format!("//iam.googleapis.com/{name}")), Allow);
    assert_eq!(addressed(&own, &format!("https://iam.googleapis.com/{name}")), Allow);
    assert_eq!(addressed(&own, "x"), Deny);
    // The audience holds the number of a project that has only its name here.
    let named = provider(r#""name": "projects/acme/locations/global/workloadIdentityPools/ci/providers/gh""#);
    assert_eq!(addressed(&named, "x"), Allow);
    let listed = document(
        r#"{"attributeMapping": {"google.subject": "assertion.sub"}, "issuer": "GITHUB", "allowedAudiences": ["a", "b"]}"#,
    );
    assert_eq!((addressed(&listed, "b"), addressed(&listed, "x")), (Allow, Deny));
    let options =
        CompileOptions { audiences: Some(vec![Audience::parse("a").unwrap()]), ..CompileOptions::default() };
    let policy = compile(Dialect::Gcp, &provider(""), &options).unwrap().policy;
    assert_eq!(evaluate(&policy, &token("acme/app", ""), &Context::new()).outcome, Deny);
}

#[test]
fn a_token_needs_a_subject() {
    let no_subject =
        document(r#"{"attributeMapping": {"google.subject": "assertion.actor"}, "issuer": "GITHUB"}"#);
    assert_eq!(decide(&no_subject, &token("acme/app", "")), Deny);
    assert_eq!(decide(&no_subject, &token("acme/app", r#", "actor": "octocat""#)), Allow);
    assert_eq!(decide(&no_subject, &token("acme/app", r#", "actor": 7"#)), Deny);
    assert!(
        notes(&document(r#"{"issuer": "GITHUB", "attributeMapping": {}}"#))
            .contains("`google.subject` is not mapped")
    );
}

#[test]
fn what_is_disabled_deleted_or_of_another_kind_admits_nobody() {
    for off in [r#""disabled": true"#, r#""state": "DELETED""#] {
        assert_eq!(decide(&provider(off), &token("acme/app", "")), Deny);
        assert!(facts(&provider(off)).providers[0].disabled);
        let pool = document(&format!(r#"{{"providers": [{}], {off}}}"#, provider("").text()));
        assert_eq!(decide(&pool, &token("acme/app", "")), Deny);
    }
    assert_eq!(decide(&provider(r#""disabled": false, "state": "ACTIVE""#), &token("acme/app", "")), Allow);
    let aws = document(r#"[{"aws": {"accountId": "123456789012"}, "attributeMapping": {}}]"#);
    assert_eq!(compiled(&aws).policy.statements[0].principals.tokens, TokenIssuers::None);
    assert!(notes(&aws).contains("a provider of kind `aws` exchanges no OpenID Connect tokens"));
}

#[test]
fn members_of_other_kinds_and_shapes_are_noted() {
    let source = provider(
        r#""bindings": ["user:a@example.com", "allUsers", "principal://POOL/attribute.repository/acme/app", "principalSet://POOL/subject/x"]"#,
    );
    assert_eq!(decide(&source, &token("acme/app", "")), Deny);
    let found = notes(&source);
    for said in [
        "a member of kind `user`",
        "a member of kind `allUsers`",
        "attribute.repository/acme/app` names nobody",
        "subject/x` names nobody",
    ] {
        assert!(found.contains(said), "{said}: {found}");
    }
    let conditional = provider(
        r#""bindings": [{"members": ["principalSet://POOL/*"], "condition": {"expression": "request.time < x"}}]"#,
    );
    assert_eq!(decide(&conditional, &token("acme/app", "")), Unknown);
}

#[test]
fn limits_and_names_are_noted() {
    let source = document(&format!(
        r#"{{"issuer": "GITHUB", "attributeMapping": {{"google.subject": "assertion.sub", "google.email": "assertion.sub", "attribute.Bad": "assertion.sub",
            "attribute.long": "'{}'"}}, "attributeCondition": "assertion.sub != '{}' && attribute.missing == 'x'"}}"#,
        "x".repeat(2_048),
        "x".repeat(4_096)
    ));
    let found = notes(&source);
    for said in [
        "Google maps no attribute `google.email`",
        "Google maps no attribute `attribute.Bad`",
        "the mapping's expression has 2050 characters, at most 2048 are accepted",
        "the attribute condition has 4143 characters, at most 4096 are accepted",
        "nothing is mapped to `attribute.missing`",
    ] {
        assert!(found.contains(said), "{said}: {found}");
    }
    let many: Vec<String> =
        (0..53).map(|index| format!(r#""attribute.a{index}": "assertion.sub""#)).collect();
    let many = document(&format!(r#"{{"issuer": "GITHUB", "attributeMapping": {{{}}}}}"#, many.join(",")));
    assert!(notes(&many).contains("the mapping has 53 attributes, at most 52 are accepted"));
}

#[test]
fn a_mistake_at_a_letter_of_several_bytes_is_the_whole_letter() {
    let source = document(r#"{"issuer": "GITHUB", "attributeCondition": "assértion.sub == 'x'"}"#);
    let error = compile(Dialect::Gcp, &source, &CompileOptions::default()).unwrap_err();
    let letters: Vec<Option<&str>> =
        error.problems.iter().map(|it| source.text().get(it.span.start..it.span.end)).collect();
    assert_eq!(letters, [Some("é")], "{error}");
}

#[test]
fn mistakes_are_located() {
    let all = [
        r#"{"attributeMapping": {}}"#,
        r#"{"issuer": "GITHUB", "attributeMapping": {"google.subject": "assertion.sub +"}}"#,
        r#"{"issuer": "GITHUB", "attributeMapping": {"google.subject": "google.subject"}}"#,
        r#"{"issuer": "GITHUB", "attributeMapping": {"google.subject": "assertion.sub", "google.subject": "assertion.sub"}}"#,
        r#"{"issuer": "GITHUB", "attributeMapping": [], "attributeCondition": 1}"#,
        r#"{"issuer": "GITHUB", "attributeCondition": "assertion.sub == 'x' && asertion.sub == 'y'"}"#,
        r#"{"issuer": "GITHUB", "attributeCondition": "assertion.sub == \"x\" && asertion.sub == 'y'"}"#,
        r#"{"issuer": "GITHUB", "attributeConditon": "true"}"#,
        r#"{"issuer": "GITHUB", "bindings": [1, {"role": "x"}]}"#,
        r#"{"providers": [1]}"#,
    ];
    insta::assert_snapshot!(all.map(|text| refusals(&document(text))).join("\n"), @"
    pool.json:1:1: `issuerUri` is missing (the URL that tokens carry in `iss`)
    pool.json:1:114: not a CEL expression: mismatched input '<EOF>' expecting expression (for example assertion.repository == 'acme/app')
    pool.json:1:98: the expression speaks of `google` (it can speak of `assertion`)
    pool.json:1:115: duplicate member `google.subject` (readers disagree about which one counts)
    pool.json:1:79: `attributeMapping` must be a table, this is a list
    pool.json:1:105: `attributeCondition` must be a string, this is a number
    pool.json:1:106: the expression speaks of `asertion` (it can speak of `assertion`, `google` and `attribute`)
    pool.json:1:81: the expression speaks of `asertion` (it can speak of `assertion`, `google` and `attribute`)
    pool.json:1:59: unknown key `attributeConditon` (did you mean `attributeCondition`?)
    pool.json:1:72: `bindings` must be a list of members or of bindings, this is a number
    pool.json:1:75: `members` is missing (principal://... or principalSet://...)
    pool.json:1:16: a provider must be a table, this is a number
    ");
}

#[test]
fn what_the_file_leaves_open_is_unknown_and_the_rest_still_counts() {
    let whole = r#"{"issuer": "GITHUB", "attributeMapping": {"google.subject": "assertion.sub", "attribute.r": "assertion.repository"},
        "attributeCondition": "attribute.r == 'acme/app'", "allowedAudiences": ["x"], "bindings": ["principalSet://POOL/*"]}"#;
    for (open, repository, expected) in [
        ("issuer", "acme/app", Unknown),
        ("issuer", "evil/app", Deny),
        ("attributeMapping", "evil/app", Unknown),
        ("attributeCondition", "evil/app", Unknown),
        ("allowedAudiences", "acme/app", Unknown),
        ("allowedAudiences", "evil/app", Deny),
        ("bindings", "acme/app", Unknown),
        ("bindings", "evil/app", Deny),
    ] {
        let source = document(whole);
        let mut tree = parse_json(&source).unwrap();
        let Value::Table(members) = &mut tree.value else { panic!() };
        for member in members.iter_mut().filter(|member| member.name == open) {
            member.node.value = Value::Unresolved(format!("var.{open} has no default"));
        }
        let compiled = compile_tree(Dialect::Gcp, &source, &tree, &CompileOptions::default()).unwrap();
        let decision = evaluate(&compiled.policy, &token(repository, ""), &Context::new());
        assert_eq!(decision.outcome, expected, "{open} {repository}");
        assert_eq!(
            decision.reasons.join(" ").contains(&format!("var.{open}")),
            expected == Unknown,
            "{open}"
        );
    }
}

/// The samples of the corpus with the tokens that their verdicts rest on.
#[test]
fn samples() {
    let everyone = r#""bindings": ["principalSet://POOL/*"]"#;
    let app = r#""bindings": ["principalSet://POOL/attribute.repository/acme/app"]"#;
    let conditional = |condition: &str, bindings: &str| {
        provider(&format!(r#""attributeCondition": "{condition}", {bindings}"#))
    };
    let own = |subject: &str, bound: &str| {
        document(&format!(
            r#"{{"issuer": "GITHUB", "attributeMapping": {{"google.subject": "{subject}"}},
                "attributeCondition": "assertion.repository_owner_id == '1001'", "bindings": ["principal://POOL/subject/{bound}"]}}"#
        ))
    };
    let main = "repo:acme/app:ref:refs/heads/main";
    let id = r#", "repository_owner_id": "1001", "actor": "octocat""#;
    let g14 = conditional(
        &format!("assertion.sub == '{main}'"),
        &format!(r#""bindings": ["principal://POOL/subject/{main}"]"#),
    );
    for (sample, policy, claims, expected) in [
        ("G01", provider(everyone), token("0/0", ""), Allow),
        ("G02", provider(app), token("acme/app", ""), Allow),
        ("G02", provider(app), token("0/0", ""), Deny),
        (
            "G04",
            conditional("assertion.repository.startsWith('acme')", everyone),
            token("acme-evil/x", ""),
            Allow,
        ),
        (
            "G05",
            conditional("assertion.repository.contains('acme/app')", everyone),
            token("evilacme/app", ""),
            Allow,
        ),
        (
            "G05",
            conditional("assertion.repository.contains('acme/app')", everyone),
            token("evil/app", ""),
            Deny,
        ),
        (
            "G07",
            conditional("assertion.repository == 'acme/app' || assertion.ref == 'refs/heads/main'", everyone),
            token("0/0", ""),
            Allow,
        ),
        ("G08", conditional("assertion.repository_owner == 'acme'", app), token("acme/app", ""), Allow),
        ("G08", conditional("assertion.repository_owner == 'acme'", app), token("acme/other", ""), Deny),
        ("G10", own("assertion.actor", "octocat"), token("acme/other", id), Allow),
        (
            "G11",
            own("assertion.repository_owner + assertion.repository", "acmeacme/app"),
            token("acme/app", id),
            Allow,
        ),
        (
            "G11",
            own("assertion.repository_owner + assertion.repository", "acmeacme/app"),
            token("acme/other", id),
            Deny,
        ),
        ("G14", g14.clone(), token("acme/app", ""), Allow),
        ("G14", g14.clone(), token("acme/other", ""), Deny),
    ] {
        assert_eq!(decide(&policy, &claims), expected, "{sample} {claims:?}");
        assert_eq!(detect(&policy).unwrap(), Dialect::Gcp);
    }
}

#[test]
fn a_refusal_is_explained() {
    let source = provider(
        r#""attributeCondition": "assertion.repository_owner == 'acme' && assertion.ref == 'refs/heads/main'", "bindings": ["principalSet://POOL/attribute.repository/acme/app"]"#,
    );
    let misses = |claims: &ClaimSet| {
        let decision = evaluate(&compiled(&source).policy, claims, &Context::new());
        decision.nearest_miss.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(misses(&token("acme/other", "")), @r#"provider 1, ci/attribute.repository/acme/app: attribute.repository is "acme/other", wanted "acme/app""#);
    insta::assert_snapshot!(misses(&token("evil/app", "")), @r#"
    provider 1, ci/attribute.repository/acme/app: attributeCondition is "evil", wanted assertion.repository_owner == 'acme'
    provider 1, ci/attribute.repository/acme/app: attribute.repository is "evil/app", wanted "acme/app"
    "#);
}
