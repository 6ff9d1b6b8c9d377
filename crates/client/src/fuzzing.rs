//! Ways into the parsers of answers for the targets in `fuzz/`; not part of the API.

use daypass_claims::Timestamp;

use crate::token::{CiToken, Origin, TokenError};
use crate::{AwsSession, Credential, exchange};

/// Reads a token as a platform hands it out.
pub fn ci_token(text: &str) -> Result<CiToken, TokenError> {
    CiToken::parse(text, Origin::Variable("DAYPASS_TOKEN".to_owned()))
}

/// Reads the answer of the AWS wire.
pub fn aws_answer(body: &[u8]) -> Result<AwsSession, &'static str> {
    exchange::read_aws_answer(body)
}

/// Reads the answer of the OAuth wire.
pub fn oauth_answer(body: &[u8]) -> Result<Credential, &'static str> {
    exchange::read_oauth_answer(body, Timestamp::from_secs(1_800_000_000))
}
