use super::strings;
use crate::document::{Node, Problem, Problems, Source};
use crate::form::{Pattern, Permission, Permissions};

/// Which of the permissions that assuming a role can need a list of actions names.
///
/// Action names are compared without regard to case; `*` and `?` are wildcards behind the service prefix.
pub(super) fn read(source: &Source, node: &Node, problems: &mut Problems) -> Option<Permissions> {
    let mut permissions = Permissions::NONE;
    for (text, span) in strings(source, node, "`Action`", problems)? {
        if text == "*" {
            permissions = Permission::ALL.into_iter().collect();
            continue;
        }
        match text.split_once(':') {
            Some((service, name)) if !service.is_empty() && !name.is_empty() && !name.contains(':') => {
                let pattern = Pattern::glob(&text.to_ascii_lowercase());
                let named = Permission::ALL.into_iter().filter(|permission| {
                    pattern.matches(&permission.action().to_ascii_lowercase(), false, &mut |_| None)
                });
                permissions = named.fold(permissions, Permissions::with);
            }
            _ => {
                let message = format!("`{text}` is not an action");
                problems.push(
                    Problem::new(source, span, message)
                        .help("actions look like `sts:AssumeRoleWithWebIdentity`"),
                );
            }
        }
    }
    Some(permissions)
}
