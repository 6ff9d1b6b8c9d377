use std::fmt;

use aws_lc_rs::signature::ParsedPublicKey;
use daypass_claims::{Algorithm, KeyId};

use crate::jwk::{Jwk, JwkError};

/// A public key, ready to verify.
///
/// Parsing a key costs a fifth of a verification, so it is done once, for each algorithm that the key may be used
/// with.
pub struct VerificationKey {
    jwk: Jwk,
    ready: Box<[(Algorithm, ParsedPublicKey)]>,
}

/// A signature does not hold. Which of the many ways it fails to hold would help only someone who forges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The key may not be used with this algorithm.
    #[error("the key is not for the algorithm {0}")]
    Algorithm(Algorithm),
    /// The key did not make this signature over these bytes.
    #[error("the signature does not match")]
    Mismatch,
}

impl VerificationKey {
    /// Makes a key ready. Fails where its numbers are no key.
    pub fn new(jwk: Jwk) -> Result<Self, JwkError> {
        let ready = jwk
            .algorithms()
            .iter()
            .map(|algorithm| Ok((*algorithm, jwk.material().ready(*algorithm)?)))
            .collect::<Result<_, JwkError>>()?;
        Ok(Self { jwk, ready })
    }

    /// The key's name among its issuer's keys.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.jwk.key_id()
    }

    /// The key as it is published.
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The algorithms that it may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        self.jwk.algorithms()
    }

    /// Whether the key made `signature` over `message`.
    ///
    /// ECDSA signatures are the fixed-length `r || s` of RFC 7518 section 3.4, never DER.
    pub fn verify_bytes(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let (_, key) = self
            .ready
            .iter()
            .find(|(ready_for, _)| *ready_for == algorithm)
            .ok_or(SignatureError::Algorithm(algorithm))?;
        key.verify_sig(message, signature).map_err(|_| SignatureError::Mismatch)
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("key_id", &self.key_id())
            .field("algorithms", &self.algorithms())
            .field("thumbprint", &self.jwk.thumbprint().to_string())
            .finish_non_exhaustive()
    }
}
