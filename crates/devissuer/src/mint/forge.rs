//! Tokens whose signature proves nothing. Here alone are tokens put together by hand.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use daypass_claims::{Algorithm, ClaimSet, KeyId};
use daypass_token::sign::{SignError, SigningKey};

use super::ForgedAlgorithm;

/// A token with the claims and the name of the key, and a signature that anyone could have written.
pub(super) fn forge(
    algorithm: ForgedAlgorithm,
    key: &SigningKey,
    key_id: &KeyId,
    claims: &ClaimSet,
) -> Result<String, SignError> {
    let name = match algorithm {
        ForgedAlgorithm::None => "none",
        ForgedAlgorithm::HS256 => "HS256",
    };
    let header: ClaimSet = [("alg", name), ("kid", key_id.as_str()), ("typ", "JWT")].into_iter().collect();
    let encode = |part: &ClaimSet| serde_json::to_vec(part).map(|json| URL_SAFE_NO_PAD.encode(json));
    let signed = [encode(&header)?, encode(claims)?].join(".");
    let signature = match algorithm {
        ForgedAlgorithm::None => Vec::new(),
        ForgedAlgorithm::HS256 => {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, public_key_pem(key)?.as_bytes());
            hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec()
        }
    };
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The public key in the form in which libraries keep it (RFC 7468), which is what the forger's victim hands to HMAC.
pub(super) fn public_key_pem(key: &SigningKey) -> Result<String, SignError> {
    let failed = |_| SignError::Library("write a public key");
    let refused = |_| SignError::PrivateKey(key.algorithm());
    let private = key.to_pkcs8()?;
    let der: PublicKeyX509Der<'_> = match key.algorithm() {
        Algorithm::RS256 => {
            RsaKeyPair::from_pkcs8(&private).map_err(refused)?.public_key().as_der().map_err(failed)?
        }
        Algorithm::ES256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private)
            .map_err(refused)?
            .public_key()
            .as_der()
            .map_err(failed)?,
        other => return Err(SignError::Algorithm(other)),
    };
    let text = STANDARD.encode(der.as_ref());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for (place, character) in text.chars().enumerate() {
        if place > 0 && place % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PUBLIC KEY-----\n");
    Ok(pem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_token::sign::SigningAlgorithm;

    fn parts(token: &str) -> (String, &str) {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let header = URL_SAFE_NO_PAD.decode(signed.split_once('.').unwrap().0).unwrap();
        (String::from_utf8(header).unwrap(), signature)
    }

    #[test]
    fn none_has_no_signature_and_the_name_of_a_key() {
        let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
        let id = KeyId::parse("k").unwrap();
        let token = forge(ForgedAlgorithm::None, &key, &id, &ClaimSet::new()).unwrap();
        assert_eq!(parts(&token), (r#"{"alg":"none","kid":"k","typ":"JWT"}"#.to_owned(), ""));
    }

    #[test]
    fn hmac_is_made_with_nothing_but_the_public_key() {
        for algorithm in [SigningAlgorithm::ES256, SigningAlgorithm::RS256] {
            let key = SigningKey::generate(algorithm).unwrap();
            let id = KeyId::parse("k").unwrap();
            let token = forge(ForgedAlgorithm::HS256, &key, &id, &ClaimSet::new()).unwrap();
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let secret = hmac::Key::new(hmac::HMAC_SHA256, public_key_pem(&key).unwrap().as_bytes());
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            hmac::verify(&secret, signed.as_bytes(), &signature).unwrap();
        }
    }

    #[test]
    fn the_public_key_is_in_lines_of_64() {
        let key = SigningKey::generate(SigningAlgorithm::RS256).unwrap();
        let pem = public_key_pem(&key).unwrap();
        let lines: Vec<&str> = pem.lines().collect();
        assert_eq!(lines.first(), Some(&"-----BEGIN PUBLIC KEY-----"));
        assert_eq!(lines.last(), Some(&"-----END PUBLIC KEY-----"));
        assert!(lines[1..lines.len() - 2].iter().all(|line| line.len() == 64));
        assert!(pem.ends_with("-----\n"));
        let eddsa = SigningKey::generate(SigningAlgorithm::EdDSA).unwrap();
        assert!(matches!(public_key_pem(&eddsa), Err(SignError::Algorithm(Algorithm::EdDSA))));
    }
}
