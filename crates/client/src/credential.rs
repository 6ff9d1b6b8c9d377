use daypass_claims::Timestamp;

use crate::Secret;

/// What a token was exchanged for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// Keys for requests that are signed as AWS's are.
    AwsSession(AwsSession),
    /// A token to be shown.
    Token(AccessToken),
}

/// An AWS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsSession {
    /// `ASIA...`: names the key, proves nothing.
    pub access_key_id: String,
    /// The key that signs.
    pub secret_access_key: Secret,
    /// Goes with every signed request.
    pub session_token: Secret,
    /// When it ends.
    pub expiration: Timestamp,
    /// The account that it is in, if that is known.
    pub account: Option<String>,
    /// The assumed role and session, `arn:aws:sts::123456789012:assumed-role/deploy/run-7`, if the
    /// server says so.
    pub arn: Option<String>,
}

/// A token to be presented as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub access_token: Secret,
    /// How to present it: `Bearer`; `N_A` if it is not for access (RFC 8693 section 2.2.1).
    pub token_type: String,
    /// What it is, an URI like `urn:ietf:params:oauth:token-type:access_token`.
    pub issued_token_type: String,
    /// What it is good for, if the server narrowed or widened that.
    pub scope: Option<String>,
    /// When it ends, if the server says so.
    pub expires_at: Option<Timestamp>,
}

impl Credential {
    /// When it ends, if that is known.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::AwsSession(session) => Some(session.expiration),
            Self::Token(token) => token.expires_at,
        }
    }
}

/// The account in an ARN.
pub(crate) fn account_of(arn: &str) -> Option<String> {
    let account = arn.split(':').nth(4)?;
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then(|| account.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::session;

    #[test]
    fn the_account_is_part_of_the_arn() {
        let arn = "arn:aws:sts::123456789012:assumed-role/deploy/run-7";
        assert_eq!(account_of(arn).as_deref(), Some("123456789012"));
        for arn in ["arn:aws:sts", "arn:aws:sts::acme:assumed-role/x/y", ""] {
            assert_eq!(account_of(arn), None, "{arn}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", Credential::AwsSession(session()));
        assert!(printed.contains("ASIA"), "{printed}");
        assert!(!printed.contains("wJalr") && !printed.contains("dps1_"), "{printed}");
    }
}
