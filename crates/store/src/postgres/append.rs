//! One transaction for a batch of entries.
//!
//! Three round trips: what is there, what is to be written, the commit. Replicas that count uses of the same token at
//! the same moment meet at the primary key of `token_use`: one inserts, the other waits for that transaction and then
//! finds its own insert without effect (at higher isolation levels: an error), and runs its batch again on what is
//! there now. Nothing is sure until every use of the batch is inserted, and nothing is committed before.

use daypass_claims::Timestamp;
use tokio::time::sleep;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};

use super::errors::{is_retryable, translate, translate_commit};
use super::link::Link;
use super::plan::{Plan, UsesByKey};
use super::rows;
use super::{ATTEMPTS, PAUSE};
use crate::batch::{Pending, Tip};
use crate::{ChainId, DecisionId, Receipt, RecordBody, StoreError, UseOutcome};

const SELECT_USES: &str = "SELECT use_key, ordinal, request, decision, at, sealed
    FROM token_use WHERE use_key = ANY($1)";

const SELECT_TIP: &str = "SELECT seq, hash FROM record WHERE chain = $1 ORDER BY seq DESC LIMIT 1";

/// The chain that this process appends to.
#[derive(Debug)]
pub(super) struct OpenChain {
    chain: ChainId,
    /// Where its end is; `None` when a failure has left that in doubt.
    tip: Option<Tip>,
    /// Something of the batch under way was committed, or may have been.
    touched: bool,
}

/// Why a transaction did not come about.
enum Trouble {
    /// Another transaction was in the way.
    Conflict,
    /// A decision is recorded already, we do not know which.
    Duplicate,
    /// The database would not.
    Failed(StoreError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let violated = error.as_db_error().filter(|error| *error.code() == SqlState::UNIQUE_VIOLATION);
        match violated {
            Some(violated) if violated.constraint() == Some("record_decision") => Self::Duplicate,
            // Our place on the chain is taken: by ourselves, in a commit of which we did not see the end.
            Some(_) => Self::Conflict,
            None if is_retryable(&error) => Self::Conflict,
            None => Self::Failed(translate(&error)),
        }
    }
}

impl OpenChain {
    /// Opens `chain` with its genesis.
    pub(super) async fn open(
        link: &Link,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: &RecordBody,
    ) -> Result<(Self, Receipt), StoreError> {
        let mut tip = Tip::start(chain);
        let mut plan = Plan::default();
        plan.record(&mut tip, decision, time, genesis.clone());
        let outcome = async {
            let client = link.client();
            client.batch_execute("BEGIN").await?;
            let sql = "INSERT INTO chain (chain, opened_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            let opened_at = time.as_millis();
            let inserted =
                client.execute_typed(sql, &[(&chain.0, Type::UUID), (&opened_at, Type::INT8)]).await?;
            if inserted == 0 {
                return Err(Trouble::Failed(StoreError::Exists("chain")));
            }
            plan.insert_records(client).await?;
            commit(client).await
        };
        match outcome.await {
            Ok(()) => {
                let receipt = Receipt::new(chain, 0, decision, UseOutcome::NotCounted);
                Ok((Self { chain, tip: Some(tip), touched: false }, receipt))
            }
            Err(trouble) => {
                roll_back(link).await;
                Err(match trouble {
                    Trouble::Conflict => StoreError::Busy,
                    Trouble::Duplicate => StoreError::Exists("decision"),
                    Trouble::Failed(error) => error,
                })
            }
        }
    }

    /// Whether something of the last batch, given up by the caller, may have been committed all the same.
    pub(super) const fn was_touched(&self) -> bool {
        self.touched
    }

    /// Appends a batch in one transaction. The answers are in the order of the entries; an entry that is refused does
    /// not harm the others. An error means that nothing was committed (or, as it says, may have been).
    pub(super) async fn append(
        &mut self,
        link: &Link,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, StoreError> {
        self.touched = false;
        match self.together(link, batch).await {
            Ok(answers) => Ok(answers),
            Err(Trouble::Conflict) => Err(StoreError::Busy),
            Err(Trouble::Failed(error)) => Err(error),
            Err(Trouble::Duplicate) if batch.len() > 1 => self.one_by_one(link, batch).await,
            Err(Trouble::Duplicate) => Ok(vec![Err(StoreError::Exists("decision"))]),
        }
    }

    /// Finds the entry that none of the others can be committed with.
    async fn one_by_one(
        &mut self,
        link: &Link,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, StoreError> {
        let mut answers = Vec::with_capacity(batch.len());
        for pending in batch {
            answers.push(match self.together(link, std::slice::from_mut(pending)).await {
                Ok(mut answer) => answer.pop().unwrap_or(Err(StoreError::Closed)),
                Err(Trouble::Conflict) => Err(StoreError::Busy),
                Err(Trouble::Duplicate) => Err(StoreError::Exists("decision")),
                Err(Trouble::Failed(error)) => Err(error),
            });
        }
        Ok(answers)
    }

    /// Runs the transaction until no other one is in its way.
    async fn together(
        &mut self,
        link: &Link,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, Trouble> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let trouble = match self.attempt(link.client(), batch).await {
                Ok(answers) => return Ok(answers),
                Err(trouble) => trouble,
            };
            roll_back(link).await;
            if !matches!(trouble, Trouble::Conflict) || attempt == ATTEMPTS {
                return Err(trouble);
            }
            // Replicas that met once do not meet again and again: each has a rhythm of its own.
            let [.., last] = self.chain.0.into_bytes();
            sleep(PAUSE * attempt * (1 + u32::from(last % 4))).await;
        }
    }

    async fn attempt(
        &mut self,
        client: &Client,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, Trouble> {
        let known = self.tip.take();
        let keys: Vec<&[u8]> = batch
            .iter()
            .filter_map(|pending| pending.entry.token_use.as_ref().map(|wish| wish.key.as_slice()))
            .collect();
        let (began, uses, end) = tokio::join!(
            biased;
            client.batch_execute("BEGIN"),
            select_uses(client, &keys),
            find_tip(client, self.chain, known),
        );
        began?;
        let (mut taken, mut tip) = (uses?, end?);
        let mut plan = Plan::default();
        let answers =
            batch.iter_mut().map(|pending| plan.entry(&mut tip, &mut taken, &mut pending.entry)).collect();
        let (counted, recorded) = tokio::join!(biased; plan.insert_uses(client), plan.insert_records(client));
        if !counted? {
            return Err(Trouble::Conflict);
        }
        recorded?;
        let touched = std::mem::replace(&mut self.touched, true);
        if let Err(trouble) = commit(client).await {
            self.touched = touched || matches!(trouble, Trouble::Failed(StoreError::Ambiguous));
            return Err(trouble);
        }
        self.tip = Some(tip);
        Ok(answers)
    }
}

async fn select_uses(client: &Client, keys: &[&[u8]]) -> Result<UsesByKey, Trouble> {
    let mut uses = UsesByKey::new();
    if keys.is_empty() {
        return Ok(uses);
    }
    for row in client.query_typed(SELECT_USES, &[(&keys, Type::BYTEA_ARRAY)]).await? {
        let (key, taken) = rows::taken(&row).map_err(Trouble::Failed)?;
        uses.entry(key).or_default().push(taken);
    }
    Ok(uses)
}

/// The end of the chain: as known, or as it is in the database.
async fn find_tip(client: &Client, chain: ChainId, known: Option<Tip>) -> Result<Tip, Trouble> {
    if let Some(tip) = known {
        return Ok(tip);
    }
    let found = client.query_typed(SELECT_TIP, &[(&chain.0, Type::UUID)]).await?;
    let last = found.first().ok_or_else(|| StoreError::Damaged(format!("chain {chain} has no records")));
    last.and_then(|row| Ok(Tip::after(chain, rows::seq(row, 0)?, rows::hash(row, 1)?)))
        .map_err(Trouble::Failed)
}

async fn commit(client: &Client) -> Result<(), Trouble> {
    client.batch_execute("COMMIT").await.map_err(|error| {
        if is_retryable(&error) { Trouble::Conflict } else { Trouble::Failed(translate_commit(&error)) }
    })
}

/// A connection that cannot even roll back is gone, and the transaction with it.
async fn roll_back(link: &Link) {
    let _ = link.client().batch_execute("ROLLBACK").await;
}
