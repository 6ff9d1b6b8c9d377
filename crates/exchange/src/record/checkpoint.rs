use daypass_claims::Timestamp;
use daypass_store::Head;
use daypass_token::VerificationKey;
use daypass_token::sign::{SignError, SigningKey};
use serde::{Deserialize, Serialize};

/// The head of a chain, in a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HeadStatement {
    /// The chain.
    pub chain: String,
    /// The place of its last entry.
    pub seq: u64,
    /// The hash of its last entry, hex.
    pub hash: String,
}

/// All heads at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// When, RFC 3339.
    pub time: String,
    /// Every chain's head.
    pub heads: Vec<HeadStatement>,
}

/// A checkpoint with its signature: one line of JSON, for the store and for an outside sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// What is stated.
    pub checkpoint: Checkpoint,
    /// The key that signed.
    pub key: String,
    /// Ed25519 over the canonical text of the checkpoint, hex.
    pub signature: String,
}

/// A checkpoint is not what it claims to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// No such key is known.
    #[error("the checkpoint is signed by `{0}`, which is not known")]
    Key(String),
    /// The signature does not hold.
    #[error("the checkpoint's signature does not hold")]
    Signature,
}

impl From<&Head> for HeadStatement {
    fn from(head: &Head) -> Self {
        Self { chain: head.chain.to_string(), seq: head.seq, hash: hex::encode(head.hash) }
    }
}

impl Checkpoint {
    /// What is signed: a first line that says what it is, the time, and a line for each head.
    pub fn text(&self) -> String {
        statement("daypass-checkpoint-v1", "", &self.time, &self.heads)
    }

    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> Result<SignedCheckpoint, SignError> {
        let signature = hex::encode(key.sign_bytes(self.text().as_bytes())?);
        Ok(SignedCheckpoint { checkpoint: self, key: key.key_id().to_string(), signature })
    }

    /// The heads as they are now.
    pub fn of(heads: &[Head], now: Timestamp) -> Self {
        Self { time: now.to_rfc3339(), heads: heads.iter().map(HeadStatement::from).collect() }
    }
}

impl SignedCheckpoint {
    /// Checks the signature with the audit keys.
    pub fn verify(&self, keys: &[VerificationKey]) -> Result<&Checkpoint, CheckpointError> {
        check_signature(keys, &self.key, &self.checkpoint.text(), &self.signature)?;
        Ok(&self.checkpoint)
    }
}

/// The text that a genesis signs.
pub(crate) fn genesis_text(chain: &str, time: &str, follows: &[HeadStatement]) -> String {
    statement("daypass-genesis-v1", chain, time, follows)
}

fn statement(what: &str, chain: &str, time: &str, heads: &[HeadStatement]) -> String {
    let mut text = format!("{what}\n{chain}\n{time}\n");
    for head in heads {
        text.push_str(&format_head(head));
    }
    text
}

fn format_head(head: &HeadStatement) -> String {
    format!("{} {} {}\n", head.chain, head.seq, head.hash)
}

pub(super) fn check_signature(
    keys: &[VerificationKey],
    key: &str,
    text: &str,
    signature: &str,
) -> Result<(), CheckpointError> {
    let known = keys.iter().find(|known| known.key_id().is_some_and(|id| id.as_str() == key));
    let known = known.ok_or_else(|| CheckpointError::Key(key.to_owned()))?;
    let bytes = hex::decode(signature).map_err(|_| CheckpointError::Signature)?;
    known
        .verify_bytes(daypass_claims::Algorithm::EdDSA, text.as_bytes(), &bytes)
        .map_err(|_| CheckpointError::Signature)
}
