//! What a batch leaves behind, decided in memory and written with one statement per table.

use std::collections::BTreeMap;

use daypass_claims::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use crate::batch::{Place, Tip, compose};
use crate::rule::{Taken, judge};
use crate::{ChainId, DecisionId, Entry, Receipt, RecordBody, StoreError, UseKey, UseOutcome};

const INSERT_USES: &str = "INSERT INTO token_use (use_key, ordinal, request, decision, at, expires_at, sealed)
    SELECT * FROM unnest($1::BYTEA[], $2::BIGINT[], $3::BYTEA[], $4::UUID[], $5::BIGINT[], $6::BIGINT[], $7::BYTEA[])
    ON CONFLICT (use_key, ordinal) DO NOTHING";

const INSERT_RECORDS: &str = "INSERT INTO record (chain, seq, decision, time, body_hash, hash, body)
    SELECT * FROM unnest($1::UUID[], $2::BIGINT[], $3::UUID[], $4::BIGINT[], $5::BYTEA[], $6::BYTEA[], $7::BYTEA[])";

/// What a transaction is going to write.
#[derive(Default)]
pub(super) struct Plan {
    uses: Vec<PlannedUse>,
    records: Vec<PlannedRecord>,
}

struct PlannedUse {
    key: UseKey,
    taken: Taken,
    expires_at: Timestamp,
}

struct PlannedRecord {
    chain: ChainId,
    decision: DecisionId,
    time: Timestamp,
    place: Place,
    body: RecordBody,
}

/// The uses that are taken, per token.
pub(super) type UsesByKey = BTreeMap<UseKey, Vec<Taken>>;

impl Plan {
    /// Decides on an entry, given what earlier ones have taken, and plans what it leaves behind.
    pub(super) fn entry(
        &mut self,
        tip: &mut Tip,
        taken: &mut UsesByKey,
        entry: &mut Entry,
    ) -> Result<Receipt, StoreError> {
        let outcome = match &entry.token_use {
            Some(wish) => judge(wish, entry.time, taken.get(&wish.key).map_or(&[], Vec::as_slice)),
            None => UseOutcome::NotCounted,
        };
        let body = compose(&mut entry.compose, &outcome)?;
        if let (Some(wish), UseOutcome::Fresh { ordinal }) = (&entry.token_use, &outcome) {
            let use_taken = Taken::by(wish, *ordinal, entry.decision, entry.time);
            taken.entry(wish.key).or_default().push(use_taken.clone());
            self.uses.push(PlannedUse { key: wish.key, taken: use_taken, expires_at: wish.expires_at });
        }
        let seq = self.record(tip, entry.decision, entry.time, body);
        Ok(Receipt::new(tip.chain, seq, entry.decision, outcome))
    }

    /// Plans a record at the tip and moves the tip; returns its place.
    pub(super) fn record(
        &mut self,
        tip: &mut Tip,
        decision: DecisionId,
        time: Timestamp,
        body: RecordBody,
    ) -> u64 {
        let place = tip.place(time, &body);
        let seq = place.seq;
        tip.advance(&place);
        self.records.push(PlannedRecord { chain: tip.chain, decision, time, place, body });
        seq
    }

    /// Writes the uses; `false` if another replica has taken one of them. In the order of keys, so that two replicas
    /// never wait for each other.
    pub(super) async fn insert_uses(&self, client: &Client) -> Result<bool, Error> {
        if self.uses.is_empty() {
            return Ok(true);
        }
        let mut uses: Vec<&PlannedUse> = self.uses.iter().collect();
        uses.sort_by_key(|planned| (planned.key, planned.taken.ordinal));
        let keys: Vec<&[u8]> = uses.iter().map(|planned| planned.key.as_slice()).collect();
        let ordinals: Vec<i64> = uses.iter().map(|planned| i64::from(planned.taken.ordinal)).collect();
        let requests: Vec<&[u8]> = uses.iter().map(|planned| planned.taken.request.as_slice()).collect();
        let decisions: Vec<Uuid> = uses.iter().map(|planned| planned.taken.decision.0).collect();
        let times: Vec<i64> = uses.iter().map(|planned| planned.taken.at.as_millis()).collect();
        let expiries: Vec<i64> = uses.iter().map(|planned| planned.expires_at.as_millis()).collect();
        let sealed: Vec<&[u8]> = uses.iter().map(|planned| planned.taken.sealed.as_slice()).collect();
        let inserted = client
            .execute_typed(
                INSERT_USES,
                &[
                    (&keys, Type::BYTEA_ARRAY),
                    (&ordinals, Type::INT8_ARRAY),
                    (&requests, Type::BYTEA_ARRAY),
                    (&decisions, Type::UUID_ARRAY),
                    (&times, Type::INT8_ARRAY),
                    (&expiries, Type::INT8_ARRAY),
                    (&sealed, Type::BYTEA_ARRAY),
                ],
            )
            .await?;
        Ok(inserted == self.uses.len() as u64)
    }

    /// Writes the records.
    pub(super) async fn insert_records(&self, client: &Client) -> Result<(), Error> {
        if self.records.is_empty() {
            return Ok(());
        }
        let records = || self.records.iter();
        let chains: Vec<Uuid> = records().map(|planned| planned.chain.0).collect();
        let seqs: Vec<i64> = records().map(|planned| planned.place.seq.cast_signed()).collect();
        let decisions: Vec<Uuid> = records().map(|planned| planned.decision.0).collect();
        let times: Vec<i64> = records().map(|planned| planned.time.as_millis()).collect();
        let body_hashes: Vec<&[u8]> = records().map(|planned| planned.place.body_hash.as_slice()).collect();
        let hashes: Vec<&[u8]> = records().map(|planned| planned.place.hash.as_slice()).collect();
        let bodies: Vec<&[u8]> = records().map(|planned| planned.body.0.as_slice()).collect();
        client
            .execute_typed(
                INSERT_RECORDS,
                &[
                    (&chains, Type::UUID_ARRAY),
                    (&seqs, Type::INT8_ARRAY),
                    (&decisions, Type::UUID_ARRAY),
                    (&times, Type::INT8_ARRAY),
                    (&body_hashes, Type::BYTEA_ARRAY),
                    (&hashes, Type::BYTEA_ARRAY),
                    (&bodies, Type::BYTEA_ARRAY),
                ],
            )
            .await
            .map(drop)
    }
}
