//! `explain --decision ID`: a recorded decision, explained from the record and the policy version that decided it.

use daypass_claims::{ClaimSet, Timestamp};
use daypass_store::{DecisionId, StoreError};
use daypass_trust::document::Source;
use daypass_trust::form::RequestKey;
use daypass_trust::{CompileOptions, Context, Dialect, Evaluation, compile, evaluate};
use serde::{Deserialize, Serialize};

use crate::exchange::Exchange;
use crate::record::{ClaimsText, Record, RecordKind};

/// A recorded decision with its explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// The record as it lies in the log.
    pub record: Record,
    /// The decision made again with the recorded claims and the policy version of that time; absent where the token never
    /// verified, or that version is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<Evaluation>,
    /// What is said instead, where there is no evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Why a decision cannot be explained.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// There is none of that id.
    #[error("there is no decision {0}")]
    Unknown(DecisionId),
    /// Its body has been dropped when its retention ended.
    #[error("the record of decision {0} is past its retention; only its hash is kept")]
    Dropped(DecisionId),
    /// The record does not read.
    #[error("the record of decision {0} is damaged")]
    Damaged(DecisionId),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A policy version as the store keeps it; written by `Role`.
#[derive(Deserialize)]
struct PolicyDocument {
    dialect: String,
    source: String,
    text: String,
}

impl Exchange {
    /// Explains a recorded decision.
    pub async fn explain(&self, id: DecisionId) -> Result<Explained, ExplainError> {
        let stored = self.store().record(id).await?.ok_or(ExplainError::Unknown(id))?;
        let body = stored.body.ok_or(ExplainError::Dropped(id))?;
        let record = Record::from_body(&body).map_err(|_| ExplainError::Damaged(id))?;
        let (evaluation, note) = match self.evaluate_again(&record).await? {
            Ok(evaluation) => (Some(evaluation), None),
            Err(note) => (None, Some(note)),
        };
        Ok(Explained { record, evaluation, note })
    }

    async fn evaluate_again(&self, record: &Record) -> Result<Result<Evaluation, String>, StoreError> {
        let RecordKind::Exchange(exchange) = &record.kind else {
            return Ok(Err("this record is about no exchange".to_owned()));
        };
        let (Some(hash), Some(claims)) = (&exchange.policy, &exchange.claims) else {
            return Ok(Err("no trust was asked: the request was refused before".to_owned()));
        };
        let hash = hex::decode(hash).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let Some(document) = (match hash {
            Some(hash) => self.store().policy(hash).await?,
            None => None,
        }) else {
            return Ok(Err("the policy version of that time is not kept".to_owned()));
        };
        Ok(self.again(&document, claims, record, exchange))
    }

    fn again(
        &self,
        document: &str,
        claims: &ClaimsText,
        record: &Record,
        exchange: &crate::record::ExchangeRecord,
    ) -> Result<Evaluation, String> {
        let document: PolicyDocument = serde_json::from_str(document).map_err(|why| why.to_string())?;
        let claims = ClaimSet::from_json(claims.as_str().as_bytes()).map_err(|why| why.to_string())?;
        let current = self
            .roles()
            .find(&exchange.role)
            .filter(|role| exchange.policy == Some(hex::encode(role.policy_hash())));
        let policy = match current {
            Some(role) => role.config().policy.clone(),
            None => {
                let dialect: Dialect = document.dialect.parse().map_err(|why| format!("{why}"))?;
                if dialect == Dialect::Daypass {
                    return Err(
                        "the role's trust has changed since; its text of that time is kept with the record"
                            .to_owned(),
                    );
                }
                let source = Source::new(document.source, document.text);
                compile(dialect, &source, &CompileOptions::default()).map_err(|why| why.to_string())?.policy
            }
        };
        let mut context = Context::new().complete().account(self.config().account_id.as_str());
        if let Some(session) = &exchange.session {
            context = context.with(RequestKey::SessionName, session.as_str());
        }
        if let Ok(address) = exchange.client.parse() {
            context = context.source_ip(address);
        }
        if let Ok(time) = Timestamp::parse(&record.time) {
            context = context.time(time);
        }
        Ok(evaluate(&policy, &claims, &context))
    }
}
