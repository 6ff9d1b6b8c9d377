//! Signing: what the development issuer, re-issued tokens and audit checkpoints have in common.
//!
//! Key pairs stay parsed in memory; parsing a key for each signature would more than double its cost. This is the one
//! place in the pure rooms that draws on randomness other than `daypass_claims::Random`: aws-lc generates keys and
//! ECDSA nonces with its own generator and offers no way to bring another, which for nonces is as it should be.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use daypass_claims::{Algorithm, ClaimSet, ClaimValue, IdentityError, KeyId};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::encoding;
use crate::jwk::{Curve, Jwk, JwkError, Material};
use crate::jws::MAX_TOKEN_BYTES;
use crate::key::VerificationKey;
use crate::text::excerpt;

/// The algorithms that daypass signs with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256: accepted by every cloud, and a twentieth of the cost of RS256.
    #[default]
    ES256,
    /// Ed25519, for audit checkpoints and relying parties that know it.
    EdDSA,
    /// RSA with 2,048 bits, for relying parties that know nothing else.
    RS256,
}

impl From<SigningAlgorithm> for Algorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::ES256 => Self::ES256,
            SigningAlgorithm::EdDSA => Self::EdDSA,
            SigningAlgorithm::RS256 => Self::RS256,
        }
    }
}

impl TryFrom<Algorithm> for SigningAlgorithm {
    type Error = SignError;

    fn try_from(algorithm: Algorithm) -> Result<Self, SignError> {
        match algorithm {
            Algorithm::ES256 => Ok(Self::ES256),
            Algorithm::EdDSA => Ok(Self::EdDSA),
            Algorithm::RS256 => Ok(Self::RS256),
            other => Err(SignError::Algorithm(other)),
        }
    }
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// An algorithm that daypass verifies and does not sign with.
    #[error("{0} is not an algorithm that daypass signs with (ES256, EdDSA, RS256)")]
    Algorithm(Algorithm),
    /// The library could not make a key or a signature; it does not say why.
    #[error("the cryptographic library failed to {0}")]
    Library(&'static str),
    /// The bytes are not a PKCS#8 private key for the algorithm.
    #[error("the private key is not a PKCS#8 key for {0}")]
    PrivateKey(Algorithm),
    /// The public half cannot be published: an RSA key that is too small, for instance.
    #[error("the public half of the key cannot be used: {0}")]
    PublicKey(#[from] JwkError),
    /// The thumbprint cannot name the key. It always can; the type does not know.
    #[error(transparent)]
    KeyId(#[from] IdentityError),
    /// A member that the signer writes itself or that would change what is signed.
    #[error("header member `{0}` cannot be added")]
    HeaderMember(String),
    /// The claims do not serialise.
    #[error("claims cannot be written as JSON: {0}")]
    Claims(#[from] serde_json::Error),
    /// The claims serialise to something other than an object.
    #[error("claims are not a JSON object")]
    NotAnObject,
    /// No verifier that keeps to the limit of AWS would read the token.
    #[error("token would have {bytes} bytes, at most {MAX_TOKEN_BYTES} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
}

/// What stands in a token's header besides `alg` and `kid`, which are the key's.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenHeader {
    typ: Option<String>,
    members: ClaimSet,
}

impl TokenHeader {
    /// A header with a type: `JWT` for ID tokens, `at+jwt` for access tokens (RFC 9068).
    pub fn new(typ: &str) -> Self {
        Self { typ: Some(typ.to_owned()), members: ClaimSet::new() }
    }

    /// A header without a type.
    pub fn untyped() -> Self {
        Self::default()
    }

    /// Adds a member that some platforms write (`x5t`).
    pub fn with(mut self, member: &str, value: impl Into<ClaimValue>) -> Self {
        self.members.insert(member, value);
        self
    }

    fn to_json(&self, algorithm: Algorithm, key_id: &KeyId) -> Result<Vec<u8>, SignError> {
        const RESERVED: [&str; 8] = ["alg", "b64", "crit", "cty", "enc", "kid", "typ", "zip"];
        if let Some(name) = self.members.names().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(SignError::HeaderMember(excerpt(name.as_str())));
        }
        let mut header = self.members.clone();
        header.insert("alg", algorithm.as_str());
        header.insert("kid", key_id.as_str());
        if let Some(typ) = &self.typ {
            header.insert("typ", typ.as_str());
        }
        Ok(serde_json::to_vec(&header)?)
    }
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

/// A private key, ready to sign.
pub struct SigningKey {
    pair: Pair,
    key_id: KeyId,
    jwk: Jwk,
}

impl SigningKey {
    /// Makes a key, named by its RFC 7638 thumbprint.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, SignError> {
        let failed = |_| SignError::Library("generate a key");
        Self::new(match algorithm {
            SigningAlgorithm::ES256 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?)
            }
            SigningAlgorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            SigningAlgorithm::RS256 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
        })
    }

    /// Reads what [`to_pkcs8`](Self::to_pkcs8) wrote. The key is named by its thumbprint again.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SignError> {
        let refused = |_| SignError::PrivateKey(algorithm.into());
        Self::new(match algorithm {
            SigningAlgorithm::ES256 => Pair::Ecdsa(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(refused)?,
            ),
            SigningAlgorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(refused)?),
            SigningAlgorithm::RS256 => Pair::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(refused)?),
        })
    }

    /// The same key under a name of one's own.
    pub fn with_key_id(self, key_id: KeyId) -> Self {
        Self { jwk: self.jwk.with_key_id(key_id.clone()), key_id, ..self }
    }

    fn new(pair: Pair) -> Result<Self, SignError> {
        let (algorithm, material) = match &pair {
            Pair::Ecdsa(pair) => (Algorithm::ES256, p256_material(pair)?),
            Pair::Ed25519(pair) => {
                (Algorithm::EdDSA, Material::okp("Ed25519", pair.public_key().as_ref().to_vec())?)
            }
            Pair::Rsa(pair) => (Algorithm::RS256, rsa_material(pair)?),
        };
        let jwk = Jwk::new(None, Some(algorithm), material)?;
        let key_id = KeyId::parse(&jwk.thumbprint().to_string())?;
        Ok(Self { pair, jwk: jwk.with_key_id(key_id.clone()), key_id })
    }

    /// The private key as PKCS#8 version 1 (DER), to be wrapped and stored. The bytes are wiped when dropped.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SignError> {
        let failed = |_| SignError::Library("write a private key");
        Ok(Zeroizing::new(match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                der.as_ref().to_vec()
            }
        }))
    }

    /// The name of the key.
    pub const fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The algorithm that it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Ecdsa(_) => Algorithm::ES256,
            Pair::Ed25519(_) => Algorithm::EdDSA,
            Pair::Rsa(_) => Algorithm::RS256,
        }
    }

    /// The public half, to be published.
    pub const fn public_jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The public half, ready to verify.
    pub fn verification_key(&self) -> Result<VerificationKey, SignError> {
        Ok(VerificationKey::new(self.jwk.clone())?)
    }

    /// Signs `claims` as a compact JWS.
    pub fn sign(&self, header: &TokenHeader, claims: &impl Serialize) -> Result<String, SignError> {
        let token = self.signing_input(header, claims)?;
        let signature = self.sign_bytes(token.as_bytes())?;
        complete(token, &signature)
    }

    /// The compact JWS of `claims` with a signature that this key made of it earlier; `None` if it made none such.
    ///
    /// ECDSA gives another signature each time. Whoever must give the same token twice keeps the signature alone.
    pub fn signed_before(
        &self,
        header: &TokenHeader,
        claims: &impl Serialize,
        signature: &[u8],
    ) -> Result<Option<String>, SignError> {
        let token = self.signing_input(header, claims)?;
        let key = self.verification_key()?;
        if key.verify_bytes(self.algorithm(), token.as_bytes(), signature).is_err() {
            return Ok(None);
        }
        complete(token, signature).map(Some)
    }

    /// `header.payload`.
    fn signing_input(&self, header: &TokenHeader, claims: &impl Serialize) -> Result<String, SignError> {
        let header = header.to_json(self.algorithm(), &self.key_id)?;
        let payload = serde_json::to_vec(claims)?;
        if payload.first() != Some(&b'{') {
            return Err(SignError::NotAnObject);
        }
        let mut token = String::with_capacity((header.len() + payload.len()) * 4 / 3 + 400);
        encoding::encode_into(header, &mut token);
        token.push('.');
        encoding::encode_into(payload, &mut token);
        Ok(token)
    }

    /// Signs `message` itself. A message that could be the beginning of a token would make this a token machine, so
    /// callers start theirs with a tag of their own that holds a character outside base64url.
    pub fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |_| SignError::Library("sign");
        let unused = SystemRandom::new(); // aws-lc draws nonces itself
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair.sign(&unused, message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &unused, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }
}

/// Adds the signature.
fn complete(mut token: String, signature: &[u8]) -> Result<String, SignError> {
    token.push('.');
    encoding::encode_into(signature, &mut token);
    if token.len() > MAX_TOKEN_BYTES {
        return Err(SignError::TooLarge { bytes: token.len() });
    }
    Ok(token)
}

/// Takes the coordinates out of the uncompressed point (SEC 1 section 2.3.3).
fn p256_material(pair: &EcdsaKeyPair) -> Result<Material, JwkError> {
    let curve = Curve::P256;
    let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at_checked(curve.width()).unwrap_or_default();
    Material::ec(curve.name(), x.to_vec(), y.to_vec())
}

fn rsa_material(pair: &RsaKeyPair) -> Result<Material, JwkError> {
    let public = pair.public_key();
    Material::rsa(
        public.modulus().big_endian_without_leading_zero().to_vec(),
        public.exponent().big_endian_without_leading_zero().to_vec(),
    )
}

/// Shows which key it is; never the private half.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Jws;

    const ALL: [SigningAlgorithm; 3] =
        [SigningAlgorithm::ES256, SigningAlgorithm::EdDSA, SigningAlgorithm::RS256];

    fn claims() -> ClaimSet {
        [("sub", "someone")].into_iter().collect()
    }

    #[test]
    fn what_is_signed_verifies_with_the_published_key_and_survives_storage() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let stored = key.to_pkcs8().unwrap();
            let loaded = SigningKey::from_pkcs8(algorithm, &stored).unwrap();
            assert_eq!(loaded.public_jwk(), key.public_jwk());
            let published = serde_json::to_vec(key.public_jwk()).unwrap();
            let public = VerificationKey::new(Jwk::parse(&published).unwrap()).unwrap();
            for signer in [&key, &loaded] {
                let token = signer.sign(&TokenHeader::new("JWT"), &claims()).unwrap();
                let jws = Jws::parse(&token).unwrap();
                assert_eq!(jws.check_signature(&public), Ok(()));
                assert_eq!(jws.header().key_id(), Some(key.key_id()));
                assert_eq!(jws.header().typ(), Some("JWT"));
            }
        }
    }

    #[test]
    fn a_signature_makes_the_token_again_that_it_was_made_for_and_no_other() {
        for algorithm in ALL {
            let (key, other) =
                (SigningKey::generate(algorithm).unwrap(), SigningKey::generate(algorithm).unwrap());
            let header = TokenHeader::new("JWT");
            let token = key.sign(&header, &claims()).unwrap();
            let signature = encoding::decode(token.rsplit('.').next().unwrap()).unwrap();
            let again = |key: &SigningKey, claims: &ClaimSet| key.signed_before(&header, claims, &signature);
            assert_eq!(again(&key, &claims()).unwrap(), Some(token));
            assert_eq!(again(&other, &claims()).unwrap(), None);
            assert_eq!(again(&key, &[("sub", "another")].into_iter().collect()).unwrap(), None);
        }
    }

    #[test]
    fn bytes_are_signed_and_verified_as_they_are() {
        for algorithm in ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            let public = key.verification_key().unwrap();
            let signature = key.sign_bytes(b"checkpoint").unwrap();
            assert_eq!(public.verify_bytes(key.algorithm(), b"checkpoint", &signature), Ok(()));
            assert!(public.verify_bytes(key.algorithm(), b"checkpoinT", &signature).is_err());
            assert!(public.verify_bytes(Algorithm::PS512, b"checkpoint", &signature).is_err());
        }
    }

    #[test]
    fn a_key_is_named_by_its_thumbprint_or_by_its_owner() {
        let key = SigningKey::generate(SigningAlgorithm::default()).unwrap();
        assert_eq!(key.key_id().as_str(), key.public_jwk().thumbprint().to_string());
        let named = key.with_key_id(KeyId::parse("daypass-dev-1").unwrap());
        assert_eq!(named.public_jwk().key_id(), Some(named.key_id()));
        assert!(named.sign(&TokenHeader::untyped(), &claims()).is_ok());
    }

    #[test]
    fn each_refusal_to_sign_has_its_reason() {
        let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
        let header = TokenHeader::new("JWT");
        assert!(matches!(
            key.sign(&header.clone().with("alg", "none"), &claims()),
            Err(SignError::HeaderMember(name)) if name == "alg"
        ));
        assert!(matches!(key.sign(&header, &["a"]), Err(SignError::NotAnObject)));
        let unwritable = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(matches!(key.sign(&header, &unwritable), Err(SignError::Claims(_))));
        let long: ClaimSet = [("sub", "x".repeat(MAX_TOKEN_BYTES))].into_iter().collect();
        assert!(matches!(key.sign(&header, &long), Err(SignError::TooLarge { bytes }) if bytes > 20_000));
        assert!(matches!(
            SigningKey::from_pkcs8(SigningAlgorithm::RS256, &key.to_pkcs8().unwrap()),
            Err(SignError::PrivateKey(Algorithm::RS256))
        ));
        assert!(matches!(
            SigningAlgorithm::try_from(Algorithm::PS256),
            Err(SignError::Algorithm(Algorithm::PS256))
        ));
    }

    #[test]
    fn debug_shows_no_key() {
        let key = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap();
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey {{ key_id: {:?}, algorithm: EdDSA, .. }}", key.key_id()));
    }
}
