//! Discovery: how a relying party finds an issuer's keys (OpenID Connect Discovery 1.0, RFC 8414).

use daypass_claims::{Algorithm, ClaimSet, ClaimValue, Issuer, IssuerError, JsonError};
use serde::Serialize;

use crate::text::{brief, excerpt};

/// The longest document that is read, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Where OpenID Connect Discovery section 4 publishes the document: the path is *appended* to the issuer.
pub fn well_known_url(issuer: &Issuer) -> String {
    format!("{}/.well-known/openid-configuration", trimmed(issuer.as_str()))
}

/// Where RFC 8414 section 3.1 publishes it: the path is *inserted* between host and path of the issuer.
pub fn oauth_well_known_url(issuer: &Issuer) -> String {
    let text = trimmed(issuer.as_str());
    let scheme = text.find("://").map_or(0, |end| end + "://".len());
    let (scheme, rest) = text.split_at_checked(scheme).unwrap_or(("", text));
    let (host, path) = rest.find('/').and_then(|slash| rest.split_at_checked(slash)).unwrap_or((rest, ""));
    format!("{scheme}{host}/.well-known/oauth-authorization-server{path}")
}

fn trimmed(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// A discovery document: what daypass reads of one, and what it publishes.
///
/// A list that is empty is left out when the document is written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiscoveryDocument {
    issuer: Issuer,
    jwks_uri: String,
    /// Response types, `["id_token"]` for CI platforms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_types_supported: Vec<String>,
    /// Subject types; `["public"]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_types_supported: Vec<String>,
    /// The algorithms that tokens are signed with, as written: a reader keeps names that daypass does not verify.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_signing_alg_values_supported: Vec<String>,
    /// The names of the claims.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_supported: Vec<String>,
    #[serde(flatten)]
    other: ClaimSet,
}

/// The members that are fields: the rest is [`DiscoveryDocument::other`].
const FIELDS: [&str; 6] = [
    "issuer",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
    "claims_supported",
];

/// Why a document does not say where an issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Longer than is read.
    #[error("discovery document has {bytes} bytes, at most {MAX_DOCUMENT_BYTES} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not one strict JSON object.
    #[error("discovery document is not strict JSON: {0}")]
    Json(JsonError),
    /// A member that must be there.
    #[error("discovery document has no `{0}`")]
    Missing(&'static str),
    /// A member of the wrong type.
    #[error("discovery document's `{member}` is not {wanted}")]
    Type {
        /// Which member.
        member: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// It speaks for another issuer, if only by a slash (OpenID Connect Discovery section 4.3).
    #[error("discovery document is for the issuer `{found}`, not for `{expected}`")]
    IssuerMismatch {
        /// The issuer that it names, shortened.
        found: String,
        /// The configured issuer.
        expected: Issuer,
    },
    /// `jwks_uri` is not https, names no host, hides one, or has a fragment.
    #[error("`jwks_uri` cannot be fetched: {0}")]
    JwksUri(JwksUriError),
}

/// Why keys are not fetched from an URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksUriError {
    /// Not an URL of the form that issuers have, less its query.
    #[error("as an URL, {0}")]
    Form(IssuerError),
    /// On this machine, though the issuer is not: nothing there can speak for it.
    #[error("it is on loopback and the issuer is not")]
    Loopback,
    /// A fragment is never sent to a server.
    #[error("it has a fragment")]
    Fragment,
}

impl DiscoveryDocument {
    /// A document with nothing but the two members that everything needs.
    pub fn new(issuer: Issuer, jwks_uri: &str) -> Result<Self, DiscoveryError> {
        check_jwks_uri(&issuer, jwks_uri).map_err(DiscoveryError::JwksUri)?;
        Ok(Self {
            issuer,
            jwks_uri: jwks_uri.to_owned(),
            response_types_supported: Vec::new(),
            subject_types_supported: Vec::new(),
            id_token_signing_alg_values_supported: Vec::new(),
            claims_supported: Vec::new(),
            other: ClaimSet::new(),
        })
    }

    /// What a CI platform publishes: ID tokens, signed with `algorithms`, with these claims.
    pub fn for_id_tokens(
        issuer: Issuer,
        jwks_uri: &str,
        algorithms: &[Algorithm],
        claims: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, DiscoveryError> {
        Ok(Self {
            response_types_supported: vec!["id_token".to_owned()],
            id_token_signing_alg_values_supported: algorithms.iter().map(ToString::to_string).collect(),
            claims_supported: claims.into_iter().map(Into::into).collect(),
            ..Self::new(issuer, jwks_uri)?
        })
    }

    /// Sets a member that has no field of its own (`token_endpoint`, `scopes_supported`). One that has is left alone.
    pub fn with(mut self, member: &str, value: impl Into<ClaimValue>) -> Self {
        if !FIELDS.contains(&member) {
            self.other.insert(member, value);
        }
        self
    }

    /// Reads a document that was fetched for `expected`, of either standard.
    ///
    /// Its `issuer` must be `expected`, byte for byte: it is what keeps one issuer from handing out keys for another.
    pub fn parse(document: &[u8], expected: &Issuer) -> Result<Self, DiscoveryError> {
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(DiscoveryError::TooLarge { bytes: document.len() });
        }
        let mut members =
            ClaimSet::from_json(document).map_err(|error| DiscoveryError::Json(brief(error)))?;
        let issuer = text(&mut members, "issuer")?;
        if issuer != expected.as_str() {
            let found = excerpt(&issuer);
            return Err(DiscoveryError::IssuerMismatch { found, expected: expected.clone() });
        }
        let jwks_uri = text(&mut members, "jwks_uri")?;
        Ok(Self {
            response_types_supported: list(&mut members, "response_types_supported")?,
            subject_types_supported: list(&mut members, "subject_types_supported")?,
            id_token_signing_alg_values_supported: list(
                &mut members,
                "id_token_signing_alg_values_supported",
            )?,
            claims_supported: list(&mut members, "claims_supported")?,
            other: members,
            ..Self::new(expected.clone(), &jwks_uri)?
        })
    }

    /// Whose document it is.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Members that have no field of their own.
    pub const fn other(&self) -> &ClaimSet {
        &self.other
    }

    /// Where the keys are: https, or loopback http for a loopback issuer. The host may be another than the issuer's;
    /// whether its address may be connected to is for whoever connects.
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }
}

/// Holds an URL to the rules for issuers, with a query allowed.
fn check_jwks_uri(issuer: &Issuer, uri: &str) -> Result<(), JwksUriError> {
    if uri.contains('#') {
        return Err(JwksUriError::Fragment);
    }
    let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
    if let Some(c) = query.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return Err(JwksUriError::Form(IssuerError::Character(u32::from(c))));
    }
    let base = Issuer::parse(base).map_err(JwksUriError::Form)?;
    if base.is_loopback() && !issuer.is_loopback() {
        return Err(JwksUriError::Loopback);
    }
    Ok(())
}

fn text(members: &mut ClaimSet, member: &'static str) -> Result<String, DiscoveryError> {
    match members.remove(member) {
        None => Err(DiscoveryError::Missing(member)),
        Some(ClaimValue::String(text)) => Ok(text),
        Some(_) => Err(DiscoveryError::Type { member, wanted: "a string" }),
    }
}

fn list(members: &mut ClaimSet, member: &'static str) -> Result<Vec<String>, DiscoveryError> {
    let wrong = DiscoveryError::Type { member, wanted: "a list of strings" };
    let Some(value) = members.remove(member) else { return Ok(Vec::new()) };
    let ClaimValue::Array(items) = value else { return Err(wrong) };
    items
        .into_iter()
        .map(|item| match item {
            ClaimValue::String(text) => Ok(text),
            _ => Err(wrong.clone()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Issuer {
        Issuer::parse(text).unwrap()
    }

    fn parse(json: &str) -> Result<DiscoveryDocument, DiscoveryError> {
        DiscoveryDocument::parse(json.as_bytes(), &issuer("https://a.example/org/1"))
    }

    #[test]
    fn the_two_standards_put_the_document_in_two_places() {
        let circle = issuer("https://oidc.circleci.com/org/1");
        assert_eq!(
            well_known_url(&circle),
            "https://oidc.circleci.com/org/1/.well-known/openid-configuration"
        );
        assert_eq!(
            oauth_well_known_url(&circle),
            "https://oidc.circleci.com/.well-known/oauth-authorization-server/org/1"
        );
        let slash = issuer("https://a.example:8443/");
        assert_eq!(well_known_url(&slash), "https://a.example:8443/.well-known/openid-configuration");
        assert_eq!(
            oauth_well_known_url(&slash),
            "https://a.example:8443/.well-known/oauth-authorization-server"
        );
    }

    #[test]
    fn a_platform_like_document_is_written_and_read_back() {
        let issuer = issuer("https://a.example/org/1");
        let written = DiscoveryDocument::for_id_tokens(
            issuer.clone(),
            "https://a.example/org/1/.well-known/jwks-pub.json",
            &[Algorithm::RS256],
            ["aud", "sub", "iss"],
        )
        .unwrap()
        .with("token_endpoint", "https://a.example/token");
        let json = serde_json::to_string(&written).unwrap();
        insta::assert_snapshot!(json, @r#"{"issuer":"https://a.example/org/1","jwks_uri":"https://a.example/org/1/.well-known/jwks-pub.json","response_types_supported":["id_token"],"id_token_signing_alg_values_supported":["RS256"],"claims_supported":["aud","sub","iss"],"token_endpoint":"https://a.example/token"}"#);
        assert_eq!(DiscoveryDocument::parse(json.as_bytes(), &issuer), Ok(written.clone()));
        assert_eq!(written.clone().with("issuer", "https://b.example"), written);
    }

    #[test]
    fn each_refusal_has_its_reason() {
        use DiscoveryError as E;
        let missing = r#"{"issuer":"https://a.example/org/1"}"#;
        assert_eq!(parse(missing), Err(E::Missing("jwks_uri")));
        assert_eq!(parse("{}"), Err(E::Missing("issuer")));
        assert_eq!(parse(r#"{"issuer":1}"#), Err(E::Type { member: "issuer", wanted: "a string" }));
        assert!(matches!(parse(r#"{"issuer":"x","issuer":"y"}"#), Err(E::Json(_))));
        assert!(matches!(parse("[]"), Err(E::Json(_))));
        let large = format!("{{\"issuer\":\"{}\"}}", "x".repeat(MAX_DOCUMENT_BYTES));
        assert_eq!(parse(&large), Err(E::TooLarge { bytes: large.len() }));
        let claims =
            r#"{"issuer":"https://a.example/org/1","jwks_uri":"https://a.example/k","claims_supported":[1]}"#;
        assert_eq!(parse(claims), Err(E::Type { member: "claims_supported", wanted: "a list of strings" }));
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        for found in ["https://a.example/org/1/", "https://A.example/org/1", "https://a.example/org/12", ""] {
            let json = format!(r#"{{"issuer":"{found}","jwks_uri":"https://a.example/k"}}"#);
            assert!(
                matches!(parse(&json), Err(DiscoveryError::IssuerMismatch { found: f, .. }) if f == found),
                "{found}"
            );
        }
    }

    #[test]
    fn keys_come_over_https_or_from_the_loopback_of_a_loopback_issuer() {
        let check = |issuer_url: &str, uri: &str| check_jwks_uri(&issuer(issuer_url), uri);
        let public = "https://a.example";
        let local = "http://127.0.0.1:9000";
        assert_eq!(check(public, "https://keys.other.example/jwks?v=1"), Ok(()));
        assert_eq!(check(local, "http://localhost:9000/jwks"), Ok(()));
        assert_eq!(check(public, "http://a.example/jwks"), Err(JwksUriError::Form(IssuerError::Scheme)));
        assert_eq!(check(public, "file:///etc/passwd"), Err(JwksUriError::Form(IssuerError::Scheme)));
        assert_eq!(
            check(public, "https://a.example@evil.example/"),
            Err(JwksUriError::Form(IssuerError::UserInfo))
        );
        assert_eq!(
            check(public, "https://a.example/k?a b"),
            Err(JwksUriError::Form(IssuerError::Character(32)))
        );
        assert_eq!(check(public, "https://a.example/k#x"), Err(JwksUriError::Fragment));
        for uri in ["http://127.0.0.1/jwks", "https://localhost/jwks", "http://[::1]/jwks"] {
            assert_eq!(check(public, uri), Err(JwksUriError::Loopback), "{uri}");
        }
    }
}
