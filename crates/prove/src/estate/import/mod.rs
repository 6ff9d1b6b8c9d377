//! Facts from what platforms and clouds list about themselves.
//!
//! | listing | tells |
//! |---|---|
//! | `gh api --paginate orgs/ORG/repos`, `gh api repos/ORG/REPO` | organisations and repositories with their ids |
//! | `gh api repos/ORG/REPO/environments` | which environments are protected |
//! | `gh api 'repos/ORG/REPO/branches?protected=true'` | which branches are protected |
//! | GitLab's `GET /projects`, `GET /projects/ID` | projects and their top group, with ids |
//! | CircleCI's `GET /api/v2/project/SLUG` | organisations and projects with their ids |
//! | `aws iam get-open-id-connect-provider` | which audiences AWS accepts of an issuer |
//!
//! An estate is changed where a listing says more or something else; what people wrote around it stays as it is.

mod aws;
mod circleci;
mod github;
mod gitlab;
mod merge;

use daypass_trust::document::Source;
use serde_json::Value;

use super::{Estate, EstateError};

/// Something that a listing tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fact {
    Organisation {
        platform: &'static str,
        name: String,
        id: Option<String>,
    },
    Repository {
        platform: &'static str,
        name: String,
        id: Option<String>,
        /// All of them, where the listing is about them.
        protected_refs: Option<Vec<String>>,
        protected_environments: Option<Vec<String>>,
    },
    Provider {
        issuer: String,
        audiences: Vec<String>,
    },
}

/// A repository of which a listing tells nothing further.
const fn repository(platform: &'static str, name: String, id: Option<String>) -> Fact {
    Fact::Repository { platform, name, id, protected_refs: None, protected_environments: None }
}

/// An estate with what listings told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The estate's new text.
    pub text: String,
    /// What is new or other than before, a line each.
    pub news: Vec<String>,
}

/// Why nothing was imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The estate itself.
    #[error(transparent)]
    Estate(#[from] EstateError),
    /// A listing that is no JSON.
    #[error("{name}:{line}:{column}: not JSON: {message}")]
    Json {
        /// The listing.
        name: String,
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// JSON that tells nothing that is known.
    #[error("{name}{pointer}: {why}")]
    Unknown {
        /// The listing.
        name: String,
        /// Where in it.
        pointer: String,
        /// What was expected, or where to find more.
        why: String,
    },
}

/// Adds what listings tell to an estate (empty where there is none yet).
pub fn import(estate: &Source, listings: &[Source]) -> Result<Imported, ImportError> {
    Estate::parse(estate)?;
    let mut facts = Vec::new();
    for listing in listings {
        read(listing, &mut facts)?;
    }
    let (text, news) = merge::merge(estate.text(), &facts).map_err(|why| ImportError::Unknown {
        name: estate.name().to_owned(),
        pointer: String::new(),
        why,
    })?;
    // What is written is what will be read.
    Estate::parse(&Source::new(estate.name(), text.as_str()))?;
    Ok(Imported { text, news })
}

/// Reads a listing: a JSON document, or several after one another as `gh api --paginate` prints them.
fn read(listing: &Source, facts: &mut Vec<Fact>) -> Result<(), ImportError> {
    let before = facts.len();
    for document in serde_json::Deserializer::from_str(listing.text()).into_iter::<Value>() {
        let document = document.map_err(|error| ImportError::Json {
            name: listing.name().to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        })?;
        match &document {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    facts.extend(of_item(item, listing, &format!("/{index}"))?);
                }
            }
            item => facts.extend(of_item(item, listing, "")?),
        }
    }
    if facts.len() == before {
        let why = "there is nothing in it".to_owned();
        return Err(ImportError::Unknown { name: listing.name().to_owned(), pointer: String::new(), why });
    }
    Ok(())
}

fn of_item(item: &Value, listing: &Source, pointer: &str) -> Result<Vec<Fact>, ImportError> {
    let known = [github::facts, gitlab::facts, circleci::facts, aws::facts];
    let unknown = |why: &str| ImportError::Unknown {
        name: listing.name().to_owned(),
        pointer: pointer.to_owned(),
        why: why.to_owned(),
    };
    match known.into_iter().find_map(|facts| facts(item)) {
        Some(Ok(facts)) => Ok(facts),
        Some(Err(why)) => Err(unknown(why)),
        None => Err(unknown(
            "this is no listing that is known (repositories, environments or protected branches of GitHub, projects of GitLab or \
             CircleCI, OIDC providers of AWS)",
        )),
    }
}

/// What one kind of listing makes of a JSON value: `None` if it is not of that kind, an error if it is and tells nothing.
type Facts = Option<Result<Vec<Fact>, &'static str>>;

/// A member as text; ids are numbers on some platforms.
fn text(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPOSITORY: &str =
        r#"{"id": 2002, "full_name": "acme/app", "owner": {"login": "acme", "id": 1001}}"#;

    fn imported(estate: &str, listings: &[&str]) -> Result<Imported, ImportError> {
        let listings: Vec<Source> = listings.iter().map(|text| Source::new("listing.json", *text)).collect();
        import(&Source::new("daypass.estate.toml", estate), &listings)
    }

    #[test]
    fn an_estate_begins_with_listings() {
        let environments = r#"{"total_count": 2, "environments": [
            {"name": "prod", "url": "https://api.github.com/repos/acme/app/environments/prod",
             "protection_rules": [{"type": "required_reviewers"}], "deployment_branch_policy": null},
            {"name": "dev", "url": "https://api.github.com/repos/acme/app/environments/dev",
             "protection_rules": [], "deployment_branch_policy": null}]}"#;
        let branches = r#"[{"name": "main", "protected": true,
            "protection_url": "https://api.github.com/repos/acme/app/branches/main/protection"}]"#;
        let provider =
            r#"{"Url": "token.actions.githubusercontent.com", "ClientIDList": ["sts.amazonaws.com"]}"#;
        let found = imported("", &[REPOSITORY, environments, branches, provider]).unwrap();
        insta::assert_snapshot!(found.text, @r#"
        [[organisation]]
        platform = "github-actions"
        name = "acme"
        id = "1001"

        [[repository]]
        platform = "github-actions"
        name = "acme/app"
        id = "2002"
        protected_environments = ["prod"]
        protected_refs = ["refs/heads/main"]

        [[provider]]
        issuer = "https://token.actions.githubusercontent.com"
        audiences = ["sts.amazonaws.com"]
        "#);
    }

    #[test]
    fn what_people_wrote_stays_and_what_is_other_is_said() {
        let estate = "# ours\n[[repository]]\nplatform = \"github-actions\"\nname = \"acme/app\" # the one\nid = \"7\"\n\
                      subjects = [\"classic\"]\n";
        let found = imported(estate, &[REPOSITORY]).unwrap();
        assert!(found.text.starts_with("# ours\n"), "{}", found.text);
        assert!(found.text.contains("name = \"acme/app\" # the one\nid = \"2002\"\n"), "{}", found.text);
        assert!(found.text.contains("subjects = [\"classic\"]"), "{}", found.text);
        assert_eq!(
            found.news,
            [
                "organisation acme (github-actions) is new",
                "repository acme/app (github-actions): id is \"2002\", was \"7\""
            ]
        );
        let again = imported(&found.text, &[REPOSITORY]).unwrap();
        assert_eq!((again.text, again.news), (found.text, Vec::<String>::new()));
    }

    #[test]
    fn listings_of_other_platforms_are_known() {
        let gitlab = r#"[{"id": 42, "path_with_namespace": "acme/tools/app", "web_url": "https://gitlab.com/acme/tools/app",
            "namespace": {"id": 9, "full_path": "acme/tools", "kind": "group"}}]"#;
        let circleci = r#"{"slug": "gh/acme/app", "name": "app", "id": "11111111-1111-4111-8111-111111111111",
            "organization_name": "acme", "organization_id": "0a1b2c3d-0000-4000-8000-000000000001"}"#;
        let found = imported("", &[gitlab, circleci]).unwrap();
        assert!(
            found.text.contains("platform = \"gitlab-com\"\nname = \"acme/tools/app\"\nid = \"42\""),
            "{}",
            found.text
        );
        assert!(found.text.contains("platform = \"circleci\"\nname = \"acme/app\""), "{}", found.text);
    }

    #[test]
    fn what_tells_nothing_is_refused_with_its_place() {
        let said = |listing: &str| imported("", &[listing]).unwrap_err().to_string();
        assert!(
            said("[{\"a\": 1}]").starts_with("listing.json/0: this is no listing"),
            "{}",
            said("[{\"a\": 1}]")
        );
        assert!(said("[").starts_with("listing.json:1:1: not JSON"), "{}", said("["));
        assert_eq!(said("[]"), "listing.json: there is nothing in it");
        let arns = r#"{"OpenIDConnectProviderList": [{"Arn": "arn:aws:iam::111122223333:oidc-provider/x"}]}"#;
        assert!(said(arns).contains("get-open-id-connect-provider"), "{}", said(arns));
        let estate = imported("[[repositori]]", &[REPOSITORY]).unwrap_err().to_string();
        assert!(estate.starts_with("daypass.estate.toml:1:"), "{estate}");
    }
}
