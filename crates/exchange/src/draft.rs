//! Records in the making: what is known of a request when its answer is decided.

use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_issuers::Platform;
use daypass_store::{Compose, DecisionId, UseOutcome};
use daypass_token::VerifiedToken;

use crate::credential::{Credential, ProvenSession};
use crate::decide::{Decision, SessionRequest};
use crate::record::{ClaimsText, CredentialRecord, ExchangeRecord, Outcome, Record, RecordKind, UseRecord};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::role::Role;

/// What is known when a request is answered.
pub(crate) struct Knowledge<'k> {
    pub(crate) issuer: Option<&'k str>,
    pub(crate) token: Option<&'k VerifiedToken>,
    pub(crate) platform: Option<&'static Platform>,
    pub(crate) role: Option<&'k Role>,
    pub(crate) token_sha256: Option<String>,
}

impl Knowledge<'_> {
    /// Nothing.
    pub(crate) const NOTHING: Self =
        Self { issuer: None, token: None, platform: None, role: None, token_sha256: None };
}

/// A record that lacks only what the commit decides.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) record: ExchangeRecord,
}

impl Draft {
    /// The record of an exchange, as far as the request goes.
    pub(crate) fn new(request: &Request, known: &Knowledge<'_>, now: Timestamp) -> Self {
        Self {
            record: ExchangeRecord {
                wire: request.wire.as_str().to_owned(),
                action: "exchange".to_owned(),
                outcome: Outcome::Refused,
                reason: None,
                detail: None,
                issuer: Some(known.issuer.unwrap_or("unknown").to_owned()),
                subject: known.token.map(|token| token.subject().to_string()),
                claims: known.token.and_then(|token| ClaimsText::of(token.claims())),
                token_sha256: known.token_sha256.clone(),
                key_id: known.token.and_then(|token| token.key_id()).map(ToString::to_string),
                from_session: None,
                role: request.role.chars().take(256).collect(),
                policy: known.role.map(|role| hex::encode(role.policy_hash())),
                statement: None,
                explanation: None,
                session: request.session_name.as_ref().map(|name| name.chars().take(64).collect()),
                asked_seconds: request.duration.map(|duration| duration.as_secs()),
                credential: None,
                token_use: None,
                client: request.client.address.to_string(),
                user_agent: request.client.user_agent.clone(),
                latency_ms: millis(now.since(request.received_at)),
            },
        }
    }

    /// The record of a session that assumes another role.
    pub(crate) fn of_session(
        target: &str,
        first: &ProvenSession,
        wanted: &SessionRequest<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            record: ExchangeRecord {
                wire: crate::request::Wire::AwsQuery.as_str().to_owned(),
                action: "assume-role".to_owned(),
                outcome: Outcome::Refused,
                reason: None,
                detail: None,
                issuer: Some(first.session().issuer.clone()),
                subject: Some(first.session().subject.clone()),
                claims: None,
                token_sha256: None,
                key_id: None,
                from_session: Some(first.access_key_id().to_owned()),
                role: target.chars().take(256).collect(),
                policy: None,
                statement: None,
                explanation: None,
                session: Some(wanted.session_name.chars().take(64).collect()),
                asked_seconds: wanted.duration.map(|duration| duration.as_secs()),
                credential: None,
                token_use: None,
                client: wanted.client.address.to_string(),
                user_agent: wanted.client.user_agent.clone(),
                latency_ms: millis(now.since(wanted.received_at)),
            },
        }
    }

    /// A credential is to leave.
    pub(crate) fn admitted(mut self, decision: &Decision<'_>, credential: &Credential) -> Self {
        let record = &mut self.record;
        record.outcome = Outcome::Admitted;
        record.statement = Some(decision.statement().to_owned());
        record.session = Some(decision.session().name.clone());
        record.credential = Some(CredentialRecord {
            id: credential.id().to_string(),
            kind: decision.role().kind().to_owned(),
            access_key_id: credential.access_key_id().map(str::to_owned),
            expires_at: credential.expires_at().to_rfc3339(),
        });
        self
    }

    /// No credential is to leave.
    pub(crate) fn refused(mut self, refusal: &Refusal) -> Self {
        let record = &mut self.record;
        record.outcome = Outcome::Refused;
        record.reason = Some(refusal.code().to_owned());
        record.detail = Some(refusal.to_string());
        record.credential = None;
        match refusal {
            Refusal::Denied(evaluation) | Refusal::Undecided(evaluation) => {
                record.explanation = serde_json::to_value(evaluation).ok();
            }
            Refusal::Token(token) => {
                if let Some(expected) = token.expected() {
                    record.detail = Some(format!("{refusal}; expected {expected}"));
                }
            }
            _ => {}
        }
        self
    }
}

/// The body of a record, once the use is counted: a fresh use and a retry stay admitted, a spent token is a refusal.
///
/// It may be asked for again with another outcome. What nearly every record is, a first use, is written without copying the
/// draft with all its claims: the writer's thread does this for every exchange.
pub(crate) fn compose(draft: Draft, id: DecisionId, at: Timestamp, max: u32) -> Compose {
    let body = move |draft: Draft| {
        let kind = RecordKind::Exchange(Box::new(draft.record));
        Record { v: 1, id: id.to_string(), time: at.to_string(), kind }
    };
    let mut first = body(draft);
    Box::new(move |outcome| {
        let RecordKind::Exchange(record) = &mut first.kind else { return first.to_body() };
        let used = |ordinal, retry_of| Some(UseRecord { ordinal, max, retry_of });
        match outcome {
            UseOutcome::NotCounted => record.token_use = None,
            UseOutcome::Fresh { ordinal } => record.token_use = used(*ordinal, None),
            UseOutcome::Retry { decision, ordinal, .. } => {
                let mut draft = Draft { record: (**record).clone() };
                draft.record.token_use = used(*ordinal, Some(decision.to_string()));
                if let Some(credential) = &mut draft.record.credential {
                    // The answer is that of the first decision: its id and, derived from it, its key id and expiry.
                    credential.id = decision.to_string();
                    credential.access_key_id = None;
                }
                return body(draft).to_body();
            }
            UseOutcome::Exhausted { uses, first_at } => {
                let draft = Draft { record: (**record).clone() };
                let mut draft = draft.refused(&Refusal::Used { uses: *uses, first_at: *first_at });
                draft.record.token_use = used(*uses, None);
                return body(draft).to_body();
            }
        }
        first.to_body()
    })
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
