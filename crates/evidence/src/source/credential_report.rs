//! The IAM credential report: CSV whose columns are known by their header ("Getting credential reports" of the IAM user guide).

use std::io::{self, Read};

use serde::Deserialize;

use super::Sink;
use crate::input::{Chunk, Limits, Members};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::{KeyState, LastUsed};

#[derive(Debug, Deserialize)]
struct Row {
    user: String,
    arn: String,
    access_key_1_active: String,
    access_key_1_last_rotated: String,
    access_key_1_last_used_date: String,
    access_key_2_active: String,
    access_key_2_last_rotated: String,
    access_key_2_last_used_date: String,
}

/// How many of the largest records the largest report is as long as. An account has five thousand users, whose rows take some
/// hundred bytes each; a row is held as a whole, and one that somebody made up may have no end.
const RECORDS: usize = 16;

pub(super) fn read(file: impl Read, limits: Limits, sink: &mut dyn Sink) -> io::Result<()> {
    let left = limits.record.saturating_mul(RECORDS);
    let mut text = Uncompressed { members: Members::new(file), left, damage: None };
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(&mut text);
    let mut skips = Vec::new();
    let mut failed = None;
    for row in rows.deserialize::<Row>() {
        match row {
            Ok(row) => keys(&row, sink),
            Err(error) => {
                let offset = error.position().map_or(0, csv::Position::byte);
                if let csv::ErrorKind::Io(_) = error.kind() {
                    failed = Some(error);
                    break;
                }
                skips.push((Skip::Unknown, offset));
            }
        }
    }
    let end = rows.position().byte();
    drop(rows);
    for (skip, offset) in skips.into_iter().chain(text.damage.map(|skip| (skip, end))) {
        sink.skip(skip, offset);
    }
    match failed.map(csv::Error::into_kind) {
        Some(csv::ErrorKind::Io(error)) => Err(error),
        _ => Ok(()),
    }
}

fn keys(row: &Row, sink: &mut dyn Sink) {
    let account = row.arn.split(':').nth(4).unwrap_or_default();
    let mut any = false;
    for (active, rotated, used) in [
        (&row.access_key_1_active, &row.access_key_1_last_rotated, &row.access_key_1_last_used_date),
        (&row.access_key_2_active, &row.access_key_2_last_rotated, &row.access_key_2_last_used_date),
    ] {
        // A key that was never rotated was never made.
        if rotated == "N/A" || rotated == "not_supported" {
            continue;
        }
        any = true;
        sink.key(KeyState {
            account: account.to_owned(),
            user: row.user.clone(),
            principal: if row.user == "<root_account>" {
                format!("arn:aws:iam::{account}:root")
            } else {
                row.arn.clone()
            },
            key: None,
            active: Some(active.eq_ignore_ascii_case("true")),
            created: Moment::parse(rotated).map(Into::into),
            last_used: last_used(used),
        });
    }
    if !any {
        sink.aside();
    }
}

/// `N/A` is a key that was never used (or not since April 2015, when AWS began to keep track).
fn last_used(text: &str) -> LastUsed {
    match text {
        "N/A" | "no_information" => LastUsed::Never,
        text => Moment::parse(text).map_or(LastUsed::Unknown, |at| LastUsed::At(at.into())),
    }
}

/// The text of a file, up to the first damage.
struct Uncompressed<R> {
    members: Members<R>,
    /// Bytes that may still come.
    left: usize,
    damage: Option<Skip>,
}

impl<R: Read> Read for Uncompressed<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.damage.is_some() || room.is_empty() {
            return Ok(0);
        }
        match self.members.read(room)? {
            Chunk::Bytes(count) if count > self.left => {
                self.damage = Some(Skip::Oversize);
                Ok(0)
            }
            Chunk::Bytes(count) => {
                self.left = self.left.saturating_sub(count);
                Ok(count)
            }
            Chunk::End => Ok(0),
            Chunk::Damage(skip) => {
                self.damage = Some(skip);
                Ok(0)
            }
        }
    }
}
