//! What is computed in memory: forms and JSON, signatures, the policy.

use anyhow::{Context, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Sample;
use crate::cores::micros_each;
use crate::decide::Deciding;
use crate::estate;

/// Keys, a signed message and a policy, ready for use.
pub(crate) struct Computing {
    message: Vec<u8>,
    signature: Vec<u8>,
    verifier: ParsedPublicKey,
    signer: EcdsaKeyPair,
    random: SystemRandom,
    deciding: Deciding,
}

impl Computing {
    /// For tokens as long as those of the sample.
    pub(crate) fn new(sample: &Sample, jwks: &str) -> Result<Self> {
        let token = subject_token(sample.form()?)?;
        let message = token.rsplit_once('.').context("the token has no signature")?.0.as_bytes().to_vec();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
        let random = SystemRandom::new();
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signature)?;
        Ok(Self {
            verifier: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref())?,
            signer: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            deciding: Deciding::among(estate::ROLES, jwks)?,
            message,
            signature,
            random,
        })
    }

    /// RS256 with a parsed key.
    pub(super) fn verify(&self, count: usize) -> Result<f64> {
        micros_each(count, |_| Ok(self.verifier.verify_sig(&self.message, &self.signature)?))
    }

    /// The role found and its policy evaluated.
    pub(super) fn policy(&self, count: usize) -> Result<f64> {
        self.deciding.micros(count)
    }

    /// ES256 with a key held in memory.
    pub(super) fn sign(&self, count: usize) -> Result<f64> {
        micros_each(count, |_| Ok(self.signer.sign(&self.random, &self.message)?))
    }
}

/// The form decoded; the token's header and claims out of base64 and JSON; the record, the issued claims and the answer
/// into them.
pub(super) fn form_and_json(sample: &Sample, count: usize) -> Result<f64> {
    let record: Value = serde_json::from_slice(&sample.record)?;
    let answer: Value = serde_json::from_slice(&sample.answer)?;
    let issued = answer.get("access_token").and_then(Value::as_str).context("the answer has no token")?;
    let issued = segments(issued)?.1;
    let form = sample.form()?;
    micros_each(count, |_| {
        let token = subject_token(form)?;
        let claims = segments(&token)?;
        let issued = [URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","typ":"JWT"}"#), encoded(&issued)?].join(".");
        Ok((claims, issued, serde_json::to_vec(&record)?, serde_json::to_vec(&answer)?))
    })
}

fn subject_token(form: &str) -> Result<String> {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    let (_, token) = pairs.find(|(name, _)| name == "subject_token").context("the form has no token")?;
    Ok(token.into_owned())
}

/// A token's header and claims.
fn segments(token: &str) -> Result<(Value, Value)> {
    let mut segments = token.split('.');
    let mut next = || -> Result<Value> {
        let segment = URL_SAFE_NO_PAD.decode(segments.next().context("the token is too short")?)?;
        Ok(serde_json::from_slice(&segment)?)
    };
    Ok((next()?, next()?))
}

fn encoded(claims: &Value) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?))
}
