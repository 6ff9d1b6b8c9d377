//! A second round of ways of writing, meant to get past a reader: values that name other values, numbers and dates that look like
//! guards, expressions whose precedence misleads, members that are empty. Each verdict was reasoned out from the vendors'
//! documents before anything was run.

use daypass_lint::{Options, check};
use daypass_sources::MemoryTree;

use crate::documents::{
    CIRCLECI, CLUSTER, GITHUB, GITLAB, allow, aws, azure, gcp, get_their_verdicts, github, provider,
    statement, statements, subject, vault,
};

type Sample = (&'static str, &'static str, String);

/// Conditions beside the usual audience.
fn with(conditions: &str) -> String {
    aws(GITHUB, &format!(r#"{{"StringEquals": {{"KEY:aud": "sts.amazonaws.com"}}, {conditions}}}"#))
}

/// Every token of GitHub but those that a denial takes back.
fn all_but(conditions: &str) -> String {
    statements(&[
        allow(GITHUB, r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com"}}"#),
        statement("Deny", GITHUB, conditions),
    ])
}

fn of_aws() -> Vec<Sample> {
    let own = "repo:northwind/api:environment:live";
    vec![
        (
            "a subject that names its own repository",
            "bad",
            github("StringLike", "repo:${token.actions.githubusercontent.com:repository}:environment:live"),
        ),
        (
            "a default for a tag that tokens cannot bring",
            "good",
            github("StringLike", "repo:${aws:RequestTag/owner, 'northwind'}/api:environment:live"),
        ),
        (
            "not pull requests and not refs",
            "warn",
            with(
                r#""StringLike": {"KEY:sub": "repo:northwind/api:*"}, "StringNotLike": {"KEY:sub": ["*:pull_request", "*:ref:*"]}"#,
            ),
        ),
        (
            "an id that is greater than nothing",
            "bad",
            with(r#""NumericGreaterThan": {"KEY:repository_owner_id": "0"}"#),
        ),
        (
            "an id that is less than many",
            "bad",
            with(r#""NumericLessThanEquals": {"KEY:repository_owner_id": "7700"}"#),
        ),
        (
            "an id as a number and one environment",
            "warn",
            with(
                r#""NumericEquals": {"KEY:repository_owner_id": 7700}, "StringLike": {"KEY:sub": "*:environment:live"}"#,
            ),
        ),
        ("every id but one", "bad", with(r#""NumericNotEquals": {"KEY:repository_owner_id": 7700}"#)),
        (
            "a day after which it holds",
            "bad",
            with(r#""DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}"#),
        ),
        ("an encrypted connection", "bad", with(r#""Bool": {"aws:SecureTransport": "true"}"#)),
        ("no principal of AWS", "bad", with(r#""Null": {"aws:PrincipalArn": "true"}"#)),
        (
            "a principal of AWS, which tokens are not",
            "dead",
            with(r#""ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/*"}"#),
        ),
        (
            "an organisation of AWS, if there is one",
            "bad",
            with(r#""StringEqualsIfExists": {"aws:PrincipalOrgID": "o-abcdefghij"}"#),
        ),
        (
            "the action in odd letters, and everybody",
            "bad",
            github("StringLike", "repo:*").replace("sts:AssumeRoleWithWebIdentity", "STS:assumerole?ithweb*"),
        ),
        (
            "every action but the one",
            "dead",
            github("StringLike", "repo:*").replace(r#""Action""#, r#""NotAction""#),
        ),
        (
            "an environment's name and one more letter",
            "warn",
            github("StringLike", "repo:northwind/api:environment:live?"),
        ),
        (
            "a denial of every other id, if there is one",
            "warn",
            all_but(r#"{"StringNotEqualsIfExists": {"KEY:repository_owner_id": "7700"}}"#),
        ),
        (
            "a denial of all but two organisations, one of them ours",
            "bad",
            all_but(r#"{"StringNotLike": {"KEY:sub": ["repo:northwind/*", "repo:contoso/*"]}}"#),
        ),
        (
            "a denial of a key that AWS does not fill",
            "dead",
            all_but(r#"{"StringNotEquals": {"KEY:repository_owner": "northwind"}}"#),
        ),
        (
            "a denial of a key that AWS does not fill, the other way about",
            "bad",
            all_but(r#"{"StringEquals": {"KEY:repository_visibility": "public"}}"#),
        ),
        (
            "a denial that jobs without an environment escape",
            "bad",
            all_but(r#"{"ForAnyValue:StringNotEquals": {"KEY:environment": "live"}}"#),
        ),
        (
            "a workflow of ours in the subject of anybody",
            "bad",
            with(
                r#""StringLike": {"KEY:job_workflow_ref": "northwind/ci/.github/workflows/deploy.yml@*", "KEY:sub": "repo:*"}"#,
            ),
        ),
        ("a star inside the name", "bad", github("StringLike", "repo:north*wind/api:environment:live")),
        (
            "question marks for a whole name",
            "bad",
            github("StringLike", "repo:?????????/api:environment:live"),
        ),
        ("any id behind the names", "warn", github("StringLike", "repo:northwind@*/api@*:environment:live")),
        (
            "the name of the repository without its owner",
            "bad",
            with(r#""StringLike": {"KEY:repository": "*/api"}"#),
        ),
        (
            "a workflow's display name",
            "bad",
            with(r#""StringEquals": {"KEY:workflow": "deploy"}"#).replacen(
                r#""StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}, "#,
                "",
                1,
            ),
        ),
        ("a ref that anybody has", "bad", with(r#""StringLike": {"KEY:ref": "refs/heads/main"}"#)),
        (
            "an owner of whatever project",
            "bad",
            aws(
                GITLAB,
                r#"{"StringEquals": {"KEY:aud": "https://gitlab.com", "KEY:user_access_level": "owner", "KEY:ref_protected": "true"}}"#,
            ),
        ),
        (
            "a group's id and a protected ref",
            "warn",
            aws(
                GITLAB,
                r#"{"StringEquals": {"KEY:aud": "https://gitlab.com", "KEY:namespace_id": "5150", "KEY:ref_protected": "true"}}"#,
            ),
        ),
        (
            "a pipeline's slug of whatever organisation",
            "bad",
            aws(
                "agent.buildkite.com",
                r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com", "KEY:pipeline_slug": "deploy", "KEY:build_branch": "main"}}"#,
            ),
        ),
        (
            "an organisation's slug, a pipeline and a branch",
            "good",
            aws(
                "agent.buildkite.com",
                r#"{"StringEquals": {"KEY:aud": "sts.amazonaws.com", "KEY:organization_slug": "northwind", "KEY:pipeline_slug": "deploy", "KEY:build_branch": "main"}}"#,
            ),
        ),
        (
            "an audience of one's own issuer and nothing else",
            "warn",
            aws(CIRCLECI, r#"{"StringEquals": {"KEY:aud": "9f8e7d6c-0000-4000-8000-00000000000a"}}"#),
        ),
        (
            "a service account's name in any namespace",
            "warn",
            subject(CLUSTER, "sts.amazonaws.com", "StringLike", "system:serviceaccount:*:deployer"),
        ),
        (
            "a plan, which anybody with a branch can run",
            "warn",
            subject(
                "app.terraform.io",
                "aws.workload.identity",
                "StringLike",
                "organization:northwind:project:net:workspace:live:run_phase:*",
            ),
        ),
        (
            "a workspace's name of whatever organisation",
            "bad",
            subject(
                "app.terraform.io",
                "aws.workload.identity",
                "StringLike",
                "organization:*:project:net:workspace:live:run_phase:apply",
            ),
        ),
        (
            "two operators that ask for two repositories",
            "dead",
            with(
                r#""StringLike": {"KEY:sub": "repo:northwind/api:*"}, "ForAnyValue:StringLike": {"KEY:sub": "repo:northwind/web:*"}"#,
            ),
        ),
        (
            "an allowance that is denied by itself",
            "dead",
            statements(&[github_statement("Allow", own), github_statement("Deny", "repo:northwind/*")]),
        ),
        (
            "a denial of the tokens of another issuer",
            "bad",
            statements(&[
                github_statement("Allow", "repo:*"),
                statement(
                    "Deny",
                    "gitlab.com",
                    r#"{"StringNotLike": {"token.actions.githubusercontent.com:sub": "repo:northwind/*"}}"#,
                ),
            ]),
        ),
    ]
}

fn github_statement(effect: &str, subject: &str) -> String {
    statement(
        effect,
        GITHUB,
        &format!(
            r#"{{"StringLike": {{"KEY:sub": "{subject}"}}, "StringEquals": {{"KEY:aud": "sts.amazonaws.com"}}}}"#
        ),
    )
}

fn of_gcp() -> Vec<Sample> {
    let mapped = |expression: &str, member: &str| {
        let mapping = format!(r#""google.subject": "assertion.sub", "attribute.x": "{expression}""#);
        provider(&mapping, "assertion.sub != ''", "principalSet", &format!("attribute.x/{member}"))
    };
    vec![
        (
            "or binds less than and",
            "bad",
            gcp(
                "assertion.repository_owner == 'northwind' && assertion.ref_type == 'branch' || assertion.environment == 'live'",
            ),
        ),
        (
            "a comment that takes the branch back",
            "warn",
            gcp("assertion.repository_owner == 'northwind' // && assertion.ref == 'refs/heads/main'"),
        ),
        (
            "a claim that is not there, or the organisation",
            "warn",
            gcp("assertion.organisation == 'northwind' || assertion.repository_owner == 'northwind'"),
        ),
        ("not a claim that is not there", "dead", gcp("!(assertion.organisation == 'contoso')")),
        (
            "a claim that is not there, asked for first",
            "bad",
            gcp("!has(assertion.organisation) || assertion.organisation == 'northwind'"),
        ),
        ("two ids, one of them ours", "bad", gcp("assertion.repository_owner_id in ['7700', '9900']")),
        (
            "an organisation cut out of the subject",
            "warn",
            gcp("assertion.sub.extract('repo:{owner}/') == 'northwind'"),
        ),
        (
            "something behind the organisation",
            "warn",
            gcp("assertion.sub.extract('repo:northwind/{rest}') != ''"),
        ),
        (
            "an organisation that it is not",
            "bad",
            gcp("assertion.repository.extract('{owner}/') != 'contoso'"),
        ),
        (
            "a workflow of ours, whoever calls it",
            "bad",
            gcp("assertion.job_workflow_ref.startsWith('northwind/ci/')"),
        ),
        ("a workflow of ours, at the top", "warn", gcp("assertion.workflow_ref.startsWith('northwind/')")),
        ("a private repository", "bad", gcp("assertion.repository_visibility == 'private'")),
        ("a runner of one's own", "bad", gcp("assertion.runner_environment == 'self-hosted'")),
        ("a push", "bad", gcp("assertion.event_name == 'push' && assertion.ref == 'refs/heads/main'")),
        ("a person", "bad", gcp("assertion.actor_id == '4242'")),
        ("an end without a mark", "bad", gcp("assertion.repository.endsWith('northwind/api')")),
        ("an end with a mark", "bad", gcp("assertion.repository.endsWith('/api')")),
        ("a beginning without a mark", "bad", gcp("assertion.repository.startsWith('northwind')")),
        ("a beginning that is matched", "bad", gcp("assertion.repository.matches('^northwind')")),
        ("a subject that has the name", "bad", gcp("google.subject.contains('northwind/')")),
        ("a subject that begins so", "warn", gcp("google.subject.startsWith('repo:northwind/')")),
        (
            "the value first",
            "warn",
            gcp("'northwind/api' == assertion.repository && 'refs/heads/main' == assertion.ref"),
        ),
        ("three nots", "bad", gcp("!!!(assertion.repository_owner == 'northwind')")),
        (
            "an attribute of those who are not ours",
            "bad",
            mapped("assertion.repository_owner_id == '7700' ? 'ours' : 'theirs'", "theirs"),
        ),
        (
            "an attribute of those who are ours",
            "warn",
            mapped("assertion.repository_owner_id == '7700' ? 'ours' : 'theirs'", "ours"),
        ),
        ("an attribute that everybody has", "bad", mapped("'deploy'", "deploy")),
        (
            "an attribute that is cut out",
            "warn",
            mapped("assertion.repository.extract('{owner}/')", "northwind"),
        ),
        (
            "an attribute that is cut out from the end",
            "bad",
            mapped("assertion.repository.extract('/{name}')", "api"),
        ),
        ("an attribute in another letter case", "dead", mapped("assertion.repository", "Northwind/api")),
        ("an empty attribute", "dead", mapped("assertion.repository", "")),
        (
            "an attribute in small letters",
            "warn",
            mapped("assertion.repository.lowerAscii()", "northwind/api"),
        ),
    ]
}

fn of_azure() -> Vec<Sample> {
    let flexible = |expression: &str| {
        azure(&format!(r#""claimsMatchingExpression": {{"value": "{expression}", "languageVersion": 1}}"#))
    };
    let of_gitlab =
        |expression: &str| flexible(expression).replace(&format!("https://{GITHUB}"), "https://gitlab.com");
    vec![
        ("a blank at the end", "dead", azure(r#""subject": "repo:northwind/api:ref:refs/heads/main ""#)),
        (
            "three open letters",
            "warn",
            flexible(
                "claims['sub'] matches 'repo:northwind/???:environment:live' and claims['repository_owner_id'] eq '7700'",
            ),
        ),
        (
            "an open end behind the branch",
            "warn",
            flexible(
                "claims['sub'] matches 'repo:northwind/api:ref:refs/heads/main*' and claims['repository_id'] eq '8800'",
            ),
        ),
        (
            "one repository's id and any environment",
            "warn",
            flexible("claims['sub'] matches '*:environment:*' and claims['repository_id'] eq '8800'"),
        ),
        (
            "one repository's id and one environment",
            "good",
            flexible("claims['sub'] matches '*:environment:live' and claims['repository_id'] eq '8800'"),
        ),
        ("any group", "bad", of_gitlab("claims['sub'] matches 'project_path:*:ref_type:branch:ref:main'")),
        (
            "a group's projects",
            "warn",
            of_gitlab("claims['sub'] matches 'project_path:northwind/*:ref_type:branch:ref:main'"),
        ),
        (
            "a group's name that goes on",
            "bad",
            of_gitlab("claims['sub'] matches 'project_path:northwind*:ref_type:branch:ref:main'"),
        ),
        (
            "a group that ends so",
            "bad",
            of_gitlab("claims['sub'] matches 'project_path:*northwind/api:ref_type:branch:ref:main'"),
        ),
    ]
}

fn of_vault() -> Vec<Sample> {
    let claims = |kind: &str, claims: &str| {
        vault(&format!(r#""bound_claims_type": "{kind}", "bound_claims": {{{claims}}}"#))
    };
    vec![
        ("a subject that is empty", "bad", vault(r#""bound_subject": """#)),
        ("claims of which there are none", "bad", vault(r#""bound_claims": {}"#)),
        ("an audience, twice", "bad", claims("string", r#""aud": "https://vault.northwind.example""#)),
        ("two stars", "bad", claims("glob", r#""sub": "**""#)),
        ("a star inside the name", "bad", claims("glob", r#""sub": "repo:north*wind/api:*""#)),
        (
            "a subject or whoever is on main",
            "bad",
            claims("glob", r#""sub": ["repo:northwind/api:*", "*:ref:refs/heads/main"]"#),
        ),
        (
            "a flag as a boolean",
            "dead",
            claims("string", r#""repository_id": "8800", "ref_protected": true"#),
        ),
        ("a flag as a text", "warn", claims("string", r#""repository_id": "8800", "ref_protected": "true""#)),
        ("a role for people that sends them nowhere", "dead", claims("glob", r#""sub": "*""#).replace(r#""role_type": "jwt""#, r#""role_type": "oidc""#)),
        ("a role without a type", "dead", claims("string", r#""repository_id": "8800""#).replace(r#""role_type": "jwt", "#, "")),
        ("a role for people", "good", claims("string", r#""groups": "staff""#).replace(r#""role_type": "jwt""#, r#""role_type": "oidc", "allowed_redirect_uris": ["https://vault.northwind.example/ui/vault/auth/oidc/oidc/callback"]"#)),
        ("a pointer into a text", "dead", claims("string", r#""/repository_owner/name": "northwind""#)),
        ("who started it", "bad", claims("string", r#""actor": ["mira", "noor"]"#)),
        (
            "a workflow of ours, whoever calls it",
            "bad",
            claims("glob", r#""job_workflow_ref": "northwind/ci/.github/workflows/*@refs/heads/main""#),
        ),
        (
            "a workflow of ours and an organisation",
            "warn",
            claims(
                "glob",
                r#""repository_owner_id": "7700", "job_workflow_ref": "northwind/ci/.github/workflows/*@refs/heads/main""#,
            ),
        ),
    ]
}

/// A role of daypass itself, with the risks accepted that it would be refused for.
fn native(claims: &str) -> String {
    let risks = ["no-tenant", "organisation-wide", "mutable-names", "pull-requests"];
    let risks =
        risks.map(|risk| format!("{{ rule = \"{risk}\", reason = \"a sample\", until = 2099-01-31 }}"));
    format!(
        "[[role]]\nname = \"ship\"\n[[role.trust]]\nissuer = \"https://{GITHUB}\"\naudience = \"https://sts.northwind.example\"\n\
         accept_risk = [{}]\n{claims}\n",
        risks.join(", ")
    )
}

fn of_daypass() -> Vec<Sample> {
    vec![
        (
            "a star that crosses nothing",
            "dead",
            native("claims.sub = { glob = \"repo:*:environment:live\" }"),
        ),
        (
            "two stars that cross everything",
            "bad",
            native("claims.sub = { glob = \"repo:**:environment:live\" }"),
        ),
        (
            "a star within the organisation",
            "warn",
            native("claims.sub = { glob = \"repo:northwind/*:environment:live\" }"),
        ),
        ("none of two", "bad", native("claims.repository_owner_id = { none_of = [\"9900\", \"9901\"] }")),
        (
            "ours or somebody's",
            "bad",
            native(
                "claims.repository_owner_id = { one_of = [\"7700\", \"9900\"] }\nclaims.ref = \"refs/heads/main\"",
            ),
        ),
        (
            "no environment, in the organisation",
            "warn",
            native("claims.repository_owner_id = \"7700\"\nclaims.environment = { present = false }"),
        ),
        (
            "an environment that is and is not",
            "dead",
            native(
                "claims.repository_id = \"8800\"\nclaims.environment = { present = false, one_of = [\"live\"] }",
            ),
        ),
        (
            "ids and a branch",
            "good",
            native(
                "claims.repository_id = \"8800\"\nclaims.repository_owner_id = \"7700\"\nclaims.ref = \"refs/heads/main\"\nclaims.event_name = \"push\"",
            ),
        ),
    ]
}

/// What is not reasoned about is called neither open nor safe.
#[test]
fn what_cannot_be_told_is_said() {
    let actor = "${token.actions.githubusercontent.com:actor}";
    let cut_out = "assertion.sub.extract('northwind/{repo}:') == 'api'";
    let documents = [
        github("StringLike", &format!("repo:northwind/api:ref:refs/heads/{actor}")),
        aws(GITHUB, &format!(r#"{{"StringEquals": {{"sts:RoleSessionName": "{actor}"}}}}"#)),
        gcp("int(assertion.repository_owner_id) == 7700"),
        gcp(cut_out),
    ];
    for document in documents {
        let tree = MemoryTree::new().with("trust.json", document.as_str());
        let report = check(&tree, &["trust.json"], &Options::default());
        assert!(report.findings.iter().any(|it| it.rule == "undecided" && !it.why.is_empty()), "{document}");
    }
}

#[test]
fn untried_policies_of_aws_get_their_verdicts() {
    get_their_verdicts(&of_aws());
}

#[test]
fn untried_providers_of_gcp_get_their_verdicts() {
    get_their_verdicts(&of_gcp());
}

#[test]
fn untried_credentials_of_azure_get_their_verdicts() {
    get_their_verdicts(&of_azure());
}

#[test]
fn untried_roles_of_vault_get_their_verdicts() {
    get_their_verdicts(&of_vault());
}

#[test]
fn untried_roles_of_daypass_get_their_verdicts() {
    get_their_verdicts(&of_daypass());
}
