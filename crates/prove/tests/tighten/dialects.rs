use daypass_claims::Issuer;
use daypass_prove::tighten::Relation;
use daypass_prove::{Intended, Options, tighten};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

use crate::aws::{check, classic_only, home};

fn surroundings() -> CompileOptions {
    let issuer = Issuer::parse("https://token.actions.githubusercontent.com").unwrap();
    CompileOptions { issuer: Some(issuer), ..CompileOptions::default() }
}

fn read(dialect: Dialect, text: &str) -> Policy {
    compile(dialect, &Source::new("p", text), &surroundings()).unwrap().policy
}

/// The document that a policy becomes for Acme's main, when it is known to emit classic subjects.
fn tightened(dialect: Dialect, text: &str, audience: &str) -> String {
    let policy = read(dialect, text);
    let audience = format!("audience={audience}");
    let home =
        home(&["repo=acme/app", "owner_id=1001", "repo_id=2002", "ref=refs/heads/main", audience.as_str()]);
    let found = tighten(&policy, Intended::Home(&home), &surroundings(), &classic_only()).unwrap();
    check(&found);
    assert_eq!(found.relation, Relation::Narrower, "{}", found.document);
    found.document
}

#[test]
fn azure_compares_the_subject_and_the_ids() {
    let document = tightened(
        Dialect::Azure,
        r#"{ "name": "deploy", "issuer": "https://token.actions.githubusercontent.com", "audiences": ["api://AzureADTokenExchange"],
             "claimsMatchingExpression": { "value": "claims['sub'] matches 'repo:acme/*'", "languageVersion": 1 } }"#,
        "api://AzureADTokenExchange",
    );
    insta::assert_snapshot!(document);
}

#[test]
fn gcp_has_an_attribute_condition() {
    let document = tightened(
        Dialect::Gcp,
        r#"{ "name": "gh", "attributeMapping": { "google.subject": "assertion.sub" },
             "attributeCondition": "assertion.repository_owner == 'acme'",
             "oidc": { "issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": ["gcp"] } }"#,
        "gcp",
    );
    insta::assert_snapshot!(document);
}

#[test]
fn vault_binds_claims() {
    let document = tightened(
        Dialect::Vault,
        r#"{ "role_name": "deploy", "role_type": "jwt", "user_claim": "sub", "token_policies": ["deploy"],
             "bound_audiences": ["vault"], "bound_claims": { "repository_owner_id": "1001" } }"#,
        "vault",
    );
    insta::assert_snapshot!(document);
}

#[test]
fn the_native_form_asks_for_ids_and_the_place() {
    let document = tightened(
        Dialect::Daypass,
        "[[trust]]\nissuer = 'https://token.actions.githubusercontent.com'\naudience = 'https://sts.example.com'\n\
         claims.repository_owner_id = '1001'\nclaims.repository_id = '2002'\n",
        "https://sts.example.com",
    );
    insta::assert_snapshot!(document);
}

#[test]
fn a_condition_on_something_else_stays_where_the_policy_would_be_wider_without_it() {
    let policy = read(
        Dialect::Gcp,
        r#"{ "name": "gh", "attributeMapping": { "google.subject": "assertion.sub" },
             "attributeCondition": "assertion.runner_environment == 'github-hosted' && assertion.repository_owner == 'acme'",
             "oidc": { "issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": ["gcp"] } }"#,
    );
    let home = home(&["repo=acme/app", "owner_id=1001", "repo_id=2002", "ref=refs/heads/main"]);
    let found = tighten(&policy, Intended::Home(&home), &surroundings(), &Options::default()).unwrap();
    assert!(
        matches!(found.relation, Relation::Extends(_)),
        "jobs on other runners are meant, too, so the condition is given up: {}",
        found.document
    );
}
