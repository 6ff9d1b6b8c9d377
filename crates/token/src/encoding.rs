//! base64url as JOSE writes it: no padding, no white space, one encoding per byte string (RFC 7515 section 2).

use base64::engine::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why text is not strict base64url. Positions are given, characters are not: they would be a part of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Base64Error {
    /// A character outside `A-Z a-z 0-9 - _`; white space, `+`, `/` and non-ASCII among them.
    #[error("byte {offset} is outside the base64url alphabet")]
    Character {
        /// 0-based byte offset in the text.
        offset: usize,
    },
    /// `=` at the end; JOSE leaves it out.
    #[error("it is padded with `=`")]
    Padding,
    /// One character left over: it holds less than a byte.
    #[error("its length is not that of any byte string")]
    Length,
    /// The unused bits of the last character are not zero: a second spelling of the same bytes.
    #[error("the unused bits at its end are not zero")]
    TrailingBits,
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the encoding of `bytes` to `text`.
pub(crate) fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    URL_SAFE_NO_PAD.encode_string(bytes, text);
}

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| explain(text))
}

/// Says what is wrong with text that did not decode, without the library's message, which shows characters.
fn explain(text: &str) -> Base64Error {
    let outside = |b: &u8| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    match text.trim_end_matches('=').as_bytes().iter().position(outside) {
        Some(offset) => Base64Error::Character { offset },
        None if text.ends_with('=') => Base64Error::Padding,
        None if text.len() % 4 == 1 => Base64Error::Length,
        None => Base64Error::TrailingBits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_way_of_being_lax_is_refused_with_its_reason() {
        assert_eq!(decode("Zm9v"), Ok(b"foo".to_vec()));
        assert_eq!(decode(""), Ok(Vec::new()));
        assert_eq!(decode("Zg=="), Err(Base64Error::Padding));
        assert_eq!(decode("Z"), Err(Base64Error::Length));
        assert_eq!(decode("Zh"), Err(Base64Error::TrailingBits));
        for (text, offset) in
            [("Zm 9", 2), ("Zm9v\n", 4), ("Zm+v", 2), ("Zm/v", 2), ("Zm=v", 2), ("é", 0), ("Zm9v?", 4)]
        {
            assert_eq!(decode(text), Err(Base64Error::Character { offset }), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_decodes_encodes_to_the_same_text(text in "[A-Za-z0-9_-]{0,40}") {
            if let Ok(bytes) = decode(&text) {
                prop_assert_eq!(encode(bytes), text);
            }
        }
    }
}
