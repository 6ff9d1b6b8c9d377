use std::collections::BTreeMap;

use daypass_claims::ClaimSet;
use daypass_store::RecordBody;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Room for a record with the claims of a usual CI token, in bytes: more is found by growing.
const USUAL_LENGTH: usize = 2_048;

/// A record, as it lies in the log: compact JSON, written once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    pub v: u8,
    /// The decision id.
    pub id: String,
    /// When, RFC 3339 with milliseconds.
    pub time: String,
    /// What it is about.
    #[serde(flatten)]
    pub kind: RecordKind,
}

/// What a record is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum RecordKind {
    /// The beginning of a chain.
    Genesis(GenesisRecord),
    /// A token or session was exchanged for a credential, or was not.
    Exchange(Box<ExchangeRecord>),
    /// Refusals that were too many to record singly, counted.
    Summary(SummaryRecord),
    /// Something that an administrator did.
    Admin(AdminAct),
}

/// The beginning of a chain: one boot of one server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenesisRecord {
    /// The chain.
    pub chain: String,
    /// The heads that were known at that time: what this chain follows.
    pub follows: Vec<super::HeadStatement>,
    /// The key that signed.
    pub key: String,
    /// Ed25519 over the statement of `chain`, time and `follows`, hex.
    pub signature: String,
    /// The version of the program.
    pub program: String,
    /// Risks that roles take on, by role.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accepted_risks: BTreeMap<String, Vec<String>>,
}

/// Whether a credential left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It did.
    Admitted,
    /// It did not.
    Refused,
}

/// An exchange, admitted or refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// The wire.
    pub wire: String,
    /// What was done: `exchange`, or `assume-role` from a session.
    pub action: String,
    /// Whether a credential left.
    pub outcome: Outcome,
    /// For a refusal, its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For a refusal, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The issuer: a configured one, or `unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject of a verified token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// All claims of a verified token. Nothing that no signature vouches for is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<ClaimsText>,
    /// SHA-256 of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
    /// The key that verified it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The access key id of the session that asked, for `assume-role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_session: Option<String>,
    /// The role, as it was asked for.
    pub role: String,
    /// The version of its trust: SHA-256 of the policy document that the store keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The statement that admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// For a refusal by trust, the whole explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Value>,
    /// The name of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// How long it was asked to last, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_seconds: Option<u64>,
    /// The credential that left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialRecord>,
    /// Which use of the token it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_use: Option<UseRecord>,
    /// The caller's address.
    pub client: String,
    /// The caller's `User-Agent`, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// From the request's arrival to the record, in milliseconds.
    pub latency_ms: u64,
}

/// A credential, without its secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// Its id: the decision that first issued it.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its access key id, which is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// When it expires, RFC 3339.
    pub expires_at: String,
}

/// Which use of a token a decision took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UseRecord {
    /// 1 for the first.
    pub ordinal: u32,
    /// How many there may be.
    pub max: u32,
    /// For a retry, the decision that took the use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
}

/// Refusals of one second that were too many to record singly, so that nobody who is refused can fill the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SummaryRecord {
    /// How many there were, by code.
    pub refused: BTreeMap<String, u64>,
    /// The second they fell in, RFC 3339.
    pub second: String,
}

/// Something that an administrator did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AdminAct {
    /// What: `revoke`, `rotate-keys`, `push-keys`, `explain`, `read-audit`.
    pub act: String,
    /// To what.
    pub about: String,
    /// Who: `bootstrap-token`, or the subject of a CI token.
    pub by: String,
    /// From where.
    pub client: String,
}

impl Record {
    /// The body to be stored.
    pub fn to_body(&self) -> RecordBody {
        // Every part is a string, a number or a map with string keys, so this cannot fail; an empty body would be seen
        // by the verifier as damage.
        let mut body = Vec::with_capacity(USUAL_LENGTH);
        match serde_json::to_writer(&mut body, self) {
            Ok(()) => RecordBody(body),
            Err(_) => RecordBody(Vec::new()),
        }
    }

    /// Reads a stored body.
    pub fn from_body(body: &RecordBody) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(&body.0)
    }
}

/// Claims as they stand in a record: JSON that was written once, and goes into the body as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ClaimsText(Box<RawValue>);

impl ClaimsText {
    /// Of these claims.
    pub(crate) fn of(claims: &ClaimSet) -> Option<Self> {
        serde_json::value::to_raw_value(claims).ok().map(Self)
    }

    /// The JSON.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl<'de> Deserialize<'de> for ClaimsText {
    /// Through a value: a record's kind is known only when all of it has been read, and by then there is no text.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        serde_json::value::to_raw_value(&value).map(Self).map_err(D::Error::custom)
    }
}
