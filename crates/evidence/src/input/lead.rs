//! Records that begin like an earlier one: the calls of one caller begin with the same text, which is half of a record or more.
//!
//! Text that was tokenised once is compared when it comes again, and what follows it is parsed as if it stood alone.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::json::Shape;

/// How many beginnings are remembered: calls of several callers lie among each other.
const KEPT: usize = 4;
/// Bytes of the longest beginning, and of the longest rest, that are worth it.
const LONGEST: usize = 8 * 1024;
/// Bytes of a rest more than the one before that are looked at.
const SLACK: usize = 512;
/// Where beginnings do not come again, one of so many records is tried for the next.
const PATIENCE: u32 = 32;

/// The beginnings that were met last.
#[derive(Debug, Default)]
pub(super) struct Leads {
    kept: Vec<Lead>,
    /// The next to be replaced.
    next: usize,
    /// What follows a beginning, as an object of its own.
    rest: String,
    /// Bytes that are looked at for it.
    room: usize,
    /// Records to be passed before a beginning is remembered, and how many were.
    patience: u32,
    passed: u32,
}

/// From the brace of a record to the end of the member that it has in common with others.
#[derive(Debug)]
struct Lead {
    text: String,
    value: Box<RawValue>,
}

impl Leads {
    /// Parses the record at the beginning of `text`, and says how long it is. `None` where it does not begin like one that is
    /// remembered, and where it cannot be told in this way: then it is to be parsed as a whole.
    pub(super) fn parse<S: Shape>(&mut self, text: &str) -> Option<(S::Record<'_>, usize)> {
        let begins = |lead: &&Lead| text.starts_with(lead.text.as_str());
        let lead = self.kept.iter().find(begins)?;
        let behind = text.get(lead.text.len()..)?.strip_prefix(',')?;
        // A comma with nothing behind it is a mistake, which must not become an object without members.
        if !behind.trim_ascii_start().starts_with('"') {
            return None;
        }
        self.rest.clear();
        self.rest.push('{');
        self.rest.push_str(behind.get(..behind.floor_char_boundary(self.room.max(SLACK)))?);
        let mut json = serde_json::Deserializer::from_str(&self.rest);
        let Ok(mut record) = S::Record::deserialize(&mut json) else {
            self.room = self.room.saturating_mul(2).clamp(SLACK, LONGEST);
            return None;
        };
        // With two of the member that is in common, it is for the source to say which of them counts.
        if S::common(&record).is_some() {
            return None;
        }
        let length = json.into_iter::<IgnoredAny>().byte_offset();
        (self.room, self.patience) = (length.saturating_add(SLACK).min(LONGEST), 0);
        S::repeat(&mut record, &lead.value);
        // The brace of the rest stands for the comma.
        Some((record, lead.text.len().saturating_add(length)))
    }

    /// Remembers how the record at the beginning of `text` begins, if nothing that matters stands before what it may have in
    /// common with others.
    pub(super) fn keep<'t, S: Shape>(&mut self, text: &'t str, record: &S::Record<'t>) {
        self.passed = self.passed.saturating_add(1);
        if self.passed < self.patience {
            return;
        }
        self.passed = 0;
        self.patience = self.patience.saturating_mul(2).clamp(1, PATIENCE);
        let Some(value) = S::common(record) else { return };
        let end = value
            .as_ptr()
            .addr()
            .checked_sub(text.as_ptr().addr())
            .and_then(|at| at.checked_add(value.len()));
        let Some(lead) = end.filter(|end| *end <= LONGEST).and_then(|end| text.get(..end)) else { return };
        let alone = format!("{lead}}}");
        if !serde_json::from_str::<S::Record<'_>>(&alone).is_ok_and(|record| S::is_bare(&record)) {
            return;
        }
        let Ok(value) = RawValue::from_string(value.to_owned()) else { return };
        let lead = Lead { text: lead.to_owned(), value };
        match self.kept.get_mut(self.next) {
            Some(place) => *place = lead,
            None => self.kept.push(lead),
        }
        self.next = self.next.saturating_add(1) % KEPT;
    }
}
