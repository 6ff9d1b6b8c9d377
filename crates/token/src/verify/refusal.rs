use std::time::Duration;

use daypass_claims::{Audience, IdentityError, Issuer, Timestamp, format_duration};

use super::{TimeError, TokenKind};
use crate::form::FormError;
use crate::key_set::SelectError;
use crate::text::excerpt;

/// Why a token was refused: one variant per reason.
///
/// The texts hold what the token itself says and what the clock says, never the token and never what was expected of
/// it, so they may be shown to whoever presented it. What was expected is in the fields and in
/// [`expected`](Self::expected), for the operator's record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a token that daypass reads.
    #[error(transparent)]
    Form(#[from] FormError),
    /// Another issuer's, or no key to check it with.
    #[error(transparent)]
    Key(#[from] SelectError),
    /// The keys were selected from another issuer's set.
    #[error("the keys at hand are not this issuer's")]
    ForeignKeys {
        /// Whose they are.
        keys_of: Issuer,
    },
    /// The signature does not hold.
    #[error("signature does not match the issuer's key")]
    Signature,
    /// `typ` is of another kind of token.
    #[error("token has the type `{found}` (`typ`), which is not accepted here")]
    Type {
        /// The `typ`, shortened.
        found: String,
        /// The kind that was expected.
        kind: TokenKind,
    },
    /// An access token without `typ`.
    #[error("token has no type (`typ`); an access token has `at+jwt`")]
    TypeMissing,
    /// `crit` lists extensions; daypass knows none.
    #[error("token must not be accepted without understanding `{extensions}` (`crit`)")]
    Critical {
        /// What it lists, shortened.
        extensions: String,
    },
    /// `crit` is empty or is not a list of names.
    #[error("`crit` is not a list of at least one extension name")]
    CriticalMalformed,
    /// `cnf`: the token is bound to a key.
    #[error("token is bound to a key (`cnf`), and no proof of holding it can be given here")]
    Confirmation,
    /// `exp`, `nbf` or `iat` is not a time.
    #[error("`{claim}` is not a time: {reason}")]
    Time {
        /// Which claim.
        claim: &'static str,
        /// What is wrong with it.
        reason: TimeError,
    },
    /// No `exp`: the token would be good for ever.
    #[error("token has no expiry (`exp`)")]
    ExpiryMissing,
    /// Past `exp` and leeway.
    #[error("token expired at {expired_at}; it is {now}")]
    Expired {
        /// The `exp`.
        expired_at: Timestamp,
        /// The verifier's clock.
        now: Timestamp,
    },
    /// Before `nbf` and leeway.
    #[error("token is not valid before {not_before} (`nbf`); it is {now}")]
    NotYetValid {
        /// The `nbf`.
        not_before: Timestamp,
        /// The verifier's clock.
        now: Timestamp,
    },
    /// No `iat`: age and lifetime cannot be known.
    #[error("token does not say when it was issued (`iat`)")]
    IssuedAtMissing,
    /// `iat` is in the future, beyond leeway.
    #[error("token was issued in the future, at {issued_at} (`iat`); it is {now}")]
    IssuedInFuture {
        /// The `iat`.
        issued_at: Timestamp,
        /// The verifier's clock.
        now: Timestamp,
    },
    /// `exp` is not after `iat`.
    #[error("token expires at {expires_at}, which is not after its issue at {issued_at}")]
    ExpiresBeforeIssue {
        /// The `iat`.
        issued_at: Timestamp,
        /// The `exp`.
        expires_at: Timestamp,
    },
    /// `exp - iat` is over the limit.
    #[error("token lives {}, which is too long", format_duration(*.lifetime))]
    Lifetime {
        /// `exp - iat`.
        lifetime: Duration,
        /// The longest accepted.
        limit: Duration,
    },
    /// `iat` is too long ago.
    #[error("token was issued at {issued_at}, which is too long ago; it is {now}")]
    TooOld {
        /// The `iat`.
        issued_at: Timestamp,
        /// The verifier's clock.
        now: Timestamp,
        /// The greatest age accepted.
        limit: Duration,
    },
    /// No `aud`: the token is addressed to nobody.
    #[error("token has no audience (`aud`)")]
    AudienceMissing,
    /// `aud` is an empty list.
    #[error("token has an empty list of audiences (`aud`)")]
    AudienceEmpty,
    /// `aud` is neither a string nor a list of strings.
    #[error("audience (`aud`) is or holds {kind}; it is a string or a list of strings")]
    AudienceType {
        /// What was found.
        kind: &'static str,
    },
    /// An audience is empty, too long or holds control characters.
    #[error("audience (`aud`): {0}")]
    Audience(IdentityError),
    /// More audiences than one, from an issuer that is not configured for it.
    #[error("token is addressed to {count} audiences; it must be addressed to one alone")]
    SeveralAudiences {
        /// How many.
        count: usize,
    },
    /// None of the audiences is ours.
    #[error("token is addressed to {} (`aud`), which is not accepted here", list(.audiences))]
    AudienceMismatch {
        /// The token's.
        audiences: Vec<Audience>,
        /// Ours.
        expected: Vec<Audience>,
    },
    /// No `sub`.
    #[error("token has no subject (`sub`)")]
    SubjectMissing,
    /// `sub` is not a string.
    #[error("subject (`sub`) is {kind}, not a string")]
    SubjectType {
        /// What it is.
        kind: &'static str,
    },
    /// `sub` is empty, too long or holds control characters.
    #[error("subject (`sub`): {0}")]
    Subject(IdentityError),
    /// A claim that this kind of token must have is absent, empty or not a string (RFC 9068 section 2.2).
    #[error("access token has no `{claim}`")]
    ClaimMissing {
        /// Which claim.
        claim: &'static str,
    },
}

impl Refusal {
    /// A stable name for records, metrics and tests: lower-case words joined by dashes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Form(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::ForeignKeys { .. } => "keys-of-another-issuer",
            Self::Signature => "signature-invalid",
            Self::Type { .. } => "type-not-accepted",
            Self::TypeMissing => "type-missing",
            Self::Critical { .. } => "critical-extension",
            Self::CriticalMalformed => "critical-malformed",
            Self::Confirmation => "key-bound",
            Self::Time { .. } => "time-malformed",
            Self::ExpiryMissing => "expiry-missing",
            Self::Expired { .. } => "token-expired",
            Self::NotYetValid { .. } => "token-not-yet-valid",
            Self::IssuedAtMissing => "issued-at-missing",
            Self::IssuedInFuture { .. } => "issued-in-future",
            Self::ExpiresBeforeIssue { .. } => "expires-before-issue",
            Self::Lifetime { .. } => "lifetime-too-long",
            Self::TooOld { .. } => "token-too-old",
            Self::AudienceMissing => "audience-missing",
            Self::AudienceEmpty => "audience-empty",
            Self::AudienceType { .. } | Self::Audience(_) => "audience-malformed",
            Self::SeveralAudiences { .. } => "audience-several",
            Self::AudienceMismatch { .. } => "audience-mismatch",
            Self::SubjectMissing => "subject-missing",
            Self::SubjectType { .. } | Self::Subject(_) => "subject-malformed",
            Self::ClaimMissing { .. } => "claim-missing",
        }
    }

    /// What would have been right, for the operator; it is not for the caller, who might be guessing.
    pub fn expected(&self) -> Option<String> {
        match self {
            Self::Key(SelectError::IssuerMismatch { expected, .. }) => Some(format!("issuer `{expected}`")),
            Self::Key(SelectError::AlgorithmNotAllowed { allowed, .. }) => {
                let names: Vec<&str> = allowed.iter().map(|algorithm| algorithm.as_str()).collect();
                Some(format!("one of the algorithms {}", names.join(", ")))
            }
            Self::Key(SelectError::KeyAlgorithm { key, .. }) => {
                let names: Vec<&str> = key.iter().map(|algorithm| algorithm.as_str()).collect();
                Some(format!("the key's algorithm, {}", names.join(" or ")))
            }
            Self::Type { kind: TokenKind::CiIdToken, .. } => Some("`typ` absent or `JWT`".to_owned()),
            Self::Type { kind: TokenKind::AccessToken, .. } => Some("`typ` of `at+jwt`".to_owned()),
            Self::Lifetime { limit, .. } => {
                Some(format!("a lifetime of at most {}", format_duration(*limit)))
            }
            Self::TooOld { limit, .. } => Some(format!("an age of at most {}", format_duration(*limit))),
            Self::AudienceMismatch { expected, .. } if expected.is_empty() => {
                Some("nothing: no audience is configured".to_owned())
            }
            Self::AudienceMismatch { expected, .. } => Some(format!("audience {}", list(expected))),
            Self::SeveralAudiences { .. } => {
                Some("one audience, or `multiple_audiences = true` for the issuer".to_owned())
            }
            _ => None,
        }
    }
}

fn list(audiences: &[Audience]) -> String {
    let quoted: Vec<String> =
        audiences.iter().take(4).map(|audience| format!("`{}`", excerpt(audience.as_str()))).collect();
    match audiences.len().saturating_sub(4) {
        0 => quoted.join(", "),
        more => format!("{} and {more} more", quoted.join(", ")),
    }
}
