//! Calls that are like one that was met before, which most are: for those, nothing is put together anew.
//!
//! What is counted here is counted beside the maps, and merged into them when its place is needed for something else.

use std::hash::BuildHasher;
use std::io;

use foldhash::fast::RandomState;

use super::session::Part;
use super::{Cell, Heard, Share, Spill};
use crate::event::{Instance, Like};
use crate::moment::Moment;

/// How many are remembered.
const PLACES: usize = 1_024;
/// Bytes of the texts of one that is: callers take one or two thousand.
const LONGEST: usize = 4_096;

/// What was met lately, by a hash of it.
#[derive(Debug, Default)]
pub(super) struct Recent {
    places: Vec<Option<Box<Met>>>,
    hasher: RandomState,
}

/// Where calls like one are counted.
#[derive(Debug)]
pub(super) enum Counted {
    /// They are nobody's.
    Nobody,
    /// A row, by its key.
    Row(String),
    /// Uses of a session, by their key.
    Session(String),
}

/// Calls of one caller with one program in one place and on one day.
#[derive(Debug)]
pub(super) struct Met {
    texts: [Box<str>; 4],
    day: i64,
    /// The key of what was heard.
    place: String,
    heard: Heard,
    counted: Counted,
    cell: Option<Cell>,
}

impl Recent {
    /// Counts a call if one like it is remembered, and says whether it was nobody's.
    pub(super) fn count(&mut self, like: &Like<'_>, call: &Instance<'_>) -> Option<bool> {
        let at = self.place(like, call.at);
        let met = self.places.get_mut(at)?.as_mut().filter(|met| met.is(like, call.at))?;
        met.heard.add(call.at, call.data);
        if matches!(met.counted, Counted::Nobody) {
            return Some(true);
        }
        let share = Share { uses: 1, refused: u64::from(call.refused), issued: 0 };
        met.cell.get_or_insert_with(|| Cell::new(call.at)).add(call.at, call.address, share);
        Some(false)
    }

    /// Remembers where a call was counted, and gives what has to make way.
    pub(super) fn remember(
        &mut self,
        like: &Like<'_>,
        at: Moment,
        place: String,
        counted: Counted,
    ) -> Option<Box<Met>> {
        if like.texts().iter().map(|text| text.len()).sum::<usize>() > LONGEST {
            return None;
        }
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        let index = self.place(like, at);
        let texts = like.texts().map(Box::from);
        let met = Met { texts, day: at.day(), place, heard: Heard::default(), counted, cell: None };
        self.places.get_mut(index)?.replace(Box::new(met))
    }

    /// Everything that was counted here.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Box<Met>> {
        std::mem::take(&mut self.places).into_iter().flatten()
    }

    fn place(&self, like: &Like<'_>, at: Moment) -> usize {
        let hash = self.hasher.hash_one((like.texts(), at.day()));
        usize::try_from(hash % PLACES as u64).unwrap_or_default()
    }
}

impl Met {
    fn is(&self, like: &Like<'_>, at: Moment) -> bool {
        self.day == at.day() && like.texts().into_iter().eq(self.texts.iter().map(|text| &**text))
    }

    /// Merges what was counted here into where it belongs.
    pub(super) fn settle(
        self,
        rows: &mut Spill<Cell>,
        sessions: &mut Spill<Part>,
        coverage: &mut Spill<Heard>,
    ) -> io::Result<()> {
        if self.heard.events > 0 {
            coverage.merge(&self.place, self.heard)?;
        }
        match (self.counted, self.cell) {
            (Counted::Row(key), Some(cell)) => rows.merge(&key, cell),
            (Counted::Session(key), Some(cell)) => sessions.merge(&key, Part::Use(cell)),
            _ => Ok(()),
        }
    }
}

impl<'a> Like<'a> {
    const fn texts(&self) -> [&'a str; 4] {
        [self.caller, self.user_agent, self.account, self.region]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_longer_than_any_caller_is_not_remembered() {
        let mut recent = Recent::default();
        let at = Moment::parse("2026-11-23T04:46:56Z").unwrap();
        let call = Instance { at, address: "", refused: false, data: false };
        let long = "x".repeat(LONGEST);
        for (caller, remembered) in [("{}", true), (long.as_str(), false)] {
            let like = Like { caller, user_agent: "aws-cli", account: "1", region: "r" };
            assert!(recent.remember(&like, at, String::new(), Counted::Nobody).is_none());
            assert_eq!(recent.count(&like, &call).is_some(), remembered);
        }
    }
}
