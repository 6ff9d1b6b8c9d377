//! Why a text is not a token that daypass reads at all: everything that is refused before a key is looked for.

use std::fmt;

use daypass_claims::{IdentityError, JsonError};

use crate::encoding::Base64Error;
use crate::jws::MAX_TOKEN_BYTES;

/// One of the three parts of a compact JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// The JOSE header.
    Header,
    /// The claims.
    Payload,
    /// The signature.
    Signature,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

/// The text is not a token that daypass reads. Nothing here has looked at a key or believed a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Longer than AWS STS takes (20,000 characters).
    #[error("token has {bytes} bytes, at most {MAX_TOKEN_BYTES} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Five segments: a JWE (RFC 7516), which daypass never decrypts.
    #[error("token is encrypted (five segments); a signed token has three")]
    Encrypted,
    /// Neither three segments nor five.
    #[error("token is not three segments separated by dots (found: {found})")]
    SegmentCount {
        /// How many there are.
        found: usize,
    },
    /// A segment that is not strict base64url.
    #[error("{segment} is not base64url: {reason}")]
    Base64 {
        /// Which segment.
        segment: Segment,
        /// What is wrong with it.
        reason: Base64Error,
    },
    /// The third segment is empty.
    #[error("token is not signed: its third segment is empty")]
    EmptySignature,
    /// Header or payload is some other JSON, or no JSON.
    #[error("{segment} is not a JSON object")]
    NotAnObject {
        /// Which segment.
        segment: Segment,
    },
    /// Header or payload breaks the strict reading of JSON; a duplicate member, for instance.
    #[error("{segment} is not strict JSON: {reason}")]
    Json {
        /// Which segment.
        segment: Segment,
        /// What is wrong, and where in the decoded segment.
        reason: JsonError,
    },
    /// A member that some parsers would take for a registered one (`ISS`, `ſub`).
    #[error("{segment} has a member `{name}`, which is easily taken for `{registered}`")]
    Lookalike {
        /// Which segment.
        segment: Segment,
        /// The member, shortened.
        name: String,
        /// The registered name that it resembles.
        registered: &'static str,
    },
    /// `alg`, `kid`, `typ` or `cty` is there and is not a string.
    #[error("header member `{member}` is {kind}, not a string")]
    MemberType {
        /// Which member.
        member: &'static str,
        /// What it is instead.
        kind: &'static str,
    },
    /// No `alg`.
    #[error("header names no algorithm (`alg`)")]
    AlgorithmMissing,
    /// `none`, in any letter case: anyone could have written the token.
    #[error("token is not signed: its algorithm is `none`")]
    AlgorithmNone,
    /// An HMAC algorithm, where a public key could be passed off as the shared secret.
    #[error("algorithm `{name}` needs a shared secret; issuers sign with a private key")]
    AlgorithmHmac {
        /// The name in the header, shortened.
        name: String,
    },
    /// Some other algorithm.
    #[error("algorithm `{name}` is not one that daypass verifies")]
    AlgorithmUnknown {
        /// The name in the header, shortened.
        name: String,
    },
    /// `enc` belongs to encrypted tokens.
    #[error("header member `enc` belongs to encrypted tokens")]
    EncryptionHeader,
    /// `zip` belongs to encrypted tokens; nothing is decompressed before it is believed.
    #[error("header member `zip` belongs to encrypted tokens; nothing is decompressed")]
    CompressionHeader,
    /// RFC 7797: the payload is not base64url, which changes what was signed.
    #[error("header member `b64` is not `true`; the payload of a token is base64url")]
    UnencodedPayload,
    /// `cty` says that the payload is another token (RFC 7519 section 5.2).
    #[error("token is nested: its content type is `{content_type}`")]
    Nested {
        /// The content type, shortened.
        content_type: String,
    },
    /// `kid` cannot name a key.
    #[error("header member `kid`: {0}")]
    KeyId(IdentityError),
}

impl FormError {
    /// A stable name for records, metrics and tests: lower-case words joined by dashes.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "token-too-large",
            Self::Encrypted => "token-encrypted",
            Self::SegmentCount { .. } => "token-segments",
            Self::Base64 { .. } => "token-base64",
            Self::EmptySignature => "token-unsigned",
            Self::NotAnObject { .. } => "token-not-an-object",
            Self::Json { .. } => "token-json",
            Self::Lookalike { .. } => "token-lookalike-member",
            Self::MemberType { .. } => "token-header-type",
            Self::AlgorithmMissing => "algorithm-missing",
            Self::AlgorithmNone => "algorithm-none",
            Self::AlgorithmHmac { .. } => "algorithm-hmac",
            Self::AlgorithmUnknown { .. } => "algorithm-unknown",
            Self::EncryptionHeader => "token-encryption-header",
            Self::CompressionHeader => "token-compressed",
            Self::UnencodedPayload => "token-unencoded-payload",
            Self::Nested { .. } => "token-nested",
            Self::KeyId(_) => "key-id-malformed",
        }
    }
}
