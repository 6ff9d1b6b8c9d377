use std::sync::OnceLock;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use zeroize::Zeroizing;

/// A sealing key: everything that a session is made of is derived from it, so that any replica can verify a session,
/// and give a retried request the same answer, without a word having been stored.
///
/// Each use has its own subkey (HKDF-SHA256, RFC 5869, the use in `info`). Encryption is AES-256-GCM-SIV (RFC 8452): the
/// nonce is derived from what is sealed, so that equal sessions are equal texts, and a repeated nonce costs nothing.
pub struct SealKey {
    generation: u32,
    root: Prk,
    /// What keys that need a secret beside this one are made of, once it has been asked for.
    inner: OnceLock<Zeroizing<[u8; 32]>>,
}

/// The sealed text is not of this key, or not of this use, or is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed text does not open")]
pub struct SealError;

impl SealKey {
    /// The length of the secret.
    pub const LENGTH: usize = 32;

    /// The key of these bytes.
    pub fn new(generation: u32, secret: &[u8]) -> Self {
        Self { generation, root: extract(b"daypass-seal-v1", secret), inner: OnceLock::new() }
    }

    /// Which sealing key it is.
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// Derives bytes for a use; every part of `info` is bound with its length.
    pub fn derive<const N: usize>(&self, info: &[&[u8]]) -> Result<Zeroizing<[u8; N]>, SealError> {
        expand(&self.root, info)
    }

    /// Seals `plain` for a use, deterministically.
    pub fn seal(&self, info: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        seal(&self.root, info, plain)
    }

    /// Opens what was sealed for a use.
    pub fn open(&self, info: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        open(&self.root, info, sealed)
    }

    /// A key that needs `secret` beside this one: whoever has the store and the sealing key, but not the secret, has
    /// nothing.
    pub fn with_secret(&self, secret: &[u8]) -> Result<Self, SealError> {
        let inner = match self.inner.get() {
            Some(inner) => inner,
            None => {
                let derived = self.derive::<32>(&[b"with-secret"])?;
                self.inner.get_or_init(|| derived)
            }
        };
        let root = extract(secret, inner.as_slice());
        Ok(Self { generation: self.generation, root, inner: OnceLock::new() })
    }
}

/// The first half of HKDF (RFC 5869 section 2.2). The library's own would be done again with every use of the key.
fn extract(salt: &[u8], secret: &[u8]) -> Prk {
    let key = hmac::sign(&hmac::Key::new(HMAC_SHA256, salt), secret);
    Prk::new_less_safe(HKDF_SHA256, key.as_ref())
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand<const N: usize>(root: &Prk, info: &[&[u8]]) -> Result<Zeroizing<[u8; N]>, SealError> {
    let lengths: Vec<[u8; 4]> =
        info.iter().map(|part| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes()).collect();
    let parts: Vec<&[u8]> =
        lengths.iter().zip(info).flat_map(|(length, part)| [length.as_slice(), part]).collect();
    let mut bytes = Zeroizing::new([0; N]);
    let okm = root.expand(&parts, Length(N)).map_err(|_| SealError)?;
    okm.fill(bytes.as_mut_slice()).map_err(|_| SealError)?;
    Ok(bytes)
}

fn cipher(root: &Prk, info: &[&[u8]]) -> Result<LessSafeKey, SealError> {
    let labelled: Vec<&[u8]> = [b"cipher".as_slice()].into_iter().chain(info.iter().copied()).collect();
    let key = expand::<32>(root, &labelled)?;
    UnboundKey::new(&AES_256_GCM_SIV, key.as_slice()).map(LessSafeKey::new).map_err(|_| SealError)
}

fn seal(root: &Prk, info: &[&[u8]], plain: &[u8]) -> Result<Vec<u8>, SealError> {
    let labelled: Vec<&[u8]> = [b"nonce".as_slice(), plain].into_iter().chain(info.iter().copied()).collect();
    let nonce = *expand::<NONCE_LEN>(root, &labelled)?;
    let mut sealed = plain.to_vec();
    cipher(root, info)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .map_err(|_| SealError)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open(root: &Prk, info: &[&[u8]], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
    let mut plain = Zeroizing::new(sealed.to_vec());
    let length =
        cipher(root, info)?.open_in_place(nonce, Aad::empty(), &mut plain).map_err(|_| SealError)?.len();
    plain.truncate(length);
    Ok(plain)
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey({})", self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_is_deterministic_and_bound_to_key_and_use() {
        let key = SealKey::new(1, &[1; 32]);
        let sealed = key.seal(&[b"session", b"123456789012"], b"plain").unwrap();
        assert_eq!(sealed, key.seal(&[b"session", b"123456789012"], b"plain").unwrap());
        assert_eq!(key.open(&[b"session", b"123456789012"], &sealed).unwrap().as_slice(), b"plain");
        assert!(key.open(&[b"session", b"123456789013"], &sealed).is_err());
        assert!(
            key.open(&[b"session1", b"23456789012"], &sealed).is_err(),
            "parts are bound with their lengths"
        );
        assert!(SealKey::new(1, &[2; 32]).open(&[b"session", b"123456789012"], &sealed).is_err());
        assert!(key.with_secret(b"x").unwrap().open(&[b"session", b"123456789012"], &sealed).is_err());
        let mut damaged = sealed.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(key.open(&[b"session", b"123456789012"], &damaged).is_err());
        assert!(key.open(&[], &sealed[..3]).is_err());
    }

    #[test]
    fn keys_are_those_of_rfc_5869() {
        use aws_lc_rs::hkdf::Salt;

        let salted = Salt::new(HKDF_SHA256, b"salt").extract(&[7; 32]);
        assert_eq!(expand::<32>(&extract(b"salt", &[7; 32]), &[b"a"]), expand::<32>(&salted, &[b"a"]));
    }

    #[test]
    fn each_use_has_its_own_bytes() {
        let key = SealKey::new(1, &[1; 32]);
        assert_ne!(key.derive::<16>(&[b"a", b"b"]), key.derive::<16>(&[b"ab", b""]));
        assert_eq!(key.derive::<16>(&[b"a"]), SealKey::new(9, &[1; 32]).derive::<16>(&[b"a"]));
    }
}
