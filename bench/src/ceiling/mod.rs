//! The ceiling: what an exchange would cost if it were nothing but its unavoidable parts.
//!
//! Each part is done by the library that does it in the product, as directly as that library can be called, over and over on
//! the server's core with everything warm. What the product does beside (checking, explaining, handing over between
//! threads) is what it is measured for.

mod computing;
mod durable;
mod http;
mod storing;

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};

use crate::cores::{self, Cores};

pub(crate) use computing::Computing;
pub(crate) use durable::wait;

/// A served exchange, taken apart: what the parts are measured on.
pub(crate) struct Sample {
    /// The request as it was sent.
    pub(crate) request: Vec<u8>,
    /// The answer's body.
    pub(crate) answer: Vec<u8>,
    /// The record that the server wrote.
    pub(crate) record: Vec<u8>,
    /// How many bytes it kept for retries.
    pub(crate) sealed: usize,
}

impl Sample {
    /// With the last record that a running server has written.
    pub(crate) fn take(request: Vec<u8>, answer: Vec<u8>, directory: &Path) -> Result<Self> {
        let path = directory.join("data/daypass.sqlite3");
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = "SELECT r.body, length(u.sealed) FROM record r JOIN token_use u ON u.record = r.position
            ORDER BY r.position DESC LIMIT 1";
        let (record, sealed): (_, i64) = database.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(Self { request, answer, record, sealed: usize::try_from(sealed)? })
    }

    /// The form that was posted.
    pub(crate) fn form(&self) -> Result<&str> {
        let request = std::str::from_utf8(&self.request)?;
        Ok(request.split_once("\r\n\r\n").context("the request has no body")?.1)
    }
}

/// How often each part is done for one measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repetitions {
    pub(crate) computing: usize,
    pub(crate) http: usize,
    pub(crate) batches: usize,
}

/// What the parts of one exchange cost, in microseconds of CPU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) http: f64,
    pub(crate) form_and_json: f64,
    pub(crate) verify: f64,
    pub(crate) policy: f64,
    pub(crate) sign: f64,
    pub(crate) inserts: f64,
}

impl Parts {
    /// Measures all of them once, on the server's core. HTTP has its load from the other one.
    pub(crate) async fn measure(
        sample: &Sample,
        computing: &Computing,
        directory: &Path,
        cores: Cores,
        repetitions: Repetitions,
    ) -> Result<Self> {
        let http = http::micros(sample, cores, repetitions.http).await?;
        cores::on(cores.server, || {
            let count = repetitions.computing;
            Ok(Self {
                http,
                form_and_json: computing::form_and_json(sample, count)?,
                verify: computing.verify(count)?,
                policy: computing.policy(count)?,
                sign: computing.sign(count)?,
                inserts: storing::micros(sample, directory, repetitions.batches)?,
            })
        })
    }

    /// By name, in the order of an exchange.
    pub(crate) const fn all(&self) -> [(&'static str, f64); 6] {
        [
            ("http", self.http),
            ("form_and_json", self.form_and_json),
            ("rs256_verify", self.verify),
            ("policy", self.policy),
            ("es256_sign", self.sign),
            ("inserts", self.inserts),
        ]
    }

    /// How many exchanges a second the core could do.
    pub(crate) fn per_second(&self) -> f64 {
        1e6 / self.all().iter().map(|(_, micros)| micros).sum::<f64>()
    }
}
