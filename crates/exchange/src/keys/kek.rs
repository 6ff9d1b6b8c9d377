use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use daypass_claims::{Random, RandomError};
use daypass_store::KeyPurpose;
use zeroize::Zeroizing;

/// The key-encryption key: wraps the secret half of every key in the store (AES-256-GCM).
///
/// A key's purpose and id are bound into its wrapping, so a row cannot be passed off as another.
pub struct Kek {
    key: LessSafeKey,
}

/// Why a key could not be wrapped or unwrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KekError {
    /// Not 32 bytes in base64 or hex.
    #[error("a key-encryption key is 32 bytes, written in base64 or hex")]
    Form,
    /// Wrapped by another key, for another purpose, under another id, or damaged.
    #[error("the stored key was not wrapped by this key-encryption key, or is damaged")]
    Unwrap,
    /// The library refused.
    #[error("the key could not be wrapped")]
    Wrap,
    /// No randomness for the nonce.
    #[error(transparent)]
    Random(#[from] RandomError),
}

impl Kek {
    /// The key of these bytes.
    pub fn new(bytes: &[u8; 32]) -> Result<Self, KekError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| KekError::Form)?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Reads 32 bytes in base64 or hex, white space around them ignored.
    pub fn parse(text: &str) -> Result<Self, KekError> {
        let text = text.trim();
        let bytes = if text.len() == 64 {
            hex::decode(text).ok()
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
        };
        let bytes = Zeroizing::new(bytes.ok_or(KekError::Form)?);
        Self::new(<&[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KekError::Form)?)
    }

    /// A new key as text, for a file.
    pub fn generate(random: &dyn Random) -> Result<Zeroizing<String>, KekError> {
        let mut bytes = Zeroizing::new([0; 32]);
        random.fill(bytes.as_mut_slice())?;
        Ok(Zeroizing::new(STANDARD.encode(bytes.as_slice())))
    }

    /// Wraps a secret: nonce, ciphertext, tag.
    pub fn wrap(
        &self,
        purpose: KeyPurpose,
        id: &str,
        secret: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, KekError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        let mut sealed = secret.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(purpose, id), &mut sealed)
            .map_err(|_| KekError::Wrap)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Unwraps a secret.
    pub fn unwrap(
        &self,
        purpose: KeyPurpose,
        id: &str,
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KekError> {
        let (nonce, sealed) = wrapped.split_at_checked(NONCE_LEN).ok_or(KekError::Unwrap)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KekError::Unwrap)?;
        let mut secret = Zeroizing::new(sealed.to_vec());
        let length =
            self.key.open_in_place(nonce, aad(purpose, id), &mut secret).map_err(|_| KekError::Unwrap)?.len();
        secret.truncate(length);
        Ok(secret)
    }
}

fn aad(purpose: KeyPurpose, id: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("daypass-wrap-v1\0{purpose}\0{id}").into_bytes())
}

impl std::fmt::Debug for Kek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kek(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CountingRandom;

    #[test]
    fn purpose_and_id_are_bound_in() {
        let random = CountingRandom::default();
        let kek = Kek::parse(&Kek::generate(&random).unwrap()).unwrap();
        let wrapped = kek.wrap(KeyPurpose::Sign, "a", b"secret", &random).unwrap();
        assert_eq!(kek.unwrap(KeyPurpose::Sign, "a", &wrapped).unwrap().as_slice(), b"secret");
        assert_eq!(kek.unwrap(KeyPurpose::Seal, "a", &wrapped), Err(KekError::Unwrap));
        assert_eq!(kek.unwrap(KeyPurpose::Sign, "b", &wrapped), Err(KekError::Unwrap));
        let other = Kek::new(&[7; 32]).unwrap();
        assert_eq!(other.unwrap(KeyPurpose::Sign, "a", &wrapped), Err(KekError::Unwrap));
        let mut damaged = wrapped.clone();
        damaged[13] ^= 1;
        assert_eq!(kek.unwrap(KeyPurpose::Sign, "a", &damaged), Err(KekError::Unwrap));
        assert_eq!(kek.unwrap(KeyPurpose::Sign, "a", &wrapped[..5]), Err(KekError::Unwrap));
    }

    #[test]
    fn base64_and_hex_are_read() {
        assert!(Kek::parse(&"ab".repeat(32)).is_ok());
        assert!(Kek::parse(" AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").is_ok());
        for bad in ["", "short", &"zz".repeat(32), &"ab".repeat(33)] {
            assert_eq!(Kek::parse(bad).err(), Some(KekError::Form), "{bad}");
        }
    }
}
