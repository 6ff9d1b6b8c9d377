//! Ways of writing that few have tried: odd operators, what absence means, alternatives that undo each other, expressions that
//! say less than they seem to. Each verdict was reasoned out from the vendors' documents before anything was run.

use daypass_lint::{Confidence, Options, check};
use daypass_sources::MemoryTree;

use crate::documents::{
    GITHUB, allow, aws, azure, gcp, get_their_verdicts, github, provider, statement, statements, vault,
};
use crate::support::word;

type Sample = (&'static str, &'static str, String);

const AUD: &str = r#""StringEquals": {"KEY:aud": "sts.amazonaws.com"}"#;

/// Conditions beside the usual audience.
fn with(conditions: &str) -> String {
    aws(GITHUB, &format!("{{{AUD}, {conditions}}}"))
}

/// A statement that lets every token of GitHub in, and one that takes some of them back.
fn all_but(conditions: &str) -> String {
    statements(&[allow(GITHUB, &format!("{{{AUD}}}")), statement("Deny", GITHUB, conditions)])
}

fn of_aws() -> Vec<Sample> {
    let one = "repo:northwind/api:environment:live";
    let two_issuers = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {{"Federated": ["arn:aws:iam::444455556666:oidc-provider/{GITHUB}", "arn:aws:iam::444455556666:oidc-provider/gitlab.com"]}},
            "Condition": {{"StringEqualsIfExists": {{"{GITHUB}:sub": "{one}"}}}}}}}}"#
    );
    let anything_else = aws(GITHUB, &format!("{{{AUD}}}"))
        .replace(r#""Action": "sts:AssumeRoleWithWebIdentity""#, r#""NotAction": "sts:AssumeRole""#);
    let idle = all_but(r#"{"StringNotLike": {"KEY:sub": "repo:northwind/*"}}"#)
        .replace(r#""Deny", "Principal""#, r#""Deny", "Sid": "guard", "Principal""#);
    let (before, after) = idle.split_at(idle.find("Deny").unwrap());
    let idle = format!("{before}{}", after.replace("AssumeRoleWithWebIdentity", "AssumeRole"));
    vec![
        (
            "all values of a key that most tokens lack",
            "bad",
            with(r#""ForAllValues:StringEquals": {"KEY:environment": "live"}"#),
        ),
        (
            "an organisation's id, if it exists",
            "warn",
            with(
                r#""StringEqualsIfExists": {"KEY:repository_owner_id": "7700"}, "StringLike": {"KEY:sub": "repo:*:ref:refs/heads/main"}"#,
            ),
        ),
        (
            "a deny of which both parts must fail",
            "bad",
            all_but(r#"{"StringNotEquals": {"KEY:repository_owner_id": "7700", "KEY:environment": "live"}}"#),
        ),
        (
            "a deny of every other id",
            "warn",
            all_but(r#"{"ForAllValues:StringNotEquals": {"KEY:repository_owner_id": "7700"}}"#),
        ),
        (
            "a deny of some other subject",
            "warn",
            all_but(r#"{"ForAnyValue:StringNotLike": {"KEY:sub": "repo:northwind/*"}}"#),
        ),
        (
            "a deny of all subjects but one",
            "good",
            all_but(&format!(r#"{{"StringNotEquals": {{"KEY:sub": ["{one}"]}}}}"#)),
        ),
        (
            "two denies of all but their own",
            "dead",
            statements(&[
                allow(GITHUB, &format!("{{{AUD}}}")),
                statement("Deny", GITHUB, r#"{"StringNotLike": {"KEY:sub": "repo:northwind/api:*"}}"#),
                statement("Deny", GITHUB, r#"{"StringNotLike": {"KEY:sub": "repo:northwind/web:*"}}"#),
            ]),
        ),
        ("a deny of another action", "bad", idle),
        (
            "every subject but a list of them",
            "bad",
            with(r#""StringNotLike": {"KEY:sub": ["repo:contoso/*", "repo:fabrikam/*"]}"#),
        ),
        (
            "a branch in any letter case",
            "warn",
            with(r#""StringEqualsIgnoreCase": {"KEY:sub": "repo:northwind/api:ref:refs/heads/main"}"#),
        ),
        (
            "a star that stands for itself",
            "dead",
            github("StringLike", "repo:northwind/${*}:environment:live"),
        ),
        (
            "a variable before there were variables",
            "dead",
            github("StringLike", "repo:northwind/${aws:username}:*").replace("2012-10-17", "2008-10-17"),
        ),
        ("an id with open digits", "bad", with(r#""StringLike": {"KEY:repository_owner_id": "77??"}"#)),
        (
            "a key in other letter case",
            "good",
            with(&format!(r#""StringLike": {{"TOKEN.actions.githubusercontent.com:SUB": "{one}"}}"#)),
        ),
        ("two issuers and a key of one of them", "bad", two_issuers),
        ("everything but another action", "bad", anything_else),
        (
            "jobs in no environment",
            "warn",
            with(r#""Null": {"KEY:environment": "true"}, "StringLike": {"KEY:sub": "repo:northwind/api:*"}"#),
        ),
        (
            "jobs in any environment",
            "warn",
            with(r#""Null": {"KEY:environment": false}, "StringLike": {"KEY:sub": "repo:northwind/api:*"}"#),
        ),
        (
            "an environment that must not be there and must",
            "dead",
            with(
                r#""Null": {"KEY:environment": "true"}, "StringLike": {"KEY:sub": "repo:northwind/api:environment:*"}"#,
            ),
        ),
        (
            "a name of an environment that goes on",
            "warn",
            github("StringLike", "repo:northwind/api:environment:live*"),
        ),
        (
            "a repository's name in any organisation",
            "bad",
            github("StringLike", "repo:*/api:environment:live"),
        ),
        (
            "an ending that an organisation can have",
            "bad",
            github("StringLike", "repo:*northwind/api:environment:live"),
        ),
        (
            "a workflow's file of anybody",
            "bad",
            with(r#""StringLike": {"KEY:job_workflow_ref": "*/deploy.yml@refs/heads/main"}"#),
        ),
        (
            "alternatives of which one is everybody's",
            "bad",
            with(r#""StringLike": {"KEY:sub": ["repo:northwind/api:*", "repo:*:environment:live"]}"#),
        ),
        (
            "an ARN that no subject is",
            "dead",
            with(r#""ArnLike": {"KEY:sub": "arn:*:iam::*:repo/northwind"}"#),
        ),
        (
            "a key of several values without a set operator",
            "dead",
            with(r#""StringNotLike": {"aws:TagKeys": "x"}, "StringLike": {"KEY:sub": "repo:northwind/*"}"#),
        ),
        (
            "a pattern that is compared as a text",
            "dead",
            github("ForAnyValue:StringEquals", "repo:northwind/*:ref:refs/heads/main"),
        ),
        (
            "any organisation, compared as a text",
            "dead",
            github("StringEqualsIfExists", "repo:*/api:pull_request"),
        ),
        (
            "every provider and another one's key",
            "bad",
            aws("gitlab.com", r#"{"StringLike": {"KEY:sub": "project_path:*:ref_type:branch:ref:main"}}"#)
                .replace(r#"{"Federated": "arn:aws:iam::444455556666:oidc-provider/gitlab.com"}"#, r#""*""#),
        ),
        (
            "every provider, if the key exists",
            "bad",
            aws(GITHUB, &format!(r#"{{"StringEqualsIfExists": {{"KEY:sub": "{one}"}}}}"#)).replace(
                &format!(r#"{{"Federated": "arn:aws:iam::444455556666:oidc-provider/{GITHUB}"}}"#),
                r#""*""#,
            ),
        ),
        (
            "whoever has a token of Google for an audience",
            "bad",
            aws("accounts.google.com", r#"{"StringEquals": {"KEY:oaud": "deploy"}}"#).replace(
                "arn:aws:iam::444455556666:oidc-provider/accounts.google.com",
                "accounts.google.com",
            ),
        ),
        ("another name's letter case", "dead", github("StringLike", "repo:NorthWind/api:environment:live")),
    ]
}

fn of_gcp() -> Vec<Sample> {
    let mapped = |mapping: &str, member: &str| {
        let mapping = format!(r#""google.subject": "assertion.sub", {mapping}"#);
        provider(&mapping, "true", "principalSet", member)
    };
    let subject = |expression: &str, subject: &str| {
        let mapping = format!(r#""google.subject": "{expression}""#);
        provider(&mapping, "true", "principal", &format!("subject/{subject}"))
    };
    vec![
        (
            "a ternary that lets the others in",
            "bad",
            gcp("assertion.repository == 'northwind/api' ? true : assertion.repository_owner_id != '7700'"),
        ),
        (
            "a ternary that lets nobody else in",
            "warn",
            gcp("assertion.repository_owner_id == '7700' ? true : false"),
        ),
        (
            "not another organisation",
            "warn",
            gcp("assertion.ref == 'refs/heads/main' && !(assertion.repository_owner != 'northwind')"),
        ),
        (
            "a beginning that must not be",
            "bad",
            gcp("assertion.repository.startsWith('northwind/') == false"),
        ),
        ("any environment", "bad", gcp("has(assertion.environment)")),
        (
            "a list of organisations, one of them ours",
            "bad",
            gcp("['northwind', 'contoso'].exists(o, assertion.repository_owner == o)"),
        ),
        (
            "a list of one repository",
            "warn",
            gcp(
                "['northwind/api'].exists(r, assertion.repository == r) && assertion.ref == 'refs/heads/main'",
            ),
        ),
        ("all of a list", "dead", gcp("['northwind', 'contoso'].all(o, assertion.repository_owner == o)")),
        (
            "an organisation in small letters",
            "warn",
            gcp("assertion.repository_owner.lowerAscii() == 'northwind'"),
        ),
        (
            "an organisation in capitals that small letters are not",
            "dead",
            gcp("assertion.repository_owner.lowerAscii() == 'Northwind'"),
        ),
        (
            "an alternative of any repository",
            "bad",
            gcp("assertion.environment == 'live' || assertion.repository == 'northwind/api'"),
        ),
        ("an index instead of a dot", "warn", gcp("assertion['repository_owner'] == 'northwind'")),
        (
            "alternatives that anchors do not reach",
            "bad",
            gcp("assertion.repository.matches('^northwind/api|web$')"),
        ),
        ("alternatives in brackets", "warn", gcp("assertion.repository.matches('^northwind/(api|web)$')")),
        ("a dot that is any letter", "bad", gcp("assertion.repository.matches('^northwin./api$')")),
        (
            "letter case by a flag",
            "warn",
            gcp(
                "assertion.repository.matches('(?i)^NORTHWIND/api$') && assertion.ref.startsWith('refs/heads/')",
            ),
        ),
        ("a size that all have", "bad", gcp("size(assertion.repository_owner) > 0")),
        ("a claim in a text", "dead", gcp("'northwind' in assertion.repository_owner")),
        ("an id as a number", "dead", gcp("assertion.repository_owner_id == 7700 && false")),
        (
            "an attribute that the workflow's author writes",
            "bad",
            mapped(r#""attribute.repository": "assertion.workflow""#, "attribute.repository/northwind/api"),
        ),
        (
            "an attribute that is not mapped",
            "dead",
            mapped(r#""attribute.repository": "assertion.repository""#, "attribute.owner/northwind"),
        ),
        (
            "an attribute of two claims",
            "good",
            provider(
                r#""google.subject": "assertion.sub", "attribute.place": "assertion.repository_id + '/' + assertion.ref""#,
                "assertion.repository_owner_id == '7700'",
                "principalSet",
                "attribute.place/8800/refs/heads/main",
            ),
        ),
        (
            "a subject of two claims that run together",
            "bad",
            subject("assertion.repository_owner + assertion.repository_id", "northwind8800"),
        ),
        (
            "a subject of two claims with a mark between them",
            "good",
            provider(
                r#""google.subject": "assertion.repository_id + '@' + assertion.ref""#,
                "assertion.repository_owner_id == '7700'",
                "principal",
                "subject/8800@refs/heads/main",
            ),
        ),
        (
            "a choice that gives everybody the subject",
            "bad",
            subject("assertion.repository_owner != 'northwind' ? 'deploy' : assertion.sub", "deploy"),
        ),
        ("a star in a subject", "dead", subject("assertion.sub", "repo:northwind/api:*")),
    ]
}

fn of_azure() -> Vec<Sample> {
    let flexible = |expression: &str| {
        azure(&format!(r#""claimsMatchingExpression": {{"value": "{expression}", "languageVersion": 1}}"#))
    };
    vec![
        ("a star that stands for itself", "dead", azure(r#""subject": "repo:northwind/api:*""#)),
        ("another letter case", "dead", azure(r#""subject": "repo:Northwind/api:environment:live""#)),
        (
            "any branch and any workflow",
            "warn",
            flexible(
                "claims['sub'] matches 'repo:northwind/api:ref:refs/heads/*' and claims['job_workflow_ref'] matches '*'",
            ),
        ),
        (
            "our workflow, called by anybody",
            "bad",
            flexible(
                "claims['sub'] matches 'repo:*' and claims['job_workflow_ref'] matches 'northwind/ci/.github/workflows/d.yml@*'",
            ),
        ),
        (
            "an organisation's id and any subject",
            "warn",
            flexible("claims['sub'] matches '*' and claims['repository_owner_id'] eq '7700'"),
        ),
        ("one open letter", "warn", flexible("claims['sub'] matches 'repo:northwind/ap?:environment:live'")),
        (
            "a star behind eq",
            "dead",
            flexible("claims['sub'] eq 'repo:northwind/*' and claims['repository_owner_id'] eq '7700'"),
        ),
        (
            "two that exclude each other",
            "dead",
            flexible(
                "claims['sub'] eq 'repo:northwind/api:environment:live' and claims['sub'] matches 'repo:northwind/web:*'",
            ),
        ),
    ]
}

fn of_vault() -> Vec<Sample> {
    let claims = |kind: &str, claims: &str| {
        vault(&format!(r#""bound_claims_type": "{kind}", "bound_claims": {{{claims}}}"#))
    };
    vec![
        ("a star that stands for itself", "dead", claims("string", r#""sub": "repo:northwind/api:*""#)),
        (
            "a subject that no type makes a glob",
            "dead",
            vault(r#""bound_claims_type": "glob", "bound_subject": "repo:northwind/*""#),
        ),
        ("an id with an open end", "bad", claims("glob", r#""repository_owner_id": "77*""#)),
        (
            "a question mark that stands for itself",
            "dead",
            claims("glob", r#""sub": "repo:northwind/ap?:environment:live""#),
        ),
        (
            "a star among the values",
            "bad",
            claims("glob", r#""ref": "refs/heads/main", "repository_owner": ["northwind", "*"]"#),
        ),
        (
            "a star among the values that is none",
            "warn",
            claims("string", r#""ref": "refs/heads/main", "repository_owner": ["northwind", "*"]"#),
        ),
        ("a pointer to a claim", "warn", claims("string", r#""/repository_owner": "northwind""#)),
        ("what sets jobs off", "bad", claims("string", r#""event_name": "push""#)),
        ("no values at all", "dead", claims("string", r#""repository_owner_id": "7700", "environment": []"#)),
        ("an id as a number", "dead", claims("string", r#""repository_owner_id": 7700"#)),
        (
            "an id and a branch",
            "good",
            claims("string", r#""repository_id": "8800", "ref": "refs/heads/main""#),
        ),
        (
            "a claim that no token has",
            "dead",
            claims("string", r#""repository_id": "8800", "repo_owner": "northwind""#),
        ),
        (
            "a branch's beginning",
            "warn",
            claims("glob", r#""repository_id": "8800", "ref": "refs/heads/release/*""#),
        ),
        (
            "groups that are no list",
            "dead",
            claims("string", r#""repository_id": "8800", "ref": "refs/heads/main""#)
                .replace(r#""token_ttl""#, r#""groups_claim": "teams", "token_ttl""#),
        ),
    ]
}

#[test]
fn unusual_policies_of_aws_get_their_verdicts() {
    get_their_verdicts(&of_aws());
}

#[test]
fn unusual_providers_of_gcp_get_their_verdicts() {
    get_their_verdicts(&of_gcp());
}

#[test]
fn unusual_credentials_of_azure_get_their_verdicts() {
    get_their_verdicts(&of_azure());
}

#[test]
fn unusual_roles_of_vault_get_their_verdicts() {
    get_their_verdicts(&of_vault());
}

/// Everybody is named, and the conditions let one job in.
#[test]
fn a_wildcard_that_the_conditions_make_up_for_is_no_open_door() {
    let named = format!(r#"{{"Federated": "arn:aws:iam::444455556666:oidc-provider/{GITHUB}"}}"#);
    let narrow = github("StringLike", "repo:northwind/api:environment:live").replace(&named, r#""*""#);
    let report = check(&MemoryTree::new().with("trust.json", narrow), &["trust.json"], &Options::default());
    assert!(report.findings.iter().all(|it| it.verdict.is_none()), "{:?}", report.findings);
    assert!(report.findings.iter().any(|it| it.rule == "wildcard-principal"), "{:?}", report.findings);
}

/// Modules are handed the provider; the keys say whose tokens are meant all the same.
#[test]
fn a_provider_that_is_not_known_is_told_by_the_keys() {
    let role = |subject: &str| {
        format!(
            r#"variable "provider_arn" {{ type = string }}
resource "aws_iam_role" "deploy" {{
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Effect    = "Allow"
      Principal = {{ Federated = var.provider_arn }}
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {{
        StringEquals = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }}
        StringLike   = {{ "{GITHUB}:sub" = "{subject}" }}
      }}
    }}]
  }})
}}
"#
        )
    };
    let worst = |subject: &str| {
        let report =
            check(&MemoryTree::new().with("main.tf", role(subject)), &["main.tf"], &Options::default());
        assert_eq!(report.unresolved.len(), 1);
        assert!(report.findings.iter().all(|it| it.confidence < Confidence::High || it.verdict.is_none()));
        word(&report.findings)
    };
    assert_eq!(worst("repo:*"), "bad");
    assert_eq!(worst("repo:northwind/*"), "warn");
    let nameless = role("repo:*").replace(GITHUB, "${var.host}").replacen(
        "variable",
        "variable \"host\" {}\nvariable",
        1,
    );
    let report = check(&MemoryTree::new().with("main.tf", nameless), &["main.tf"], &Options::default());
    let undecided: Vec<&str> = report.findings.iter().map(|it| it.message.as_str()).collect();
    assert!(undecided.iter().any(|it| it.starts_with("whose tokens are meant")), "{undecided:?}");
    assert_eq!(worst("repo:northwind/api:environment:live"), "good");
}

/// What is dead by the length of its subject says so.
#[test]
fn a_subject_that_is_too_long_is_named_as_the_reason() {
    let long = format!("repo:northwind/api:environment:{}", "live-".repeat(20));
    let mapping = r#""google.subject": "assertion.sub""#;
    let document =
        provider(mapping, "assertion.repository_owner_id == '7700'", "principal", &format!("subject/{long}"));
    let report = check(&MemoryTree::new().with("trust.json", document), &["trust.json"], &Options::default());
    let of =
        |rule: &str| report.findings.iter().find(|it| it.rule == rule).map(|it| it.message.clone()).unwrap();
    assert!(
        of("dead-trust").contains("131 bytes, of which a subject has at most 127"),
        "{}",
        of("dead-trust")
    );
    assert!(of("oversized-subject").contains("it has 131 bytes"), "{}", of("oversized-subject"));
}

#[test]
fn one_unknown_value_hides_no_open_one_beside_it() {
    let role = |subjects: &str| {
        format!(
            r#"variable "more" {{ type = string }}
            resource "aws_iam_role" "deploy" {{
              name = "deploy"
              assume_role_policy = jsonencode({{ Version = "2012-10-17", Statement = [{{
                Effect = "Allow", Action = "sts:AssumeRoleWithWebIdentity",
                Principal = {{ Federated = "arn:aws:iam::444455556666:oidc-provider/{GITHUB}" }},
                Condition = {{
                  StringEquals = {{ "{GITHUB}:aud" = "sts.amazonaws.com" }},
                  StringLike = {{ "{GITHUB}:sub" = {subjects} }},
                }},
              }}] }})
            }}"#
        )
    };
    for (subjects, wanted) in [
        (r#"[var.more, "repo:*"]"#, "bad"),
        (r#"["repo:*:ref:refs/heads/main", var.more]"#, "bad"),
        (r#"[var.more, "repo:northwind@7700/api@8800:environment:prod"]"#, "good"),
        ("[var.more]", "good"),
    ] {
        let report =
            check(&MemoryTree::new().with("main.tf", role(subjects)), &["main.tf"], &Options::default());
        assert_eq!(word(&report.findings), wanted, "{subjects}: {:?}", report.findings);
        assert!(report.findings.iter().any(|it| it.rule == "undecided") || wanted == "bad", "{subjects}");
    }
}
