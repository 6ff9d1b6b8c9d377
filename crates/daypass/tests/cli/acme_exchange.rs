//! `examples/acme` with its exchange: every job of the rewritten pipelines obtains a credential by the trust that
//! `generate --target daypass` writes, and another repository, a request and another branch obtain none.

use std::path::Path;

use tempfile::TempDir;

use crate::acme::copied;
use crate::program::daypass;
use crate::service::Up;

/// A job with its role.
struct Job {
    role: &'static str,
    platform: &'static str,
    /// What its token is addressed to: what the rewritten file asks for, or what its platform always writes.
    audience: &'static str,
    /// Whose it is and where it deploys to, as its platform would say.
    claims: &'static [Claim],
}

/// A claim's name and what it is; a list as JSON.
type Claim = (&'static str, &'static str);

const POOL: &str = "https://iam.googleapis.com/projects/555566667777/locations/global/workloadIdentityPools";

const JOBS: [Job; 12] = [
    Job {
        role: "shop-deploy",
        platform: "github-actions",
        audience: "sts.amazonaws.com",
        claims: &[("repository", "acme/shop"), ("repository_id", "2003"), ("environment", "production")],
    },
    Job {
        role: "site-publish",
        platform: "github-actions",
        audience: "sts.amazonaws.com",
        claims: &[("repository", "acme/site"), ("repository_id", "2004")],
    },
    Job {
        role: "gcp-run-write-api-staging",
        platform: "gitlab-com",
        audience: "POOL/api-staging/providers/gitlab",
        claims: &[
            ("project_path", "acme/api"),
            ("project_id", "3001"),
            ("namespace_id", "4004"),
            ("environment", "staging"),
        ],
    },
    Job {
        role: "gcp-run-write-api-production",
        platform: "gitlab-com",
        audience: "POOL/api-production/providers/gitlab",
        claims: &[
            ("project_path", "acme/api"),
            ("project_id", "3001"),
            ("namespace_id", "4004"),
            ("environment", "production"),
        ],
    },
    Job {
        role: "vault-secret-read-secrets-sync-production",
        platform: "gitlab-com",
        audience: "https://vault.acme.example",
        claims: &[
            ("project_path", "acme/secrets-sync"),
            ("project_id", "3003"),
            ("namespace_id", "4004"),
            ("environment", "production"),
        ],
    },
    Job {
        role: "billing-deploy",
        platform: "gitlab-com",
        audience: "sts.amazonaws.com",
        claims: &[("project_path", "acme/billing"), ("project_id", "3002"), ("namespace_id", "4004")],
    },
    Job {
        role: "mobile-upload",
        platform: "circleci",
        audience: "sts.amazonaws.com",
        claims: &[
            ("oidc.circleci.com/project-id", "33333333-3333-4333-8333-333333333331"),
            ("oidc.circleci.com/vcs-origin", "github.com/acme/mobile"),
            ("oidc.circleci.com/context-ids", "[\"44444444-4444-4444-8444-444444444441\"]"),
        ],
    },
    Job {
        role: "gcp-ai-write-models",
        platform: "circleci",
        audience: "POOL/models/providers/circleci",
        claims: &[
            ("oidc.circleci.com/project-id", "33333333-3333-4333-8333-333333333332"),
            ("oidc.circleci.com/vcs-origin", "github.com/acme/models"),
            ("oidc.circleci.com/context-ids", "[\"44444444-4444-4444-8444-444444444442\"]"),
        ],
    },
    Job {
        role: "warehouse-load",
        platform: "bitbucket-pipelines",
        audience: "sts.amazonaws.com",
        claims: &[
            ("workspaceUuid", "{b1b1b1b1-0000-4000-8000-000000000001}"),
            ("repositoryUuid", "{b2b2b2b2-0000-4000-8000-000000000001}"),
            ("deploymentEnvironmentUuid", "{c1c1c1c1-0000-4000-8000-000000000001}"),
        ],
    },
    Job {
        role: "platform-apply",
        platform: "buildkite",
        audience: "sts.amazonaws.com",
        claims: &[
            ("pipeline_slug", "platform"),
            ("pipeline_id", "b4b4b4b4-0000-4000-8000-000000000001"),
            ("organization_id", "b3b3b3b3-0000-4000-8000-000000000001"),
            ("step_key", "apply"),
        ],
    },
    Job {
        role: "azure-webapp-write-payments-production",
        platform: "azure-devops",
        audience: "api://AzureADTokenExchange",
        claims: &[
            ("org_id", "a1a1a1a1-0000-4000-8000-000000000001"),
            ("prj_id", "a2a2a2a2-0000-4000-8000-000000000001"),
            ("project", "payments"),
        ],
    },
    Job {
        role: "report-write",
        platform: "azure-devops",
        audience: "api://AzureADTokenExchange",
        claims: &[
            ("org_id", "a1a1a1a1-0000-4000-8000-000000000001"),
            ("prj_id", "a2a2a2a2-0000-4000-8000-000000000002"),
            ("project", "reports"),
        ],
    },
];

/// What another repository, another branch and a request to merge are called in a platform's tokens, with the shape that the
/// last one has.
fn others(platform: &str) -> [(&'static str, Option<&'static str>, Vec<Claim>); 3] {
    let (repository, branch, variant): (&[_], _, _) = match platform {
        "github-actions" => (
            &[("repository", "acme/other"), ("repository_id", "9009")],
            ("ref", "refs/heads/feature"),
            "pull-request",
        ),
        "gitlab-com" => {
            (&[("project_path", "acme/other"), ("project_id", "9009")], ("ref", "feature"), "merge-request")
        }
        "circleci" => (
            &[("oidc.circleci.com/project-id", "99999999-9999-4999-8999-999999999999")],
            ("oidc.circleci.com/vcs-ref", "refs/heads/feature"),
            "fork-pr",
        ),
        "bitbucket-pipelines" => (
            &[("repositoryUuid", "{99999999-9999-4999-8999-999999999999}")],
            ("branchName", "feature"),
            "pull-request",
        ),
        "buildkite" => (
            &[("pipeline_slug", "other"), ("pipeline_id", "99999999-9999-4999-8999-999999999999")],
            ("build_branch", "feature"),
            "pull-request",
        ),
        _ => (
            &[("prj_id", "99999999-9999-4999-8999-999999999999"), ("project", "other")],
            ("rpo_ref", "refs/heads/feature"),
            "pull-request",
        ),
    };
    [
        ("another repository", None, repository.to_vec()),
        ("another branch", None, vec![branch]),
        // A request from a fork has the fork's origin.
        ("a request", Some(variant), vec![("oidc.circleci.com/vcs-origin", "github.com/mallory/app")]),
    ]
}

/// A token of the job, with a few claims that are another's.
fn token(up: &Up, job: &Job, variant: Option<&str>, changed: &[Claim]) -> String {
    let audience = job.audience.replace("POOL", POOL);
    let mut arguments =
        vec!["--platform".to_owned(), job.platform.to_owned(), "--audience".to_owned(), audience];
    arguments.extend(variant.into_iter().flat_map(|name| ["--variant".to_owned(), name.to_owned()]));
    let known = |name: &str| job.platform == "circleci" || !name.contains("circleci");
    for (name, value) in job.claims.iter().chain(changed).filter(|(name, _)| known(name)) {
        let sign = if value.starts_with('[') { ":=" } else { "=" };
        arguments.extend(["--claim".to_owned(), format!("{name}{sign}{value}")]);
    }
    up.token(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// acme with its pipelines rewritten and its exchange's roles written, as `migrate.sh` does it.
fn migrated() -> TempDir {
    let place = copied();
    let call = |arguments: &[&str]| daypass(arguments.iter().copied()).within(place.path()).exits(0);
    // What the first rehearsal asks for: these two deploy from whatever branch somebody starts them on.
    for (file, job) in [("payments", "- deployment: app"), ("reports", "- job: report")] {
        let path = place.path().join(format!("repos/{file}/azure-pipelines.yml"));
        let text = std::fs::read_to_string(&path).unwrap();
        let (line, condition) = text
            .lines()
            .find(|line| line.ends_with(job))
            .map(|line| {
                (
                    line,
                    line.replace(job, "  condition: eq(variables['Build.SourceBranch'], 'refs/heads/main')"),
                )
            })
            .unwrap();
        std::fs::write(&path, text.replace(line, &format!("{line}\n{condition}"))).unwrap();
    }
    // And what a rewrite leaves to people: a step that puts the stored key together itself.
    let path = place.path().join("repos/platform/.buildkite/pipeline.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    let kept: Vec<&str> =
        text.lines().filter(|line| !line.contains("export AWS_SECRET_ACCESS_KEY")).collect();
    std::fs::write(&path, format!("{}\n", kept.join("\n"))).unwrap();
    call(&["rewrite", "--write"]);
    call(&["plan", "repos", "--account-details", "iam/account-authorization-details.json"]);
    call(&["generate", "--target", "daypass", "--format", "document", "--out", "roles/daypass"]);
    place
}

#[test]
fn jobs_obtain_their_roles_and_nobody_else_does() {
    let place = migrated();
    let rehearsed =
        daypass(["rehearse", "--target", "daypass", "--json"]).within(place.path()).exits(0).json();
    let mut roles: Vec<&str> =
        rehearsed["roles"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap()).collect();
    let mut known: Vec<&str> = JOBS.iter().map(|job| job.role).collect();
    roles.sort_unstable();
    known.sort_unstable();
    assert_eq!(roles, known, "every role of the plan has its job here");
    asked_for(place.path());

    let config = place.path().join("exchange.toml");
    let up = Up::with(&["--config", config.to_str().unwrap()]);
    for job in &JOBS {
        let text =
            std::fs::read_to_string(place.path().join(format!("roles/daypass/{}.toml", job.role))).unwrap();
        let is_session = text.contains("aws-session");
        // A session is asked for by its ARN, on the wire of AWS; a token by its name, on that of RFC 8693.
        let role = if is_session {
            format!("arn:aws:iam::111122223333:role/{}", job.role)
        } else {
            job.role.to_owned()
        };
        let exchange = |token: &str, code| {
            up.daypass(["exchange", "--role", &role, "--token-file", token, "--json"]).exits(code).json()
        };
        let answer = exchange(&token(&up, job, None, &[]), 0);
        assert_eq!(
            answer["kind"],
            if is_session { "aws-session" } else { "token" },
            "{}: {answer}",
            job.role
        );
        for (who, variant, claims) in others(job.platform) {
            let refused = exchange(&token(&up, job, variant, &claims), 1);
            // Not by chance: the trust says which claim is another's.
            let why = refused["error"]["message"].as_str().unwrap();
            assert!(why.contains("trust 1: claims."), "{} for {who}: {why}", job.role);
        }
    }
}

/// The files name the roles, and ask for the audiences that the tokens here have.
fn asked_for(place: &Path) {
    for (file, text) in [
        ("shop/.github/workflows/deploy.yml", "role-to-assume: arn:aws:iam::111122223333:role/shop-deploy"),
        ("site/.github/workflows/publish.yml", "role-to-assume: arn:aws:iam::111122223333:role/site-publish"),
        ("secrets-sync/.gitlab-ci.yml", "aud: https://vault.acme.example"),
        ("billing/.gitlab-ci.yml", "aud: sts.amazonaws.com"),
        ("platform/.buildkite/pipeline.yml", "audience: sts.amazonaws.com"),
        ("warehouse/bitbucket-pipelines.yml", "oidc: true"),
        ("mobile/.circleci/config.yml", "role_arn: arn:aws:iam::111122223333:role/mobile-upload"),
    ] {
        let written = std::fs::read_to_string(place.join("repos").join(file)).unwrap();
        assert!(written.contains(text), "{file}: {written}");
    }
}
