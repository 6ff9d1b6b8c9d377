//! Which uses of tokens are in the database: an index that the writer keeps in memory.
//!
//! Use keys are hashes, so a B-tree over them would have every use of a batch dirty a page of its own; that alone
//! took three times as long as all the rest of a commit. In the order of arrival 64 uses fit on two pages. The index
//! costs some 20 bytes per live use and is filled by one scan when the store opens.
//!
//! It cannot miss a use. Uses carry the position of their record, positions only grow, and the writer reads whatever
//! other processes have added past the last position it knows *inside* the transaction that decides, which no other
//! process can interleave with. It may hold too much (another process swept), so every hit is looked up by its full
//! key.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{Rowid, decision, timestamp};
use crate::UseKey;
use crate::rule::Taken;

/// The beginning of each use's key with the position of its record.
#[derive(Debug, Default)]
pub(super) struct UseIndex {
    uses: BTreeSet<(u64, Rowid)>,
    seen: Rowid,
}

impl UseIndex {
    /// Adds what this and other processes have committed since the last call.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection
            .prepare_cached("SELECT record, use_key FROM token_use WHERE record > ?1 ORDER BY record")?;
        let mut rows = statement.query([self.seen])?;
        while let Some(row) = rows.next()? {
            self.add(&row.get(1)?, row.get(0)?);
        }
        Ok(())
    }

    /// Adds one use.
    pub(super) fn add(&mut self, key: &UseKey, record: Rowid) {
        self.uses.insert((prefix(key), record));
        self.seen = self.seen.max(record);
    }

    /// Removes one use, if it is there.
    pub(super) fn remove(&mut self, key: &UseKey, record: Rowid) {
        self.uses.remove(&(prefix(key), record));
    }

    /// Goes back to what was known at `seen`, after a transaction has failed.
    pub(super) fn undo(&mut self, added: &[(UseKey, Rowid)], seen: Rowid) {
        for (key, record) in added {
            self.remove(key, *record);
        }
        self.seen = seen;
    }

    /// The last position that the index knows of.
    pub(super) const fn seen(&self) -> Rowid {
        self.seen
    }

    /// The uses of one token.
    pub(super) fn taken(&self, connection: &Connection, key: &UseKey) -> rusqlite::Result<Vec<Taken>> {
        let prefix = prefix(key);
        let mut found = Vec::new();
        for (_, record) in self.uses.range((prefix, Rowid::MIN)..=(prefix, Rowid::MAX)) {
            let sql = "SELECT u.ordinal, u.request, r.decision, r.time, u.sealed
                FROM token_use u JOIN record r ON r.position = u.record
                WHERE u.record = ?1 AND u.use_key = ?2";
            let taken = connection.prepare_cached(sql)?.query_row(params![record, key], |row| {
                Ok(Taken {
                    ordinal: row.get(0)?,
                    request: row.get(1)?,
                    decision: decision(row, 2)?,
                    at: timestamp(row, 3)?,
                    sealed: row.get(4)?,
                })
            });
            found.extend(taken.optional()?);
        }
        Ok(found)
    }
}

fn prefix(key: &UseKey) -> u64 {
    key.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::schema;

    /// A database with one use of `key` per given position.
    fn database(uses: &[(UseKey, Rowid)]) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        connection.execute_batch("INSERT INTO chain (chain) VALUES (randomblob(16))").unwrap();
        for (key, record) in uses {
            insert(&connection, key, *record);
        }
        connection
    }

    fn insert(connection: &Connection, key: &UseKey, record: Rowid) {
        let sql = "INSERT INTO record (position, chain, seq, decision, time, body_hash, hash)
            VALUES (?1, 1, ?1, randomblob(16), 7, randomblob(32), randomblob(32))";
        connection.execute(sql, [record]).unwrap();
        let sql = "INSERT INTO token_use VALUES (?1, ?2, ?1, randomblob(32), 9, x'')";
        connection.execute(sql, params![record, key]).unwrap();
    }

    fn ordinals(index: &UseIndex, connection: &Connection, key: &UseKey) -> Vec<u32> {
        index.taken(connection, key).unwrap().iter().map(|taken| taken.ordinal).collect()
    }

    #[test]
    fn catching_up_finds_what_others_have_added() {
        let (ours, theirs) = ([1; 32], [2; 32]);
        let connection = database(&[(ours, 1)]);
        let mut index = UseIndex::default();
        index.catch_up(&connection).unwrap();
        insert(&connection, &theirs, 2);
        insert(&connection, &ours, 5);
        index.catch_up(&connection).unwrap();
        assert_eq!(ordinals(&index, &connection, &ours), [1, 5]);
        assert_eq!(ordinals(&index, &connection, &theirs), [2]);
    }

    #[test]
    fn keys_that_begin_alike_are_told_apart() {
        let (mut one, mut other) = ([7; 32], [7; 32]);
        (one[31], other[31]) = (1, 2);
        let connection = database(&[(one, 1), (other, 2)]);
        let mut index = UseIndex::default();
        index.catch_up(&connection).unwrap();
        assert_eq!(ordinals(&index, &connection, &one), [1]);
        assert_eq!(ordinals(&index, &connection, &other), [2]);
    }

    #[test]
    fn a_use_that_another_process_swept_is_not_found() {
        let connection = database(&[([1; 32], 1)]);
        let mut index = UseIndex::default();
        index.catch_up(&connection).unwrap();
        connection.execute_batch("DELETE FROM token_use").unwrap();
        assert!(ordinals(&index, &connection, &[1; 32]).is_empty());
    }

    #[test]
    fn what_a_failed_transaction_added_is_undone_and_what_others_then_add_is_found() {
        let key = [1; 32];
        let connection = database(&[]);
        let mut index = UseIndex::default();
        let seen = index.seen();
        index.add(&key, 1);
        index.undo(&[(key, 1)], seen);
        insert(&connection, &key, 1);
        index.catch_up(&connection).unwrap();
        assert_eq!(ordinals(&index, &connection, &key), [1]);
    }
}
