//! The worked vectors of the semantics reference, then one test per rule of the grammar.

use daypass_claims::{Audience, ClaimSet};

use crate::context::Context;
use crate::dialect::{CompileOptions, Compiled, Dialect, compile};
use crate::document::Source;
use crate::evaluate::{Outcome, evaluate};
use crate::form::RequestKey;

const GITHUB: &str = "token.actions.githubusercontent.com";

fn policy(version: &str, condition: &str) -> Source {
    let text = format!(
        r#"{{{version} "Statement": {{"Effect": "Allow",
            "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}},
            "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {condition}}}}}"#
    );
    Source::new("trust.json", text.replace("gh:", &format!("{GITHUB}:")))
}

fn compiled(source: &Source) -> Compiled {
    compile(Dialect::Aws, source, &CompileOptions::default()).unwrap()
}

fn claims(json: &str) -> ClaimSet {
    let mut claims = ClaimSet::from_json(json.as_bytes()).unwrap();
    claims.insert("iss", format!("https://{GITHUB}"));
    claims
}

fn decide(condition: &str, token: &str) -> Outcome {
    decide_in(r#""Version": "2012-10-17","#, condition, token, &Context::new())
}

fn decide_in(version: &str, condition: &str, token: &str, context: &Context) -> Outcome {
    evaluate(&compiled(&policy(version, condition)).policy, &claims(token), context).outcome
}

fn refusals(text: &str) -> String {
    compile(Dialect::Aws, &Source::new("trust.json", text), &CompileOptions::default())
        .unwrap_err()
        .to_string()
}

use Outcome::{Allow, Deny, Unknown};

#[test]
fn what_the_known_values_of_a_list_decide_the_others_cannot_change() {
    let decide = |condition: &str, sub: &str| decide(condition, &format!(r#"{{"sub": "{sub}"}}"#));
    for (qualifier, operator, seen, other) in [
        ("", "StringLike", Allow, Unknown),
        ("ForAnyValue:", "StringLike", Allow, Unknown),
        ("ForAllValues:", "StringLike", Allow, Unknown),
        ("", "StringNotLike", Deny, Unknown),
        ("ForAnyValue:", "StringNotLike", Deny, Unknown),
        ("ForAllValues:", "StringNotLike", Deny, Unknown),
    ] {
        // A `${` that is not closed: what it means is not documented.
        let condition =
            format!(r#"{{"{qualifier}{operator}": {{"gh:sub": ["a${{gh:sub", "repo:acme/*"]}}}}"#);
        assert_eq!(decide(&condition, "repo:acme/app"), seen, "{condition}");
        assert_eq!(decide(&condition, "repo:evil/app"), other, "{condition}");
    }
}

#[test]
fn worked_vectors() {
    let pull_request = r#"{"sub": "repo:acme/x:pull_request"}"#;
    let vectors = [
        (1, r#"{"StringLike": {"gh:sub": "repo:acme/*"}}"#, pull_request, Allow),
        (2, r#"{"StringEquals": {"gh:sub": "repo:acme/*"}}"#, pull_request, Deny),
        (3, r#"{"StringNotEquals": {"gh:sub": "a"}}"#, "{}", Allow),
        (4, r#"{"StringNotEquals": {"gh:sub": ["a", "b"]}}"#, r#"{"sub": "a"}"#, Deny),
        (5, r#"{"ForAllValues:StringEquals": {"gh:sub": "a"}}"#, "{}", Allow),
        (6, r#"{"ForAnyValue:StringEquals": {"gh:amr": "x"}}"#, "{}", Deny),
        (7, r#"{"StringEqualsIfExists": {"gh:environment": "prod"}}"#, "{}", Allow),
        (8, r#"{"Null": {"gh:environment": "true"}}"#, "{}", Allow),
        (
            9,
            r#"{"StringLike": {"gh:sub": "repo:acme*"}}"#,
            r#"{"sub": "repo:acme-evil/x:ref:refs/heads/main"}"#,
            Allow,
        ),
        (
            10,
            r#"{"StringEquals": {"Token.Actions.GitHubUserContent.com:SUB": "v"}}"#,
            r#"{"sub": "v"}"#,
            Allow,
        ),
        (11, r#"{"StringEquals": {"gh:sub": "Repo:acme/x:pull_request"}}"#, pull_request, Deny),
        (
            12,
            r#"{"StringEquals": {"gh:sub": "repo:acme/x:pull_request", "gh:aud": "b"}}"#,
            r#"{"sub": "repo:acme/x:pull_request", "aud": "a"}"#,
            Deny,
        ),
        (
            13,
            r#"{"StringLike": {"gh:sub": "repo:acme/${aws:RequestTag/p, 'shop'}:*"}}"#,
            r#"{"sub": "repo:acme/shop:x"}"#,
            Allow,
        ),
        (15, r#"{"Bool": {"sts:RoleAuthorizedByIdp": "true"}}"#, "{}", Deny),
    ];
    for (number, condition, token, expected) in vectors {
        assert_eq!(decide(condition, token), expected, "vector {number}");
    }
    let with_variable = r#"{"StringLike": {"gh:sub": "repo:acme/${aws:RequestTag/p, 'shop'}:*"}}"#;
    for version in ["", r#""Version": "2008-10-17","#] {
        let outcome = decide_in(version, with_variable, r#"{"sub": "repo:acme/shop:x"}"#, &Context::new());
        assert_eq!(outcome, Deny, "vector 14, {version:?}");
    }
}

#[test]
fn the_reference_example_admits_its_job_and_no_other() {
    let condition = r#"{"StringEquals": {"gh:aud": "sts.amazonaws.com", "gh:repository_owner_id": "9919",
        "gh:repository_id": "1296269", "gh:environment": "production"},
        "StringLike": {"gh:sub": "repo:acme@9919/shop@1296269:environment:production"}}"#;
    let token = r#"{"aud": "sts.amazonaws.com", "repository_owner_id": "9919", "repository_id": "1296269",
        "environment": "production", "sub": "repo:acme@9919/shop@1296269:environment:production"}"#;
    assert_eq!(decide(condition, token), Allow);
    for (from, to) in
        [("9919\",", "9920\","), ("1296269\",", "1\","), ("\"production\"", "\"staging\""), ("sts.", "x.")]
    {
        assert_eq!(decide(condition, &token.replacen(from, to, 1)), Deny, "{from} -> {to}");
    }
}

#[test]
fn absence_is_true_for_negated_if_exists_and_for_all() {
    let of_absent = [
        (r#"{"StringNotLike": {"gh:sub": "x"}}"#, Allow),
        (r#"{"StringNotEqualsIgnoreCase": {"gh:sub": "x"}}"#, Allow),
        (r#"{"NumericNotEquals": {"gh:sub": 1}}"#, Allow),
        (r#"{"DateNotEquals": {"gh:sub": "2026-01-01"}}"#, Allow),
        (r#"{"NotIpAddress": {"gh:sub": "192.0.2.0/24"}}"#, Allow),
        (r#"{"ArnNotLike": {"gh:sub": "arn:aws:iam::*:role/x"}}"#, Allow),
        (r#"{"StringEquals": {"gh:sub": "x"}}"#, Deny),
        (r#"{"NumericLessThan": {"gh:sub": 1}}"#, Deny),
        (r#"{"Bool": {"gh:sub": false}}"#, Deny),
        (r#"{"BinaryEquals": {"gh:sub": "YQ=="}}"#, Deny),
        (r#"{"IpAddress": {"gh:sub": "192.0.2.0/24"}}"#, Deny),
        (r#"{"ArnLike": {"gh:sub": "arn:aws:iam::*:role/x"}}"#, Deny),
        (r#"{"ForAnyValue:StringNotEquals": {"gh:amr": "x"}}"#, Deny),
        (r#"{"ForAllValues:StringNotEquals": {"gh:amr": "x"}}"#, Allow),
        (r#"{"ForAnyValue:StringLikeIfExists": {"gh:amr": "x"}}"#, Allow),
        (r#"{"Null": {"gh:sub": "false"}}"#, Deny),
        (r#"{"Null": {"gh:sub": ["true", "false"]}}"#, Allow),
    ];
    for (condition, expected) in of_absent {
        assert_eq!(decide(condition, "{}"), expected, "{condition}");
    }
}

#[test]
fn every_operator_family_compares() {
    let ip = Context::new().with(RequestKey::SourceIp, "192.0.2.7");
    let time = Context::new().with(RequestKey::CurrentTime, "2026-11-23T05:00:00Z");
    let name = Context::new().with(RequestKey::SessionName, "run-7");
    let epoch = Context::new().with(RequestKey::EpochTime, 1_790_000_000_i64);
    let secure = Context::new().with(RequestKey::SecureTransport, true);
    let arn =
        Context::new().with(RequestKey::Other("aws:SourceArn".into()), "arn:aws:iam::111122223333:role/ci/x");
    let cases = [
        (r#"{"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "192.0.2.0/24"]}}"#, &ip, Allow),
        (r#"{"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#, &ip, Deny),
        (r#"{"DateGreaterThan": {"aws:CurrentTime": "2026-11-23"}}"#, &time, Allow),
        (r#"{"DateLessThanEquals": {"aws:CurrentTime": "2026-11-23T04:59:59Z"}}"#, &time, Deny),
        (r#"{"NumericGreaterThanEquals": {"aws:EpochTime": "1790000000"}}"#, &epoch, Allow),
        (r#"{"NumericLessThan": {"aws:EpochTime": 1790000000}}"#, &epoch, Deny),
        (r#"{"Bool": {"aws:SecureTransport": "TRUE"}}"#, &secure, Allow),
        (r#"{"Bool": {"aws:SecureTransport": false}}"#, &secure, Deny),
        (r#"{"StringEqualsIgnoreCase": {"sts:RoleSessionName": "RUN-7"}}"#, &name, Allow),
        (r#"{"StringLike": {"sts:RoleSessionName": "run-?"}}"#, &name, Allow),
        (r#"{"StringEquals": {"sts:RoleSessionName": "run-?"}}"#, &name, Deny),
        (r#"{"BinaryEquals": {"sts:RoleSessionName": "cnVuLTc="}}"#, &name, Deny),
        (r#"{"ArnLike": {"aws:SourceArn": "arn:aws:iam::1111*:role/*"}}"#, &arn, Allow),
        (r#"{"ArnEquals": {"aws:SourceArn": "arn:*:role/ci/x:*:*:*"}}"#, &arn, Deny),
        (r#"{"ArnNotEquals": {"aws:SourceArn": "arn:aws:iam::222222222222:*"}}"#, &arn, Allow),
    ];
    for (condition, context, expected) in cases {
        assert_eq!(decide_in("", condition, "{}", context), expected, "{condition}");
    }
}

#[test]
fn what_a_request_holds_is_unknown_until_it_is_given() {
    let condition = r#"{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}"#;
    assert_eq!(decide(condition, "{}"), Unknown);
    assert_eq!(decide_in("", condition, "{}", &Context::new().complete()), Deny);
    assert_eq!(decide(r#"{"StringEquals": {"aws:SourceVpc": "vpc-1"}}"#, "{}"), Unknown);
    assert_eq!(decide(r#"{"StringEquals": {"sts:ExternalId": "x"}}"#, "{}"), Deny, "AssumeRole only");
    assert_eq!(decide(r#"{"NumericLessThan": {"sts:DurationSeconds": "3600"}}"#, "{}"), Deny, "never filled");
    assert_eq!(
        decide(r#"{"StringNotEquals": {"aws:PrincipalArn": "x"}}"#, "{}"),
        Allow,
        "an anonymous caller has none"
    );
    for key in ["aws:PrincipalOrgID", "aws:principalorgpaths", "aws:PrincipalTag/team"] {
        assert_eq!(decide(&format!(r#"{{"StringEquals": {{"{key}": "x"}}}}"#), "{}"), Deny, "{key}");
        assert_eq!(decide(&format!(r#"{{"StringEqualsIfExists": {{"{key}": "x"}}}}"#), "{}"), Allow, "{key}");
    }
}

#[test]
fn keys_that_aws_does_not_fill_are_absent_with_the_date_of_the_list() {
    let source = policy("", r#"{"StringEquals": {"gh:event_name": "push"}}"#);
    let compiled = compiled(&source);
    let note = compiled.notes.iter().map(ToString::to_string).collect::<String>();
    assert!(note.contains("2026-09-26") && note.contains("event_name"), "{note}");
    let decision = evaluate(&compiled.policy, &claims(r#"{"event_name": "push"}"#), &Context::new());
    assert_eq!(decision.outcome, Deny);
    assert!(decision.nearest_miss[0].impossible.as_deref().unwrap().contains("2026-09-26"));
    // The same hole from the other side: what is never filled never stands in the way of a negated test.
    assert_eq!(
        decide(
            r#"{"StringNotEquals": {"gh:event_name": "pull_request"}}"#,
            r#"{"event_name": "pull_request"}"#
        ),
        Allow
    );
}

#[test]
fn an_unlisted_claim_of_an_uncovered_issuer_is_unknown_only_where_it_matters() {
    let text = r#"{"Statement": {"Effect": "Allow",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/ci.example.com"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"ci.example.com:project": "app"}}}}"#;
    let policy = compiled(&Source::new("trust.json", text)).policy;
    let decide = |json: &str| {
        let mut claims = ClaimSet::from_json(json.as_bytes()).unwrap();
        claims.insert("iss", "https://ci.example.com");
        evaluate(&policy, &claims, &Context::new()).outcome
    };
    assert_eq!(decide(r#"{"project": "app"}"#), Unknown);
    assert_eq!(decide(r#"{"project": "other"}"#), Deny, "refused whether the key is filled or not");
    assert_eq!(decide("{}"), Deny);
}

#[test]
fn keys_of_another_issuer_are_absent() {
    assert_eq!(decide(r#"{"StringEquals": {"gitlab.com:sub": "x"}}"#, r#"{"sub": "x"}"#), Deny);
    assert_eq!(decide(r#"{"ForAllValues:StringEquals": {"gitlab.com:sub": "y"}}"#, r#"{"sub": "x"}"#), Allow);
}

#[test]
fn the_audience_key_is_a_string_or_a_list_of_one() {
    let condition = r#"{"StringEquals": {"gh:aud": "a"}}"#;
    assert_eq!(decide(condition, r#"{"aud": ["a"]}"#), Allow);
    assert_eq!(decide(condition, r#"{"aud": ["a", "b"]}"#), Unknown);
    assert_eq!(decide(condition, r#"{"aud": "b"}"#), Deny);
    assert_eq!(decide(condition, r#"{"aud": "a", "azp": "a"}"#), Allow, "both readings agree");
    assert_eq!(decide(condition, r#"{"aud": "b", "azp": "c"}"#), Deny, "both readings agree");
    assert_eq!(decide(condition, r#"{"aud": "a", "azp": "c"}"#), Unknown, "documented for Google only");
}

#[test]
fn google_fills_the_audience_key_from_azp() {
    let text = r#"{"Statement": {"Effect": "Allow", "Principal": {"Federated": "accounts.google.com"},
        "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"accounts.google.com:aud": "client"}}}}"#;
    let policy = compiled(&Source::new("trust.json", text)).policy;
    let decide = |json: &str| {
        let mut claims = ClaimSet::from_json(json.as_bytes()).unwrap();
        claims.insert("iss", "https://accounts.google.com");
        evaluate(&policy, &claims, &Context::new()).outcome
    };
    assert_eq!(decide(r#"{"aud": "x", "azp": "client"}"#), Allow);
    assert_eq!(decide(r#"{"aud": "client", "azp": "x"}"#), Deny);
    assert_eq!(decide(r#"{"aud": "client"}"#), Allow);
}

#[test]
fn the_provider_registration_is_checked_before_any_condition() {
    let source = policy("", r#"{"StringLike": {"gh:sub": "*"}}"#);
    let options = CompileOptions {
        audiences: Some(vec![Audience::parse("sts.amazonaws.com").unwrap()]),
        ..Default::default()
    };
    let policy = compile(Dialect::Aws, &source, &options).unwrap().policy;
    let decide = |json: &str| evaluate(&policy, &claims(json), &Context::new()).outcome;
    assert_eq!(decide(r#"{"sub": "x", "aud": "sts.amazonaws.com"}"#), Allow);
    assert_eq!(decide(r#"{"sub": "x", "aud": "https://github.com/acme"}"#), Deny);
    assert_eq!(decide(r#"{"sub": "x"}"#), Deny);
}

#[test]
fn a_set_needs_a_qualifier() {
    let decide = |condition: &str| {
        let text = format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "cognito-identity.amazonaws.com"}},
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {condition}}}}}"#
        )
        .replace("c:", "cognito-identity.amazonaws.com:");
        let policy = compiled(&Source::new("trust.json", text)).policy;
        let json = br#"{"iss": "https://cognito-identity.amazonaws.com", "amr": ["authenticated", "x"]}"#;
        evaluate(&policy, &ClaimSet::from_json(json).unwrap(), &Context::new()).outcome
    };
    assert_eq!(decide(r#"{"StringEquals": {"c:amr": "x"}}"#), Deny, "never matches without a qualifier");
    assert_eq!(decide(r#"{"StringNotEquals": {"c:amr": "y"}}"#), Deny, "negated neither");
    assert_eq!(decide(r#"{"ForAnyValue:StringEquals": {"c:amr": "x"}}"#), Allow);
    assert_eq!(decide(r#"{"ForAllValues:StringEquals": {"c:amr": ["x", "authenticated"]}}"#), Allow);
    assert_eq!(decide(r#"{"ForAllValues:StringEquals": {"c:amr": "x"}}"#), Deny);
    assert_eq!(decide(r#"{"ForAnyValue:StringNotEquals": {"c:amr": "x"}}"#), Allow);
}

#[test]
fn a_value_from_the_token_is_literal() {
    let bound = r#"{"StringLike": {"gh:sub": "user:${gh:actor}"}}"#;
    assert_eq!(decide(bound, r#"{"sub": "user:*", "actor": "*"}"#), Allow);
    assert_eq!(decide(bound, r#"{"sub": "user:octocat", "actor": "*"}"#), Deny);
    assert_eq!(decide(bound, r#"{"sub": "user:"}"#), Deny, "without a value and a default nothing matches");
    assert_eq!(decide(r#"{"StringNotLike": {"gh:sub": "user:${gh:actor}"}}"#, r#"{"sub": "user:x"}"#), Allow);
    assert_eq!(decide(r#"{"StringLike": {"gh:sub": "a${*}b${?}${$}"}}"#, r#"{"sub": "a*b?$"}"#), Allow);
    assert_eq!(decide(r#"{"StringLike": {"gh:sub": "a${*}b"}}"#, r#"{"sub": "axb"}"#), Deny);
    assert_eq!(decide(r#"{"StringLike": {"gh:sub": "a${gh:sub"}}"#, r#"{"sub": "a"}"#), Unknown);
}

#[test]
fn deny_wins_and_an_unknown_deny_does_not_admit() {
    let text = |deny: &str| {
        format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Principal": {{"Federated": "*"}}, "Action": "sts:*"}},
                {{"Sid": "NoForks", "Effect": "Deny", "Principal": "*", "Action": "*", "Condition": {deny}}}]}}"#
        )
        .replace("gh:", &format!("{GITHUB}:"))
    };
    let decide = |deny: &str, token: &str| {
        evaluate(&compiled(&Source::new("trust.json", text(deny))).policy, &claims(token), &Context::new())
    };
    let by_sub = r#"{"StringNotLike": {"gh:sub": "repo:acme/*"}}"#;
    assert_eq!(decide(by_sub, r#"{"sub": "repo:acme/app:x"}"#).outcome, Allow);
    let denied = decide(by_sub, r#"{"sub": "repo:evil/app:x"}"#);
    assert_eq!(denied.outcome, Deny);
    assert_eq!(denied.reasons, ["NoForks forbids sts:AssumeRoleWithWebIdentity"]);
    assert_eq!(denied.nearest_miss.len(), 1);
    assert_eq!(decide(by_sub, "{}").outcome, Deny, "a negated guard also fires on an absent key");
    assert_eq!(decide(r#"{"StringLike": {"aws:SourceVpc": "vpc-1"}}"#, "{}").outcome, Unknown);
}

#[test]
fn session_tags_and_source_identity_need_their_own_permission() {
    let text = |actions: &str| {
        let federated = format!("arn:aws:iam::111122223333:oidc-provider/{GITHUB}");
        format!(
            r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "{federated}"}}, "Action": {actions}}}}}"#
        )
    };
    let decide = |actions: &str, token: &str| {
        evaluate(&compiled(&Source::new("t.json", text(actions))).policy, &claims(token), &Context::new())
    };
    let tagged = r#"{"https://aws.amazon.com/tags": {"principal_tags": {"team": ["a"]}}}"#;
    let plain = r#"["sts:AssumeRoleWithWebIdentity"]"#;
    let denied = decide(plain, tagged);
    assert_eq!(denied.outcome, Deny);
    assert_eq!(denied.reasons.last().unwrap(), "no statement permits sts:TagSession");
    assert_eq!(decide(r#"["sts:assumerolewithwebidentity", "sts:Tag*"]"#, tagged).outcome, Allow);
    assert_eq!(decide(plain, r#"{"https://aws.amazon.com/source_identity": "octocat"}"#).outcome, Deny);
    assert_eq!(
        decide(r#""sts:*""#, r#"{"https://aws.amazon.com/source_identity": "octocat"}"#).outcome,
        Allow
    );
    assert_eq!(
        decide(r#""sts:AssumeRole""#, "{}").outcome,
        Deny,
        "the action for sessions does not admit tokens"
    );
    assert_eq!(decide(r#""sts:Assume?ole*""#, "{}").outcome, Allow);
}

#[test]
fn not_action_and_principals() {
    let decide = |principal: &str, action: &str| {
        let text = format!(r#"{{"Statement": {{"Effect": "Allow", {principal}, {action}}}}}"#);
        let policy = compiled(&Source::new("t.json", text)).policy;
        evaluate(&policy, &claims("{}"), &Context::new()).outcome
    };
    let github = format!(
        r#""Principal": {{"Federated": ["arn:aws:iam::111122223333:oidc-provider/x.example", "arn:aws:iam::111122223333:oidc-provider/{GITHUB}"]}}"#
    );
    assert_eq!(decide(&github, r#""NotAction": "sts:TagSession""#), Allow);
    assert_eq!(decide(&github, r#""NotAction": "sts:Assume*""#), Deny);
    let act = r#""Action": "sts:AssumeRoleWithWebIdentity""#;
    assert_eq!(decide(r#""Principal": "*""#, act), Allow);
    assert_eq!(decide(r#""Principal": {"AWS": "*"}"#, act), Allow);
    assert_eq!(decide(r#""Principal": {"AWS": "111122223333"}"#, act), Deny);
    assert_eq!(decide(r#""Principal": {"Service": "ec2.amazonaws.com"}"#, act), Deny);
    assert_eq!(decide(r#""NotPrincipal": {"AWS": "111122223333"}"#, act), Unknown);
    let slash =
        format!(r#""Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{GITHUB}/"}}"#);
    assert_eq!(decide(&slash, act), Deny, "a trailing slash is another issuer");
}

#[test]
fn what_iam_would_not_store_is_refused_with_its_place() {
    insta::assert_snapshot!(refusals(r#"{
  "Version": "2012-10-18",
  "Statment": [],
  "Statement": [
    {"Effect": "allow", "Action": "sts:AssumeRole", "Principal": {"Federated": "github"}},
    {"Effect": "Allow", "Action": "AssumeRole", "Principal": {"Fed": "x"}, "Resource": "*"},
    {"Effect": "Allow", "Action": "sts:AssumeRole", "NotAction": "sts:*",
     "Condition": {"StringMatches": {"a.b:sub": "x"}, "StringLike": {"a.b:sub": null}, "StringLike": {},
                   "NumericEquals": {"a.b:n": "many"}, "IpAddress": {"aws:SourceIp": "300.1.1.1"},
                   "Bool": {"aws:SecureTransport": "yes"}, "NullIfExists": {"a.b:sub": "true"}}},
    "x"
  ]
}"#), @r#"
    trust.json:2:14: `Version` must be "2012-10-17" or "2008-10-17", this is `2012-10-18`
    trust.json:3:3: unknown key `Statment` (did you mean `Statement`?)
    trust.json:5:16: `Effect` must be "Allow" or "Deny", this is `allow`
    trust.json:5:80: `github` is not an identity provider (an ARN like arn:aws:iam::123456789012:oidc-provider/HOST/PATH, or "*")
    trust.json:6:35: `AssumeRole` is not an action (actions look like `sts:AssumeRoleWithWebIdentity`)
    trust.json:6:63: unknown key `Fed` (did you mean `Federated`?)
    trust.json:6:76: a trust policy has no `Resource` (the role itself is the resource)
    trust.json:7:5: `Principal` is missing (a trust policy says in every statement whom it is about)
    trust.json:7:53: `Action` and `NotAction` exclude each other
    trust.json:8:20: unknown condition operator `StringMatches` (did you mean `StringEquals`?)
    trust.json:8:81: a condition value is a string, a number or a boolean, this is null
    trust.json:8:88: duplicate member `StringLike` (it is also given on line 8; readers disagree about which one counts)
    trust.json:9:47: `many` is not a number
    trust.json:9:86: `300.1.1.1` is not an address or a network like 192.0.2.0/24
    trust.json:10:52: `yes` is not true or false
    trust.json:10:60: `Null` takes neither a set qualifier nor `IfExists`
    trust.json:11:5: a statement must be a table, this is a string
    "#);
    assert!(refusals("[]").contains("must be a table"));
    assert!(refusals("{}").contains("`Statement` is missing"));
    assert!(refusals("{\"Statement\": []}").contains("`Statement` is empty"));
    assert!(refusals("{\"Id\": \"\u{142}\", \"Statement\": []}").contains("U+0142"));
}

#[test]
fn a_repeated_member_is_refused_because_readers_disagree() {
    let text = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{GITHUB}"}},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {{"StringLike": {{"{GITHUB}:sub": "repo:acme/app:*"}},
                      "StringLike": {{"{GITHUB}:aud": "*"}}}}}}}}"#
    );
    let refusal = refusals(&text);
    assert!(refusal.contains("trust.json:4:23: duplicate member `StringLike`"), "{refusal}");
}

#[test]
fn a_long_policy_is_noted_with_its_length() {
    let values: Vec<String> = (0..100).map(|n| format!("\"repo:acme/repository-{n}:*\"")).collect();
    let source = policy("", &format!(r#"{{"StringLike": {{"gh:sub": [{}]}}}}"#, values.join(", ")));
    let notes = compiled(&source).notes;
    assert!(notes[0].message.contains("the default quota is 2048"), "{}", notes[0]);
}
