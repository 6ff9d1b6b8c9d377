//! What GitLab lists (REST API v4).

use serde_json::Value;

use super::{Fact, Facts, repository, text};

pub(super) fn facts(item: &Value) -> Facts {
    let name = text(item, "/path_with_namespace")?;
    let url = text(item, "/web_url").unwrap_or_default();
    let platform = if url.starts_with("https://gitlab.com/") { "gitlab-com" } else { "gitlab-self-managed" };
    let (top, _) = name.split_once('/')?;
    // The namespace's id is the top group's only where the project lies directly in it.
    let id = text(item, "/namespace/full_path").filter(|path| path == top).and(text(item, "/namespace/id"));
    let organisation = Fact::Organisation { platform, name: top.to_owned(), id };
    Some(Ok(vec![organisation, repository(platform, name, text(item, "/id"))]))
}
