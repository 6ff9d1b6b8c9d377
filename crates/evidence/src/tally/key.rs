//! Keys: texts with U+0000 between them, which sort as the columns do.

use crate::moment::Moment;

/// Between the parts of a key. Where a record has it in a text, something else takes its place.
const BETWEEN: char = '\0';

/// What a session's keys are followed by: how it came about, then whom it was handed on to, then its uses.
const ISSUE: &str = "0";
const CHILD: &str = "1";
const USE: &str = "2";

/// A buffer in which keys are made.
#[derive(Debug, Default)]
pub(crate) struct Key(String);

impl Key {
    /// `parts` and a day.
    pub(crate) fn of<const N: usize>(&mut self, parts: [&str; N], day: Option<Moment>) -> &str {
        self.start(&parts);
        self.day(day);
        &self.0
    }

    /// How a session came about.
    pub(crate) fn issue(&mut self, cloud: &str, session: &str) -> &str {
        self.start(&[cloud, session, ISSUE]);
        &self.0
    }

    /// That a session came of another.
    pub(crate) fn child(&mut self, cloud: &str, parent: &str, session: &str) -> &str {
        self.start(&[cloud, parent, CHILD, session]);
        &self.0
    }

    /// A use of a session: `row` as it would be if nothing else were known.
    pub(crate) fn session_use(&mut self, cloud: &str, session: &str, row: [&str; 10], at: Moment) -> &str {
        self.start(&[cloud, session, USE]);
        for part in row {
            self.0.push(BETWEEN);
            self.push(part);
        }
        self.day(Some(at));
        &self.0
    }

    /// The key that was made last.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    fn start(&mut self, parts: &[&str]) {
        self.0.clear();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.0.push(BETWEEN);
            }
            self.push(part);
        }
    }

    fn push(&mut self, part: &str) {
        if part.as_bytes().contains(&0) {
            self.0.push_str(&part.replace(BETWEEN, "\u{fffd}"));
        } else {
            self.0.push_str(part);
        }
    }

    fn day(&mut self, day: Option<Moment>) {
        self.0.push(BETWEEN);
        if let Some(day) = day {
            day.write_day(&mut self.0);
        }
    }
}

/// The parts of a key, if there are so many.
pub(crate) fn fields<const N: usize>(key: &str) -> Option<[&str; N]> {
    let mut parts = key.split(BETWEEN);
    let mut fields = [""; N];
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

/// What a key of a session is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum About<'k> {
    Issue,
    /// The session that was handed on.
    Child(&'k str),
    /// The key of the row, if nothing else were known.
    Use(&'k str),
}

/// Cloud, session, and what is said of it.
pub(crate) fn session_key(key: &str) -> Option<(&str, &str, About<'_>)> {
    let (cloud, rest) = key.split_once(BETWEEN)?;
    let (session, rest) = rest.split_once(BETWEEN)?;
    let about = match rest.split_once(BETWEEN) {
        None if rest == ISSUE => About::Issue,
        Some((CHILD, child)) => About::Child(child),
        Some((USE, row)) => About::Use(row),
        _ => return None,
    };
    Some((cloud, session, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_apart_as_they_were_put_together() {
        let at = Moment::parse("2026-11-23T04:46:56Z").unwrap();
        let mut key = Key::default();
        assert_eq!(fields::<3>(key.of(["a", "b\0c"], Some(at))), Some(["a", "b\u{fffd}c", "2026-11-23"]));
        assert_eq!(fields::<2>(key.of(["a", "b"], None)), None);
        assert_eq!(session_key(key.issue("aws", "A")), Some(("aws", "A", About::Issue)));
        assert_eq!(session_key(key.child("aws", "A", "B")), Some(("aws", "A", About::Child("B"))));
        let row = ["aws", "1", "session", "", "", "", "", "", "", ""];
        let Some((_, _, About::Use(row))) = session_key(key.session_use("aws", "A", row, at)) else {
            panic!()
        };
        assert_eq!(fields::<11>(row).unwrap()[10], "2026-11-23");
        assert_eq!(session_key("aws"), None);
    }
}
