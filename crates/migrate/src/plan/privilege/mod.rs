//! What credentials can do: from the account's policies where they are at hand, else from what the jobs run.

mod account;
mod commands;
mod glob;

use std::collections::{BTreeMap, BTreeSet};

pub use account::{Account, AccountError, Permissions};
pub use commands::accesses;

use super::Grade;

/// What a credential can do.
#[derive(Clone, Debug, PartialEq)]
pub enum Privileges {
    /// As the account's policies say.
    Certain {
        /// The principal, an ARN.
        principal: String,
        /// What it may do.
        permissions: Permissions,
    },
    /// As the commands of its jobs suggest: services, each with what is done to it.
    Inferred(BTreeMap<String, Access>),
}

/// What is done to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Access {
    /// It is looked at.
    Read,
    /// It is changed.
    Write,
}

impl Access {
    /// The word in plans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Privileges {
    /// How they are known.
    pub const fn grade(&self) -> Grade {
        match self {
            Self::Certain { .. } => Grade::Certain,
            Self::Inferred(_) => Grade::Inferred,
        }
    }

    /// Whether they let their holder do anything, or give itself the right to.
    pub fn is_admin(&self) -> bool {
        match self {
            Self::Certain { permissions, .. } => permissions.is_admin(),
            Self::Inferred(_) => false,
        }
    }

    /// Whether whoever has these can do all that the others can. False where that cannot be told.
    pub fn cover(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Certain { permissions, .. }, Self::Certain { permissions: other, .. }) => {
                permissions.cover(other)
            }
            // Two jobs of which nothing is known do not thereby do the same.
            (Self::Inferred(wide), Self::Inferred(narrow)) => {
                wide.is_empty() == narrow.is_empty()
                    && narrow.iter().all(|(service, access)| wide.get(service).is_some_and(|it| it >= access))
            }
            _ => false,
        }
    }

    /// How many things they permit, to sort the widest first.
    pub(super) fn breadth(&self) -> usize {
        match self {
            Self::Certain { permissions, .. } => permissions.actions().count(),
            Self::Inferred(services) => {
                services.values().map(|access| 1 + usize::from(*access == Access::Write)).sum()
            }
        }
    }

    /// A name for them: the principal's, or the services in brief.
    pub(super) fn label(&self) -> String {
        let text = match self {
            Self::Certain { principal, .. } => account::short(principal).to_owned(),
            Self::Inferred(services) if services.is_empty() => "unknown".to_owned(),
            Self::Inferred(services) => {
                let write = services.values().any(|access| *access == Access::Write);
                let mut names: Vec<&str> = services.keys().map(String::as_str).take(3).collect();
                if services.len() > names.len() {
                    names.push("more");
                }
                names.push(if write { Access::Write.as_str() } else { Access::Read.as_str() });
                names.join("-")
            }
        };
        slug(&text)
    }

    /// What they permit, in the words of a plan.
    pub(super) fn permits(&self) -> Vec<String> {
        match self {
            Self::Certain { permissions, .. } => {
                permissions.actions().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
            }
            Self::Inferred(services) => {
                services.iter().map(|(service, access)| format!("{service} {}", access.as_str())).collect()
            }
        }
    }
}

/// A name as clouds accept it: lower-case letters, digits and single hyphens.
pub(crate) fn slug(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(services: &[(&str, Access)]) -> Privileges {
        Privileges::Inferred(services.iter().map(|(name, access)| ((*name).to_owned(), *access)).collect())
    }

    #[test]
    fn inferred_privileges_nest_by_service_and_level() {
        let wide = inferred(&[("s3", Access::Write), ("ecs", Access::Read)]);
        let narrow = inferred(&[("s3", Access::Read)]);
        assert!(wide.cover(&narrow) && !narrow.cover(&wide));
        assert!(!wide.cover(&inferred(&[])), "nothing known is not little");
        assert!(inferred(&[]).cover(&inferred(&[])));
        assert_eq!(wide.label(), "ecs-s3-write");
        assert_eq!(wide.permits(), ["ecs read", "s3 write"]);
    }

    #[test]
    fn names_are_what_clouds_accept() {
        assert_eq!(slug("Release / Deploy (eu)"), "release-deploy-eu");
        assert_eq!(slug("--"), "");
    }
}
