//! What GitHub lists (REST API, version 2022-11-28).

use serde_json::Value;

use super::{Fact, Facts, repository, text};

const PLATFORM: &str = "github-actions";

pub(super) fn facts(item: &Value) -> Facts {
    if let Some(environments) = item.get("environments").and_then(Value::as_array) {
        return Some(of_environments(environments));
    }
    if item.get("protected").is_some_and(Value::is_boolean) && item.get("name").is_some() {
        return Some(of_branch(item));
    }
    if item.get("use_default").is_some_and(Value::is_boolean) {
        return Some(Err(
            "a subject template does not say whose it is; write `subjects` at the repository by hand",
        ));
    }
    let (name, owner) = (text(item, "/full_name")?, text(item, "/owner/login")?);
    let organisation = Fact::Organisation { platform: PLATFORM, name: owner, id: text(item, "/owner/id") };
    Some(Ok(vec![organisation, repository(PLATFORM, name, text(item, "/id"))]))
}

/// Environments with a rule of their own: reviewers, a timer, a set of branches.
fn of_environments(environments: &[Value]) -> Result<Vec<Fact>, &'static str> {
    let name = environments.iter().find_map(|it| named_in(&text(it, "/url")?, "/environments/"));
    let name = name.ok_or("no environment says which repository it is of")?;
    let is_protected = |it: &&Value| {
        let rules =
            it.get("protection_rules").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
        rules || it.get("deployment_branch_policy").is_some_and(Value::is_object)
    };
    let protected = environments.iter().filter(is_protected).filter_map(|it| text(it, "/name")).collect();
    Ok(vec![Fact::Repository {
        platform: PLATFORM,
        name,
        id: None,
        protected_refs: None,
        protected_environments: Some(protected),
    }])
}

/// One of the branches of a repository. The listings of all pages together say which are protected.
fn of_branch(branch: &Value) -> Result<Vec<Fact>, &'static str> {
    let url = text(branch, "/protection_url").or_else(|| text(branch, "/commit/url"));
    let name = url.and_then(|url| named_in(&url, "/branches/").or_else(|| named_in(&url, "/commits/")));
    let name = name.ok_or("the branch does not say which repository it is of")?;
    let protected = branch.get("protected").and_then(Value::as_bool) == Some(true);
    let refs = text(branch, "/name").filter(|_| protected).map(|branch| format!("refs/heads/{branch}"));
    Ok(vec![Fact::Repository {
        platform: PLATFORM,
        name,
        id: None,
        protected_refs: Some(refs.into_iter().collect()),
        protected_environments: None,
    }])
}

/// `acme/app` of `https://api.github.com/repos/acme/app/branches/main`.
fn named_in(url: &str, before: &str) -> Option<String> {
    let (_, rest) = url.split_once("/repos/")?;
    let (name, _) = rest.split_once(before)?;
    (name.split('/').count() == 2).then(|| name.to_owned())
}
