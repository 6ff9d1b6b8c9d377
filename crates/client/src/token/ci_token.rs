use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use daypass_claims::{Audience, ClaimSet, ClaimValue, Number, Timestamp};
use daypass_issuers::{Escapes, Platform};
use daypass_token::UnverifiedToken;

use super::TokenError;
use crate::Secret;

/// The longest token that AWS and daypass take, in bytes.
const LONGEST: usize = 20_000;

/// How long after its end some server may still take a token: AWS does so for five minutes.
const LEEWAY: Duration = Duration::from_secs(300);

/// A token of the CI platform, as it goes to the exchange.
///
/// Its claims are read for messages and names only. Whether they are true is the server's business.
#[derive(Clone)]
pub struct CiToken {
    text: Secret,
    origin: Origin,
    claims: Option<ClaimSet>,
    platform: Option<&'static Platform>,
}

/// Where a token came from, in the words of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Variable(String),
    /// A file.
    File(PathBuf),
    /// A token service, by its host.
    Service(String),
    /// The output of a program.
    Program(String),
}

impl CiToken {
    /// Takes what a platform handed out. Line ends behind it are not part of it.
    pub(crate) fn parse(text: &str, origin: Origin) -> Result<Self, TokenError> {
        let text = text.trim_end_matches(['\r', '\n']);
        let malformed = |problem| TokenError::Malformed { origin: origin.clone(), problem };
        if text.is_empty() {
            return Err(malformed("nothing"));
        }
        if text.len() > LONGEST {
            return Err(malformed("more than 20,000 bytes"));
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(malformed("text with white space"));
        }
        let claims = UnverifiedToken::parse(text).ok().map(|token| token.unverified_claims().clone());
        Ok(Self { text: Secret::new(text), origin, claims, platform: None })
    }

    /// The token itself.
    pub const fn secret(&self) -> &Secret {
        &self.text
    }

    /// Where it came from.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What it says; `None` if it is no JWT that daypass would accept.
    pub const fn claims(&self) -> Option<&ClaimSet> {
        self.claims.as_ref()
    }

    /// When it ends, if it says so.
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self.claims.as_ref()?.get("exp")? {
            ClaimValue::Number(Number::Integer(seconds)) => {
                i64::try_from(*seconds).ok().map(Timestamp::from_secs)
            }
            _ => None,
        }
    }

    /// The run that the job is part of, by the platform's own id, if both are known.
    pub fn run(&self) -> Option<String> {
        let (claims, run) = (self.claims.as_ref()?, self.platform?.selectors.run.as_ref()?);
        run.render(&Escapes::new(), |name| claims.get(name)).ok()
    }

    /// The platform, if it is known.
    pub const fn platform(&self) -> Option<&'static Platform> {
        self.platform
    }

    pub(super) const fn of_platform(mut self, platform: Option<&'static Platform>) -> Self {
        self.platform = platform;
        self
    }

    /// Refuses a token that has been over for so long that nobody would take it, rather than showing it around.
    pub(super) fn not_over(self, now: Timestamp) -> Result<Self, TokenError> {
        match self.expires_at() {
            Some(at) if at + LEEWAY < now => Err(TokenError::Ended { origin: self.origin, at }),
            _ => Ok(self),
        }
    }

    /// Refuses a token that is addressed to others. One that does not say passes; the server will tell.
    pub(super) fn for_audience(self, wanted: Option<&Audience>, remedy: &str) -> Result<Self, TokenError> {
        let (Some(wanted), Some(claims)) = (wanted, &self.claims) else { return Ok(self) };
        let found: Vec<String> = match claims.get("aud") {
            Some(ClaimValue::String(one)) => vec![one.clone()],
            Some(ClaimValue::Array(several)) => {
                several.iter().filter_map(ClaimValue::as_str).map(str::to_owned).collect()
            }
            _ => return Ok(self),
        };
        if found.iter().any(|audience| audience == wanted.as_str()) {
            return Ok(self);
        }
        let (origin, wanted, remedy) = (self.origin, wanted.clone(), remedy.to_owned());
        Err(TokenError::WrongAudience { origin, wanted, found, remedy })
    }
}

impl fmt::Debug for CiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CiToken({:?} in {})", self.text, self.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) | Self::Service(name) | Self::Program(name) => write!(f, "`{name}`"),
            Self::File(path) => write!(f, "`{}`", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{NOW, token};

    fn origin() -> Origin {
        Origin::Variable("X".into())
    }

    fn parse(text: &str) -> Result<CiToken, TokenError> {
        CiToken::parse(text, origin())
    }

    fn audience(text: &str) -> Audience {
        Audience::parse(text).unwrap()
    }

    #[test]
    fn line_ends_are_not_part_of_a_token() {
        assert_eq!(parse("a.b.c\r\n").unwrap().secret().expose(), "a.b.c");
        assert_eq!(parse("a.b.c\n\n").unwrap().secret().expose(), "a.b.c");
    }

    #[test]
    fn what_cannot_be_a_token_is_refused_without_showing_it() {
        let long = "x".repeat(LONGEST + 1);
        for (text, problem) in [
            ("\n", "nothing"),
            ("hush hush", "text with white space"),
            ("hush\nhush", "text with white space"),
            (long.as_str(), "more than 20,000 bytes"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, TokenError::Malformed { origin: origin(), problem });
            assert!(!error.to_string().contains("hush"));
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let printed = format!("{:?}", parse("hush.hush.hush").unwrap());
        assert!(!printed.contains("hush"), "{printed}");
    }

    #[test]
    fn a_token_that_nobody_would_take_is_not_shown_around() {
        let token = parse(&token(&json!({"exp": NOW.as_secs()}))).unwrap();
        assert!(token.clone().not_over(NOW + LEEWAY).is_ok());
        let error = token.not_over(NOW + LEEWAY + Duration::from_secs(1)).unwrap_err();
        assert_eq!(error, TokenError::Ended { origin: origin(), at: NOW });
        assert!(parse("opaque").unwrap().not_over(NOW).is_ok());
    }

    #[test]
    fn audiences_are_compared_where_the_token_names_them() {
        for (aud, fits) in [
            (json!("sts"), true),
            (json!(["other", "sts"]), true),
            (json!("other"), false),
            (json!(["other", "another"]), false),
            (json!([]), false),
            (json!(7), true),
        ] {
            let token = parse(&token(&json!({"aud": aud, "exp": 5}))).unwrap();
            assert_eq!(token.expires_at(), Some(Timestamp::from_secs(5)));
            assert_eq!(token.for_audience(Some(&audience("sts")), "").is_ok(), fits, "{aud}");
        }
        let other = parse(&token(&json!({"aud": "other"}))).unwrap();
        assert!(other.clone().for_audience(None, "").is_ok());
        assert_eq!(other.expires_at(), None);
        assert!(parse("opaque").unwrap().for_audience(Some(&audience("sts")), "").is_ok());
        assert_eq!(
            other.for_audience(Some(&audience("sts")), "; do this").unwrap_err().to_string(),
            "the token in `X` is addressed to `other`, not to `sts`; do this"
        );
    }
}
