//! AWS Signature Version 4: what a caller signs to prove that it holds a session's secret.
//!
//! Reference: "Create a signed AWS API request" (IAM User Guide), and AWS's own signing test-suite, which the tests run.

mod canonical;
mod error;
mod sign;
mod verify;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, Tag, sign as hmac};
use daypass_claims::Timestamp;

pub use canonical::{Canonical, PathStyle, canonical_query, uri_encode};
pub use error::SignatureError;
pub use sign::{Signer, sign_header, sign_query};
pub use verify::{Rules, Signed, SignedRequest};

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

/// `20261123T050000Z`, of the day that the scope names.
fn moment(time: &str, scope: &Scope) -> Result<Timestamp, SignatureError> {
    let malformed = SignatureError::Incomplete("X-Amz-Date is not like 20261123T050000Z");
    let Some((date, clock)) = time.split_once('T') else { return Err(malformed) };
    let mut extended = String::with_capacity(20);
    for (index, c) in time.chars().enumerate() {
        match index {
            4 | 6 => extended.push('-'),
            11 | 13 => extended.push(':'),
            _ => {}
        }
        extended.push(c);
    }
    // Anything of another form has other lengths, or does not read.
    if (date.len(), clock.len()) != (8, 7) || !clock.ends_with('Z') {
        return Err(malformed);
    }
    if date != scope.date {
        return Err(SignatureError::Incomplete("X-Amz-Date is not of the credential's day"));
    }
    Timestamp::parse(&extended).map_err(|_| malformed)
}
