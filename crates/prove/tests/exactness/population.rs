use daypass_claims::ClaimSet;

pub(super) const GITHUB: &str = "https://token.actions.githubusercontent.com";

const OWNERS: [(&str, &str); 4] = [("acme", "1001"), ("acme-evil", "666"), ("acme", "667"), ("Acme", "1001")];
const REPOSITORIES: [(&str, &str); 3] = [("app", "2002"), ("app-x", "7"), ("lib", "2002")];
const PLACES: [(&str, &str); 6] = [
    ("refs/heads/main", "push"),
    ("refs/heads/main", "pull_request_target"),
    ("refs/heads/dev", "push"),
    ("refs/tags/v1", "push"),
    ("refs/pull/7/merge", "pull_request"),
    ("refs/pull/7/merge", "pull_request_review"),
];
const ENVIRONMENTS: [Option<&str>; 3] = [None, Some("prod"), Some("a:b")];

/// Tokens of GitHub Actions, in both forms of subject, for these audiences.
pub(super) fn github(audiences: &[&str]) -> Vec<ClaimSet> {
    let mut tokens = Vec::new();
    for (owner, owner_id) in OWNERS {
        for (repository, repository_id) in REPOSITORIES {
            for (git_ref, event) in PLACES {
                for environment in ENVIRONMENTS {
                    for immutable in [false, true] {
                        for audience in audiences {
                            let repo = if immutable {
                                format!("{owner}@{owner_id}/{repository}@{repository_id}")
                            } else {
                                format!("{owner}/{repository}")
                            };
                            let place = match (environment, event) {
                                (Some(environment), _) => {
                                    format!("environment:{}", environment.replace(':', "%3A"))
                                }
                                (None, "pull_request") => "pull_request".to_owned(),
                                (None, _) => format!("ref:{git_ref}"),
                            };
                            let mut token = ClaimSet::new();
                            for (name, value) in [
                                ("iss", GITHUB),
                                ("aud", audience),
                                ("sub", &format!("repo:{repo}:{place}")),
                                ("repository", &format!("{owner}/{repository}")),
                                ("repository_id", repository_id),
                                ("repository_owner", owner),
                                ("repository_owner_id", owner_id),
                                ("ref", git_ref),
                                (
                                    "ref_protected",
                                    if git_ref == "refs/heads/main" { "true" } else { "false" },
                                ),
                                ("event_name", event),
                            ] {
                                token.insert(name, value);
                            }
                            if let Some(environment) = environment {
                                token.insert("environment", environment);
                            }
                            tokens.push(token);
                        }
                    }
                }
            }
        }
    }
    tokens
}
