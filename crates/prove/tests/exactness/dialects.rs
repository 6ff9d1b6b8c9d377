use daypass_claims::Issuer;
use daypass_trust::dialect::native::{Issuers, KnownIssuer};
use daypass_trust::document::Source;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Dialect, compile};

use super::check::agrees;
use super::draw::Draw;
use super::population::{GITHUB, github};

const SUBJECTS: [&str; 14] = [
    "repo:acme/app:ref:refs/heads/main",
    "repo:acme/app:environment:prod",
    "repo:acme/app:pull_request",
    "repo:acme/*",
    "repo:acme*",
    "repo:*/app:*",
    "repo:acme/app*:ref:refs/heads/*",
    "repo:acme@1001/app@2002:*",
    "repo:acme@*/app@*:environment:prod",
    "*:ref:refs/*/???n",
    "repo:????/app:*",
    "*@*",
    "*:environment:a%3Ab",
    "*",
];

fn compiled(dialect: Dialect, text: &str, options: &CompileOptions) -> Policy {
    compile(dialect, &Source::new("policy", text), options)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .policy
}

/// Conditions of an AWS policy on the keys that every issuer's tokens fill.
fn aws(draw: &mut Draw) -> (Policy, String) {
    let host = GITHUB.trim_start_matches("https://");
    let operators = [
        "StringEquals",
        "StringLike",
        "StringLike",
        "StringNotEquals",
        "StringNotLike",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "ForAnyValue:StringLike",
        "ForAllValues:StringLike",
    ];
    let statements: Vec<String> = (0..=draw.below(3))
        .map(|at| {
            let effect = if at > 0 && draw.once_in(2) { "Deny" } else { "Allow" };
            let mut conditions: Vec<(String, String)> = Vec::new();
            for _ in 0..=draw.below(2) {
                let (key, values) = match draw.below(5) {
                    0 => ("aud", draw.some(&["sts.amazonaws.com", "sts.*", "other"])),
                    1 => ("repository", draw.some(&["acme/app", "acme/*", "Acme/app", "*"])),
                    2 => ("environment", draw.some(&["prod", "p*", "a:b"])),
                    _ => ("sub", draw.some(&SUBJECTS)),
                };
                let operator = draw.one(&operators).to_owned();
                if conditions.iter().all(|(known, _)| *known != operator) {
                    conditions.push((operator, format!(r#"{{"{host}:{key}": {values}}}"#)));
                }
            }
            let conditions: Vec<String> =
                conditions.iter().map(|(operator, keys)| format!(r#""{operator}": {keys}"#)).collect();
            format!(
                r#"{{"Effect": "{effect}", "Action": "sts:AssumeRoleWithWebIdentity",
                    "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{host}"}},
                    "Condition": {{{}}}}}"#,
                conditions.join(", ")
            )
        })
        .collect();
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(", "));
    (compiled(Dialect::Aws, &text, &CompileOptions::default()), text)
}

fn azure(draw: &mut Draw) -> (Policy, String) {
    let text = if draw.once_in(4) {
        let subject = draw.one(&SUBJECTS);
        format!(r#"{{"name": "c", "issuer": "{GITHUB}", "subject": "{subject}", "audiences": ["a"]}}"#)
    } else {
        let one = format!("claims['sub'] matches '{}'", draw.one(&SUBJECTS));
        let more = match draw.below(3) {
            0 => format!(" and claims['sub'] eq '{}'", draw.one(&SUBJECTS)),
            1 => format!(" and claims['sub'] matches '{}'", draw.one(&SUBJECTS)),
            _ => String::new(),
        };
        format!(
            r#"{{"name": "f", "issuer": "{GITHUB}", "audiences": ["a"],
                "claimsMatchingExpression": {{"value": "{one}{more}", "languageVersion": 1}}}}"#
        )
    };
    (compiled(Dialect::Azure, &text, &CompileOptions::default()), text)
}

fn gcp(draw: &mut Draw) -> (Policy, String) {
    let mut condition = cel(draw);
    for _ in 0..draw.below(3) {
        let join = draw.one(&["&&", "||"]);
        condition = format!("({condition}) {join} {}", cel(draw));
    }
    let text = format!(
        r#"{{"attributeMapping": {{"google.subject": "assertion.sub", "attribute.repository": "assertion.repository"}},
            "attributeCondition": "{condition}",
            "oidc": {{"issuerUri": "{GITHUB}", "allowedAudiences": ["a"]}}}}"#
    );
    (compiled(Dialect::Gcp, &text, &CompileOptions::default()), text)
}

fn cel(draw: &mut Draw) -> String {
    let not = if draw.once_in(3) { "!" } else { "" };
    let claim = draw.one(&["sub", "repository", "repository_owner", "ref", "environment", "event_name"]);
    let text = draw.one(&[
        "acme",
        "acme/",
        "acme/app",
        "repo:acme/",
        "refs/heads/",
        "refs/heads/main",
        "prod",
        "push",
        "main",
    ]);
    match draw.below(6) {
        0 => format!("{not}(assertion.{claim} == '{text}')"),
        1 => format!("{not}assertion.{claim}.startsWith('{text}')"),
        2 => format!("{not}assertion.{claim}.endsWith('{text}')"),
        3 => format!("{not}assertion.{claim}.contains('{text}')"),
        4 => format!("{not}(assertion.{claim} in ['{text}', 'acme', 'prod'])"),
        _ => format!("{not}has(assertion.environment)"),
    }
}

fn vault(draw: &mut Draw) -> (Policy, String) {
    let mut members = vec![r#""role_type": "jwt", "user_claim": "sub", "bound_audiences": ["a"]"#.to_owned()];
    let globs = draw.once_in(2);
    if globs {
        members.push(r#""bound_claims_type": "glob""#.to_owned());
    }
    if draw.once_in(6) {
        members.push(format!(r#""bound_subject": "{}""#, draw.one(&SUBJECTS)));
    }
    let texts = if globs {
        ["a*", "*", "refs/*", "*/*/main", "p*"]
    } else {
        ["acme", "Acme", "refs/heads/main", "prod", "a:b"]
    };
    let mut claims: Vec<String> = Vec::new();
    for claim in ["repository_owner", "ref", "environment"] {
        if draw.once_in(2) {
            claims.push(format!(r#""{claim}": {}"#, draw.some(&texts)));
        }
    }
    members.push(format!(r#""bound_claims": {{{}}}"#, claims.join(", ")));
    let text = format!("{{{}}}", members.join(", "));
    let options =
        CompileOptions { issuer: Some(Issuer::parse(GITHUB).unwrap()), ..CompileOptions::default() };
    (compiled(Dialect::Vault, &text, &options), text)
}

fn native(draw: &mut Draw) -> (Policy, String) {
    let mut text = String::new();
    for _ in 0..=draw.below(2) {
        text.push_str("[[trust]]\nissuer = \"plain\"\naudience = \"a\"\n");
        for claim in ["repository_owner", "ref", "environment", "sub"] {
            let test = match draw.below(9) {
                0 => format!("\"{}\"", draw.one(&["acme", "prod", "refs/heads/main"])),
                1 => format!("{{ glob = \"{}\" }}", draw.one(&["*", "a*", "**", "refs/*/*", "*:b"])),
                2 => format!("{{ one_of = {} }}", draw.some(&["acme", "a:b", "refs/tags/v1"])),
                3 => format!("{{ none_of = {} }}", draw.some(&["Acme", "prod", "refs/heads/dev"])),
                _ => continue,
            };
            text.push_str(&format!("claims.{claim} = {test}\n"));
        }
    }
    let known =
        KnownIssuer { name: "plain".to_owned(), issuer: Issuer::parse(GITHUB).unwrap(), platform: None };
    let options = CompileOptions { issuers: Issuers::Configured(vec![known]), ..CompileOptions::default() };
    (compiled(Dialect::Daypass, &text, &options), text)
}

#[test]
fn what_aws_decides_is_what_is_proved() {
    agrees(1, &github(&["sts.amazonaws.com", "other"]), aws);
}

#[test]
fn what_azure_decides_is_what_is_proved() {
    agrees(2, &github(&["a", "other"]), azure);
}

#[test]
fn what_google_cloud_decides_is_what_is_proved() {
    agrees(3, &github(&["a", "other"]), gcp);
}

#[test]
fn what_vault_decides_is_what_is_proved() {
    agrees(4, &github(&["a", "other"]), vault);
}

#[test]
fn what_daypass_decides_is_what_is_proved() {
    agrees(5, &github(&["a", "other"]), native);
}
