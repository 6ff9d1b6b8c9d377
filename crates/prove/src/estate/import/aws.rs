//! What AWS IAM lists.

use serde_json::Value;

use super::{Fact, Facts, text};

pub(super) fn facts(item: &Value) -> Facts {
    if item.get("OpenIDConnectProviderList").is_some() {
        return Some(Err(
            "names only; `aws iam get-open-id-connect-provider` tells what each of them accepts",
        ));
    }
    let (url, audiences) = (text(item, "/Url")?, item.get("ClientIDList")?.as_array()?);
    // IAM leaves out the scheme.
    let issuer = if url.starts_with("https://") { url } else { format!("https://{url}") };
    let audiences = audiences.iter().filter_map(|it| it.as_str().map(str::to_owned)).collect();
    Some(Ok(vec![Fact::Provider { issuer, audiences }]))
}
