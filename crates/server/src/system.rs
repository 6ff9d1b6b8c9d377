//! The one place that reads the system's clock, its randomness and its files.

use std::time::Duration;

use camino::Utf8Path;
use daypass_claims::{Clock, Random, RandomError, Timestamp};
use daypass_exchange::config::Files;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else is given")]
        let now = std::time::SystemTime::now();
        let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Ticks at once, and then every so often. After a long wait, as for a store that did not answer, the ticks that were missed
/// are not made up for: all of them at once would only ask for what one asks for.
pub(crate) fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// The system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        #[expect(clippy::disallowed_methods, reason = "this is the randomness that everything else is given")]
        aws_lc_rs::rand::fill(bytes).map_err(|_| RandomError)
    }
}

/// Configuration files on disk, each up to a megabyte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

const LARGEST: u64 = 1_024 * 1_024;

impl Files for Disk {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
        if length > LARGEST {
            return Err(format!("the file has {length} bytes, at most {LARGEST} are read"));
        }
        std::fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        let entries = match path.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|error| error.to_string())?.file_name().to_owned());
        }
        names.sort();
        Ok(Some(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn missed_ticks_are_not_made_up_for() {
        let mut interval = every(Duration::from_secs(1));
        interval.tick().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let late = interval.tick().await;
        assert!(interval.tick().await - late >= Duration::from_secs(60), "the next is of the future");
    }
}
