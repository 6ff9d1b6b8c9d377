//! What holds of every platform in the built-in catalogue.

use std::collections::HashSet;

use daypass_claims::{Audience, ClaimSet, ClaimValue, Issuer, Timestamp};
use daypass_issuers::{
    AudienceChoice, Binds, Confidence, Fit, MintFacts, Platform, Presence, Topic, Variant, catalogue,
    classify,
};

/// A variant's token, for the platform's own audience if it has one.
pub(crate) fn mint(platform: &Platform, variant: &Variant) -> ClaimSet {
    let asked = [Audience::parse("https://sts.example.com").unwrap()];
    let audiences: &[Audience] = if platform.audience.default.is_some() { &[] } else { &asked };
    let now = Timestamp::parse("2026-09-26T12:00:00Z").unwrap();
    let facts = MintFacts { issuer: None, audiences, now, lifetime: None, token_id: "daypass-sample-1" };
    platform
        .compose(Some(&variant.name), &[], &facts)
        .unwrap_or_else(|error| panic!("{} {}: {error}", platform.id, variant.name))
}

/// Every token of the running example.
fn tokens() -> Vec<(&'static Platform, &'static Variant, ClaimSet)> {
    let variants = catalogue().platforms().iter().flat_map(|platform| {
        platform.variants.iter().map(move |variant| (platform, variant, mint(platform, variant)))
    });
    variants.collect()
}

fn issuer_of(token: &ClaimSet) -> Issuer {
    Issuer::parse(token.get("iss").and_then(ClaimValue::as_str).unwrap()).unwrap()
}

#[test]
fn there_are_37_platforms_with_ids_of_their_own() {
    let ids: HashSet<&str> = catalogue().platforms().iter().map(|platform| platform.id.as_str()).collect();
    assert_eq!(ids.len(), 37);
    for platform in catalogue().platforms() {
        assert_eq!(catalogue().platform(&platform.id).map(|found| &found.name), Some(&platform.name));
    }
}

#[test]
fn every_token_is_what_the_platform_would_write() {
    for (platform, variant, token) in tokens() {
        let place = format!("{} {}", platform.id, variant.name);
        let classified = classify(platform, &token);
        assert_eq!(classified.unknown().count(), 0, "{place}");
        for claim in &classified.claims {
            let spec = claim.spec.unwrap();
            assert_ne!(claim.fit, Fit::Mismatch, "{place}: {}", claim.name);
            if let Some(text) = claim.value.as_str() {
                let known = spec.values.is_empty() || spec.values.iter().any(|value| value == text);
                assert!(known, "{place}: {} is {text}", claim.name);
                assert!(spec.shape.admits(text), "{place}: {} is {text}", claim.name);
            }
        }
        for spec in &classified.missing {
            assert!(variant.without.contains(&spec.name), "{place} lacks {}", spec.name);
        }
    }
}

#[test]
fn a_minted_issuer_leads_back_to_its_platform() {
    for (platform, variant, token) in tokens() {
        let issuer = issuer_of(&token);
        let form = platform.issuer.form_of(&issuer).unwrap();
        let wanted = variant.issuer.as_deref().unwrap_or(platform.issuer.forms[0].pattern.as_str());
        assert_eq!(form.pattern.as_str(), wanted, "{} {}", platform.id, variant.name);
        let found = catalogue().platforms_of(&issuer);
        assert!(
            found.iter().any(|one| one.platform.id == platform.id),
            "{} is not seen in {issuer}",
            platform.id
        );
    }
}

#[test]
fn subjects_are_minted_exactly_where_they_are_understood() {
    for (platform, variant, token) in tokens() {
        assert_eq!(token.contains("sub"), !platform.subjects.is_empty(), "{} {}", platform.id, variant.name);
    }
    let without: Vec<&str> = catalogue()
        .platforms()
        .iter()
        .filter(|platform| platform.subjects.is_empty())
        .map(|platform| platform.id.as_str())
        .collect();
    assert_eq!(without, ["bitrise"]);
}

#[test]
fn an_untrusted_token_is_told_from_the_default_one() {
    for platform in catalogue().platforms() {
        let default = mint(platform, platform.variant("default").unwrap());
        for trigger in &platform.untrusted {
            let always = platform.id == "gitpod-classic";
            let holds = trigger.when.holds(default.get(trigger.when.claim.as_str()));
            assert_eq!(holds, always, "{}: {}", platform.id, trigger.when);
        }
        let Some(variant) = platform.variant("pull-request") else { continue };
        let token = mint(platform, variant);
        let seen = platform
            .untrusted
            .iter()
            .any(|trigger| trigger.when.holds(token.get(trigger.when.claim.as_str())));
        // These have no claim that tells a pull request.
        let blind = ["circleci", "buildkite", "bitbucket-pipelines", "jenkins-oidc-provider"];
        assert_ne!(seen, blind.contains(&platform.id.as_str()), "{}", platform.id);
    }
}

#[test]
fn every_variant_is_consistent() {
    for platform in catalogue().platforms() {
        for variant in &platform.variants {
            let token = mint(platform, variant);
            let holds = |guard: &daypass_issuers::Guard| guard.holds(token.get(guard.claim.as_str()));
            for rule in platform.consistent.iter().filter(|rule| rule.when.iter().all(holds)) {
                assert!(holds(&rule.then), "{} {}: {}", platform.id, variant.name, rule.about);
            }
        }
    }
}

#[test]
fn on_a_shared_issuer_something_binds_organisation_and_repository() {
    for platform in catalogue().platforms() {
        let tenants = &platform.tenants;
        if platform.issuer.is_shared() {
            assert!(
                !tenants.organisation.is_empty() || !tenants.organisation_names.is_empty(),
                "{} has no organisation",
                platform.id
            );
        }
        if platform.id != "jenkins-oidc-provider" {
            let names = tenants.repository_names.len() + tenants.repository.len();
            assert!(names > 0, "{} has no repository", platform.id);
        }
        for slot in tenants.organisation.iter().chain(&tenants.repository) {
            let spec = platform.variable(slot.name.as_str()).unwrap();
            // GitLab's namespace ids never name another namespace, though a project can move to another one. The
            // ids that AWS and Google write stand in objects.
            let moved = ["namespace_id", "https://sts.amazonaws.com/", "google", "kubernetes.io"];
            assert!(spec.immutable || moved.contains(&slot.name.as_str()), "{}: {slot}", platform.id);
        }
        for slot in &tenants.organisation_names {
            let spec = platform.variable(slot.name.as_str()).unwrap();
            assert!(!spec.immutable, "{}: {slot} is an id", platform.id);
        }
    }
}

#[test]
fn the_platforms_that_one_issuer_serves_for_all_are_known() {
    let shared: Vec<&str> = catalogue()
        .platforms()
        .iter()
        .filter(|platform| platform.issuer.is_shared())
        .map(|platform| platform.id.as_str())
        .collect();
    assert_eq!(
        shared,
        [
            "github-actions",
            "gitlab-com",
            "buildkite",
            "hcp-terraform",
            "codefresh",
            "env0",
            "scalr",
            "google-cloud",
            "cirrus-ci",
            "depot-ci",
            "vercel",
            "pulumi-cloud",
            "gitpod-classic",
            "bitrise",
            "buddy",
            "activestate"
        ]
    );
}

#[test]
fn selectors_can_be_filled_in_from_a_default_token() {
    for platform in catalogue().platforms() {
        let token = mint(platform, platform.variant("default").unwrap());
        let templates = [&platform.selectors.run, &platform.selectors.repository];
        for template in templates.into_iter().flatten() {
            let text = template.render(&Vec::new(), |name| token.get(name));
            assert!(text.is_ok_and(|text| !text.is_empty()), "{}: {template}", platform.id);
        }
    }
}

#[test]
fn audiences_have_a_default_or_someone_who_chooses() {
    for platform in catalogue().platforms() {
        let spec = &platform.audience;
        let chosen = matches!(spec.choice, AudienceChoice::Job | AudienceChoice::Administrator);
        let open =
            platform.confidence(Topic::Audience) == Confidence::Low || spec.choice == AudienceChoice::Unknown;
        assert!(spec.default.is_some() || chosen || open, "{}", platform.id);
        assert!(spec.default.is_some() || spec.choice != AudienceChoice::Fixed, "{}", platform.id);
    }
}

#[test]
fn a_wildcard_is_never_in_the_default_token() {
    for platform in catalogue().platforms() {
        for spec in platform.claims.iter().filter(|spec| spec.wildcard().is_some()) {
            assert_eq!(spec.presence, Presence::Sometimes, "{}: {}", platform.id, spec.name);
        }
    }
}

#[test]
fn texts_are_sentences() {
    let sentence = |text: &str| text.is_empty() || text.ends_with(['.', '"', ')']);
    for platform in catalogue().platforms() {
        let abouts = platform.claims.iter().chain(&platform.parts).map(|spec| &spec.about);
        let variants = platform.variants.iter().map(|variant| &variant.about);
        let forms = platform.subjects.iter().map(|form| &form.about);
        for text in abouts.chain(variants).chain(forms).chain(&platform.gotchas).chain([&platform.forks]) {
            assert!(sentence(text) && !text.contains("TODO"), "{}: {text}", platform.id);
        }
        assert!(!platform.about.is_empty() && sentence(&platform.about), "{}", platform.id);
        assert!(!platform.sources.is_empty(), "{}", platform.id);
    }
}

#[test]
fn every_source_is_cited_and_every_id_is_known() {
    let platforms = catalogue().platforms().iter().flat_map(|platform| &platform.sources);
    let cited: HashSet<&String> = platforms.chain(&catalogue().aws().sources).collect();
    let uncited: Vec<&String> = catalogue().sources().keys().filter(|key| !cited.contains(key)).collect();
    assert_eq!(uncited, ["gitea", "travis"], "cited for platforms without an issuer");
}

/// The ids of the platforms that an issuer can be of.
fn of(issuer: &str) -> Vec<&'static str> {
    let found = catalogue().platforms_of(&Issuer::parse(issuer).unwrap());
    found.iter().map(|one| one.platform.id.as_str()).collect()
}

#[test]
fn an_issuer_tells_its_platform() {
    for (issuer, ids) in [
        ("https://token.actions.githubusercontent.com", &["github-actions"][..]),
        ("https://token.actions.githubusercontent.com/acme-ent", &["github-actions-enterprise-slug"]),
        ("https://token.actions.acme.ghe.com", &["github-actions-ghe-com"]),
        ("https://gitlab.com", &["gitlab-com"]),
        ("https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001", &["circleci"]),
        ("https://oidc.circleci.com", &["circleci"]),
        ("https://login.app.env0.com/", &["env0"]),
        ("https://acme.octopus.app", &["octopus-deploy"]),
        (
            "https://vstoken.dev.azure.com/0a1b2c3d-0000-4000-8000-000000000001",
            &["azure-devops", "azure-devops-service-connection"],
        ),
    ] {
        assert_eq!(of(issuer), ids, "{issuer}");
    }
}

#[test]
fn an_issuer_of_ones_own_leaves_a_choice_the_likeliest_first() {
    assert_eq!(of("https://git.acme.example/_services/token")[0], "github-enterprise-server");
    assert_eq!(of("https://git.acme.example/api/actions")[0], "forgejo");
    assert_eq!(of("https://ci.acme.example/app/oidc-jwt")[0], "teamcity-oidc-jwt");
    assert_eq!(of("https://ci.acme.example/oidc")[0], "jenkins-oidc-provider");
    let open = of("https://ci.acme.example");
    for id in ["gitlab-self-managed", "terraform-enterprise", "concourse", "kubernetes", "octopus-deploy"] {
        assert!(open.contains(&id), "{id} in {open:?}");
    }
    assert!(!open.contains(&"gitlab-com"));
}

#[test]
fn an_issuer_binds_what_its_form_says() {
    let binds =
        |id: &str, issuer: &str| catalogue().platform(id).unwrap().binds(&Issuer::parse(issuer).unwrap());
    let org = "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001";
    assert_eq!(binds("circleci", org), Some(Binds::Id));
    assert_eq!(binds("circleci", "https://oidc.circleci.com"), Some(Binds::Nothing));
    assert_eq!(binds("gitlab-self-managed", "https://git.acme.example"), Some(Binds::Installation));
    assert_eq!(binds("github-actions", "http://127.0.0.1:8080"), None, "an issuer of development");
}

#[test]
fn a_key_set_lies_where_the_platform_publishes_it() {
    let jwks = |id: &str, issuer: &str| {
        catalogue().platform(id).unwrap().issuer.jwks_uri(&Issuer::parse(issuer).unwrap())
    };
    let org = "https://oidc.circleci.com/org/0a1b2c3d-0000-4000-8000-000000000001";
    for (id, issuer, expected) in [
        ("circleci", org, Some(format!("{org}/.well-known/jwks-pub.json"))),
        (
            "env0",
            "https://login.app.env0.com/",
            Some("https://login.app.env0.com/.well-known/jwks.json".to_owned()),
        ),
        (
            "google-cloud",
            "https://accounts.google.com",
            Some("https://www.googleapis.com/oauth2/v3/certs".to_owned()),
        ),
        (
            "kubernetes",
            "https://oidc.eks.eu-west-1.amazonaws.com/id/A",
            Some("https://oidc.eks.eu-west-1.amazonaws.com/id/A/keys".to_owned()),
        ),
        (
            "kubernetes",
            "https://k8s.acme.example",
            Some("https://k8s.acme.example/openid/v1/jwks".to_owned()),
        ),
        ("azure-devops", "https://vstoken.dev.azure.com/0a1b2c3d-0000-4000-8000-000000000001", None),
    ] {
        assert_eq!(jwks(id, issuer), expected, "{id}");
    }
}

#[test]
fn a_job_is_recognised_by_its_environment() {
    for (environment, ids) in [
        (
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://github.com")][..],
            &["github-actions", "github-actions-enterprise-slug"][..],
        ),
        (
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://acme.ghe.com")],
            &["github-actions-ghe-com"],
        ),
        (
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_SERVER_URL", "https://git.acme.example")],
            &["github-enterprise-server"],
        ),
        (
            &[
                ("GITHUB_ACTIONS", "true"),
                ("FORGEJO_ACTIONS", "true"),
                ("GITHUB_SERVER_URL", "https://codeberg.example"),
            ],
            &["forgejo"],
        ),
        (&[("GITLAB_CI", "true"), ("CI_SERVER_HOST", "gitlab.com")], &["gitlab-com"]),
        (&[("GITLAB_CI", "true"), ("CI_SERVER_HOST", "git.acme.example")], &["gitlab-self-managed"]),
        (&[("CIRCLECI", "true"), ("KUBERNETES_SERVICE_HOST", "10.0.0.1")], &["circleci", "kubernetes"]),
        (&[("TF_BUILD", "True")], &["azure-devops", "azure-devops-service-connection"]),
        (&[("TFC_RUN_ID", "run-1")], &["hcp-terraform", "terraform-enterprise"]),
        (&[("JENKINS_URL", "https://ci.acme.example/"), ("BUILD_ID", "42")], &["jenkins-oidc-provider"]),
        (&[("BUILDKITE", "true")], &["buildkite"]),
        (&[("CI", "true")], &[]),
    ] {
        let variable = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let seen: Vec<&str> =
            catalogue().detect(variable).iter().map(|platform| platform.id.as_str()).collect();
        assert_eq!(seen, ids, "{environment:?}");
    }
}
