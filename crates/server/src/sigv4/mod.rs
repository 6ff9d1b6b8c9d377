//! AWS Signature Version 4: what a caller signs to prove that it holds a session's secret.
//!
//! Reference: "Create a signed AWS API request" (IAM User Guide), and AWS's own signing test-suite, which
//! `tests/sigv4_vectors.rs` runs.

mod canonical;
mod sign;
mod verify;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign as hmac};

pub use canonical::{Canonical, PathStyle, canonical_query, uri_encode};
pub use sign::{Signer, sign_header, sign_query};
pub use verify::{Rules, SignatureError, Signed, SignedRequest};

/// The only algorithm of header and query signatures that daypass takes. (SigV4A is a different one.)
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The scope of a signature: date, region, service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// `20261123`
    pub date: String,
    /// `eu-west-1`
    pub region: String,
    /// `sts`
    pub service: String,
}

impl Scope {
    /// As it stands in credentials and in the string to sign.
    pub fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date, self.region, self.service)
    }
}

/// What is signed in the end.
pub fn string_to_sign(time: &str, scope: &Scope, canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{time}\n{}\n{}", scope.text(), sha256_hex(canonical_request.as_bytes()))
}

/// The signature of a string to sign, in hex.
pub fn signature(secret: &str, scope: &Scope, string_to_sign: &str) -> String {
    let mut key = mac(format!("AWS4{secret}").as_bytes(), &scope.date);
    for part in [scope.region.as_str(), scope.service.as_str(), "aws4_request"] {
        key = mac(key.as_ref(), part);
    }
    hex::encode(mac(key.as_ref(), string_to_sign))
}

fn mac(key: &[u8], text: &str) -> Tag {
    hmac(&Key::new(HMAC_SHA256, key), text.as_bytes())
}

/// SHA-256 in hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes))
}
