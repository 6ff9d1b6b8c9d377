use daypass_sources::FoundPolicy;
use daypass_trust::form::Policy;

use crate::Confidence;

/// A role among others: what rules about several roles look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Role<'a> {
    pub(crate) found: &'a FoundPolicy,
    pub(crate) policy: &'a Policy,
    pub(crate) options: &'a daypass_prove::Options,
}

impl<'a> Role<'a> {
    pub(crate) fn role(&self) -> &'a str {
        &self.found.role
    }

    /// The environment that the role is for, as its file says or its name hints.
    pub(crate) fn environment(&self) -> Option<&'a str> {
        self.found.options.environment.as_deref().or(self.found.facts.environment.as_deref())
    }

    /// How sure the environment is.
    pub(crate) fn confidence(&self) -> Confidence {
        if self.found.options.environment.is_some() { Confidence::High } else { Confidence::Low }
    }

    /// Whether both are known to be for an environment, and for different ones.
    pub(crate) fn is_apart_from(&self, other: &Self) -> bool {
        let (Some(here), Some(there)) = (self.environment(), other.environment()) else { return false };
        here != there && self.role() != other.role()
    }
}
