//! Workload identity pools put together: providers and what is granted to their principals make one document.

use daypass_trust::document::{Member, Node, Span, Value};

/// Stands for a project whose number the files do not tell. No project has it.
pub(crate) const UNKNOWN_PROJECT: &str = "0";

/// The pool that a member of a binding names, as `ID`, with the project's number or id before it.
pub(crate) fn pool_of(member: &str) -> Option<(&str, &str)> {
    let path = ["principalSet://iam.googleapis.com/", "principal://iam.googleapis.com/"]
        .iter()
        .find_map(|scheme| member.strip_prefix(scheme))?;
    let (project, rest) =
        path.strip_prefix("projects/")?.split_once("/locations/global/workloadIdentityPools/")?;
    let pool = rest.split('/').next()?;
    (!pool.is_empty()).then_some((project, pool))
}

/// The document of a pool: its providers, and the bindings of one target.
pub(crate) fn document(span: Span, providers: Vec<Node>, bindings: Option<Vec<Node>>) -> Node {
    let member = |name: &str, items: Vec<Node>| Member {
        name: name.to_owned(),
        name_span: span,
        node: Node { span, value: Value::Array(items) },
    };
    let mut members = vec![member("providers", providers)];
    members.extend(bindings.map(|bindings| member("bindings", bindings)));
    Node { span, value: Value::Table(members) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_name_their_pool() {
        let base = "iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/ci";
        assert_eq!(pool_of(&format!("principalSet://{base}/*")), Some(("12", "ci")));
        assert_eq!(pool_of(&format!("principal://{base}/subject/repo:acme/app")), Some(("12", "ci")));
        assert_eq!(pool_of("serviceAccount:x@y.iam.gserviceaccount.com"), None);
    }
}
