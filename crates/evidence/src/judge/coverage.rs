//! How much of the logs there is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

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
    /// Whether there are records of data on most days, and not of management alone.
    pub data: bool,
    /// Records or parts of files that could not be read, and may have been of this account and window.
    pub lost: u64,
    /// Days without any record.
    pub missing: Vec<String>,
    /// Regions that have records around the clock on most days, and on some none: region and day.
    pub silent: Vec<(String, String)>,
    /// The same regions, on days of which hours are missing, or the end: region and day.
    #[serde(default)]
    pub partial: Vec<(String, String)>,
}

/// Hours of a day from which on a region counts as one that always has something to say.
const BUSY: u32 = 20;
/// Hours without a record on one day that such a region may have.
const QUIET: u32 = 8;
/// The same at the end of the window, in one go.
const LATE_HOURS: u32 = 4;
/// Days from a record to its delivery at worst, so that a file may hold what happened so long before its day.
const LATE_DAYS: i64 = 2;
/// Longest window that is looked at day by day.
const DAYS: i64 = 3_700;
const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

/// Hours of a region, by day.
type Hours = BTreeMap<i64, u32>;

/// What was heard, by cloud and account: there may be many accounts, and each is asked about many times.
#[derive(Debug)]
pub(super) struct Heard<'e>(BTreeMap<Cloud, BTreeMap<&'e str, Vec<&'e CoverageRow>>>);

impl<'e> Heard<'e> {
    pub(super) fn of(rows: &'e [CoverageRow]) -> Self {
        let mut heard = Self(BTreeMap::new());
        for row in rows {
            heard.0.entry(row.cloud).or_default().entry(&row.account).or_default().push(row);
        }
        heard
    }

    /// The accounts that there are logs of.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (Cloud, &'e str)> {
        let accounts = self.0.iter().flat_map(|(cloud, of)| of.keys().map(move |account| (*cloud, *account)));
        accounts.filter(|(_, account)| !account.is_empty())
    }

    /// The rows of an account, or all where none is named; with those that are of nobody knows which.
    fn rows(&self, cloud: Cloud, account: &str) -> impl Iterator<Item = &'e CoverageRow> {
        let of = self.0.get(&cloud).into_iter().flatten();
        let ours = of.filter(move |(of, _)| account.is_empty() || of.is_empty() || **of == account);
        ours.flat_map(|(_, rows)| rows.iter().copied())
    }

    /// Of one account, or of all where `account` is empty.
    pub(super) fn coverage(
        &self,
        cloud: Cloud,
        account: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> Coverage {
        let window = Window::new(from, until);
        let mut found = Coverage { days: window.length(), ..Coverage::default() };
        let (mut heard, mut with_data) = (Hours::new(), BTreeSet::new());
        let mut by_region = BTreeMap::<&str, Hours>::new();
        for row in self.rows(cloud, account) {
            let day = parse_day(&row.day);
            if day.is_none_or(|day| window.may_be_delivered(day)) {
                found.lost = found.lost.saturating_add(row.lost);
            }
            let Some(day) = day.filter(|day| window.days.contains(day) && row.tells_of(account)) else {
                continue;
            };
            if row.data > 0 {
                with_data.insert(day);
            }
            *heard.entry(day).or_default() |= row.hours;
            *by_region.entry(&row.region).or_default().entry(day).or_default() |= row.hours;
        }
        found.data = with_data.len().saturating_mul(2) > heard.len();
        found.regions = by_region.keys().map(|region| (*region).to_owned()).collect();
        found.days_heard = u64::try_from(heard.len()).unwrap_or(u64::MAX);
        found.hours_heard = heard.values().map(|hours| u64::from(hours.count_ones())).sum();
        let missing = window.days.clone().filter(|day| !heard.contains_key(day));
        found.missing = missing.map(named).collect();
        for (region, hours) in by_region.iter().filter(|(_, hours)| is_busy(hours)) {
            let place = |day| ((*region).to_owned(), named(day));
            // A day without anything is missing as such.
            for day in window.days.clone().filter(|day| heard.contains_key(day)) {
                match hours.get(&day) {
                    None => found.silent.push(place(day)),
                    Some(hours) if window.lacks(day, *hours) => found.partial.push(place(day)),
                    Some(_) => {}
                }
            }
        }
        found
    }
}

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
}

impl CoverageRow {
    /// Whether it shows that logs of an account are there. Elsewhere than in AWS and Google Cloud one log is of all that there is.
    fn tells_of(&self, account: &str) -> bool {
        let of_all = !matches!(self.cloud, Cloud::Aws | Cloud::Gcp | Cloud::Azure);
        self.events > 0
            && (of_all || account.is_empty() || self.account == account)
            // People and machines sign in into logs of their own.
            && (self.cloud != Cloud::Azure || self.region.is_empty())
    }
}

/// Whether a region has something to say around the clock.
fn is_busy(hours: &Hours) -> bool {
    let busy = hours.values().filter(|hours| hours.count_ones() >= BUSY).count();
    busy.saturating_mul(2) > hours.len()
}

fn named(day: i64) -> String {
    let mut text = String::new();
    write_day(day, &mut text);
    text
}

/// Days and hours from cut-over to the end.
#[derive(Debug)]
struct Window {
    days: RangeInclusive<i64>,
    /// The hour that it begins with on the first day, and the one that it ends with on the last.
    first_hour: u32,
    last_hour: u32,
}

impl Window {
    fn new(from: Timestamp, until: Timestamp) -> Self {
        let first = from.as_secs().div_euclid(DAY);
        // The end is not part of the window: one at midnight ends the day before.
        let until = until.as_secs().saturating_sub(1);
        let last = until.div_euclid(DAY).min(first.saturating_add(DAYS));
        let hour = |secs: i64| u32::try_from(secs.rem_euclid(DAY).div_euclid(HOUR)).unwrap_or_default();
        Self { days: first..=last, first_hour: hour(from.as_secs()), last_hour: hour(until) }
    }

    fn length(&self) -> u64 {
        u64::try_from(self.days.end().saturating_sub(*self.days.start()).saturating_add(1))
            .unwrap_or_default()
    }

    /// Whether a file of this day may hold something that happened in the window.
    fn may_be_delivered(&self, day: i64) -> bool {
        (*self.days.start()..=self.days.end().saturating_add(LATE_DAYS)).contains(&day)
    }

    /// Whether a busy region should have been heard of for longer on a day.
    fn lacks(&self, day: i64, hours: u32) -> bool {
        let begins = if day == *self.days.start() { self.first_hour } else { 0 };
        let ends = if day == *self.days.end() { self.last_hour } else { 23 };
        let within = |hour: &u32| (begins..=ends).contains(hour);
        let is_silent = |hour: &u32| hours & 1_u32.wrapping_shl(*hour) == 0;
        let silent = (0..24).filter(within).filter(is_silent).count();
        let in_the_end = (0..24).filter(within).rev().take_while(is_silent).count();
        let more_than = |count: usize, most: u32| u32::try_from(count).is_ok_and(|count| count > most);
        more_than(silent, QUIET) || day == *self.days.end() && more_than(in_the_end, LATE_HOURS)
    }
}
