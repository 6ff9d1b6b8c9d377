//! Deliveries, as CloudTrail lays them out in a bucket.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::actor::Actor;
use super::record::{Call, record};
use super::{Dice, Written, folder_of};
use crate::moment::Moment;

/// How many records a delivery has at most.
const RECORDS: usize = 2_000;

/// Account, region, day.
type Place = (String, &'static str, i64);

/// Records on their way into files.
#[derive(Debug)]
pub(super) struct Trail {
    folder: Utf8PathBuf,
    pub(super) dice: Dice,
    waiting: BTreeMap<Place, Vec<String>>,
    pub(super) written: Written,
}

impl Trail {
    pub(super) fn new(folder: &Utf8Path, seed: u64) -> Self {
        let written = Written::default();
        Self { folder: folder.to_owned(), dice: Dice(seed), waiting: BTreeMap::new(), written }
    }

    /// Puts a call on record.
    pub(super) fn call(&mut self, actor: &Actor, at: Option<Moment>, call: &Call<'_>) {
        let Some(at) = at else { return };
        let text = record(actor, at, call, &mut self.dice);
        self.waiting.entry((actor.account.clone(), actor.region, at.day())).or_default().push(text);
    }

    /// Writes what is waiting, in no order that anybody could rely on.
    pub(super) fn deliver(&mut self) -> io::Result<()> {
        for ((account, region, day), mut records) in std::mem::take(&mut self.waiting) {
            for index in (1..records.len()).rev() {
                let sides = i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1);
                records.swap(index, usize::try_from(self.dice.roll(sides)).unwrap_or_default());
            }
            let date = folder_of(day);
            let folder = self.folder.join(format!("AWSLogs/{account}/CloudTrail/{region}/{date}"));
            fs::create_dir_all(&folder)?;
            let date = date.replace('/', "");
            for (number, part) in records.chunks(RECORDS).enumerate() {
                let id = self.dice.next();
                let name = format!("{account}_CloudTrail_{region}_{date}T{number:04}Z_{id:016X}.json.gz");
                self.write(&folder.join(name), part)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, path: &Utf8Path, records: &[String]) -> io::Result<()> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        write!(out, r#"{{"Records":[{}]}}"#, records.join(","))?;
        let bytes = out.finish()?;
        fs::write(path, &bytes)?;
        self.written.files = self.written.files.saturating_add(1);
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        self.written.records = self.written.records.saturating_add(count(records.len()));
        self.written.bytes = self.written.bytes.saturating_add(count(bytes.len()));
        Ok(())
    }
}
