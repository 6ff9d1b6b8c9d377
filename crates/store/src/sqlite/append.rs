//! One transaction for a batch of entries.

use daypass_claims::Timestamp;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::errors::{translate, translate_commit};
use super::rows::Rowid;
use super::uses::UseIndex;
use crate::batch::{Pending, Tip, compose};
use crate::rule::judge;
use crate::{ChainId, DecisionId, Entry, Receipt, RecordBody, StoreError, UseKey, UseOutcome, UseRequest};

/// The chain that this process appends to.
#[derive(Debug)]
pub(super) struct OpenChain {
    id: Rowid,
    chain: ChainId,
    /// Where its end is; `None` when a failure has left that in doubt.
    tip: Option<Tip>,
}

impl OpenChain {
    /// Opens `chain` with its genesis, in a transaction of its own.
    pub(super) fn open(
        connection: &mut Connection,
        chain: ChainId,
        decision: DecisionId,
        time: Timestamp,
        genesis: &RecordBody,
    ) -> Result<(Self, Receipt), StoreError> {
        let transaction = begin(connection)?;
        let sql = "INSERT INTO chain (chain) VALUES (?1) ON CONFLICT DO NOTHING RETURNING id";
        let id = transaction.query_row(sql, [chain.0.as_bytes()], |row| row.get(0)).optional();
        let id = id.map_err(translate)?.ok_or(StoreError::Exists("chain"))?;
        let mut tip = Tip::start(chain);
        let mut insert = InsertRecord::prepare(&transaction).map_err(translate)?;
        let record = insert.run(id, &mut tip, decision, time, genesis).map_err(translate)?;
        record.ok_or(StoreError::Exists("decision"))?;
        drop(insert);
        transaction.commit().map_err(translate_commit)?;
        Ok((Self { id, chain, tip: Some(tip) }, Receipt::new(chain, 0, decision, UseOutcome::NotCounted)))
    }

    /// Appends a batch in one transaction. The answers are in the order of the entries; an entry that is refused does
    /// not harm the others. An error means that nothing was committed (or, as it says, may have been).
    pub(super) fn append(
        &mut self,
        connection: &mut Connection,
        index: &mut UseIndex,
        batch: &mut [Pending],
    ) -> Result<Vec<Result<Receipt, StoreError>>, StoreError> {
        // Whatever goes wrong from here on, the end of the chain is read anew by the next batch.
        let known = self.tip.take();
        let transaction = begin(connection)?;
        let tip = known.map_or_else(|| self.read_tip(&transaction), Ok)?;
        index.catch_up(&transaction).map_err(translate)?;
        let seen = index.seen();
        let mut appending = Appending { id: self.id, tip, index, added: Vec::new() };
        let outcome = appending
            .all(&transaction, batch)
            .map_err(translate)
            .and_then(|answers| transaction.commit().map_err(translate_commit).map(|()| answers));
        match outcome {
            Ok(answers) => {
                self.tip = Some(appending.tip);
                Ok(answers)
            }
            Err(error) => {
                let added = appending.added;
                index.undo(&added, seen);
                Err(error)
            }
        }
    }

    fn read_tip(&self, transaction: &Transaction<'_>) -> Result<Tip, StoreError> {
        let sql = "SELECT seq, hash FROM record WHERE chain = ?1 ORDER BY seq DESC LIMIT 1";
        let (seq, hash) = transaction
            .query_row(sql, [self.id], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))
            .map_err(translate)?;
        let seq = u64::try_from(seq)
            .map_err(|_| StoreError::Damaged(format!("chain {} has an entry {seq}", self.chain)))?;
        Ok(Tip::after(self.chain, seq, hash))
    }
}

/// Begins a transaction that nobody else can write beside.
pub(super) fn begin(connection: &mut Connection) -> Result<Transaction<'_>, StoreError> {
    if !connection.is_autocommit() {
        // A rollback failed with the disk. Without this one no transaction could ever begin again.
        connection.execute_batch("ROLLBACK").map_err(translate)?;
    }
    connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(translate)
}

/// The state of a batch while its transaction runs.
struct Appending<'a> {
    id: Rowid,
    tip: Tip,
    index: &'a mut UseIndex,
    added: Vec<(UseKey, Rowid)>,
}

impl Appending<'_> {
    fn all(
        &mut self,
        transaction: &Transaction<'_>,
        batch: &mut [Pending],
    ) -> rusqlite::Result<Vec<Result<Receipt, StoreError>>> {
        let mut insert_record = InsertRecord::prepare(transaction)?;
        let mut insert_use = InsertUse::prepare(transaction)?;
        let mut answers = Vec::with_capacity(batch.len());
        for pending in batch {
            answers.push(self.one(transaction, &mut insert_record, &mut insert_use, &mut pending.entry)?);
        }
        Ok(answers)
    }

    /// The outer error is the database's and ends the batch; the inner one is this entry's.
    ///
    /// The record goes first: if it is refused, there is no use to take back.
    fn one(
        &mut self,
        transaction: &Transaction<'_>,
        insert_record: &mut InsertRecord<'_>,
        insert_use: &mut InsertUse<'_>,
        entry: &mut Entry,
    ) -> rusqlite::Result<Result<Receipt, StoreError>> {
        let outcome = match &entry.token_use {
            Some(wish) => judge(wish, entry.time, &self.index.taken(transaction, &wish.key)?),
            None => UseOutcome::NotCounted,
        };
        let body = match compose(&mut entry.compose, &outcome) {
            Ok(body) => body,
            Err(error) => return Ok(Err(error)),
        };
        let Some((record, seq)) =
            insert_record.run(self.id, &mut self.tip, entry.decision, entry.time, &body)?
        else {
            return Ok(Err(StoreError::Exists("decision")));
        };
        if let (Some(wish), UseOutcome::Fresh { ordinal }) = (&entry.token_use, &outcome) {
            insert_use.run(record, *ordinal, wish)?;
            self.index.add(&wish.key, record);
            self.added.push((wish.key, record));
        }
        Ok(Ok(Receipt::new(self.tip.chain, seq, entry.decision, outcome)))
    }
}

/// Without RETURNING, which would cost a journal per statement: a third of the throughput.
struct InsertRecord<'a> {
    connection: &'a Connection,
    statement: CachedStatement<'a>,
}

impl<'a> InsertRecord<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        let sql = "INSERT INTO record (chain, seq, decision, time, body_hash, hash, body)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (decision) DO NOTHING";
        Ok(Self { connection, statement: connection.prepare_cached(sql)? })
    }

    /// Puts the record at the tip and moves the tip; `None` if there is a record of that decision.
    fn run(
        &mut self,
        chain: Rowid,
        tip: &mut Tip,
        decision: DecisionId,
        time: Timestamp,
        body: &RecordBody,
    ) -> rusqlite::Result<Option<(Rowid, u64)>> {
        let place = tip.place(time, body);
        let values = params![
            chain,
            place.seq.cast_signed(),
            decision.0.as_bytes(),
            time.as_millis(),
            place.body_hash,
            place.hash,
            body.0
        ];
        if self.statement.execute(values)? == 0 {
            return Ok(None);
        }
        tip.advance(&place);
        Ok(Some((self.connection.last_insert_rowid(), place.seq)))
    }
}

struct InsertUse<'a>(CachedStatement<'a>);

impl<'a> InsertUse<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        let sql = "INSERT INTO token_use (record, use_key, ordinal, request, expires_at, sealed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        connection.prepare_cached(sql).map(Self)
    }

    fn run(&mut self, record: Rowid, ordinal: u32, wish: &UseRequest) -> rusqlite::Result<()> {
        let expires_at = wish.expires_at.as_millis();
        self.0.execute(params![record, wish.key, ordinal, wish.request, expires_at, wish.sealed]).map(drop)
    }
}
