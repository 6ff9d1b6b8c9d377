//! The envelope: a JWS in compact serialisation (RFC 7515 section 7.1), opened but not believed.
//!
//! This layer knows nothing of claims. [`crate::UnverifiedToken`] and [`crate::verify`] are the way to a token that
//! may be believed; `Jws` alone is for payloads that are no claims, such as the published test vectors.

use std::fmt;
use std::sync::OnceLock;

use crate::digest::TokenDigest;
use crate::encoding;
use crate::form::{FormError, Segment};
use crate::header::Header;
use crate::key::{SignatureError, VerificationKey};

/// The longest token that is read, in bytes: what AWS STS takes. It is looked at before anything is decoded.
pub const MAX_TOKEN_BYTES: usize = 20_000;

/// A compact JWS with its parts decoded.
#[derive(Clone)]
pub struct Jws {
    raw: Box<str>,
    /// Length of `header.payload`, the bytes that are signed.
    signed: usize,
    header: Header,
    payload: Vec<u8>,
    signature: Vec<u8>,
    digest: OnceLock<TokenDigest>,
}

impl Jws {
    /// Opens `raw`: three segments of strict base64url, the first a header that daypass accepts. The payload may be
    /// anything.
    pub fn parse(raw: &str) -> Result<Self, FormError> {
        if raw.len() > MAX_TOKEN_BYTES {
            return Err(FormError::TooLarge { bytes: raw.len() });
        }
        let mut segments = raw.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(match raw.split('.').count() {
                5 => FormError::Encrypted,
                found => FormError::SegmentCount { found },
            });
        };
        let signed = header.len() + 1 + payload.len();
        let header = Header::from_json(&decode(header, Segment::Header)?)?;
        let payload = decode(payload, Segment::Payload)?;
        if signature.is_empty() {
            return Err(FormError::EmptySignature);
        }
        let signature = decode(signature, Segment::Signature)?;
        Ok(Self { raw: raw.into(), signed, header, payload, signature, digest: OnceLock::new() })
    }

    /// The header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, decoded. Nobody vouches for it.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether `key` made the signature, with the algorithm that the header names. The key must fit that algorithm.
    pub fn check_signature(&self, key: &VerificationKey) -> Result<(), SignatureError> {
        key.verify_bytes(self.header.algorithm(), self.signing_input(), &self.signature)
    }

    /// The SHA-256 of the whole text.
    pub fn digest(&self) -> TokenDigest {
        *self.digest.get_or_init(|| TokenDigest::of(&*self.raw))
    }

    /// The bytes that the signature covers, exactly as received.
    pub(crate) fn signing_input(&self) -> &[u8] {
        self.raw.as_bytes().get(..self.signed).unwrap_or_default()
    }
}

fn decode(text: &str, segment: Segment) -> Result<Vec<u8>, FormError> {
    encoding::decode(text).map_err(|reason| FormError::Base64 { segment, reason })
}

/// Shows the header and the digest; never the text, which is a bearer credential.
impl fmt::Debug for Jws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws")
            .field("algorithm", &self.header.algorithm())
            .field("key_id", &self.header.key_id())
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::Base64Error;

    /// `{"alg":"ES256"}`
    const HEADER: &str = "eyJhbGciOiJFUzI1NiJ9";

    #[test]
    fn the_size_is_looked_at_before_anything_else() {
        let text = "!".repeat(MAX_TOKEN_BYTES + 1);
        assert_eq!(Jws::parse(&text).unwrap_err(), FormError::TooLarge { bytes: MAX_TOKEN_BYTES + 1 });
        let text = format!("{HEADER}.{}.AA", "A".repeat(MAX_TOKEN_BYTES - HEADER.len() - 4));
        assert_eq!(text.len(), MAX_TOKEN_BYTES);
        assert!(Jws::parse(&text).is_ok());
    }

    #[test]
    fn only_three_segments_are_a_signed_token() {
        for (text, found) in [("", 1), ("abc", 1), ("a.b", 2), ("a.b.c.d", 4), ("a.b.c.d.e.f", 6)] {
            assert_eq!(Jws::parse(text).unwrap_err(), FormError::SegmentCount { found }, "{text}");
        }
        assert_eq!(Jws::parse("a.b.c.d.e").unwrap_err(), FormError::Encrypted);
    }

    #[test]
    fn each_segment_is_strict_base64url() {
        let refusal = |text: String| Jws::parse(&text).unwrap_err();
        let base64 = |segment, reason| FormError::Base64 { segment, reason };
        assert_eq!(refusal(format!("{HEADER}=.e30.AA")), base64(Segment::Header, Base64Error::Padding));
        assert_eq!(refusal(format!("{HEADER}.e3.AA")), base64(Segment::Payload, Base64Error::TrailingBits));
        assert_eq!(refusal(format!("{HEADER}.e30.A")), base64(Segment::Signature, Base64Error::Length));
        assert_eq!(
            refusal(format!("{HEADER}.e30.AA\n")),
            base64(Segment::Signature, Base64Error::Character { offset: 2 })
        );
        assert_eq!(refusal(format!("{HEADER}.e30.")), FormError::EmptySignature);
    }

    #[test]
    fn debug_shows_no_part_of_the_text() {
        let jws = Jws::parse(&format!("{HEADER}.c2VjcmV0.c2lnbmF0dXJl")).unwrap();
        let shown = format!("{jws:?}");
        assert!(shown.contains("ES256") && shown.contains(&jws.digest().to_string()), "{shown}");
        for part in [HEADER, "c2VjcmV0", "c2lnbmF0dXJl", "secret", "signature"] {
            assert!(!shown.contains(part), "{shown}");
        }
    }
}
