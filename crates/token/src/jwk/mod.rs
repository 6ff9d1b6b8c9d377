//! Public keys as issuers publish them: JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037).

mod material;
mod roca;
#[cfg(test)]
mod tests;

use std::fmt;

use daypass_claims::{Algorithm, ClaimSet, ClaimValue, IdentityError, JsonError, KeyId};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::digest::sha256;
use crate::encoding::{self, Base64Error};
use crate::text::{brief, excerpt};

pub(crate) use material::{Curve, Material};

/// A public key for signatures, with what its publisher says about it.
///
/// The form is checked in full: key type, size, encodings, `use`, `key_ops` and `alg`. Whether an EC point lies on
/// its curve is found out when it becomes a [`crate::VerificationKey`]; a `Jwk` verifies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    key_id: Option<KeyId>,
    algorithm: Option<Algorithm>,
    material: Material,
}

/// Why a JWK is not a public key that daypass verifies with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// Not one strict JSON object.
    #[error("key is not strict JSON: {0}")]
    Json(JsonError),
    /// A member that this kind of key needs.
    #[error("key has no `{member}`")]
    MissingMember {
        /// Which member.
        member: &'static str,
    },
    /// A member of the wrong JSON type.
    #[error("key member `{member}` is {kind}, not {wanted}")]
    MemberType {
        /// Which member.
        member: &'static str,
        /// What it is.
        kind: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// `kid` cannot name a key.
    #[error("key member `kid`: {0}")]
    KeyId(IdentityError),
    /// A key type that daypass does not know; RFC 7517 section 5 says to pass over it.
    #[error("key type `{kty}` is not one of RSA, EC and OKP")]
    KeyType {
        /// The `kty`, shortened.
        kty: String,
    },
    /// `oct`: a shared secret. Published, it is none.
    #[error("key is a shared secret (`oct`); issuers sign with a private key")]
    SymmetricKey,
    /// A curve that daypass does not know.
    #[error("curve `{crv}` is not one of P-256, P-384, P-521 and Ed25519 for its key type")]
    Curve {
        /// The `crv`, shortened.
        crv: String,
    },
    /// A private member. A private key that has been handed around proves nothing any more, so the public half of it
    /// is refused as well.
    #[error("key holds the private member `{member}`: whoever has read it can sign")]
    PrivateMember {
        /// Which member.
        member: &'static str,
    },
    /// `use` is not `sig`.
    #[error("key is for `{value}` (`use`), not for `sig`")]
    Use {
        /// The `use`, shortened.
        value: String,
    },
    /// `key_ops` leaves `verify` out.
    #[error("key is not for verifying: `key_ops` does not list `verify`")]
    KeyOperations,
    /// `alg` names no signature algorithm that daypass accepts.
    #[error("key is for the algorithm `{name}`, which daypass does not verify")]
    AlgorithmUnknown {
        /// The `alg`, shortened.
        name: String,
    },
    /// `alg` does not fit the key type and curve.
    #[error("key is {key} and cannot be for {algorithm}")]
    AlgorithmMismatch {
        /// The `alg`.
        algorithm: Algorithm,
        /// What kind of key it is.
        key: &'static str,
    },
    /// A member that is not strict base64url.
    #[error("key member `{member}` is not base64url: {reason}")]
    Base64 {
        /// Which member.
        member: &'static str,
        /// What is wrong with it.
        reason: Base64Error,
    },
    /// `n` or `e` with a leading zero byte, or empty; RFC 7518 section 6.3.1 wants the fewest bytes.
    #[error("key member `{member}` is not a number in the fewest bytes")]
    NotMinimal {
        /// Which member.
        member: &'static str,
    },
    /// An RSA modulus outside 2,048 to 8,192 bits.
    #[error("RSA modulus has {bits} bits, 2048 to 8192 are accepted")]
    RsaSize {
        /// Its size.
        bits: usize,
    },
    /// An even RSA modulus has a known factor.
    #[error("RSA modulus is even")]
    RsaEvenModulus,
    /// An RSA exponent of 1 makes every message its own signature; even ones are no exponents; more than 32 bits only
    /// cost time.
    #[error("RSA exponent must be odd, at least 3 and at most 32 bits long")]
    RsaExponent,
    /// CVE-2017-15361: made by a library whose keys can be factored.
    #[error("RSA modulus has the structure of factorable keys (ROCA, CVE-2017-15361)")]
    RsaRoca,
    /// An EC or OKP member of another length than the curve's.
    #[error("key member `{member}` has {found} bytes, {expected} are needed on {curve}")]
    Coordinate {
        /// Which member.
        member: &'static str,
        /// Its length.
        found: usize,
        /// The curve's length.
        expected: usize,
        /// The curve.
        curve: &'static str,
    },
    /// The numbers are no key: for EC, the point is not on the curve.
    #[error("{key} is not valid: its numbers are no public key")]
    Invalid {
        /// What kind of key it is.
        key: &'static str,
    },
}

/// Members that make a JWK private (RFC 7518 section 6, RFC 8037 section 2).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Jwk {
    /// Reads one JWK. Members that are not about signatures (`x5c`, `x5t`, vendors' own) are passed over.
    pub fn parse(json: &[u8]) -> Result<Self, JwkError> {
        let members = Members(ClaimSet::from_json(json).map_err(|error| JwkError::Json(brief(error)))?);
        let kty = members.required("kty")?;
        if kty == "oct" {
            return Err(JwkError::SymmetricKey);
        }
        if let Some(member) = PRIVATE.into_iter().find(|member| members.0.contains(member)) {
            return Err(JwkError::PrivateMember { member });
        }
        members.check_purpose()?;
        let key_id = members.optional("kid")?.map(KeyId::parse).transpose().map_err(JwkError::KeyId)?;
        let algorithm = members
            .optional("alg")?
            .map(|name| name.parse().map_err(|_| JwkError::AlgorithmUnknown { name: excerpt(name) }))
            .transpose()?;
        let material = match kty {
            "RSA" => Material::rsa(members.bytes("n")?, members.bytes("e")?)?,
            "EC" => Material::ec(members.required("crv")?, members.bytes("x")?, members.bytes("y")?)?,
            "OKP" => Material::okp(members.required("crv")?, members.bytes("x")?)?,
            other => return Err(JwkError::KeyType { kty: excerpt(other) }),
        };
        Self::new(key_id, algorithm, material)
    }

    pub(crate) fn new(
        key_id: Option<KeyId>,
        algorithm: Option<Algorithm>,
        material: Material,
    ) -> Result<Self, JwkError> {
        if let Some(algorithm) = algorithm.filter(|algorithm| !material.algorithms().contains(algorithm)) {
            return Err(JwkError::AlgorithmMismatch { algorithm, key: material.name() });
        }
        Ok(Self { key_id, algorithm, material })
    }

    /// The key's name among its issuer's keys. Not unique by RFC 7517 section 4.5, and not always there.
    pub const fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// The algorithms that the key may be used with: the one in `alg`, else every one that fits.
    pub fn algorithms(&self) -> &[Algorithm] {
        match &self.algorithm {
            Some(declared) => std::slice::from_ref(declared),
            None => self.material.algorithms(),
        }
    }

    /// The RFC 7638 thumbprint: the same for every JWK of the same key, whatever is said about it.
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint(sha256([self.material.canonical_json().as_bytes()]))
    }

    /// The same key under another name.
    pub fn with_key_id(self, key_id: KeyId) -> Self {
        Self { key_id: Some(key_id), ..self }
    }

    pub(crate) const fn material(&self) -> &Material {
        &self.material
    }
}

/// Writes the JWK as it is published: `use` is always `sig`.
impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("use", "sig")?;
        if let Some(algorithm) = self.algorithm {
            map.serialize_entry("alg", algorithm.as_str())?;
        }
        if let Some(key_id) = &self.key_id {
            map.serialize_entry("kid", key_id)?;
        }
        for (member, value) in self.material.members() {
            map.serialize_entry(member, &value)?;
        }
        map.end()
    }
}

/// A JWK Set to publish (RFC 7517 section 5): serialises as `{"keys":[...]}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct JwkSet {
    /// The keys, in the order in which they are published.
    pub keys: Vec<Jwk>,
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}

/// The SHA-256 thumbprint of a key (RFC 7638); prints as 43 characters of base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encoding::encode(self.0))
    }
}

/// The members of a JWK, read by name.
struct Members(ClaimSet);

impl Members {
    fn optional(&self, member: &'static str) -> Result<Option<&str>, JwkError> {
        match self.0.get(member) {
            None => Ok(None),
            Some(ClaimValue::String(text)) => Ok(Some(text)),
            Some(other) => Err(JwkError::MemberType { member, kind: other.kind(), wanted: "a string" }),
        }
    }

    fn required(&self, member: &'static str) -> Result<&str, JwkError> {
        self.optional(member)?.ok_or(JwkError::MissingMember { member })
    }

    fn bytes(&self, member: &'static str) -> Result<Vec<u8>, JwkError> {
        encoding::decode(self.required(member)?).map_err(|reason| JwkError::Base64 { member, reason })
    }

    /// `use` and `key_ops`: a key that says what it is for must say that it verifies signatures.
    fn check_purpose(&self) -> Result<(), JwkError> {
        if let Some(value) = self.optional("use")?.filter(|value| *value != "sig") {
            return Err(JwkError::Use { value: excerpt(value) });
        }
        match self.0.get("key_ops") {
            None => Ok(()),
            Some(ClaimValue::Array(operations)) => {
                let verifies = operations.iter().any(|operation| operation.as_str() == Some("verify"));
                if verifies { Ok(()) } else { Err(JwkError::KeyOperations) }
            }
            Some(other) => {
                Err(JwkError::MemberType { member: "key_ops", kind: other.kind(), wanted: "a list" })
            }
        }
    }
}
