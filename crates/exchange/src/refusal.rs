use std::time::Duration;

use daypass_claims::{RandomError, Timestamp, format_duration};
use daypass_issuers::RenderError;
use daypass_store::StoreError;
use daypass_trust::Evaluation;

use crate::keys::KeysUnavailable;

/// Why a request got no credential: one variant per reason, in the order in which the steps can refuse.
///
/// The wires turn it into their own codes; the record keeps `code` and `detail`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// A parameter that no role or token could make right.
    #[error("{0}")]
    Parameter(ParameterError),
    /// No issuer of this URL is configured.
    #[error("no issuer `{0}` is configured")]
    UnknownIssuer(String),
    /// The token names no issuer.
    #[error("the token has no issuer (`iss`)")]
    NoIssuer,
    /// The issuer's keys are not at hand; retryable.
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    /// The token does not verify.
    #[error(transparent)]
    Token(#[from] daypass_token::Refusal),
    /// There is no such role.
    #[error("there is no role `{0}`")]
    UnknownRole(String),
    /// The role is not served because tests of its policy fail.
    #[error("the role is not served: {0}")]
    RoleRefused(String),
    /// The token says which roles it may assume (`https://aws.amazon.com/roles`), and this is not one of them.
    #[error("the target role is not in the roles claim of the token")]
    NotInRoles,
    /// The token's session tags or source identity have a form that AWS would not take.
    #[error("the token's {0}")]
    SessionClaims(SessionClaimsError),
    /// The role's trust does not admit the token.
    #[error("the trust of the role does not admit the token")]
    Denied(Box<Evaluation>),
    /// The trust of the role can neither be said to admit the token nor not to.
    #[error("whether the trust of the role admits the token is unknown")]
    Undecided(Box<Evaluation>),
    /// A longer session than the role allows.
    #[error("a session of {} was asked for, the role allows {}", format_duration(*asked), format_duration(*allowed))]
    TooLong {
        /// What was asked for.
        asked: Duration,
        /// What the role allows.
        allowed: Duration,
    },
    /// The wire cannot carry what the role issues.
    #[error("the role issues `{kind}`, which this protocol does not carry")]
    WrongWire {
        /// The kind of credential.
        kind: &'static str,
    },
    /// All uses of the token are taken.
    #[error("the token was used already, first at {first_at}")]
    Used {
        /// How often.
        uses: u32,
        /// When first.
        first_at: Timestamp,
    },
    /// The credential cannot be made from this token's claims.
    #[error("the credential needs a claim that the token does not have: {0}")]
    Template(RenderError),
    /// The record cannot be written; nothing leaves without it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A key or a library failed.
    #[error("the credential could not be made: {0}")]
    Mint(&'static str),
}

/// A parameter that is wrong as such.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Not a session name.
    #[error("the session name must be 2 to 64 letters, digits and _=,.@+-")]
    SessionName,
    /// Shorter or longer than any session.
    #[error("the duration must be from {} to {}", format_duration(*least), format_duration(*most))]
    Duration {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// Not JSON, or not a policy.
    #[error("the session policy is not a policy document: {0}")]
    SessionPolicy(String),
    /// Longer than AWS takes.
    #[error("the session policies have {length} characters, at most {limit} are taken")]
    SessionPolicyLength {
        /// How long they are.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A scope was asked for and the role knows none.
    #[error("scope `{0}` is not one that the role gives")]
    Scope(String),
}

/// What is wrong with the claims that AWS makes a session from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionClaimsError {
    /// `https://aws.amazon.com/tags` is not of the documented form.
    #[error("session tags (`https://aws.amazon.com/tags`) {0}")]
    Tags(&'static str),
    /// `https://aws.amazon.com/source_identity` is not of the documented form.
    #[error(
        "source identity (`https://aws.amazon.com/source_identity`) must be 2 to 64 letters, digits and _=,.@+-"
    )]
    SourceIdentity,
    /// `https://aws.amazon.com/roles` is neither an ARN nor a list of ARNs.
    #[error("roles (`https://aws.amazon.com/roles`) must be an ARN or a list of ARNs")]
    Roles,
}

impl Refusal {
    /// A stable name for records, metrics and tests.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Parameter(error) => match error {
                ParameterError::SessionName => "session-name",
                ParameterError::Duration { .. } => "duration",
                ParameterError::SessionPolicy(_) => "session-policy",
                ParameterError::SessionPolicyLength { .. } => "session-policy-length",
                ParameterError::Scope(_) => "scope",
            },
            Self::UnknownIssuer(_) => "issuer-unknown",
            Self::NoIssuer => "issuer-missing",
            Self::Keys(_) => "keys-unavailable",
            Self::Token(refusal) => refusal.code(),
            Self::UnknownRole(_) => "role-unknown",
            Self::RoleRefused(_) => "role-refused",
            Self::NotInRoles => "role-not-in-claim",
            Self::SessionClaims(_) => "session-claims",
            Self::Denied(_) => "trust-denied",
            Self::Undecided(_) => "trust-unknown",
            Self::TooLong { .. } => "session-too-long",
            Self::WrongWire { .. } => "wrong-wire",
            Self::Used { .. } => "token-used",
            Self::Template(_) => "template",
            Self::Store(_) => "store",
            Self::Random(_) => "random",
            Self::Mint(_) => "mint",
        }
    }

    /// When the same request can succeed, where waiting helps.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Keys(unavailable) => Some(unavailable.after),
            Self::Store(error) => error.retry_after(),
            Self::Random(_) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}
