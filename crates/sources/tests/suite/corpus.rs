//! Every crafted sample is found, and its Terraform twins mean what its JSON means.

use crate::support::Disk;
use daypass_claims::{ClaimSet, Issuer};
use daypass_sources::{Found, FoundPolicy, find};
use daypass_trust::Context;
use daypass_trust::Dialect;
use daypass_trust::{Truth, outcome};

/// The only policy of a file that holds nothing else.
fn only(found: Found, file: &str) -> FoundPolicy {
    assert_eq!(found.problems, [], "{file}");
    assert_eq!(found.unresolved, [], "{file}");
    assert_eq!(found.policies.len(), 1, "{file}");
    found.policies.into_iter().next().unwrap()
}

/// Tokens of many issuers: every subject that a sample speaks of, in many shapes.
fn tokens() -> Vec<ClaimSet> {
    let github = "https://token.actions.githubusercontent.com";
    let subjects = [
        (github, "repo:acme/app:ref:refs/heads/main"),
        (github, "repo:acme/app:ref:refs/heads/MAIN"),
        (github, "repo:acme/app:ref:refs/heads/main0"),
        (github, "repo:acme/app:environment:prod"),
        (github, "repo:acme/app:environment:x"),
        (github, "repo:acme/app:pull_request"),
        (github, "repo:acme/app-x:pull_request"),
        (github, "repo:acme/other:ref:refs/heads/main"),
        (github, "repo:acme-evil/app:ref:refs/heads/main"),
        (github, "repo:acmx/app:pull_request"),
        (github, "repo:evil/x:pull_request"),
        (github, "repo:evil/app:ref:refs/heads/main"),
        (github, "workflow:deploy:x"),
        ("https://gitlab.com", "project_path:evil/x:ref_type:branch:ref:main"),
        ("https://gitlab.com", "project_path:acme/app:ref_type:branch:ref:main"),
        ("https://gitlab.com", "project_path:acme-evil/x:ref_type:branch:ref:x"),
        ("https://app.terraform.io", "organization:acme:project:core:workspace:prod:run_phase:apply"),
        ("https://app.terraform.io", "organization:acme:project:core:workspace:prod:run_phase:plan"),
        ("https://app.terraform.io", "organization:evil:project:p:workspace:prod:run_phase:apply"),
        ("https://agent.buildkite.com", "organization:acme:pipeline:app:ref:refs/heads/main:commit:c:step:s"),
        (
            "https://agent.buildkite.com",
            "organization:acme-evil:pipeline:p:ref:refs/heads/main:commit:c:step:s",
        ),
        ("https://oidc.example.net", "ci"),
        (
            "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE",
            "system:serviceaccount:default:default",
        ),
    ];
    let mut tokens = Vec::new();
    for (issuer, subject) in subjects {
        for audience in ["sts.amazonaws.com", "https://github.com/acme", "aws.workload.identity", "other"] {
            for more in [
                "",
                r#", "repository": "acme/app", "repository_id": "2002", "job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/main""#,
                r#", "repository": "evil/app", "repository_id": "666", "job_workflow_ref": "acme/workflows/.github/workflows/deploy.yml@refs/heads/x", "actor": "octocat""#,
            ] {
                let text = format!(r#"{{"iss": "{issuer}", "sub": "{subject}", "aud": "{audience}"{more}}}"#);
                tokens.push(ClaimSet::from_json(text.as_bytes()).unwrap());
            }
        }
    }
    tokens
}

fn outcomes(policy: &FoundPolicy, tokens: &[ClaimSet]) -> Vec<Truth> {
    let compiled = policy.compile().unwrap();
    let context =
        Context::new().issuer(Issuer::parse("https://token.actions.githubusercontent.com").unwrap());
    tokens.iter().map(|token| outcome(&compiled.policy, token, &context).0).collect()
}

#[test]
fn terraform_twins_of_aws_policies_mean_what_their_json_means() {
    let disk = Disk::misconfig();
    let tokens = tokens();
    let terraform = find(&["tf"], &disk);
    let (mut admitting, mut files) = (0, 0);
    for name in disk.names("aws", ".json") {
        let id = name.trim_end_matches(".json");
        let json = only(find(&[&format!("aws/{name}")], &disk), &name);
        assert_eq!(json.dialect, Dialect::Aws);
        let wanted = outcomes(&json, &tokens);
        admitting += usize::from(wanted.contains(&Truth::True));
        for (twin, role) in [("inline", ""), ("doc", "_d")] {
            let file = format!("tf/{id}_{twin}.tf");
            let role = format!("aws_iam_role.{}{role}", id.to_lowercase());
            let policy = terraform.policies.iter().find(|policy| policy.role == role).unwrap();
            assert_eq!(policy.source.name(), file);
            assert_eq!(outcomes(policy, &tokens), wanted, "{file}");
            files += 1;
        }
    }
    assert!(files > 100 && admitting >= 30, "the table is not empty: {files} files, {admitting} that admit");
}

#[test]
fn terraform_twins_of_vault_roles_mean_what_their_json_means() {
    let disk = Disk::misconfig();
    let tokens = tokens();
    for name in disk.names("vault", ".json") {
        let id = name.trim_end_matches(".json");
        let json = only(find(&[&format!("vault/{name}")], &disk), &name);
        let file = format!("vault/{id}.tf");
        let hcl = only(find(&[&file], &disk), &file);
        assert_eq!((json.dialect, hcl.dialect), (Dialect::Vault, Dialect::Vault));
        assert_eq!(outcomes(&json, &tokens), outcomes(&hcl, &tokens), "{file}");
    }
}

#[test]
fn azure_samples_are_found_credential_by_credential() {
    let disk = Disk::misconfig();
    for name in disk.names("azure", ".tf") {
        let file = format!("azure/{name}");
        let found = find(&[&file], &disk);
        assert!(found.problems.is_empty() && found.unresolved.is_empty(), "{file}");
        assert!(!found.policies.is_empty(), "{file}");
        for policy in &found.policies {
            assert_eq!(policy.dialect, Dialect::Azure);
            policy.compile().unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
}

#[test]
fn google_samples_compose_providers_and_grants() {
    let disk = Disk::misconfig();
    for name in disk.names("gcp", ".tf") {
        let file = format!("gcp/{name}");
        let policy = only(find(&[&file], &disk), &file);
        assert_eq!(policy.dialect, Dialect::Gcp);
        assert_eq!(policy.role, "projects/acme/serviceAccounts/deploy@acme.iam.gserviceaccount.com");
        let part = |name: &str| policy.tree.get(name).unwrap().as_array().unwrap().len();
        assert_eq!((part("providers"), part("bindings")), (1, 1), "{file}");
        policy.compile().unwrap_or_else(|error| panic!("{file}: {error}"));
    }
}

#[test]
fn a_folder_of_examples_side_by_side_is_read_file_by_file() {
    let disk = Disk::misconfig();
    let found = find(&["gcp"], &disk);
    assert_eq!(found.policies.len(), disk.names("gcp", ".tf").len());
    let found = find(&["tf"], &disk);
    assert_eq!(found.policies.len(), disk.names("tf", ".tf").len());
    assert_eq!(found.unresolved, []);
}
