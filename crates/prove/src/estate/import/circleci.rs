//! What CircleCI lists (API v2).

use serde_json::Value;

use super::{Fact, Facts, repository, text};

const PLATFORM: &str = "circleci";

pub(super) fn facts(item: &Value) -> Facts {
    let (organisation, project) = (text(item, "/organization_name")?, text(item, "/name")?);
    text(item, "/slug")?;
    let name = format!("{organisation}/{project}");
    let organisation =
        Fact::Organisation { platform: PLATFORM, name: organisation, id: text(item, "/organization_id") };
    Some(Ok(vec![organisation, repository(PLATFORM, name, text(item, "/id"))]))
}
