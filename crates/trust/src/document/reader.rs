use std::time::Duration;

use daypass_claims::parse_duration;

use super::{Member, Node, Problem, Source, Span, Value};

/// What is wrong with a document, collected so that one run reports all of it.
#[derive(Clone, Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order of the source.
    pub fn into_vec(mut self) -> Vec<Problem> {
        self.0.sort_by(|a, b| a.location.cmp(&b.location));
        self.0
    }

    /// `value` if nothing is wrong.
    pub fn into_result<T>(self, value: T) -> Result<T, Vec<Problem>> {
        if self.is_empty() { Ok(value) } else { Err(self.into_vec()) }
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        self.0.extend(problems);
    }
}

/// Reads the members of one table by name; what is left at the end is unknown and reported.
///
/// Every accessor reports a value of the wrong kind and then answers as if the member were absent, so that one
/// mistake does not hide the next.
#[derive(Debug)]
pub struct Fields<'a> {
    source: &'a Source,
    span: Span,
    members: Vec<&'a Member>,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The members of `node`, or a problem if it is no table. Repeated members are problems.
    pub fn of(source: &'a Source, node: &'a Node, what: &str, problems: &mut Problems) -> Option<Self> {
        let Some(members) = node.as_table() else {
            problems.push(Problem::new(
                source,
                node.span,
                format!("{what} must be a table, this is {}", node.kind()),
            ));
            return None;
        };
        let mut seen: Vec<&Member> = Vec::with_capacity(members.len());
        for member in members {
            if let Some(first) = seen.iter().find(|first| first.name == member.name) {
                let line = source.at(first.name_span).line;
                problems.push(
                    Problem::new(source, member.name_span, format!("duplicate member `{}`", member.name))
                        .help(format!(
                            "it is also given on line {line}; readers disagree about which one counts"
                        )),
                );
            } else {
                seen.push(member);
            }
        }
        Some(Self { source, span: node.span, members: seen, known: Vec::new() })
    }

    /// Where the table stands.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// Takes a member out.
    pub fn take(&mut self, name: &'static str) -> Option<&'a Member> {
        self.known.push(name);
        let at = self.members.iter().position(|member| member.name == name)?;
        Some(self.members.swap_remove(at))
    }

    /// Takes a member out that must be there.
    pub fn require(&mut self, name: &'static str, what: &str, problems: &mut Problems) -> Option<&'a Member> {
        let member = self.take(name);
        if member.is_none() {
            problems.push(
                Problem::new(self.source, self.span, format!("`{name}` is missing")).help(what.to_owned()),
            );
        }
        member
    }

    /// A string member with its place.
    pub fn string(&mut self, name: &'static str, problems: &mut Problems) -> Option<(&'a str, Span)> {
        let node = &self.take(name)?.node;
        match node.as_str() {
            Some(text) => Some((text, node.span)),
            None => self.wrong(name, "a string", node, problems),
        }
    }

    /// A string member that must be there.
    pub fn required_string(
        &mut self,
        name: &'static str,
        what: &str,
        problems: &mut Problems,
    ) -> Option<(&'a str, Span)> {
        let node = &self.require(name, what, problems)?.node;
        match node.as_str() {
            Some(text) => Some((text, node.span)),
            None => self.wrong(name, "a string", node, problems),
        }
    }

    /// A boolean member. The strings `"true"` and `"false"` count, because a value from `${ENV}` is a string.
    pub fn boolean(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        let node = &self.take(name)?.node;
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => self.wrong(name, "true or false", node, problems),
        }
    }

    /// A whole number member in a range. A string of digits counts, because a value from `${ENV}` is a string.
    pub fn integer(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
        problems: &mut Problems,
    ) -> Option<u64> {
        let node = &self.take(name)?.node;
        let number = match &node.value {
            Value::Number(text) | Value::String(text) => text.parse::<u64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let expected = format!("a whole number from {} to {}", range.start(), range.end());
                self.wrong(name, &expected, node, problems)
            }
        }
    }

    /// A duration member (`"90s"`, `"15m"`, `"1h"`) in a range.
    pub fn duration(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<Duration>,
        problems: &mut Problems,
    ) -> Option<Duration> {
        let node = &self.take(name)?.node;
        let duration = node.as_str().and_then(|text| parse_duration(text).ok());
        match duration {
            Some(duration) if range.contains(&duration) => Some(duration),
            _ => {
                let from = daypass_claims::format_duration(*range.start());
                let to = daypass_claims::format_duration(*range.end());
                self.wrong(name, &format!("a duration like \"15m\", from {from} to {to}"), node, problems)
            }
        }
    }

    /// A list of strings, or one string, with their places.
    pub fn strings(&mut self, name: &'static str, problems: &mut Problems) -> Option<Vec<(&'a str, Span)>> {
        let node = &self.take(name)?.node;
        match &node.value {
            Value::String(text) => Some(vec![(text.as_str(), node.span)]),
            Value::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items {
                    match item.as_str() {
                        Some(text) => texts.push((text, item.span)),
                        None => return self.wrong(name, "a list of strings", item, problems),
                    }
                }
                Some(texts)
            }
            _ => self.wrong(name, "a list of strings", node, problems),
        }
    }

    /// Reports every member that nothing asked for.
    pub fn finish(self, problems: &mut Problems) {
        for member in &self.members {
            let problem = self.unknown(member);
            problems.push(match self.near(member, 0.8) {
                Some(name) => problem.help(format!("did you mean `{name}`?")),
                None => problem.help(format!("known here: {}", self.known.join(", "))),
            });
        }
    }

    /// Reports every member that nothing asked for in a document that others define and may extend: what looks like a slip
    /// is a problem, anything else a note.
    pub fn finish_open(self, problems: &mut Problems, notes: &mut Vec<Problem>) {
        for member in &self.members {
            let problem = self.unknown(member);
            match self.near(member, 0.93) {
                Some(name) => problems.push(problem.help(format!("did you mean `{name}`?"))),
                None => notes.push(problem.help("it is not looked at")),
            }
        }
    }

    fn unknown(&self, member: &Member) -> Problem {
        Problem::new(self.source, member.name_span, format!("unknown key `{}`", member.name))
    }

    /// The known name that a member's name is most like.
    fn near(&self, member: &Member, at_least: f64) -> Option<&'static str> {
        let known = self.known.iter().map(|name| (*name, strsim::jaro_winkler(name, &member.name)));
        known.filter(|(_, score)| *score > at_least).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(name, _)| name)
    }

    /// Members that nothing asked for yet, in the order of the source; they count as read.
    pub fn rest(&mut self) -> Vec<&'a Member> {
        let mut rest = std::mem::take(&mut self.members);
        rest.sort_by_key(|member| member.name_span);
        rest
    }

    fn wrong<T>(&self, name: &str, expected: &str, node: &Node, problems: &mut Problems) -> Option<T> {
        let found = match &node.value {
            Value::String(text) | Value::Number(text) | Value::Datetime(text) if text.len() <= 40 => {
                format!("`{text}`")
            }
            Value::Bool(value) => format!("`{value}`"),
            _ => node.kind().to_owned(),
        };
        problems.push(Problem::new(
            self.source,
            node.span,
            format!("`{name}` must be {expected}, this is {found}"),
        ));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{parse_json, parse_toml};

    fn messages(problems: Problems) -> Vec<String> {
        problems.into_vec().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn everything_wrong_is_reported_at_its_place() {
        let source = Source::new(
            "c.toml",
            "lisen = 1\nmax_uses = \"many\"\nttl = \"5 minutes\"\nnames = [\"a\", 2]\n",
        );
        let tree = parse_toml(&source).unwrap();
        let mut problems = Problems::new();
        let mut fields = Fields::of(&source, &tree, "the configuration", &mut problems).unwrap();
        assert_eq!(fields.string("listen", &mut problems), None);
        assert_eq!(fields.integer("max_uses", 1..=100, &mut problems), None);
        assert_eq!(
            fields.duration("ttl", Duration::from_secs(1)..=Duration::from_secs(3600), &mut problems),
            None
        );
        assert_eq!(fields.strings("names", &mut problems), None);
        assert!(fields.required_string("issuer", "the name of a configured issuer", &mut problems).is_none());
        fields.finish(&mut problems);
        insta::assert_snapshot!(messages(problems).join("\n"), @r#"
        c.toml:1:1: `issuer` is missing (the name of a configured issuer)
        c.toml:1:1: unknown key `lisen` (did you mean `listen`?)
        c.toml:2:12: `max_uses` must be a whole number from 1 to 100, this is `many`
        c.toml:3:7: `ttl` must be a duration like "15m", from 1s to 1h, this is `5 minutes`
        c.toml:4:15: `names` must be a list of strings, this is `2`
        "#);
    }

    #[test]
    fn a_repeated_member_names_both_lines() {
        let source = Source::new("p.json", "{\"a\": 1,\n\"a\": 2}");
        let tree = parse_json(&source).unwrap();
        let mut problems = Problems::new();
        Fields::of(&source, &tree, "x", &mut problems).unwrap();
        assert_eq!(
            messages(problems),
            [
                "p.json:2:1: duplicate member `a` (it is also given on line 1; readers disagree about which one counts)"
            ]
        );
    }

    #[test]
    fn what_comes_from_the_environment_is_a_string_and_still_counts() {
        let source = Source::new("c.toml", "on = \"true\"\nn = \"7\"\n");
        let tree = parse_toml(&source).unwrap();
        let mut problems = Problems::new();
        let mut fields = Fields::of(&source, &tree, "x", &mut problems).unwrap();
        assert_eq!(fields.boolean("on", &mut problems), Some(true));
        assert_eq!(fields.integer("n", 0..=9, &mut problems), Some(7));
        assert!(problems.is_empty());
    }
}
