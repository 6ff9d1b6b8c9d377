use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use daypass_claims::Algorithm;

use super::{JwkError, roca};
use crate::encoding;
use crate::text::excerpt;

/// The numbers of a public key, in the encodings of RFC 7518 section 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// Big-endian, without leading zeros.
    Rsa { n: Box<[u8]>, e: Box<[u8]> },
    /// Big-endian, as long as the curve's field.
    Ec { curve: Curve, x: Box<[u8]>, y: Box<[u8]> },
    /// The 32 bytes of RFC 8032.
    Ed25519 { x: Box<[u8]> },
}

/// A curve for ECDSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate in bytes.
    pub(crate) const fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl Material {
    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, JwkError> {
        let bits = minimal_bits(&n, "n")?;
        if !(2_048..=8_192).contains(&bits) {
            return Err(JwkError::RsaSize { bits });
        }
        if n.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(JwkError::RsaEvenModulus);
        }
        let e_bits = minimal_bits(&e, "e")?;
        if !(2..=32).contains(&e_bits) || e.last().is_some_and(|byte| byte % 2 == 0) {
            return Err(JwkError::RsaExponent);
        }
        if roca::has_fingerprint(&n) {
            return Err(JwkError::RsaRoca);
        }
        Ok(Self::Rsa { n: n.into(), e: e.into() })
    }

    pub(crate) fn ec(crv: &str, x: Vec<u8>, y: Vec<u8>) -> Result<Self, JwkError> {
        let curve = Curve::ALL
            .into_iter()
            .find(|curve| curve.name() == crv)
            .ok_or_else(|| JwkError::Curve { crv: excerpt(crv) })?;
        check_width("x", &x, curve.width(), curve.name())?;
        check_width("y", &y, curve.width(), curve.name())?;
        Ok(Self::Ec { curve, x: x.into(), y: y.into() })
    }

    pub(crate) fn okp(crv: &str, x: Vec<u8>) -> Result<Self, JwkError> {
        if crv != "Ed25519" {
            return Err(JwkError::Curve { crv: excerpt(crv) });
        }
        check_width("x", &x, 32, "Ed25519")?;
        Ok(Self::Ed25519 { x: x.into() })
    }

    /// What kind of key it is, for messages.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "an RSA key",
            Self::Ec { curve: Curve::P256, .. } => "an EC key on P-256",
            Self::Ec { curve: Curve::P384, .. } => "an EC key on P-384",
            Self::Ec { curve: Curve::P521, .. } => "an EC key on P-521",
            Self::Ed25519 { .. } => "an Ed25519 key",
        }
    }

    /// Every algorithm that the key can be used with.
    pub(crate) const fn algorithms(&self) -> &'static [Algorithm] {
        use Algorithm::{ES256, ES384, ES512, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa { .. } => &[RS256, RS384, RS512, PS256, PS384, PS512],
            Self::Ec { curve: Curve::P256, .. } => &[ES256],
            Self::Ec { curve: Curve::P384, .. } => &[ES384],
            Self::Ec { curve: Curve::P521, .. } => &[ES512],
            Self::Ed25519 { .. } => &[EdDSA],
        }
    }

    /// The JWK members that make up the key, in the lexicographic order of RFC 7638 section 3.2.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let text = |bytes: &[u8]| encoding::encode(bytes);
        match self {
            Self::Rsa { n, e } => vec![("e", text(e)), ("kty", "RSA".into()), ("n", text(n))],
            Self::Ec { curve, x, y } => {
                vec![("crv", curve.name().into()), ("kty", "EC".into()), ("x", text(x)), ("y", text(y))]
            }
            Self::Ed25519 { x } => {
                vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", text(x))]
            }
        }
    }

    /// What RFC 7638 hashes. No member holds a character that JSON would escape.
    pub(crate) fn canonical_json(&self) -> String {
        let members: Vec<String> =
            self.members().into_iter().map(|(member, value)| format!("\"{member}\":\"{value}\"")).collect();
        format!("{{{}}}", members.join(","))
    }

    /// Makes the key ready for one algorithm. Fails where the numbers are no key (a point off its curve) or the
    /// algorithm does not fit.
    pub(crate) fn ready(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, JwkError> {
        let invalid = || JwkError::Invalid { key: self.name() };
        match self {
            Self::Rsa { n, e } => {
                let parameters = rsa_parameters(algorithm).ok_or_else(invalid)?;
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).map_err(|_| invalid())
            }
            Self::Ec { curve, x, y } => {
                let point = [&[0x04], &**x, &**y].concat(); // SEC 1 section 2.3.3, uncompressed
                ParsedPublicKey::new(ecdsa(*curve), point).map_err(|_| invalid())
            }
            Self::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).map_err(|_| invalid()),
        }
    }
}

/// The size in bits of a big-endian number that must not start with a zero byte.
fn minimal_bits(number: &[u8], member: &'static str) -> Result<usize, JwkError> {
    match number.first() {
        None | Some(0) => Err(JwkError::NotMinimal { member }),
        Some(first) => Ok(number.len() * 8 - first.leading_zeros() as usize),
    }
}

fn check_width(
    member: &'static str,
    bytes: &[u8],
    expected: usize,
    curve: &'static str,
) -> Result<(), JwkError> {
    if bytes.len() == expected {
        Ok(())
    } else {
        Err(JwkError::Coordinate { member, found: bytes.len(), expected, curve })
    }
}

fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::RS384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::RS512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::PS384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::PS512 => &RSA_PSS_2048_8192_SHA512,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::ES512 | Algorithm::EdDSA => return None,
    })
}

/// Fixed-length signatures (`r || s`) only, as RFC 7518 section 3.4 has them; DER is refused by length.
fn ecdsa(curve: Curve) -> &'static dyn VerificationAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED,
    }
}
