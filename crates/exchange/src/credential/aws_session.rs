//! `aws-session`: an access key, a secret and a session token, as STS gives them. The session token holds the session
//! itself, sealed; the secret is derived from it. Any replica verifies both without asking anybody.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daypass_claims::Timestamp;
use daypass_store::DecisionId;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Mint, Secret};
use crate::decide::{Decision, Session};
use crate::keys::{Keys, SealKey};
use crate::refusal::Refusal;
use crate::revocation::{Credentials, Revocations};
use crate::role::base32;

/// What session tokens begin with, so that a scanner for leaked secrets can know them.
const PREFIX: &str = "dps1_";

/// The session inside a session token. Short names: it travels in a header of every request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    id: Uuid,
    role: String,
    arn: String,
    name: String,
    iss: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repo: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    src: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keep: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<String>,
    iat: i64,
    exp: i64,
}

pub(super) fn mint(
    decision: &Decision<'_>,
    mint: &Mint<'_>,
    issued_at: Timestamp,
    expires_at: Timestamp,
    retry: Option<&[u8]>,
) -> Result<(Secret, Vec<u8>), Refusal> {
    let (role, session) = (decision.role(), decision.session().clone());
    let sealed = Sealed {
        id: mint.id.0,
        role: role.name().to_owned(),
        arn: role.arn().to_owned(),
        name: session.name,
        iss: session.issuer,
        sub: session.subject,
        run: session.run,
        repo: session.repository,
        src: session.source_identity,
        tags: session.tags,
        keep: session.transitive_tags,
        policy: mint.session_policy.document.clone(),
        policies: mint.session_policy.arns.clone(),
        iat: issued_at.as_secs(),
        exp: expires_at.as_secs(),
    };
    let plain = Zeroizing::new(
        serde_json::to_vec(&sealed).map_err(|_| Refusal::Mint("the session has no text form"))?,
    );
    let failed = |_| Refusal::Mint("the session could not be sealed");
    // The session is sealed again as it was, though another key may be in use by now.
    let key = retry.and_then(|kept| sealed_with(mint.keys, kept)).unwrap_or_else(|| mint.keys.seal());
    let generation = key.generation().to_be_bytes();
    let box_ = key.seal(&purpose(role.account()), &plain).map_err(failed)?;
    let token = [generation.as_slice(), &box_].concat();
    let secret = Secret::AwsSession {
        access_key_id: access_key_id(key, sealed.id).map_err(failed)?,
        secret_access_key: secret_access_key(key, sealed.id).map_err(failed)?,
        session_token: Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token))),
    };
    Ok((secret, generation.to_vec()))
}

/// The key that an answer was sealed with: all that is kept of it, beside the use, is that key's generation.
fn sealed_with<'k>(keys: &'k Keys, kept: &[u8]) -> Option<&'k Arc<SealKey>> {
    keys.seal_of(u32::from_be_bytes(kept.try_into().ok()?))
}

/// What a sealed session is bound to beside the key.
fn purpose(account: &str) -> [&[u8]; 2] {
    [b"aws-session", account.as_bytes()]
}

/// `ASIA` and 16 characters: 48 bits of the session's id and 32 bits that only our key gives, so that we know our own.
fn access_key_id(key: &SealKey, id: Uuid) -> Result<String, crate::keys::SealError> {
    let head = key.derive::<6>(&[b"access-key-id", id.as_bytes()])?;
    let check = key.derive::<4>(&[b"access-key-check", head.as_slice()])?;
    Ok(format!("ASIA{}", base32(&[head.as_slice(), check.as_slice()].concat())))
}

/// 160 bits in hex: 40 characters like AWS's, none of which any shell or tool trips over.
fn secret_access_key(key: &SealKey, id: Uuid) -> Result<Zeroizing<String>, crate::keys::SealError> {
    Ok(Zeroizing::new(hex::encode(key.derive::<20>(&[b"secret-access-key", id.as_bytes()])?.as_slice())))
}

/// Whether an access key id is one that we gave out.
pub fn access_key_is_ours(keys: &Keys, access_key_id: &str) -> bool {
    let Some(text) = access_key_id.strip_prefix("ASIA").filter(|text| text.len() == 16) else { return false };
    let Some(bytes) = unbase32(text) else { return false };
    let Some((head, check)) = bytes.split_at_checked(6) else { return false };
    keys.seals().any(|key| {
        key.derive::<4>(&[b"access-key-check", head])
            .is_ok_and(|wanted| wanted.as_slice().ct_eq(check).into())
    })
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len().saturating_mul(5) / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'2'..=b'7' => c - b'2' + 26,
            _ => return None,
        };
        buffer = (buffer << 5 | u32::from(value)) & 0xfff_ffff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// A session token that opened. Whoever presents it has yet to prove that it holds the secret.
#[derive(Debug)]
pub struct SealedSession {
    sealed: Sealed,
    account: String,
    access_key_id: String,
    secret: Zeroizing<String>,
}

/// A session whose bearer has proved to hold its secret, and that is neither expired nor revoked.
#[derive(Clone, Debug)]
pub struct ProvenSession {
    id: DecisionId,
    account: String,
    role: String,
    role_arn: String,
    access_key_id: String,
    session: Session,
    expires_at: Timestamp,
}

/// Why a session is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefusal {
    /// Not a session token of ours, or of another account.
    #[error("the security token included in the request is invalid")]
    Token,
    /// The access key id is not the session's.
    #[error("the access key id does not belong to the security token")]
    AccessKey,
    /// The signature does not match.
    #[error("the request signature does not match")]
    Signature,
    /// Past its end.
    #[error("the security token included in the request is expired")]
    Expired,
    /// Revoked.
    #[error("the session was revoked")]
    Revoked,
}

impl SealedSession {
    /// Opens a session token of `account`.
    pub fn open(keys: &Keys, account: &str, session_token: &str) -> Result<Self, SessionRefusal> {
        let text = session_token.strip_prefix(PREFIX).ok_or(SessionRefusal::Token)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| SessionRefusal::Token)?;
        let (generation, sealed) = bytes.split_at_checked(4).ok_or(SessionRefusal::Token)?;
        let generation = generation.try_into().map(u32::from_be_bytes).map_err(|_| SessionRefusal::Token)?;
        let key = keys.seal_of(generation).ok_or(SessionRefusal::Token)?;
        let plain = key.open(&purpose(account), sealed).map_err(|_| SessionRefusal::Token)?;
        let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| SessionRefusal::Token)?;
        let access_key_id = access_key_id(key, sealed.id).map_err(|_| SessionRefusal::Token)?;
        let secret = secret_access_key(key, sealed.id).map_err(|_| SessionRefusal::Token)?;
        Ok(Self { sealed, account: account.to_owned(), access_key_id, secret })
    }

    /// Accepts the session if the access key id is its own and `signature_matches` says that the request was signed with
    /// its secret.
    pub fn prove(
        self,
        access_key_id: &str,
        revocations: &Revocations,
        now: Timestamp,
        signature_matches: impl FnOnce(&str) -> bool,
    ) -> Result<ProvenSession, SessionRefusal> {
        if !bool::from(self.access_key_id.as_bytes().ct_eq(access_key_id.as_bytes())) {
            return Err(SessionRefusal::AccessKey);
        }
        if !signature_matches(&self.secret) {
            return Err(SessionRefusal::Signature);
        }
        let (issued_at, expires_at) =
            (Timestamp::from_secs(self.sealed.iat), Timestamp::from_secs(self.sealed.exp));
        if now >= expires_at {
            return Err(SessionRefusal::Expired);
        }
        let sealed = self.sealed;
        let id = DecisionId(sealed.id);
        let about = Credentials {
            id: &id.to_string(),
            access_key_id: Some(&self.access_key_id),
            role: &sealed.role,
            issuer: &sealed.iss,
            run: sealed.run.as_deref(),
            repository: sealed.repo.as_deref(),
            issued_at,
        };
        if revocations.kills(&about) {
            return Err(SessionRefusal::Revoked);
        }
        Ok(ProvenSession {
            id,
            account: self.account,
            access_key_id: self.access_key_id,
            role: sealed.role,
            role_arn: sealed.arn,
            session: Session {
                name: sealed.name,
                duration: Duration::from_secs(
                    u64::try_from(sealed.exp.saturating_sub(sealed.iat)).unwrap_or(0),
                ),
                source_identity: sealed.src,
                tags: sealed.tags,
                transitive_tags: sealed.keep,
                scopes: Vec::new(),
                issuer: sealed.iss,
                subject: sealed.sub,
                run: sealed.run,
                repository: sealed.repo,
            },
            expires_at,
        })
    }
}

impl ProvenSession {
    /// The id of the decision that issued it.
    pub const fn id(&self) -> DecisionId {
        self.id
    }

    /// The account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The name of its role.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// The ARN of its role.
    pub fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// Its access key id.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What it is made of.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// When it ends.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account, self.role, self.session.name)
    }
}
