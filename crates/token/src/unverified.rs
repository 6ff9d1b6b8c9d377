use std::fmt;
use std::sync::Arc;

use daypass_claims::{Algorithm, ClaimSet, ClaimValue, KeyId};

use crate::digest::TokenDigest;
use crate::form::{FormError, Segment};
use crate::header::{Header, read_object};
use crate::jws::Jws;

/// Claims that daypass itself gives a meaning. Spellings that only resemble them are refused.
const REGISTERED: [&str; 10] = ["aud", "azp", "client_id", "cnf", "exp", "iat", "iss", "jti", "nbf", "sub"];

/// A token whose form is sound and whose word counts for nothing yet.
///
/// Its issuer says where to look for a key, its claims may be shown to a developer, and nothing may be decided on
/// them: that takes the [`crate::VerifiedToken`] that [`crate::verify`] makes of it.
#[derive(Clone)]
pub struct UnverifiedToken {
    jws: Jws,
    claims: Arc<ClaimSet>,
}

impl UnverifiedToken {
    /// Reads a token in compact form. The text is taken as it is: a line feed at its end is refused like any other
    /// foreign character.
    pub fn parse(raw: &str) -> Result<Self, FormError> {
        let jws = Jws::parse(raw)?;
        let claims = read_object(jws.payload(), Segment::Payload, &REGISTERED)?;
        Ok(Self { jws, claims: Arc::new(claims) })
    }

    /// Who the token says issued it. Only good for finding the configured issuer of that very name.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(ClaimValue::as_str)
    }

    /// The algorithm that the token says it is signed with.
    pub const fn algorithm(&self) -> Algorithm {
        self.jws.header().algorithm()
    }

    /// The key that the token says it is signed with.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.jws.header().key_id()
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        self.jws.header()
    }

    /// What the token says, for inspection only: anyone can write this.
    pub fn unverified_claims(&self) -> &ClaimSet {
        &self.claims
    }

    /// The SHA-256 of the token as received: what records show in its place.
    pub fn digest(&self) -> TokenDigest {
        self.jws.digest()
    }

    /// The SHA-256 of what is signed (header and payload). Unlike [`digest`](Self::digest) it does not change when
    /// someone turns one valid ECDSA signature into another.
    pub fn signing_input_digest(&self) -> TokenDigest {
        TokenDigest::of(self.jws.signing_input())
    }

    pub(crate) const fn jws(&self) -> &Jws {
        &self.jws
    }

    pub(crate) fn shared_claims(&self) -> Arc<ClaimSet> {
        Arc::clone(&self.claims)
    }
}

/// Shows issuer, algorithm, key and digest; never the text, which is a bearer credential.
impl fmt::Debug for UnverifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken")
            .field("issuer", &self.issuer())
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding;
    use proptest::prelude::*;

    fn token(payload: &str) -> String {
        format!("{}.{}.c2ln", encoding::encode(r#"{"alg":"ES256","kid":"k"}"#), encoding::encode(payload))
    }

    #[test]
    fn what_is_said_can_be_read() {
        let token = UnverifiedToken::parse(&token(r#"{"iss":"https://a.example","x":null}"#)).unwrap();
        assert_eq!(token.issuer(), Some("https://a.example"));
        assert_eq!(token.unverified_claims().get("x"), Some(&ClaimValue::Null));
        assert_eq!(token.key_id().unwrap().as_str(), "k");
    }

    #[test]
    fn the_payload_is_one_strict_object() {
        for (payload, code) in [
            ("", "token-not-an-object"),
            ("\"text\"", "token-not-an-object"),
            ("[{}]", "token-not-an-object"),
            (r#"{"iss":"a","iss":"b"}"#, "token-json"),
            (r#"{"iss":"a"} {}"#, "token-json"),
            (r#"{"Iss":"a"}"#, "token-lookalike-member"),
            ("{\"\u{17f}ub\":\"a\"}", "token-lookalike-member"),
        ] {
            assert_eq!(UnverifiedToken::parse(&token(payload)).unwrap_err().code(), code, "{payload}");
        }
    }

    #[test]
    fn an_issuer_that_is_no_string_is_no_issuer() {
        let token = UnverifiedToken::parse(&token(r#"{"iss":["https://a.example"]}"#)).unwrap();
        assert_eq!(token.issuer(), None);
    }

    #[test]
    fn the_signature_changes_the_digest_and_not_the_digest_of_what_is_signed() {
        let one = UnverifiedToken::parse(&token("{}")).unwrap();
        let other = UnverifiedToken::parse(&token("{}").replace(".c2ln", ".c2lu")).unwrap();
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.signing_input_digest(), other.signing_input_digest());
    }

    #[test]
    fn debug_shows_no_part_of_the_text() {
        let raw = token(r#"{"iss":"https://a.example","sub":"someone"}"#);
        let shown = format!("{:?}", UnverifiedToken::parse(&raw).unwrap());
        assert!(raw.split('.').all(|part| !shown.contains(part)), "{shown}");
        assert!(!shown.contains("someone"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let _ = UnverifiedToken::parse(&text);
        }

        #[test]
        fn no_segments_make_it_panic(
            header in prop::collection::vec(any::<u8>(), 0..80),
            payload in prop::collection::vec(any::<u8>(), 0..80),
            signature in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let encode = |bytes: &[u8]| encoding::encode(bytes);
            let _ = UnverifiedToken::parse(
                &format!("{}.{}.{}", encode(&header), encode(&payload), encode(&signature)),
            );
            let good = encoding::encode(r#"{"alg":"RS256"}"#);
            let _ = UnverifiedToken::parse(&format!("{good}.{}.{}", encode(&payload), encode(&signature)));
        }
    }
}
