//! What is asked of `POST /mint`, for both sides of it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use daypass_claims::{Audience, ClaimName, ClaimValue, DurationError, KeyId, parse_signed_duration};
use daypass_issuers::Override;
use serde::{Deserialize, Serialize};

use super::wire::Wire;

/// Who a token is for when nobody says: AWS, as in most trust policies.
pub const DEFAULT_AUDIENCE: &str = "sts.amazonaws.com";

/// A token to be minted.
///
/// In JSON, a claim of `null` is taken out of the token; claims that are to *be* null are listed in `null`:
///
/// ```json
/// {
///   "platform": "github-actions", "variant": "pull-request",
///   "claims": {"repository": "acme/web", "environment": "production", "jti": null}, "null": ["head_ref"],
///   "audience": "sts.example.com", "lifetime": 60,
///   "key": "rogue", "key_of": "gitlab-com", "kid": "of-ones-own", "alg": "HS256"
/// }
/// ```
///
/// Only `platform` is required. The last four make tokens that must be refused everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Wire", try_from = "Wire")]
pub struct MintRequest {
    /// The platform's id in the catalogue.
    pub platform: String,
    /// Which job it is; a push to main if not given.
    pub variant: Option<String>,
    /// Claims and parts that differ from the variant's; what follows from them follows. An `iss` that is one of the
    /// platform's issuers chooses the issuer and its key; any other is written into the token as it is.
    pub claims: BTreeMap<ClaimName, Override>,
    /// `None`: [`DEFAULT_AUDIENCE`], or the only one where the platform has a fixed one. Empty: the platform's default.
    pub audience: Option<Vec<Audience>>,
    /// Seconds from now to the expiry; the platform's usual lifetime if not given. The token is issued now, or five
    /// minutes before its expiry where that is earlier: with a negative value it was good once.
    pub lifetime: Option<i64>,
    /// Which of the issuer's keys signs.
    pub key: KeyChoice,
    /// Whose keys: a platform's id, or the URL of an issuer. The token's own issuer if not given.
    pub key_of: Option<String>,
    /// What the header calls the key; its name if not given.
    pub kid: Option<KeyId>,
    /// A signature that is none.
    pub alg: Option<ForgedAlgorithm>,
}

/// The answer of `POST /mint`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintReply {
    /// The token, in compact form.
    pub token: String,
}

/// The answer of `POST /job`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobReply {
    /// Variables by which a program takes itself to be in the job and gets its token.
    pub environment: BTreeMap<String, String>,
}

/// The answer to a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorReply {
    /// A stable name for the reason: lower-case words joined by dashes.
    pub error: String,
    /// The reason in words.
    pub message: String,
}

/// Which of an issuer's keys signs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyChoice {
    /// The one that the issuer signs with.
    #[default]
    Current,
    /// One that the issuer published once and does no more.
    Retired,
    /// One that the issuer never published, under the name of the current one: a forgery that only the signature
    /// gives away.
    Rogue,
}

/// Signatures that prove nothing, which verifiers have been made to accept before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ForgedAlgorithm {
    /// No signature at all (`alg` is `none`).
    #[serde(rename = "none")]
    None,
    /// An HMAC with the public key, as PEM, for a secret: good for whoever takes the algorithm from the token.
    HS256,
}

/// A word that is none of those there are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {known}")]
pub struct UnknownWord {
    found: String,
    known: &'static str,
}

impl UnknownWord {
    pub(crate) fn new(found: &str, known: &'static str) -> Self {
        Self { found: found.to_owned(), known }
    }
}

impl MintRequest {
    /// The token of the platform's usual job.
    pub fn new(platform: impl Into<String>) -> Self {
        Self {
            platform: platform.into(),
            variant: None,
            claims: BTreeMap::new(),
            audience: None,
            lifetime: None,
            key: KeyChoice::Current,
            key_of: None,
            kid: None,
            alg: None,
        }
    }

    /// Another job.
    pub fn variant(mut self, variant: impl Into<String>) -> Self {
        self.variant = Some(variant.into());
        self
    }

    /// With this claim.
    pub fn claim(mut self, name: impl Into<ClaimName>, value: impl Into<ClaimValue>) -> Self {
        self.claims.insert(name.into(), Override::Set(value.into()));
        self
    }

    /// Without this claim.
    pub fn without(mut self, name: impl Into<ClaimName>) -> Self {
        self.claims.insert(name.into(), Override::Remove);
        self
    }

    /// For this audience, in addition to those named before.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience.get_or_insert_default().push(audience);
        self
    }

    /// Expiring in so many seconds.
    pub const fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// Signed with another key of the issuer.
    pub const fn key(mut self, key: KeyChoice) -> Self {
        self.key = key;
        self
    }
}

/// Reads a lifetime as `--lifetime` takes it, `5m` or `-10m`, in seconds.
pub fn parse_lifetime(text: &str) -> Result<i64, DurationError> {
    let (negative, duration) = parse_signed_duration(text)?;
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Ok(if negative { -seconds } else { seconds })
}

impl FromStr for KeyChoice {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "current" => Ok(Self::Current),
            "retired" => Ok(Self::Retired),
            "rogue" => Ok(Self::Rogue),
            _ => Err(UnknownWord::new(text, "current, retired and rogue")),
        }
    }
}

impl FromStr for ForgedAlgorithm {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "none" => Ok(Self::None),
            "HS256" => Ok(Self::HS256),
            _ => Err(UnknownWord::new(text, "none and HS256")),
        }
    }
}

/// The token is a bearer credential of whatever accepts it.
impl fmt::Debug for MintReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintReply").finish_non_exhaustive()
    }
}

/// Shows which variables there are, without their values: some are tokens.
impl fmt::Debug for JobReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.environment.keys().collect();
        f.debug_struct("JobReply").field("environment", &names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lifetimes_of_the_command_line() {
        assert_eq!(parse_lifetime("5m"), Ok(300));
        assert_eq!(parse_lifetime("-10m"), Ok(-600));
        assert!(parse_lifetime("5").is_err());
        assert_eq!("rogue".parse(), Ok(KeyChoice::Rogue));
        assert_eq!("none".parse(), Ok(ForgedAlgorithm::None));
        let refusal = "Rogue".parse::<KeyChoice>().unwrap_err();
        assert_eq!(refusal.to_string(), "`Rogue` is not one of current, retired and rogue");
        assert!("RS256".parse::<ForgedAlgorithm>().is_err());
    }

    #[test]
    fn debug_shows_no_token() {
        let reply = MintReply { token: "secret".to_owned() };
        let job = JobReply { environment: [("X".to_owned(), "secret".to_owned())].into() };
        assert!(!format!("{reply:?}{job:?}").contains("secret"));
    }
}
