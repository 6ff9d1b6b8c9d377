//! A made-up month of CloudTrail, laid out as S3 has it: a pipeline that moves from a stored key to workload identity, with a cron
//! job that nobody thought of and a session that nobody expected.
//!
//! The same [`Month`] gives the same bytes.

mod actor;
mod record;
mod story;
mod trail;

use std::io;

use camino::Utf8Path;

use crate::moment::{Moment, write_day};
use trail::Trail;

/// What to make up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Month {
    /// What chance is drawn from.
    pub seed: u64,
    /// The day to begin with, counted from 1 October 2026.
    pub first: u32,
    /// How many days; the story takes 31.
    pub days: u32,
    /// The first day on which the cron job is mended, counted like `first`; never unless given.
    pub mended: Option<u32>,
    /// Pipelines beside the one of the story.
    pub pipelines: Vec<Pipeline>,
    /// Calls of everybody else on each day, in the story's account and region.
    pub others: u32,
    /// The same in another region, and in both regions of another account.
    pub elsewhere: u32,
    /// Bytes that all files together have at least: accounts with nothing but calls of everybody else are added.
    pub bytes: u64,
}

/// A pipeline that moves from a stored key to a role on the days of the story's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The user whose key it has.
    pub user: String,
    /// The key; it is used until cut-over.
    pub key: String,
    /// The name of the role that takes over.
    pub role: String,
    /// Its identity provider: `token.actions.githubusercontent.com`.
    pub provider: String,
    /// The subject of its tokens.
    pub subject: String,
    /// The user agent of its calls.
    pub agent: &'static str,
}

impl Default for Month {
    fn default() -> Self {
        Self {
            seed: 7,
            first: 0,
            days: 31,
            mended: None,
            pipelines: Vec::new(),
            others: 40,
            elsewhere: 40,
            bytes: 0,
        }
    }
}

/// The account of the story, and the one beside it.
pub const ACCOUNT: &str = "111122223333";
/// The key that the pipeline deployed with, and that a cron job still uses.
pub const DEPLOY_KEY: &str = "AKIAACMEDEPLOY000001";
/// The key that made reports until cut-over, and was not used again.
pub const REPORT_KEY: &str = "AKIAACMEREPORT000001";
/// The key on a laptop.
pub const LAPTOP_KEY: &str = "AKIAACMELAPTOP000001";
/// The key that is used to assume a role, and for nothing else.
pub const BROKER_KEY: &str = "AKIAACMEBROKER000001";
/// The role that pipelines deploy with.
pub const DEPLOY_ROLE: &str = "arn:aws:iam::111122223333:role/shop-deploy";
/// The workload that is meant to.
pub const DEPLOY_SUBJECT: &str = "repo:acme/shop:environment:production";
/// The workload that got in as well.
pub const UNEXPECTED_SUBJECT: &str = "repo:acme/shop:pull_request";
/// The first day on which pipelines used workload identity, beside the key.
pub const PARALLEL_FROM: &str = "2026-10-11";
/// The first day on which they used nothing else.
pub const CUT_OVER: &str = "2026-10-18";

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files.
    pub files: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of the files.
    pub bytes: u64,
}

/// 2026-10-01.
const FIRST_DAY: i64 = 20_727;

/// Writes the month below `folder`.
pub fn write_month(folder: &Utf8Path, month: &Month) -> io::Result<Written> {
    let mut trail = Trail::new(folder, month.seed);
    let first = i64::from(month.first);
    for day in first..first.saturating_add(month.days.into()) {
        story::day(&mut trail, day, month)?;
    }
    let mut account = 500_000_000_000_u64;
    while trail.written.bytes < month.bytes {
        let name = account.to_string();
        for day in 0..i64::from(month.days) {
            story::others(&mut trail, &name, "us-east-1", day, 2_000);
            trail.deliver()?;
            if trail.written.bytes >= month.bytes {
                break;
            }
        }
        account = account.saturating_add(1);
    }
    Ok(trail.written)
}

/// A second of a day of the month.
fn moment(day: i64, second: i64) -> Option<Moment> {
    Moment::from_secs(FIRST_DAY.saturating_add(day).saturating_mul(86_400).saturating_add(second))
}

/// `2026/10/01`.
fn folder_of(day: i64) -> String {
    let mut text = String::new();
    write_day(day, &mut text);
    text.replace('-', "/")
}

/// Chance, from a seed: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of `0..sides`.
    fn roll(&mut self, sides: i64) -> i64 {
        let sides = u64::try_from(sides.max(1)).unwrap_or(1);
        i64::try_from(self.next() % sides).unwrap_or_default()
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let sides = i64::try_from(of.len()).unwrap_or(i64::MAX);
        of.get(usize::try_from(self.roll(sides)).unwrap_or_default()).copied()
    }
}
