//! Minting: from a request to a token.

mod claim;
mod forge;
mod request;
mod wire;

use std::time::Duration;

use daypass_claims::{Audience, ClaimName, ClaimSet, ClaimValue, Timestamp};
use daypass_issuers::{AudienceChoice, MintFacts, Override, Platform, catalogue};
use daypass_token::sign::{SigningKey, TokenHeader};

use crate::address::Played;
use crate::error::RequestError;
use crate::issuer::DevIssuer;
use crate::keys::renamed;

pub use claim::{ClaimArgumentError, parse_claim};
pub use request::{
    DEFAULT_AUDIENCE, ErrorReply, ForgedAlgorithm, JobReply, KeyChoice, MintReply, MintRequest, UnknownWord,
    parse_lifetime,
};

/// How long before its expiry a token is issued that does not live longer from now on.
const LEAST_LIFE: Duration = Duration::from_secs(300);

impl DevIssuer {
    /// Mints a token.
    ///
    /// Makes the issuer's key if it has none, which takes a moment (RSA): not for the threads of a reactor.
    pub fn mint(&self, request: &MintRequest) -> Result<MintReply, RequestError> {
        let platform = platform(&request.platform)?;
        let mint = Mint::new(self, platform, request)?;
        let played = mint.issuer()?;
        let claims = mint.claims(Some(&played))?;
        let signer = match &request.key_of {
            None => played,
            Some(other) => self.named(other)?,
        };
        let token = self.sign(request, &signer, &claims)?;
        tracing::debug!(platform = %platform.id, issuer = %signer.issuer, "minted a development token");
        Ok(MintReply { token })
    }

    /// The issuer that a platform's id or an issuer's URL stands for.
    pub(crate) fn named(&self, name: &str) -> Result<Played, RequestError> {
        if name.contains("://") {
            let unknown = || RequestError::UnknownIssuer { asked: name.to_owned() };
            return self.addresses().of_url(name).ok_or_else(unknown);
        }
        self.played(&MintRequest::new(name))
    }

    /// The issuer of the token that is asked for.
    pub(crate) fn played(&self, request: &MintRequest) -> Result<Played, RequestError> {
        Mint::new(self, platform(&request.platform)?, request)?.issuer()
    }

    fn sign(
        &self,
        request: &MintRequest,
        signer: &Played,
        claims: &ClaimSet,
    ) -> Result<String, RequestError> {
        let key = self.with_keys(signer, |ring, maker| match request.key {
            KeyChoice::Current => ring.current(maker),
            KeyChoice::Retired => ring.retired(maker),
            KeyChoice::Rogue => ring.rogue(maker).map(Into::into),
        })?;
        if let Some(algorithm) = request.alg {
            let key_id = request.kid.as_ref().unwrap_or(key.key_id());
            return Ok(forge::forge(algorithm, &key, key_id, claims)?);
        }
        let header = TokenHeader::new("JWT");
        let sign = |key: &SigningKey| Ok(key.sign(&header, claims)?);
        match &request.kid {
            None => sign(&key),
            Some(key_id) => sign(&renamed(&key, key_id.clone())?),
        }
    }
}

pub(crate) fn platform(id: &str) -> Result<&'static Platform, RequestError> {
    catalogue().platform(id).ok_or_else(|| RequestError::UnknownPlatform { asked: id.to_owned() })
}

/// A token in the making.
struct Mint<'m> {
    dev: &'m DevIssuer,
    platform: &'static Platform,
    request: &'m MintRequest,
    /// The issuer of the platform that the request's `iss` names, if it does.
    chosen: Option<Played>,
    audiences: Vec<Audience>,
    token_id: String,
    issued_at: Timestamp,
    lifetime: Option<Duration>,
}

impl<'m> Mint<'m> {
    fn new(
        dev: &'m DevIssuer,
        platform: &'static Platform,
        request: &'m MintRequest,
    ) -> Result<Self, RequestError> {
        let audiences = match &request.audience {
            Some(audiences) => audiences.clone(),
            None if platform.audience.choice == AudienceChoice::Fixed => Vec::new(),
            None => vec![Audience::parse(DEFAULT_AUDIENCE)?],
        };
        let chosen = match request.claims.get("iss") {
            Some(Override::Set(ClaimValue::String(named))) => dev.addresses().of_platform(platform, named),
            _ => None,
        };
        let (issued_at, lifetime) = times(dev.now(), request.lifetime);
        let token_id = dev.random_uuid()?;
        Ok(Self { dev, platform, request, chosen, audiences, token_id, issued_at, lifetime })
    }

    /// Who issues the token: the issuer that the request chose, else the one that follows from the other claims.
    fn issuer(&self) -> Result<Played, RequestError> {
        if let Some(chosen) = &self.chosen {
            return Ok(chosen.clone());
        }
        let claims = self.claims(None)?;
        let found = claims.get("iss").and_then(ClaimValue::as_str).unwrap_or_default();
        self.dev.addresses().of_platform(self.platform, found).ok_or_else(|| RequestError::NoIssuer {
            platform: self.platform.id.clone(),
            found: found.to_owned(),
        })
    }

    /// The claims of the token; its issuer follows from them where none is given.
    fn claims(&self, played: Option<&Played>) -> Result<ClaimSet, RequestError> {
        let changes = self.request.claims.iter().filter(|(name, _)| name.as_str() != "iss");
        let mut changes: Vec<(ClaimName, Override)> =
            changes.map(|(name, change)| (name.clone(), change.clone())).collect();
        if let Some(played) = played {
            changes.push((ClaimName::from("iss"), self.written_issuer(played)));
        }
        let facts = MintFacts {
            issuer: played.map(|played| &played.home),
            audiences: &self.audiences,
            now: self.issued_at,
            lifetime: self.lifetime,
            token_id: &self.token_id,
        };
        Ok(self.platform.compose(self.request.variant.as_deref(), &changes, &facts)?)
    }

    /// What becomes of `iss`: the issuer, unless the request wants something else there or nothing at all.
    fn written_issuer(&self, played: &Played) -> Override {
        match self.request.claims.get("iss") {
            Some(wanted) if self.chosen.is_none() => wanted.clone(),
            _ => Override::Set(ClaimValue::from(played.issuer.as_str())),
        }
    }
}

/// When the token is issued, and for how long: `None` is as long as the platform does.
fn times(now: Timestamp, lifetime: Option<i64>) -> (Timestamp, Option<Duration>) {
    let Some(lifetime) = lifetime else { return (now, None) };
    let expiry = Timestamp::from_secs(now.as_secs().saturating_add(lifetime));
    let issued_at = now.min(expiry - LEAST_LIFE);
    (issued_at, Some(expiry.since(issued_at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_from_now_or_was_issued_five_minutes_before_its_end() {
        let now = Timestamp::from_secs(1_000_000);
        let secs = |lifetime| {
            let (issued_at, life) = times(now, Some(lifetime));
            (issued_at.as_secs() - 1_000_000, life.map(|life| life.as_secs()))
        };
        assert_eq!(secs(3_600), (0, Some(3_600)));
        assert_eq!(secs(300), (0, Some(300)));
        assert_eq!(secs(60), (-240, Some(300)));
        assert_eq!(secs(0), (-300, Some(300)));
        assert_eq!(secs(-600), (-900, Some(300)));
        assert_eq!(times(now, None), (now, None));
        assert!(times(now, Some(i64::MIN)).0 < now);
        assert!(times(now, Some(i64::MAX)).1.unwrap() > LEAST_LIFE);
    }
}
