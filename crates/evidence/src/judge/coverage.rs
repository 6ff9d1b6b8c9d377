//! How much of the logs there is.

use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::Cloud;
use crate::moment::{parse_day, write_day};
use crate::table::CoverageRow;

/// What of an account's logs there is between cut-over and the end of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Days of the window, with those that it begins and ends in.
    pub days: u64,
    /// Days with a record from any region.
    pub days_heard: u64,
    /// Hours with a record from any region, of 24 for each day. A quiet account has hours without.
    pub hours_heard: u64,
    /// The regions with records.
    pub regions: Vec<String>,
    /// Whether there are records of data, and not of management alone.
    pub data: bool,
    /// Records or parts of files that could not be read, and may have been of this account and window.
    pub lost: u64,
    /// Days without any record.
    pub missing: Vec<String>,
    /// Regions that have records around the clock on most days, and on some none: region and day.
    pub silent: Vec<(String, String)>,
}

/// Hours of a day from which on a region counts as one that always has something to say.
const BUSY: u32 = 20;
/// Longest window that is looked at day by day.
const DAYS: i64 = 3_700;

impl Coverage {
    /// `no use in 30 of 30 days of logs from eu-west-1, with data events`.
    pub(crate) fn in_words(&self) -> String {
        let Self { days, days_heard, regions, data, .. } = self;
        let from = match regions.as_slice() {
            [] => String::new(),
            [region] if region.is_empty() => String::new(),
            [region] => format!(" from {region}"),
            several => format!(" from {} regions", several.len()),
        };
        let data = if *data { ", with data events" } else { "" };
        format!("no use in {days_heard} of {days} days of logs{from}{data}")
    }

    /// Of one account, or of all where `account` is empty.
    pub(super) fn of(
        rows: &[CoverageRow],
        cloud: Cloud,
        account: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Self {
        let first = from.as_secs().div_euclid(86_400);
        // The end is not part of the window: one at midnight ends the day before.
        let last = until.as_secs().saturating_sub(1).div_euclid(86_400).min(first.saturating_add(DAYS));
        let mut found = Self::default();
        let mut heard = BTreeMap::<i64, u32>::new();
        let mut by_region = BTreeMap::<&str, BTreeMap<i64, u32>>::new();
        for row in rows {
            let day = parse_day(&row.day);
            let ours = row.cloud == cloud
                && (account.is_empty() || row.account.is_empty() || row.account == account);
            if !ours || day.is_some_and(|day| !(first..=last).contains(&day)) {
                continue;
            }
            found.lost = found.lost.saturating_add(row.lost);
            let Some(day) = day.filter(|_| row.events > 0) else { continue };
            found.data |= row.data > 0;
            *heard.entry(day).or_default() |= row.hours;
            *by_region.entry(&row.region).or_default().entry(day).or_default() |= row.hours;
        }
        let name = |day: i64| {
            let mut text = String::new();
            write_day(day, &mut text);
            text
        };
        found.regions = by_region.keys().map(|region| (*region).to_owned()).collect();
        found.days = u64::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or_default();
        found.days_heard = u64::try_from(heard.len()).unwrap_or(u64::MAX);
        found.hours_heard = heard.values().map(|hours| u64::from(hours.count_ones())).sum();
        found.missing = (first..=last).filter(|day| !heard.contains_key(day)).map(name).collect();
        let missing: BTreeSet<&str> = found.missing.iter().map(String::as_str).collect();
        for (region, days) in by_region {
            let busy = days.values().filter(|hours| hours.count_ones() >= BUSY).count();
            if busy.saturating_mul(2) <= days.len() {
                continue;
            }
            let silent = (first..=last).filter(|day| !days.contains_key(day)).map(name);
            found.silent.extend(
                silent.filter(|day| !missing.contains(day.as_str())).map(|day| (region.to_owned(), day)),
            );
        }
        found
    }
}
