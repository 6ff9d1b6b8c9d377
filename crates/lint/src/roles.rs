use daypass_claims::Issuer;
use daypass_sources::FoundPolicy;
use daypass_trust::form::{Policy, TokenIssuers};

use crate::Confidence;
use crate::view::admits_tokens;

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

    /// Whether a token can be of an issuer that both name: what is cheap to know before the prover is asked.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        let theirs = other.issuers();
        self.issuers().iter().any(|issuer| theirs.contains(issuer))
    }

    fn issuers(&self) -> Vec<&'a Issuer> {
        let statements = self.policy.statements.iter().filter(|it| admits_tokens(it));
        let named = statements.filter_map(|it| match &it.principals.tokens {
            TokenIssuers::Exactly(issuers) => Some(issuers),
            TokenIssuers::None | TokenIssuers::Any => None,
        });
        named.flatten().collect()
    }
}
