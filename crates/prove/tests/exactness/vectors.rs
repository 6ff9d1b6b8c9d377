//! The worked vectors of AWS's semantics, asked of the proved set: each token is a universe of its own.

use daypass_claims::ClaimSet;
use daypass_prove::{Options, members};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Context, Dialect, Truth, compile};

const HOST: &str = "token.actions.githubusercontent.com";

struct Vector {
    version: &'static str,
    /// The conditions, `K:` standing for the issuer's keys.
    condition: &'static str,
    claims: &'static str,
    admitted: bool,
}

const fn vector(condition: &'static str, claims: &'static str, admitted: bool) -> Vector {
    Vector { version: "2012-10-17", condition, claims, admitted }
}

const PULL_REQUEST: &str = r#""repository": "acme/x", "ref": "refs/pull/7/merge", "ref_protected": "false", "event_name": "pull_request", "sub": "repo:acme/x:pull_request""#;
const MAIN: &str = r#""repository": "acme/x", "ref": "refs/heads/main", "ref_protected": "true", "event_name": "push", "sub": "repo:acme/x:ref:refs/heads/main""#;
const EVIL: &str = r#""repository": "acme-evil/x", "ref": "refs/heads/main", "ref_protected": "true", "event_name": "push", "sub": "repo:acme-evil/x:ref:refs/heads/main""#;
const SHOP: &str = r#""repository": "acme/shop", "ref": "refs/pull/7/merge", "ref_protected": "false", "event_name": "pull_request", "sub": "repo:acme/shop:pull_request""#;

const VECTORS: [Vector; 15] = [
    vector(r#""StringLike": {"K:sub": "repo:acme/*"}"#, PULL_REQUEST, true),
    vector(r#""StringEquals": {"K:sub": "repo:acme/*"}"#, PULL_REQUEST, false),
    // Every token of GitHub has a subject, so an absent claim is another one here.
    vector(r#""StringNotEquals": {"K:environment": "a"}"#, MAIN, true),
    vector(r#""StringNotEquals": {"K:ref": ["refs/heads/main", "b"]}"#, MAIN, false),
    vector(r#""ForAllValues:StringEquals": {"K:environment": "a"}"#, MAIN, true),
    vector(r#""ForAnyValue:StringEquals": {"K:amr": "x"}"#, MAIN, false),
    vector(r#""StringEqualsIfExists": {"K:environment": "prod"}"#, MAIN, true),
    vector(r#""Null": {"K:environment": "true"}"#, MAIN, true),
    vector(r#""StringLike": {"K:sub": "repo:acme*"}"#, EVIL, true),
    vector(
        r#""StringEquals": {"Token.Actions.GitHubUserContent.com:SUB": "repo:acme/x:ref:refs/heads/main"}"#,
        MAIN,
        true,
    ),
    vector(r#""StringEquals": {"K:sub": "Repo:acme/x:ref:refs/heads/main"}"#, MAIN, false),
    vector(r#""StringEquals": {"K:repository": "acme/x", "K:ref": "refs/heads/dev"}"#, MAIN, false),
    vector(r#""StringLike": {"K:sub": "repo:acme/${aws:RequestTag/p, 'shop'}:*"}"#, SHOP, true),
    Vector {
        version: "2008-10-17",
        ..vector(r#""StringLike": {"K:sub": "repo:acme/${aws:RequestTag/p, 'shop'}:*"}"#, SHOP, false)
    },
    vector(r#""Bool": {"sts:RoleAuthorizedByIdp": "true"}"#, MAIN, false),
];

#[test]
fn the_worked_vectors_hold_in_proofs_as_in_decisions() {
    for (number, vector) in VECTORS.iter().enumerate() {
        let number = number + 1;
        let text = format!(
            r#"{{"Version": "{}", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{HOST}"}},
                "Condition": {{{}}}}}}}"#,
            vector.version,
            vector.condition.replace("K:", &format!("{HOST}:")),
        );
        let policy = compile(Dialect::Aws, &Source::new("trust.json", text), &CompileOptions::default())
            .unwrap()
            .policy;
        let token = format!(r#"{{"iss": "https://{HOST}", {}}}"#, vector.claims);
        let token = ClaimSet::from_json(token.as_bytes()).unwrap();
        let wanted = Truth::from(vector.admitted);
        let outcome = daypass_trust::outcome(&policy, &token, &Context::new()).0;
        assert_eq!(outcome, wanted, "{number} decided");
        assert_eq!(members(&policy, &[token], &Options::default()), [Some(wanted)], "{number} proved");
    }
}
