//! The one form that every dialect compiles to, and that both interpreters read: `evaluate` decides one token,
//! the prover reasons about all of them.

mod condition;
mod expression;
mod pattern;
mod principal;
mod variable;

use daypass_claims::Audience;

pub use condition::{Atom, Clause, Comparison, Condition, Quantifier, Test};
pub use expression::{Expression, ExpressionError};
pub use pattern::{Pattern, Piece};
pub use principal::{OtherPrincipal, Principals, TokenIssuers};
pub use variable::{ClaimPath, JoinPart, Reading, RequestKey, Step, Variable};

use crate::dialect::Dialect;
use crate::document::{Source, Span};

/// A trust policy: who may assume a role.
///
/// Admitted is `any(Allow) AND NOT any(Deny)` in Kleene logic, for every permission that the request needs; an
/// Unknown Deny never admits.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The dialect it was written in.
    pub dialect: Dialect,
    /// Its statements, in the order of the source.
    pub statements: Vec<Statement>,
    /// What it was compiled from.
    pub source: Source,
}

/// A policy without statements, which admits nobody.
impl Default for Policy {
    fn default() -> Self {
        Self { dialect: Dialect::Daypass, statements: Vec::new(), source: Source::new("", "") }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug)]
pub struct Statement {
    /// How people refer to it: `statement 2`, or the author's own name for it.
    pub label: String,
    /// Whether it admits or forbids.
    pub effect: Effect,
    /// Whom it is about.
    pub principals: Principals,
    /// What it permits (or forbids).
    pub permissions: Permissions,
    /// What a token must be addressed to.
    pub audiences: Audiences,
    /// What else must hold.
    pub condition: Condition,
    /// Where it stands.
    pub span: Span,
}

/// Whether a statement admits or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Whoever matches is admitted, unless a Deny matches too.
    Allow,
    /// Whoever matches is refused, whatever else matches.
    Deny,
}

/// What a token must be addressed to for a statement to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audiences {
    /// The document does not say; the dialect leaves it to the provider's registration, which is not known here.
    Unstated,
    /// One of these and nobody else. Whether a token that names others beside it will do is the verifier's own rule.
    OneOf(Vec<Audience>),
    /// One of these, whoever else it names.
    Includes(Vec<Audience>),
}

impl Audiences {
    /// The audiences that are named.
    pub fn named(&self) -> &[Audience] {
        match self {
            Self::Unstated => &[],
            Self::OneOf(audiences) | Self::Includes(audiences) => audiences,
        }
    }
}

/// One thing that assuming a role can need permission for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Assuming the role with a CI job's token (`sts:AssumeRoleWithWebIdentity`).
    AssumeWithToken,
    /// Assuming the role from a session of another role (`sts:AssumeRole`).
    AssumeFromSession,
    /// Bringing session tags (`sts:TagSession`).
    TagSession,
    /// Bringing a source identity (`sts:SetSourceIdentity`).
    SetSourceIdentity,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 4] =
        [Self::AssumeWithToken, Self::AssumeFromSession, Self::TagSession, Self::SetSourceIdentity];

    /// The action as AWS names it; daypass uses the same words in every dialect.
    pub const fn action(self) -> &'static str {
        match self {
            Self::AssumeWithToken => "sts:AssumeRoleWithWebIdentity",
            Self::AssumeFromSession => "sts:AssumeRole",
            Self::TagSession => "sts:TagSession",
            Self::SetSourceIdentity => "sts:SetSourceIdentity",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u8);

impl Permissions {
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether the set holds `permission`.
    pub const fn contains(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// The set with `permission` added.
    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    /// The permissions in the set.
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        permissions.into_iter().fold(Self::NONE, Self::with)
    }
}
