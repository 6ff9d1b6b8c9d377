use daypass_claims::{IdentityError, RandomError};
use daypass_issuers::{ComposeError, catalogue};
use daypass_token::discovery::DiscoveryError;
use daypass_token::sign::SignError;

use crate::keys::KeyError;

/// Why a request is refused, in process and over HTTP alike.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The catalogue has no platform of that id.
    #[error("there is no platform `{asked}`{}", near(.asked))]
    UnknownPlatform {
        /// The id that was asked for.
        asked: String,
    },
    /// An URL that no platform has for an issuer.
    #[error("`{asked}` is not an issuer of any platform")]
    UnknownIssuer {
        /// The URL that was asked for.
        asked: String,
    },
    /// The claims cannot be composed: an unknown variant, a claim that another one needs, an audience that the
    /// platform does not mint for.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The platform's issuer follows from claims that are no part of an URL, or the URL is too long.
    #[error("{platform} has no issuer `{found}`")]
    NoIssuer {
        /// The platform's id.
        platform: String,
        /// What the claims amount to.
        found: String,
    },
    /// The default audience of the platform, or a name, is none.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The token cannot be signed; it is too large, for instance.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There is no key for it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The token cannot be named.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A discovery document cannot be written.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// What jobs of the platform get cannot be put into an environment.
    #[error(
        "jobs on {platform} get their token {how}, and no variable can stand in for that: mint one instead"
    )]
    NoEnvironment {
        /// The platform's id.
        platform: String,
        /// How a job gets its token.
        how: &'static str,
    },
}

impl RequestError {
    /// A stable name for the JSON answer and for tests: lower-case words joined by dashes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownPlatform { .. } => "platform-unknown",
            Self::UnknownIssuer { .. } => "issuer-unknown",
            Self::Compose(ComposeError::UnknownVariant { .. }) => "variant-unknown",
            Self::Compose(
                ComposeError::NoAudience { .. }
                | ComposeError::FixedAudience { .. }
                | ComposeError::OneAudience { .. },
            ) => "audience-refused",
            Self::Compose(_) => "claims-incomplete",
            Self::NoIssuer { .. } => "issuer-malformed",
            Self::Identity(_) => "name-malformed",
            Self::Sign(SignError::TooLarge { .. }) => "token-too-large",
            Self::Sign(_) => "signing-failed",
            Self::Key(error) => error.code(),
            Self::Random(_) => "randomness-failed",
            Self::Discovery(_) => "discovery-failed",
            Self::NoEnvironment { .. } => "environment-impossible",
        }
    }

    /// Whether another request would have succeeded; otherwise something is wrong with this issuer.
    pub const fn is_callers(&self) -> bool {
        match self {
            Self::Key(error) => error.is_callers(),
            Self::Sign(error) => matches!(error, SignError::TooLarge { .. }),
            Self::Random(_) | Self::Discovery(_) => false,
            _ => true,
        }
    }
}

/// ` (did you mean ...?)`, where an id is near.
fn near(asked: &str) -> String {
    let ids = catalogue().platforms().iter().map(|platform| platform.id.as_str());
    let scored = ids.map(|id| (strsim::jaro_winkler(id, asked), id));
    match scored.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((score, id)) if score > 0.75 => format!(" (did you mean `{id}`?)"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_that_is_nearly_right_is_suggested() {
        let text = |asked: &str| RequestError::UnknownPlatform { asked: asked.to_owned() }.to_string();
        assert_eq!(text("github"), "there is no platform `github` (did you mean `github-actions`?)");
        assert_eq!(text("circle-ci"), "there is no platform `circle-ci` (did you mean `circleci`?)");
        assert_eq!(text("qqq"), "there is no platform `qqq`");
    }
}
