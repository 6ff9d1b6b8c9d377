use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::spill::Mergeable;
use crate::moment::Moment;

/// Of how many addresses a row tells; more are counted as this many.
pub(crate) const ADDRESSES: usize = 64;

/// What is counted of the events that share a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cell {
    /// The least address.
    pub(crate) address: String,
    /// Hashes of the addresses, sorted; which, where there are more than fit, does not matter.
    seen: Vec<u64>,
    pub(crate) hours: u32,
    pub(crate) minutes: u64,
    pub(crate) issued: u64,
    pub(crate) uses: u64,
    pub(crate) refused: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// One event's share in a cell.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) issued: u64,
    pub(crate) uses: u64,
    pub(crate) refused: u64,
}

impl Cell {
    pub(crate) fn new(at: Moment) -> Self {
        Self {
            address: String::new(),
            seen: Vec::new(),
            hours: 0,
            minutes: 0,
            issued: 0,
            uses: 0,
            refused: 0,
            first: at.secs(),
            last: at.secs(),
        }
    }

    pub(crate) fn add(&mut self, at: Moment, address: &str, share: Share) {
        self.hours |= at.hour_bit();
        self.minutes |= at.minute_bit();
        self.first = self.first.min(at.secs());
        self.last = self.last.max(at.secs());
        self.issued = self.issued.saturating_add(share.issued);
        self.uses = self.uses.saturating_add(share.uses);
        self.refused = self.refused.saturating_add(share.refused);
        if !address.is_empty() {
            if self.seen.len() < ADDRESSES {
                self.see(hash(address));
            }
            if self.address.is_empty() || address < self.address.as_str() {
                self.address = address.to_owned();
            }
        }
    }

    fn see(&mut self, hash: u64) {
        if self.seen.len() < ADDRESSES
            && let Err(at) = self.seen.binary_search(&hash)
        {
            self.seen.insert(at, hash);
        }
    }

    /// How many addresses there were, up to [`ADDRESSES`].
    pub(crate) fn addresses(&self) -> usize {
        self.seen.len()
    }
}

/// The same in every run, because what was written to a run is merged with what was not.
fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Mergeable for Cell {
    fn merge(&mut self, other: Self) {
        for hash in &other.seen {
            self.see(*hash);
        }
        if self.address.is_empty() || (!other.address.is_empty() && other.address < self.address) {
            self.address = other.address;
        }
        self.hours |= other.hours;
        self.minutes |= other.minutes;
        self.issued = self.issued.saturating_add(other.issued);
        self.uses = self.uses.saturating_add(other.uses);
        self.refused = self.refused.saturating_add(other.refused);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }

    fn weight(&self) -> usize {
        self.address.capacity().saturating_add(self.seen.capacity().saturating_mul(8))
    }
}
