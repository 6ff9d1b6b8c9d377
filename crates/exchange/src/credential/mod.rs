//! What leaves: credentials, one file per kind. None can be made without an admitting [`Decision`].

mod aws_session;
mod jwt;

use daypass_claims::{ClaimSet, Timestamp};
use daypass_store::DecisionId;
use zeroize::Zeroizing;

pub use aws_session::{ProvenSession, SealedSession, SessionRefusal, access_key_is_ours};

use crate::config::CredentialConfig;
use crate::decide::Decision;
use crate::keys::Keys;
use crate::refusal::Refusal;
use crate::request::SubjectToken;

/// A credential, on its way out. Its secrets are wiped when it is dropped and never printed.
#[derive(Clone)]
pub struct Credential {
    id: DecisionId,
    issued_at: Timestamp,
    expires_at: Timestamp,
    secret: Secret,
    /// What a replica needs to give this very answer again; see `daypass_store::UseRequest::sealed`.
    retry: Vec<u8>,
}

/// The part of a credential that must not be seen.
#[derive(Clone)]
pub enum Secret {
    /// AWS keys with a sealed session token.
    AwsSession {
        /// `ASIA...`
        access_key_id: String,
        /// The signing secret.
        secret_access_key: Zeroizing<String>,
        /// The sealed session.
        session_token: Zeroizing<String>,
    },
    /// A re-issued token.
    Jwt {
        /// The compact JWS.
        token: Zeroizing<String>,
        /// Whether it is an access token (`at+jwt`).
        access_token: bool,
    },
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AwsSession { .. } => "AwsSession(..)",
            Self::Jwt { .. } => "Jwt(..)",
        })
    }
}

impl Credential {
    /// The id in records and revocations: the id of the decision that first issued it.
    pub const fn id(&self) -> DecisionId {
        self.id
    }

    /// When it was issued.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it expires.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The secret part.
    pub const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The access key id, for kinds that have one; it is no secret.
    pub fn access_key_id(&self) -> Option<&str> {
        match &self.secret {
            Secret::AwsSession { access_key_id, .. } => Some(access_key_id),
            Secret::Jwt { .. } => None,
        }
    }

    pub(crate) fn retry_material(&self) -> Vec<u8> {
        self.retry.clone()
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential")
            .field("id", &self.id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What a credential is made with, beside the decision.
pub(crate) struct Mint<'a> {
    /// The id of the decision that takes the use: everything is derived from it.
    pub(crate) id: DecisionId,
    /// When that decision was taken.
    pub(crate) at: Timestamp,
    /// Our keys.
    pub(crate) keys: &'a Keys,
    /// Who we are, as an issuer.
    pub(crate) issuer: &'a str,
    /// The claims of the presented token.
    pub(crate) claims: &'a ClaimSet,
    /// The presented token, which what is kept for retries is sealed under.
    pub(crate) token: Option<&'a SubjectToken>,
    /// The policy that the caller bounds its own session by.
    pub(crate) session_policy: &'a crate::request::SessionPolicy,
}

/// Makes the credential that a decision admits to. The same decision, id and time give the same credential.
pub(crate) fn mint(
    decision: &Decision<'_>,
    mint: &Mint<'_>,
    retry: Option<&[u8]>,
) -> Result<Credential, Refusal> {
    let issued_at = Timestamp::from_secs(mint.at.as_secs());
    let expires_at = issued_at + decision.session().duration;
    let (secret, retry) = match &decision.role().config().credential {
        CredentialConfig::AwsSession => aws_session::mint(decision, mint, issued_at, expires_at, retry)?,
        CredentialConfig::Jwt(config) => jwt::mint(decision, config, mint, issued_at, expires_at, retry)?,
    };
    Ok(Credential { id: mint.id, issued_at, expires_at, secret, retry })
}
