//! A map of any size in bounded memory: what does not fit is written, sorted, to temporary files and merged in the end.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What can be counted apart and put together.
pub(crate) trait Mergeable: Serialize + DeserializeOwned {
    /// Takes in what was counted of the same thing elsewhere. The order must not matter.
    fn merge(&mut self, other: Self);
    /// Bytes on the heap, roughly.
    fn weight(&self) -> usize;
}

/// How many runs there are before they become one: each takes a file and a buffer.
const RUNS: usize = 24;

/// Values by key.
#[derive(Debug)]
pub(crate) struct Spill<V> {
    map: HashMap<String, V>,
    weight: usize,
    budget: usize,
    runs: Vec<File>,
}

/// A line of a run.
#[derive(Serialize, Deserialize)]
struct Line<K, V>(K, V);

impl<V: Mergeable> Spill<V> {
    /// Empty, to hold at most about `budget` bytes.
    pub(crate) fn new(budget: usize) -> Self {
        Self { map: HashMap::new(), weight: 0, budget, runs: Vec::new() }
    }

    /// Adds to the value of `key`, which is made first if need be.
    pub(crate) fn update(
        &mut self,
        key: &str,
        make: impl FnOnce() -> V,
        update: impl FnOnce(&mut V),
    ) -> io::Result<()> {
        if let Some(value) = self.map.get_mut(key) {
            let before = value.weight();
            update(value);
            let after = value.weight();
            return self.outgrow(before, after);
        }
        let mut value = make();
        update(&mut value);
        self.insert(key.to_owned(), value)
    }

    /// Merges a value in.
    pub(crate) fn merge(&mut self, key: &str, value: V) -> io::Result<()> {
        match self.map.get_mut(key) {
            Some(there) => {
                let before = there.weight();
                there.merge(value);
                let after = there.weight();
                self.outgrow(before, after)
            }
            None => self.insert(key.to_owned(), value),
        }
    }

    fn insert(&mut self, key: String, value: V) -> io::Result<()> {
        // The table doubles, and holds the old one while it does; a share of that falls to each entry.
        let slot = size_of::<(String, V)>().saturating_mul(3);
        let weight = key.len().saturating_add(value.weight()).saturating_add(slot);
        self.weight = self.weight.saturating_add(weight);
        self.map.insert(key, value);
        if self.weight > self.budget { self.write_run() } else { Ok(()) }
    }

    /// A value that is held has another weight now.
    fn outgrow(&mut self, before: usize, after: usize) -> io::Result<()> {
        self.weight = self.weight.saturating_sub(before).saturating_add(after);
        if self.weight > self.budget { self.write_run() } else { Ok(()) }
    }

    /// With all that another one holds.
    pub(crate) fn append(&mut self, other: Self) -> io::Result<()> {
        self.runs.extend(other.runs);
        for (key, value) in other.map {
            self.merge(&key, value)?;
        }
        if self.runs.len() > RUNS { self.join_runs() } else { Ok(()) }
    }

    fn write_run(&mut self) -> io::Result<()> {
        let entries = std::mem::take(&mut self.map);
        self.weight = 0;
        let mut entries: Vec<(String, V)> = entries.into_iter().collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        self.runs.push(write(entries.into_iter().map(Ok))?);
        if self.runs.len() > RUNS { self.join_runs() } else { Ok(()) }
    }

    fn join_runs(&mut self) -> io::Result<()> {
        let runs = std::mem::take(&mut self.runs);
        let merged: Merge<V> = Merge::new(runs, Vec::new())?;
        self.runs.push(write(merged)?);
        Ok(())
    }

    /// All entries in the order of their keys, each key once.
    pub(crate) fn into_sorted(self) -> io::Result<Merge<V>> {
        let mut entries: Vec<(String, V)> = self.map.into_iter().collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Merge::new(self.runs, entries)
    }

    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }
}

/// Writes a run.
fn write<V: Mergeable>(entries: impl Iterator<Item = io::Result<(String, V)>>) -> io::Result<File> {
    let mut out = BufWriter::new(tempfile::tempfile()?);
    for entry in entries {
        let (key, value) = entry?;
        serde_json::to_writer(&mut out, &Line(key, value))?;
        out.write_all(b"\n")?;
    }
    let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Entries of several runs in the order of their keys, those of one key merged.
pub(crate) struct Merge<V> {
    sources: Vec<Run<V>>,
    heads: BinaryHeap<Reverse<Head<V>>>,
}

enum Run<V> {
    File(BufReader<File>),
    Memory(std::vec::IntoIter<(String, V)>),
}

/// The next entry of a run.
struct Head<V> {
    key: String,
    value: V,
    source: usize,
}

impl<V> Ord for Head<V> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then(self.source.cmp(&other.source))
    }
}

impl<V> PartialOrd for Head<V> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<V> PartialEq for Head<V> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<V> Eq for Head<V> {}

impl<V: Mergeable> Merge<V> {
    fn new(runs: Vec<File>, memory: Vec<(String, V)>) -> io::Result<Self> {
        let mut sources: Vec<Run<V>> = runs.into_iter().map(|run| Run::File(BufReader::new(run))).collect();
        sources.push(Run::Memory(memory.into_iter()));
        let mut merge = Self { heads: BinaryHeap::new(), sources };
        for source in 0..merge.sources.len() {
            merge.advance(source)?;
        }
        Ok(merge)
    }

    fn advance(&mut self, source: usize) -> io::Result<()> {
        let next = match self.sources.get_mut(source) {
            Some(Run::File(file)) => {
                let mut line = Vec::new();
                file.read_until(b'\n', &mut line)?;
                if line.is_empty() {
                    None
                } else {
                    let Line(key, value) = serde_json::from_slice::<Line<String, V>>(&line)?;
                    Some((key, value))
                }
            }
            Some(Run::Memory(entries)) => entries.next(),
            None => None,
        };
        if let Some((key, value)) = next {
            self.heads.push(Reverse(Head { key, value, source }));
        }
        Ok(())
    }

    fn pop(&mut self) -> io::Result<Option<(String, V)>> {
        let Some(Reverse(Head { key, mut value, source })) = self.heads.pop() else { return Ok(None) };
        self.advance(source)?;
        while self.heads.peek().is_some_and(|Reverse(head)| head.key == key) {
            let Some(Reverse(head)) = self.heads.pop() else { break };
            value.merge(head.value);
            self.advance(head.source)?;
        }
        Ok(Some((key, value)))
    }
}

impl<V: Mergeable> Iterator for Merge<V> {
    type Item = io::Result<(String, V)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pop().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    impl Mergeable for u64 {
        fn merge(&mut self, other: Self) {
            *self += other;
        }
        fn weight(&self) -> usize {
            0
        }
    }

    impl Mergeable for String {
        fn merge(&mut self, other: Self) {
            self.push_str(&other);
        }
        fn weight(&self) -> usize {
            self.len()
        }
    }

    #[test]
    fn what_grows_where_it_is_weighs_more() {
        let mut spill = Spill::new(10_000);
        spill.merge("a", String::new()).unwrap();
        for _ in 0..30 {
            spill.update("a", String::new, |text| text.push_str(&"x".repeat(500))).unwrap();
            spill.merge("a", "x".repeat(500)).unwrap();
        }
        assert!(spill.runs() >= 2);
        let sorted: Vec<usize> = spill.into_sorted().unwrap().map(|it| it.unwrap().1.len()).collect();
        assert_eq!(sorted, [30_000]);
    }

    #[test]
    fn many_runs_become_one() {
        let mut spill = Spill::new(0);
        for index in 0..1_000_u64 {
            spill.update(&format!("{:03}", index % 100), || 0, |count| *count += 1).unwrap();
        }
        assert!((1..=RUNS).contains(&spill.runs()));
        let sorted: Vec<(String, u64)> = spill.into_sorted().unwrap().map(Result::unwrap).collect();
        assert_eq!(sorted.len(), 100);
        assert!(sorted.iter().all(|(_, count)| *count == 10) && sorted.is_sorted());
    }

    proptest! {
        #[test]
        fn whatever_is_spilled_the_sums_are_the_same(
            entries in prop::collection::vec((0_u8..20, 0_u64..5), 0..200),
            budgets in prop::collection::vec(0_usize..2_000, 1..4),
        ) {
            let mut expected = BTreeMap::<String, u64>::new();
            let mut spills: Vec<Spill<u64>> = budgets.iter().map(|budget| Spill::new(*budget)).collect();
            for (index, (key, count)) in entries.into_iter().enumerate() {
                let (key, at) = (key.to_string(), index % spills.len());
                *expected.entry(key.clone()).or_default() += count;
                spills[at].merge(&key, count).unwrap();
            }
            let mut all = Spill::new(500);
            for spill in spills {
                all.append(spill).unwrap();
            }
            let sorted: Vec<(String, u64)> = all.into_sorted().unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(sorted, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
