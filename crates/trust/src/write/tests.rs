use daypass_claims::ClaimSet;

use super::*;
use crate::dialect::{CompileOptions, compile};
use crate::document::{Source, parse_json, parse_toml};
use crate::evaluate::{Outcome, evaluate};
use crate::{Context, Policy};

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn issuer() -> Issuer {
    Issuer::parse(GITHUB).unwrap()
}

fn options() -> CompileOptions {
    CompileOptions { issuer: Some(issuer()), ..CompileOptions::default() }
}

fn read(dialect: Dialect, text: &str) -> (Policy, Node) {
    let source = Source::new("p", text);
    let tree = match dialect {
        Dialect::Daypass => parse_toml(&source).unwrap(),
        _ => parse_json(&source).unwrap(),
    };
    (compile(dialect, &source, &options()).unwrap().policy, tree)
}

fn grant(claims: &[(&str, Wanted)]) -> Grant {
    let claims = claims.iter().map(|(name, wanted)| (ClaimName::from(*name), wanted.clone())).collect();
    Grant { issuer: issuer(), audiences: Vec::new(), claims }
}

fn like(globs: &[&str]) -> Wanted {
    Wanted::Like(globs.iter().map(|glob| Pattern::glob(glob)).collect())
}

fn rewritten(dialect: Dialect, text: &str, grants: &[Grant], others: Others) -> (String, Policy) {
    let (policy, tree) = read(dialect, text);
    let written = write(&policy, &tree, grants, others).unwrap();
    let policy = compile(dialect, &Source::new("new", written.as_str()), &options()).unwrap().policy;
    (written, policy)
}

fn refusal(dialect: Dialect, text: &str, grants: &[Grant]) -> WriteError {
    let (policy, tree) = read(dialect, text);
    write(&policy, &tree, grants, Others::Drop).unwrap_err()
}

fn decided(policy: &Policy, claims: &[(&str, &str)]) -> Outcome {
    let mut token = ClaimSet::new();
    token.insert("iss", daypass_claims::ClaimValue::from(GITHUB));
    for (name, value) in claims {
        token.insert(*name, daypass_claims::ClaimValue::from(*value));
    }
    evaluate(policy, &token, &Context::new().issuer(issuer())).outcome
}

const MAIN: &str = "repo:acme/app:ref:refs/heads/main";

const AWS: &str = r#"{ "Version": "2012-10-17", "Statement": [
  { "Sid": "Deploy", "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": { "AWS": "arn:aws:iam::111122223333:root",
                   "Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" },
    "Condition": { "StringLike": { "token.actions.githubusercontent.com:sub": "repo:acme/*",
                                   "token.actions.githubusercontent.com:actor": "a*" } } },
  { "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": { "Bool": { "aws:SecureTransport": "false" } } }] }"#;

#[test]
fn aws_keeps_what_is_not_about_tokens() {
    let grants = [grant(&[("sub", like(&[MAIN, "repo:acme/app:environment:*"]))])];
    let (written, policy) = rewritten(Dialect::Aws, AWS, &grants, Others::Drop);
    insta::assert_snapshot!(written);
    assert_eq!(policy.statements.len(), 3, "the root of the account, the denial, and the new one");
}

#[test]
fn aws_keeps_conditions_on_other_keys_where_it_is_told_to() {
    let grants = [grant(&[("sub", Wanted::text(MAIN))])];
    let (written, policy) = rewritten(Dialect::Aws, AWS, &grants, Others::Keep);
    assert!(written.contains(r#""token.actions.githubusercontent.com:actor": "a*""#), "{written}");
    let context = Context::new().issuer(issuer()).with(crate::form::RequestKey::SecureTransport, true);
    let token = |actor: &str| {
        let mut token = ClaimSet::new();
        for (name, value) in [("iss", GITHUB), ("sub", MAIN), ("actor", actor)] {
            token.insert(name, daypass_claims::ClaimValue::from(value));
        }
        token
    };
    assert_eq!(evaluate(&policy, &token("alex"), &context).outcome, Outcome::Allow);
    assert_eq!(evaluate(&policy, &token("mallory"), &context).outcome, Outcome::Deny);
}

#[test]
fn what_is_a_wildcard_to_aws_is_written_as_text() {
    let star = Pattern::literal("repo:acme/a*b$");
    let mut pattern = star.clone();
    pattern.push(Piece::Run);
    let text = AWS.replace(r#","token"#, r#", "token"#);
    let grants = [grant(&[("sub", Wanted::Like(vec![pattern]))])];
    let (written, _) = rewritten(Dialect::Aws, &text, &grants, Others::Drop);
    assert!(written.contains("repo:acme/a${*}b${$}*"), "{written}");
    let (written, _) =
        rewritten(Dialect::Aws, &text, &[grant(&[("sub", Wanted::Like(vec![star]))])], Others::Drop);
    assert!(written.contains("repo:acme/a*b${$}\""), "{written}");
}

const AZURE: &str = r#"{ "name": "deploy", "issuer": "https://token.actions.githubusercontent.com",
  "subject": "repo:acme/app:ref:refs/heads/dev", "audiences": ["api://AzureADTokenExchange"] }"#;

#[test]
fn azure_has_a_credential_for_each_subject() {
    let grants = [grant(&[("sub", like(&[MAIN, "repo:acme@1001/app@2002:ref:refs/heads/main"]))])];
    let (written, policy) = rewritten(Dialect::Azure, AZURE, &grants, Others::Drop);
    insta::assert_snapshot!(written);
    let token = [("sub", MAIN), ("aud", "api://AzureADTokenExchange")];
    assert_eq!(decided(&policy, &token), Outcome::Allow);
}

#[test]
fn azure_asks_for_more_than_a_subject_by_an_expression() {
    let grants = [grant(&[("sub", Wanted::text(MAIN)), ("repository_id", Wanted::text("2002"))])];
    let (written, policy) = rewritten(Dialect::Azure, AZURE, &grants, Others::Drop);
    assert!(written.contains(&format!("claims['sub'] eq '{MAIN}' and claims['repository_id'] eq '2002'")));
    let token = |id| [("sub", MAIN), ("repository_id", id), ("aud", "api://AzureADTokenExchange")];
    assert_eq!(decided(&policy, &token("2002")), Outcome::Allow);
    assert_eq!(decided(&policy, &token("666")), Outcome::Deny);
}

const GCP: &str = r#"{ "name": "gh", "attributeMapping": { "google.subject": "assertion.sub" },
  "attributeCondition": "assertion.repository_owner == 'acme'",
  "oidc": { "issuerUri": "https://token.actions.githubusercontent.com", "allowedAudiences": ["gcp"] } }"#;

#[test]
fn gcp_has_one_condition_for_all() {
    let grants = [
        grant(&[("sub", Wanted::text(MAIN)), ("environment", Wanted::Absent)]),
        grant(&[
            ("sub", like(&["repo:acme/app:environment:it's*"])),
            ("repository_id", Wanted::text("2002")),
        ]),
    ];
    let (written, policy) = rewritten(Dialect::Gcp, GCP, &grants, Others::Drop);
    insta::assert_snapshot!(written);
    assert_eq!(decided(&policy, &[("sub", MAIN), ("aud", "gcp")]), Outcome::Allow);
    let second = [("sub", "repo:acme/app:environment:it's"), ("repository_id", "2002"), ("aud", "gcp")];
    assert_eq!(decided(&policy, &second), Outcome::Allow);
    assert_eq!(decided(&policy, &[("sub", "repo:acme/x"), ("aud", "gcp")]), Outcome::Deny);
}

#[test]
fn gcp_keeps_the_old_condition_where_it_is_told_to() {
    let (written, policy) =
        rewritten(Dialect::Gcp, GCP, &[grant(&[("sub", Wanted::text(MAIN))])], Others::Keep);
    assert!(written.contains("(assertion.repository_owner == 'acme') && (assertion.sub =="), "{written}");
    let token = |owner| [("sub", MAIN), ("aud", "gcp"), ("repository_owner", owner)];
    assert_eq!(decided(&policy, &token("acme")), Outcome::Allow);
    assert_eq!(decided(&policy, &token("evil")), Outcome::Deny);
}

const VAULT: &str = r#"{ "role_name": "deploy", "role_type": "jwt", "user_claim": "sub", "token_policies": ["deploy"],
  "bound_audiences": ["vault"], "bound_claims": { "ref": "refs/heads/main" } }"#;

#[test]
fn vault_binds_claims_and_keeps_the_rest() {
    let grants = [grant(&[
        ("sub", like(&[MAIN])),
        ("repository_id", Wanted::text("2002")),
        ("environment", Wanted::Absent),
    ])];
    let (written, policy) = rewritten(Dialect::Vault, VAULT, &grants, Others::Drop);
    insta::assert_snapshot!(written);
    assert_eq!(
        decided(&policy, &[("sub", MAIN), ("repository_id", "2002"), ("aud", "vault")]),
        Outcome::Allow
    );
    assert_eq!(decided(&policy, &[("sub", MAIN), ("repository_id", "666"), ("aud", "vault")]), Outcome::Deny);
}

#[test]
fn vault_has_one_set_of_conditions() {
    let different =
        [grant(&[("sub", Wanted::text(MAIN))]), grant(&[("repository_id", Wanted::text("2002"))])];
    assert_eq!(refusal(Dialect::Vault, VAULT, &different), WriteError::OneGrant(Dialect::Vault));
    let same = [grant(&[("sub", Wanted::text(MAIN))]), grant(&[("sub", Wanted::text("x"))])];
    let (written, _) = rewritten(Dialect::Vault, VAULT, &same, Others::Drop);
    assert!(written.contains("\"x\""), "{written}");
}

const NATIVE: &str = "
[[role]]
name = 'deploy'
max_session = '1h'
[[role.trust]]
issuer = 'https://token.actions.githubusercontent.com'
audience = 'https://sts.example.com'
claims.repository_id = '2002'
claims.repository_owner_id = '1001'
[[role.trust]]
from_role = 'other'
";

#[test]
fn the_native_form_has_a_trust_for_each_grant() {
    let ids = [("repository_id", Wanted::text("2002")), ("repository_owner_id", Wanted::text("1001"))];
    let more = |last: (&'static str, Wanted)| grant(&[ids[0].clone(), ids[1].clone(), last]);
    let grants =
        [more(("environment", like(&["prod", "live"]))), more(("ref", like(&["refs/heads/release/*"])))];
    let (written, policy) = rewritten(Dialect::Daypass, NATIVE, &grants, Others::Drop);
    insta::assert_snapshot!(written);
    let token = [
        ("repository_id", "2002"),
        ("repository_owner_id", "1001"),
        ("environment", "live"),
        ("aud", "https://sts.example.com"),
    ];
    assert_eq!(decided(&policy, &token), Outcome::Allow);
}

#[test]
fn what_cannot_be_written_is_refused() {
    assert_eq!(refusal(Dialect::Aws, AWS, &[]), WriteError::NoGrant);
    let elsewhere = Grant {
        issuer: Issuer::parse("https://gitlab.com").unwrap(),
        ..grant(&[("sub", Wanted::text("x"))])
    };
    for (dialect, text) in
        [(Dialect::Aws, AWS), (Dialect::Azure, AZURE), (Dialect::Gcp, GCP), (Dialect::Daypass, NATIVE)]
    {
        let said = refusal(dialect, text, std::slice::from_ref(&elsewhere));
        assert_eq!(said, WriteError::NoIssuer(elsewhere.issuer.clone()), "{dialect}");
    }
    let unseen = refusal(Dialect::Aws, AWS, &[grant(&[("sha", Wanted::text("x"))])]).to_string();
    assert!(unseen.contains("not on the list of condition keys of 20"), "{unseen}");
    let unseen =
        refusal(Dialect::Azure, AZURE, &[grant(&[("sub", Wanted::text("x")), ("ref", Wanted::text("y"))])]);
    assert!(unseen.to_string().contains("Entra does not compare it"), "{unseen}");
    let (policy, _) = read(Dialect::Aws, AWS);
    let empty = parse_json(&Source::new("p", "{}")).unwrap();
    let shape = write(&policy, &empty, &[grant(&[("sub", Wanted::text("x"))])], Others::Drop).unwrap_err();
    assert_eq!(shape, WriteError::Shape("`Statement`"));
}
