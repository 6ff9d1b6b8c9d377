use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The issuer of a token (`iss`): an URL that is compared byte for byte, never normalised.
///
/// `https://issuer.example` and `https://issuer.example/` are two issuers (OpenID Connect Discovery section 4.3,
/// RFC 8414 section 3.3).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(Arc<str>);

/// Why an URL cannot be an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// Longer than AWS, the strictest verifier, registers.
    #[error("issuer has {0} bytes, at most 255 are allowed")]
    TooLong(usize),
    /// Neither `https` nor loopback `http`.
    #[error("issuer must be an https URL (http only on loopback, for development)")]
    Scheme,
    /// Nothing between the scheme and the path.
    #[error("issuer has no host")]
    NoHost,
    /// `https://github.com@evil.example`: what looks like the host is a user name.
    #[error("issuer must not hold user information before the host (`@`)")]
    UserInfo,
    /// A query or fragment.
    #[error("issuer must not hold a query or a fragment")]
    QueryOrFragment,
    /// White space, control characters or a backslash.
    #[error("issuer holds a character that no URL holds (U+{0:04X})")]
    Character(u32),
}

impl Issuer {
    /// Checks the form that OpenID Connect Discovery section 3 asks for; the text itself is kept unchanged.
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        if text.len() > 255 {
            return Err(IssuerError::TooLong(text.len()));
        }
        if let Some(c) =
            text.chars().find(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>'))
        {
            return Err(IssuerError::Character(u32::from(c)));
        }
        let (rest, http) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => return Err(IssuerError::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(IssuerError::QueryOrFragment);
        }
        let authority = rest.split('/').next().unwrap_or_default();
        if authority.contains('@') {
            return Err(IssuerError::UserInfo);
        }
        if authority.is_empty() || authority.starts_with(':') {
            return Err(IssuerError::NoHost);
        }
        if http && !is_loopback(authority) {
            return Err(IssuerError::Scheme);
        }
        Ok(Self(Arc::from(text)))
    }

    /// The text as it stands in the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The issuer without its scheme: how AWS names the provider in ARNs and condition keys
    /// (`token.actions.githubusercontent.com`, `oidc.circleci.com/org/ORG_ID`). A trailing slash is kept.
    pub fn host_and_path(&self) -> &str {
        self.0.split_once("://").map_or(&*self.0, |(_, rest)| rest)
    }

    /// The host, without port and path.
    pub fn host(&self) -> &str {
        host_of(self.host_and_path().split('/').next().unwrap_or_default())
    }

    /// Whether the issuer lives on this machine, as development issuers do.
    pub fn is_loopback(&self) -> bool {
        is_loopback(self.host_and_path().split('/').next().unwrap_or_default())
    }
}

fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({:?})", &*self.0)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Issuer {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Issuer {
    type Err = IssuerError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Issuer {
    type Error = IssuerError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_is_another_issuer() {
        assert_ne!(Issuer::parse("https://a.example"), Issuer::parse("https://a.example/"));
    }

    #[test]
    fn what_only_looks_like_the_host_is_refused() {
        assert_eq!(Issuer::parse("https://github.com@evil.example"), Err(IssuerError::UserInfo));
        assert_eq!(Issuer::parse("https://github.com\\@evil.example"), Err(IssuerError::Character(92)));
    }

    #[test]
    fn http_is_for_loopback_only() {
        for good in [
            "http://127.0.0.1:8090/github",
            "http://localhost",
            "http://[::1]:9/x",
            "https://a.example:8443/p",
        ] {
            assert!(Issuer::parse(good).is_ok(), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.evil.example", "ftp://a.example", "a.example", ""] {
            assert_eq!(Issuer::parse(bad), Err(IssuerError::Scheme), "{bad}");
        }
        assert_eq!(Issuer::parse("https:///path"), Err(IssuerError::NoHost));
        assert_eq!(Issuer::parse("https://a.example?x"), Err(IssuerError::QueryOrFragment));
        assert_eq!(Issuer::parse("https://a.example#x"), Err(IssuerError::QueryOrFragment));
    }

    #[test]
    fn aws_names_the_provider_without_scheme_and_keeps_the_slash() {
        let issuer = Issuer::parse("https://a.example/tenant/").unwrap();
        assert_eq!(issuer.host_and_path(), "a.example/tenant/");
        assert_eq!(issuer.host(), "a.example");
    }
}
