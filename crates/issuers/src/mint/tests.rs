use super::*;
use crate::catalogue;

const TOKEN_ID: &str = "f00dfeed-0000-4000-8000-000000000001";

fn facts() -> MintFacts<'static> {
    let now = Timestamp::parse("2026-09-26T12:00:00Z").unwrap();
    MintFacts { issuer: None, audiences: &[], now, lifetime: None, token_id: TOKEN_ID }
}

fn platform(id: &str) -> &'static Platform {
    catalogue().platform(id).unwrap()
}

fn set(name: &str, value: impl Into<ClaimValue>) -> (ClaimName, Override) {
    (ClaimName::from(name), Override::Set(value.into()))
}

fn remove(name: &str) -> (ClaimName, Override) {
    (ClaimName::from(name), Override::Remove)
}

fn mint(id: &str, variant: &str, overrides: &[(ClaimName, Override)]) -> ClaimSet {
    platform(id).compose(Some(variant), overrides, &facts()).unwrap()
}

fn text<'c>(claims: &'c ClaimSet, name: &str) -> &'c str {
    claims.get(name).and_then(ClaimValue::as_str).unwrap_or_else(|| panic!("{name} in {claims:?}"))
}

fn refusal(
    id: &str,
    variant: &str,
    overrides: &[(ClaimName, Override)],
    facts: &MintFacts<'_>,
) -> ComposeError {
    platform(id).compose(Some(variant), overrides, facts).unwrap_err()
}

#[test]
fn the_subjects_of_the_running_example() {
    for (id, variant, subject) in [
        ("github-actions", "default", "repo:acme/app:ref:refs/heads/main"),
        ("github-actions", "classic", "repo:acme/app:ref:refs/heads/main"),
        ("github-actions", "immutable", "repo:acme@1001/app@2002:ref:refs/heads/main"),
        ("github-actions", "environment", "repo:acme/app:environment:production"),
        ("github-actions", "pull-request", "repo:acme/app:pull_request"),
        ("github-actions", "pull-request-target", "repo:acme/app:ref:refs/heads/main"),
        ("github-actions", "tag", "repo:acme/app:ref:refs/tags/v1.2.3"),
        ("gitlab-com", "default", "project_path:acme/app:ref_type:branch:ref:main"),
        ("gitlab-com", "tag", "project_path:acme/app:ref_type:tag:ref:v1.2.3"),
        ("gitlab-com", "pull-request", "project_path:acme/app:ref_type:branch:ref:feature/login"),
        ("gitlab-com", "project-id", "project_id:2002:ref_type:branch:ref:main"),
        (
            "circleci",
            "v1",
            "org/0a1b2c3d-0000-4000-8000-000000000001/project/11111111-1111-4111-8111-111111111111\
             /user/88888888-8888-4888-8888-888888888888",
        ),
        (
            "circleci",
            "fork-pr",
            "org/0a1b2c3d-0000-4000-8000-000000000001/project/11111111-1111-4111-8111-111111111111\
             /user/88888888-8888-4888-8888-888888888888/vcs-origin/github.com/mallory/app/vcs-ref/refs/heads/main",
        ),
        (
            "circleci",
            "webhook",
            "org/0a1b2c3d-0000-4000-8000-000000000001/project/11111111-1111-4111-8111-111111111111\
             /user/88888888-8888-4888-8888-888888888888",
        ),
        (
            "buildkite",
            "tag",
            "organization:acme:pipeline:app:ref:refs/tags/v1.2.3\
             :commit:4f9c1d2e3a5b6c7d8e9f0a1b2c3d4e5f6a7b8c9d:step:",
        ),
        ("buildkite", "pipeline-id", "11111111-1111-4111-8111-111111111111"),
        (
            "bitbucket-pipelines",
            "environment",
            "{11111111-1111-4111-8111-111111111111}:{33333333-3333-4333-8333-333333333333}\
             :{77777777-7777-4777-8777-777777777777}",
        ),
        ("azure-devops", "default", "p://acme/app/deploy"),
        ("azure-devops-service-connection", "names", "sc://acme/app/prod-azure"),
        ("jenkins-oidc-provider", "pull-request", "https://jenkins.acme.example/job/app/job/PR-7/"),
        ("concourse", "job", "acme/app//deploy"),
        ("kubernetes", "default", "system:serviceaccount:acme-ci:deployer"),
    ] {
        let asked = [Audience::parse("https://sts.example.com").unwrap()];
        let spec = &platform(id).audience;
        let audiences: &[Audience] = if spec.default.is_some() { &[] } else { &asked };
        let claims = platform(id).compose(Some(variant), &[], &MintFacts { audiences, ..facts() }).unwrap();
        assert_eq!(text(&claims, "sub"), subject, "{id} {variant}");
    }
}

#[test]
fn what_follows_from_an_overridden_claim_follows() {
    let claims =
        mint("github-actions", "default", &[set("repository", "evil/app"), set("ref", "refs/tags/v9")]);
    assert_eq!(text(&claims, "repository_owner"), "evil");
    assert_eq!(text(&claims, "aud"), "https://github.com/evil");
    assert_eq!(text(&claims, "ref_type"), "tag");
    assert_eq!(text(&claims, "sub"), "repo:evil/app:ref:refs/tags/v9");
    assert_eq!(text(&claims, "job_workflow_ref"), "evil/app/.github/workflows/deploy.yml@refs/tags/v9");
}

#[test]
fn an_override_wins_over_what_would_follow() {
    let overrides =
        [set("sub", "anything"), set("repository_owner", "other"), set("exp", 1_i64), set("x", true)];
    let claims = mint("github-actions", "default", &overrides);
    assert_eq!(text(&claims, "sub"), "anything");
    assert_eq!(text(&claims, "repository_owner"), "other");
    assert_eq!(claims.get("exp"), Some(&seconds(1)));
    assert_eq!(claims.get("x"), Some(&ClaimValue::Bool(true)), "a claim that the platform does not have");
}

#[test]
fn a_claim_can_be_added_and_removed() {
    let claims =
        mint("github-actions", "environment", &[remove("environment"), set("enterprise", "acme-ent")]);
    assert!(!claims.contains("environment"));
    assert_eq!(text(&claims, "sub"), "repo:acme/app:ref:refs/heads/main");
    assert_eq!(text(&claims, "enterprise"), "acme-ent");
    let tagged = mint("github-actions", "default", &[set("repo_property_tier", "1")]);
    assert_eq!(text(&tagged, "repo_property_tier"), "1");
    assert_eq!(text(&mint("github-actions", "reusable-workflow", &[]), "repo_property_tier"), "1");
}

#[test]
fn colons_in_values_of_github_subjects_are_escaped() {
    let claims = mint("github-actions", "environment", &[set("environment", "prod:eu")]);
    assert_eq!(text(&claims, "sub"), "repo:acme/app:environment:prod%3Aeu");
}

#[test]
fn parts_are_in_subjects_and_issuers_and_nowhere_else() {
    let claims = mint("azure-devops", "default", &[set("pipeline", "release")]);
    assert_eq!(text(&claims, "sub"), "p://acme/app/release");
    assert!(!claims.contains("pipeline"));
    let claims = mint("bitbucket-pipelines", "default", &[set("workspace", "other")]);
    assert_eq!(
        text(&claims, "iss"),
        "https://api.bitbucket.org/2.0/workspaces/other/pipelines-config/identity/oidc"
    );
}

#[test]
fn the_issuer_follows_from_claims_and_claims_from_the_issuer() {
    let org = "0a1b2c3d-0000-4000-8000-00000000beef";
    let url = format!("https://oidc.circleci.com/org/{org}");
    let by_claim = mint("circleci", "v1", &[set("oidc.circleci.com/org-id", org)]);
    assert_eq!(text(&by_claim, "iss"), url);
    let issuer = Issuer::parse(&url).unwrap();
    let by_issuer =
        platform("circleci").compose(None, &[], &MintFacts { issuer: Some(&issuer), ..facts() }).unwrap();
    assert_eq!(by_issuer, by_claim);
    assert_eq!(text(&by_issuer, "aud"), org);
    assert!(text(&by_issuer, "sub").starts_with(&format!("org/{org}/")));
    assert_eq!(text(&mint("circleci", "root-issuer", &[]), "iss"), "https://oidc.circleci.com");
}

#[test]
fn a_foreign_issuer_is_taken_as_it_is() {
    let issuer = Issuer::parse("http://127.0.0.1:8080/github").unwrap();
    let claims = platform("github-actions")
        .compose(None, &[], &MintFacts { issuer: Some(&issuer), ..facts() })
        .unwrap();
    assert_eq!(text(&claims, "iss"), "http://127.0.0.1:8080/github");
    assert_eq!(text(&claims, "sub"), "repo:acme/app:ref:refs/heads/main");
}

#[test]
fn times_and_id_come_from_the_facts() {
    let now = facts().now.as_secs();
    let claims = mint("github-actions", "default", &[]);
    let seconds_of = |name: &str| claims.get(name).cloned().unwrap();
    assert_eq!(seconds_of("iat"), seconds(now));
    assert_eq!(seconds_of("exp"), seconds(now + 300));
    assert_eq!(seconds_of("nbf"), seconds(now - 600));
    assert_eq!(text(&claims, "jti"), TOKEN_ID);
    let lifetime = Some(Duration::from_secs(7));
    let short = platform("gitlab-com").compose(None, &[], &MintFacts { lifetime, ..facts() }).unwrap();
    assert_eq!(short.get("exp"), Some(&seconds(now + 7)));
    assert_eq!(short.get("nbf"), Some(&seconds(now - 5)));
    let circleci = mint("circleci", "v1", &[]);
    assert!(!circleci.contains("jti") && !circleci.contains("nbf"), "CircleCI writes neither");
}

#[test]
fn audiences_are_a_string_a_list_or_an_addition_as_the_platform_has_it() {
    let [one, two] = ["https://sts.example.com", "two"].map(|text| Audience::parse(text).unwrap());
    let with = |id: &str, audiences: &[Audience]| {
        platform(id)
            .compose(None, &[], &MintFacts { audiences, ..facts() })
            .unwrap()
            .get("aud")
            .unwrap()
            .to_string()
    };
    let ari = "ari:cloud:bitbucket::workspace/0a1b2c3d-0000-4000-8000-000000000001";
    for (id, audiences, expected) in [
        ("github-actions", vec![], r#""https://github.com/acme""#.to_owned()),
        ("github-actions", vec![one.clone()], r#""https://sts.example.com""#.to_owned()),
        ("bitbucket-pipelines", vec![], format!(r#""{ari}""#)),
        ("bitbucket-pipelines", vec![one.clone()], format!(r#"["{ari}","https://sts.example.com"]"#)),
        ("kubernetes", vec![one.clone()], r#"["https://sts.example.com"]"#.to_owned()),
        ("concourse", vec![one.clone(), two.clone()], r#"["https://sts.example.com","two"]"#.to_owned()),
    ] {
        assert_eq!(with(id, &audiences), expected, "{id}");
    }
    let none = platform("jenkins-oidc-provider").compose(None, &[], &facts()).unwrap();
    assert!(!none.contains("aud"), "a credential without audience");
}

#[test]
fn null_is_written_where_the_platform_writes_it() {
    let claims = mint("gitlab-com", "fork", &[]);
    assert_eq!(claims.get("ci_config_sha"), Some(&ClaimValue::Null));
    assert_eq!(text(&claims, "namespace_path"), "mallory");
    assert_eq!(text(&claims, "job_namespace_path"), "acme");
    assert_eq!(text(&claims, "sub"), "project_path:mallory/app:ref_type:branch:ref:main");
}

#[test]
fn an_unknown_variant_is_refused_with_the_known_ones() {
    let error = refusal("circleci", "v3", &[], &facts());
    assert!(matches!(&error, ComposeError::UnknownVariant { variant, .. } if variant == "v3"), "{error}");
    assert!(error.to_string().contains("v1, v2, production"), "{error}");
}

#[test]
fn a_subject_that_lacks_a_value_is_refused() {
    let error = refusal("github-actions", "default", &[remove("ref")], &facts());
    assert!(
        matches!(&error, ComposeError::Render { source: RenderError::Absent(name), .. } if name.as_str() == "ref")
    );
    let error = refusal("github-actions", "immutable", &[set("repository", "acme")], &facts());
    assert!(matches!(error, ComposeError::Render { source: RenderError::Nothing { .. }, .. }));
    let fixed =
        [remove("ref"), set("sub", "repo:acme/app:ref:x"), remove("ref_type"), set("workflow_ref", "x")];
    assert!(
        platform("github-actions").compose(None, &fixed, &facts()).is_ok(),
        "an overridden subject needs none"
    );
}

#[test]
fn a_number_that_follows_from_a_word_is_refused() {
    let asked = [Audience::parse("x").unwrap()];
    let facts = MintFacts { audiences: &asked, ..facts() };
    let error = refusal("gitpod-classic", "default", &[set("iat", "yesterday")], &facts);
    assert!(matches!(&error, ComposeError::NotInteger { text, .. } if text == "yesterday"), "{error}");
}

#[test]
fn a_form_without_an_applicable_rule_is_refused() {
    let mut platform = platform("github-actions").clone();
    platform.subjects[0].rules.0.truncate(2);
    let error = platform.compose(None, &[], &facts()).unwrap_err();
    assert_eq!(error, ComposeError::NoSubject { form: "classic".to_owned() });
}

#[test]
fn an_issuer_that_the_pattern_does_not_admit_is_refused() {
    let error = refusal("circleci", "v1", &[set("oidc.circleci.com/org-id", "acme")], &facts());
    assert!(matches!(error, ComposeError::Issuer(InstantiateError::Shape { .. })));
    let error = refusal("circleci", "v1", &[remove("oidc.circleci.com/org-id")], &facts());
    assert!(matches!(error, ComposeError::Issuer(InstantiateError::Missing(_))));
}

#[test]
fn audiences_that_the_platform_would_not_mint_for_are_refused() {
    let asked = ["a", "b"].map(|text| Audience::parse(text).unwrap());
    let with = |audiences| MintFacts { audiences, ..facts() };
    let error = refusal("hcp-terraform", "default", &[], &facts());
    assert_eq!(error, ComposeError::NoAudience { platform: "hcp-terraform".to_owned() });
    let error = refusal("azure-devops", "default", &[], &with(&asked));
    assert!(matches!(&error, ComposeError::FixedAudience { asked, .. } if asked == "a"), "{error}");
    let error = refusal("github-actions", "default", &[], &with(&asked));
    assert!(matches!(&error, ComposeError::OneAudience { count: 2, .. }), "{error}");
}
