//! Records out of a stream of JSON: lines, lists, and lists within an envelope such as `{"Records": [...]}`.
//!
//! A record is parsed where it lies in the buffer. One that reaches past the buffer's end is parsed again when more has been
//! read, which happens once in hundreds of records and saves every other one a pass that looks for its end.

use std::io::{self, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::gzip::{Chunk, Members};
use super::lead::Leads;
use super::window::Window;
use crate::skip::Skip;

/// Bounds on what is held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of uncompressed text that are read at a time.
    pub(crate) chunk: usize,
    /// Bytes of the largest record.
    pub(crate) record: usize,
}

/// The names by which a source's lists are known, and of what may stand before and after them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    pub(crate) lists: &'static [&'static str],
    /// An object that begins with one of these is an envelope whose list comes later.
    pub(crate) before: &'static [&'static str],
}

/// A record, or what stands in the place of one.
pub(crate) type Item<T> = Result<T, Skip>;

/// The records of one file.
#[derive(Debug)]
pub(crate) struct Records<R> {
    input: Members<R>,
    window: Window,
    limits: Limits,
    envelope: Envelope,
    leads: Leads,
    within: Vec<Within>,
    /// Bytes of text before the window.
    offset: u64,
    /// What is read no further for now: the end, or damage, behind which another member begins.
    stopped: Option<Chunk>,
    /// So many records more are taken one at a time.
    singly: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Wrapper,
    List,
}

/// The longest name of a member that is looked for.
const LONGEST: usize = 1_000;
/// Records in one go that are worth looking at the text beforehand.
const FEW: u32 = 16;
/// How much of a broken record is looked at for how it begins.
const OPENING: usize = 128;

/// How parsing at the window's start went.
#[derive(Clone, Copy, Debug)]
enum Parsed {
    /// A value of so many bytes was handed over.
    Done(usize),
    /// A value of so many bytes, of another form.
    Unknown(usize),
    Malformed,
    Unfinished,
    Oversize,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(file: R, envelope: Envelope, limits: Limits) -> Self {
        Self {
            input: Members::new(file),
            window: Window::new(limits.chunk),
            limits,
            envelope,
            leads: Leads::default(),
            within: Vec::new(),
            offset: 0,
            stopped: None,
            singly: 0,
        }
    }

    /// Hands over every record, and what stands in the place of one, with its offset. An error is one of the file itself.
    pub(crate) fn each<S: Shape>(
        &mut self,
        take: &mut dyn FnMut(u64, Item<&S::Record<'_>>),
    ) -> io::Result<()> {
        loop {
            let Some(byte) = self.next_byte()? else {
                if !self.pass_stop::<S>(take) {
                    return Ok(());
                }
                continue;
            };
            match (self.within.last().copied(), byte) {
                (_, b',') => self.consume(1),
                (None | Some(Within::List), b'{') => {
                    if self.is_envelope()? {
                        self.consume(1);
                        self.within.push(Within::Wrapper);
                    } else {
                        self.record::<S>(take)?;
                    }
                }
                (None, b'[') => {
                    self.consume(1);
                    self.within.push(Within::List);
                }
                (Some(Within::List), b']') | (Some(Within::Wrapper), b'}') => {
                    self.consume(1);
                    self.within.pop();
                }
                (Some(Within::Wrapper), b'"') => self.member::<S>(take)?,
                // Behind damage the rest of a list, and the end of its envelope, belong to what was lost.
                (None, b']' | b'}') => self.consume(1),
                _ => self.stray::<S>(take)?,
            }
        }
    }

    /// The next byte that is not white space.
    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        loop {
            let filled = self.window.filled();
            let blank = filled.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let found = filled.get(blank).copied();
            self.consume(blank);
            if found.is_some() {
                return Ok(found);
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads on; says whether there was anything.
    fn more(&mut self) -> io::Result<bool> {
        if self.stopped.is_some() {
            return Ok(false);
        }
        let (input, mut chunk) = (&mut self.input, Chunk::End);
        self.window.fill(|room| {
            chunk = input.read(room)?;
            Ok(if let Chunk::Bytes(count) = chunk { count } else { 0 })
        })?;
        if !matches!(chunk, Chunk::Bytes(_)) {
            self.stopped = Some(chunk);
        }
        Ok(self.stopped.is_none())
    }

    /// At the end of what can be read: reports damage and goes on behind it. False at the end of the file.
    fn pass_stop<S: Shape>(&mut self, take: &mut dyn FnMut(u64, Item<&S::Record<'_>>)) -> bool {
        let open = std::mem::take(&mut self.within);
        match self.stopped.take() {
            Some(Chunk::Damage(skip)) => {
                take(self.offset, Err(skip));
                true
            }
            stopped => {
                self.stopped = stopped;
                if !open.is_empty() {
                    take(self.offset, Err(Skip::Unfinished));
                }
                false
            }
        }
    }

    fn consume(&mut self, count: usize) {
        self.window.consume(count);
        self.offset = self.offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Whether the object at the window's start holds a list of records rather than being one.
    fn is_envelope(&mut self) -> io::Result<bool> {
        loop {
            match self.envelope.begins(self.window.filled()) {
                Some(is) => return Ok(is),
                None if !self.more()? => return Ok(false),
                None => {}
            }
        }
    }

    /// A member of an envelope: a list of records, or anything else, which is passed over.
    fn member<S: Shape>(&mut self, take: &mut dyn FnMut(u64, Item<&S::Record<'_>>)) -> io::Result<()> {
        let mut list = false;
        let lists = self.envelope.lists;
        let parsed = self.parse::<String>(&mut |name| list = lists.contains(&name.as_str()))?;
        if !self.settle::<S>(parsed, false, take)? {
            return Ok(());
        }
        if self.next_byte()? == Some(b':') {
            self.consume(1);
        }
        match self.next_byte()? {
            Some(b'[') if list => {
                self.consume(1);
                self.within.push(Within::List);
                Ok(())
            }
            Some(byte) => {
                if list && byte != b'n' {
                    take(self.offset, Err(Skip::Unknown));
                }
                if matches!(byte, b'"' | b'[' | b'{') {
                    let parsed = self.parse::<IgnoredAny>(&mut |_| {})?;
                    return self.settle::<S>(parsed, false, take).map(drop);
                }
                self.pass_scalar()
            }
            None => Ok(()),
        }
    }

    fn record<S: Shape>(&mut self, take: &mut dyn FnMut(u64, Item<&S::Record<'_>>)) -> io::Result<()> {
        if self.singly == 0 {
            let (count, stuck) = self.whole_records::<S>(take);
            if stuck && count < FEW {
                self.singly = FEW;
            }
            if count > 0 {
                return Ok(());
            }
        }
        self.singly = self.singly.saturating_sub(1);
        let (offset, limit) = (self.offset, self.limits.record);
        let parsed = loop {
            let hand_over = &mut |record| take(offset, Ok(&record));
            match try_parse::<S::Record<'_>>(self.window.filled(), limit, hand_over) {
                Parsed::Unfinished if self.more()? => {}
                parsed => break parsed,
            }
        };
        self.settle::<S>(parsed, true, take).map(drop)
    }

    /// Hands over the records that lie whole in the window, one after the other; says how many, and whether something stood in the
    /// way of more. That the bytes are UTF-8 is looked at once for all of them, where it would be for each text of each record.
    fn whole_records<S: Shape>(&mut self, take: &mut dyn FnMut(u64, Item<&S::Record<'_>>)) -> (u32, bool) {
        let (offset, limit) = (self.offset, self.limits.record);
        let text = valid(self.window.filled());
        let (mut at, mut count, mut stuck) = (0_usize, 0_u32, false);
        let is_record =
            |text: &&str| text.starts_with('{') && self.envelope.begins(text.as_bytes()) == Some(false);
        while let Some(rest) = text.get(at..).filter(is_record) {
            let place = offset.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            let fits = |(_, length): &(S::Record<'_>, usize)| *length <= limit;
            let length = if let Some((record, length)) = self.leads.parse::<S>(rest).filter(fits) {
                take(place, Ok(&record));
                length
            } else {
                let mut json = serde_json::Deserializer::from_str(rest);
                let record = match S::Record::deserialize(&mut json) {
                    Ok(record) => record,
                    Err(error) => {
                        stuck = !error.is_eof();
                        break;
                    }
                };
                // An iterator knows where it stands, and a deserializer does not say.
                let length = json.into_iter::<IgnoredAny>().byte_offset();
                if length > limit {
                    stuck = true;
                    break;
                }
                self.leads.keep::<S>(rest, &record);
                take(place, Ok(&record));
                length
            };
            count = count.saturating_add(1);
            let behind = rest.as_bytes().get(length..).unwrap_or_default();
            let gap = behind.iter().take_while(|byte| **byte == b',' || byte.is_ascii_whitespace()).count();
            at = at.saturating_add(length).saturating_add(gap);
        }
        self.consume(at);
        (count, stuck)
    }

    /// Parses a value of any kind at the window's start.
    fn parse<T: for<'de> Deserialize<'de>>(&mut self, take: &mut dyn FnMut(T)) -> io::Result<Parsed> {
        loop {
            match try_parse::<T>(self.window.filled(), self.limits.record, take) {
                Parsed::Unfinished if self.more()? => {}
                parsed => return Ok(parsed),
            }
        }
    }

    /// Goes past what was parsed, or past what could not be; says whether it was in order.
    fn settle<S: Shape>(
        &mut self,
        parsed: Parsed,
        record: bool,
        take: &mut dyn FnMut(u64, Item<&S::Record<'_>>),
    ) -> io::Result<bool> {
        let skip = match parsed {
            Parsed::Done(count) => {
                self.consume(count);
                return Ok(true);
            }
            Parsed::Unknown(count) => {
                take(self.offset, Err(Skip::Unknown));
                self.consume(count);
                return Ok(false);
            }
            Parsed::Malformed => Skip::Malformed,
            Parsed::Oversize => {
                take(self.offset, Err(Skip::Oversize));
                self.pass_value()?;
                return Ok(false);
            }
            Parsed::Unfinished => Skip::Unfinished,
        };
        if skip == Skip::Malformed || matches!(self.stopped, Some(Chunk::End)) {
            take(self.offset, Err(skip));
        }
        if skip == Skip::Unfinished {
            // Nothing of this value follows; damage, if that is why, is reported when it is passed.
            self.consume(self.window.filled().len());
            self.within.clear();
        } else {
            let opening = if record { self.opening()? } else { None };
            self.resume(opening.as_deref())?;
        }
        Ok(false)
    }

    /// Something that begins neither a record nor anything that may stand around one.
    fn stray<S: Shape>(&mut self, take: &mut dyn FnMut(u64, Item<&S::Record<'_>>)) -> io::Result<()> {
        let first = self.window.filled().first().copied();
        match (self.within.last(), first) {
            (Some(Within::List), Some(b'"' | b'[')) => {
                let parsed = self.parse::<IgnoredAny>(&mut |_| {})?;
                let parsed = if let Parsed::Done(count) = parsed { Parsed::Unknown(count) } else { parsed };
                self.settle::<S>(parsed, false, take).map(drop)
            }
            (Some(Within::List), Some(b'0'..=b'9' | b'-' | b't' | b'f' | b'n')) => {
                take(self.offset, Err(Skip::Unknown));
                self.pass_scalar()
            }
            _ => {
                take(self.offset, Err(Skip::Malformed));
                self.resume(None)
            }
        }
    }

    /// Goes past a number or a word, of which only what follows tells where it ends.
    fn pass_scalar(&mut self) -> io::Result<()> {
        loop {
            let filled = self.window.filled();
            let end = filled
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace());
            self.consume(end.unwrap_or(filled.len()));
            if end.is_some() || !self.more()? {
                return Ok(());
            }
        }
    }

    /// `{` and the first member's name, by which the next record will be known if this one is broken.
    fn opening(&mut self) -> io::Result<Option<Vec<u8>>> {
        while self.window.filled().len() < OPENING && self.more()? {}
        let start = self.window.filled().iter().take(OPENING);
        let end = start.enumerate().filter(|(_, byte)| **byte == b'"').nth(1);
        Ok(end.and_then(|(end, _)| self.window.filled().get(..=end)).map(<[u8]>::to_vec))
    }

    /// Behind what breaks JSON's rules: goes on at the next line, where each is a value, or at the next record that begins
    /// like this one, or else at the end.
    fn resume(&mut self, opening: Option<&[u8]>) -> io::Result<()> {
        let lines = self.within.is_empty();
        let mut begun = false;
        loop {
            let filled = self.window.filled();
            let skipped = usize::from(!begun).min(filled.len());
            let ahead = filled.get(skipped..).unwrap_or_default();
            let line = if lines { ahead.iter().position(|byte| *byte == b'\n') } else { None };
            // Not behind the line: looking through all that is there, for each of many broken lines, would take long.
            let before = line.and_then(|line| ahead.get(..line)).unwrap_or(ahead);
            if let Some(at) = opening.and_then(|opening| find(before, opening)).or(line) {
                self.consume(skipped.saturating_add(at));
                return Ok(());
            }
            // The beginning of an opening may stand at the very end.
            let kept = opening.map_or(0, |opening| opening.len().saturating_sub(1)).min(ahead.len());
            self.consume(filled.len().saturating_sub(kept));
            begun = true;
            if !self.more()? {
                self.consume(self.window.filled().len());
                self.within.clear();
                return Ok(());
            }
        }
    }

    /// Goes past a value that is too large to be held, by its brackets and quotes alone.
    fn pass_value(&mut self) -> io::Result<()> {
        let mut walk = Walk::default();
        loop {
            let filled = self.window.filled();
            let end = filled.iter().position(|byte| walk.step(*byte));
            let count = end.map_or(filled.len(), |end| end.saturating_add(1));
            self.consume(count);
            if end.is_some() || !self.more()? {
                return Ok(());
            }
        }
    }
}

impl Envelope {
    /// Whether an object holds a list of records rather than being one, told by its first member; `None` if more of it is needed.
    fn begins(&self, object: &[u8]) -> Option<bool> {
        let rest = object.get(1..).unwrap_or_default().trim_ascii_start();
        let Some(name) = rest.strip_prefix(b"\"") else { return (!rest.is_empty()).then_some(false) };
        // No name that matters is as long as this.
        let Some(end) = name.iter().take(LONGEST).position(|byte| *byte == b'"') else {
            return (name.len() >= LONGEST).then_some(false);
        };
        let known = |names: &[&str]| names.iter().any(|known| name.get(..end) == Some(known.as_bytes()));
        Some(known(self.lists) || known(self.before))
    }
}

/// The text up to the first bytes that are not UTF-8.
fn valid(bytes: &[u8]) -> &str {
    simdutf8::compat::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        simdutf8::compat::from_utf8(valid).unwrap_or_default()
    })
}

/// The form of one source's records.
pub(crate) trait Shape: 'static {
    /// A record, borrowed from the buffer.
    type Record<'a>: Deserialize<'a>;

    /// The text of the member by which most records begin like an earlier one, where the source has such a thing.
    fn common<'a>(_: &Self::Record<'a>) -> Option<&'a str> {
        None
    }

    /// Whether nothing but that member says anything.
    fn is_bare(_: &Self::Record<'_>) -> bool {
        false
    }

    /// Gives that member to a record of which the rest was parsed.
    fn repeat<'a>(_: &mut Self::Record<'a>, _: &'a RawValue) {}
}

/// Parses a value of at most `limit` bytes at the beginning of `bytes`.
fn try_parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], limit: usize, take: &mut dyn FnMut(T)) -> Parsed {
    let unfinished = || if bytes.len() > limit { Parsed::Oversize } else { Parsed::Unfinished };
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
    match values.next() {
        Some(Ok(_)) if values.byte_offset() > limit => Parsed::Oversize,
        Some(Ok(value)) => {
            let count = values.byte_offset();
            take(value);
            Parsed::Done(count)
        }
        None => unfinished(),
        Some(Err(error)) if error.is_eof() => unfinished(),
        Some(Err(_)) => {
            let mut any = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
            match any.next() {
                Some(Ok(_)) if any.byte_offset() > limit => Parsed::Oversize,
                Some(Ok(_)) => Parsed::Unknown(any.byte_offset()),
                None => unfinished(),
                Some(Err(error)) if error.is_eof() => unfinished(),
                Some(Err(_)) => Parsed::Malformed,
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() { None } else { bytes.windows(wanted.len()).position(|window| window == wanted) }
}

/// How deep a walk over JSON is, and whether within a string.
#[derive(Debug, Default)]
struct Walk {
    depth: usize,
    string: bool,
    escape: bool,
}

impl Walk {
    /// Whether the value ends with this byte.
    fn step(&mut self, byte: u8) -> bool {
        if self.string {
            if self.escape {
                self.escape = false;
            } else if byte == b'\\' {
                self.escape = true;
            } else if byte == b'"' {
                self.string = false;
                return self.depth == 0;
            }
            return false;
        }
        match byte {
            b'"' => self.string = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests;
