use std::sync::Arc;

use daypass_issuers::{ValuePattern, ValueSet};

/// What must hold for a job to run, as far as it is about what a token shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// It never does.
    Never,
    /// A fact about the run is in a set.
    Is(Fact, ValueSet),
    /// All hold.
    All(Vec<Condition>),
    /// One holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Something that the file alone does not decide, as it is written.
    Unknown(Arc<str>),
}

/// What a [`Condition`] asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// The event, in the platform's word.
    Event,
    /// The full ref: `refs/heads/main`.
    Ref,
    /// The short name of the ref, be it a branch's or a tag's.
    RefName,
    /// The branch; nothing in a tag's run.
    Branch,
    /// The tag; nothing in a branch's run.
    Tag,
    /// `branch` or `tag`.
    RefType,
    /// The target branch of a pull or merge request; nothing in other runs.
    BaseRef,
}

impl Condition {
    /// A fact has one value.
    pub fn is(fact: Fact, value: impl Into<String>) -> Self {
        Self::Is(fact, ValueSet::exactly(value))
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, one) | (one, Self::Always) => one,
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::All(mut all), one) => {
                all.push(one);
                Self::All(all)
            }
            (one, other) => Self::All(vec![one, other]),
        }
    }

    /// Either holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Always, _) | (_, Self::Always) => Self::Always,
            (Self::Never, one) | (one, Self::Never) => one,
            (Self::Any(mut all), one) => {
                all.push(one);
                Self::Any(all)
            }
            (one, other) => Self::Any(vec![one, other]),
        }
    }

    /// It does not hold: pushed down to the facts, so that a reader of conditions meets [`Condition::Not`] above an
    /// unknown only.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::Always => Self::Never,
            Self::Never => Self::Always,
            Self::Is(fact, set) => Self::Is(fact, ValueSet::Absent.or(set.complement())),
            Self::All(all) => Self::Any(all.into_iter().map(Self::negate).collect()),
            Self::Any(all) => Self::All(all.into_iter().map(Self::negate).collect()),
            Self::Not(one) => *one,
            Self::Unknown(text) => Self::Not(Box::new(Self::Unknown(text))),
        }
    }
}

/// Stands for the repository's default branch where a file names it without knowing it. The spelling is the one of
/// GitHub's workflow templates.
pub const DEFAULT_BRANCH: &str = "$default-branch";

/// A pattern from a regular expression that is searched for: only its own anchors bind it.
pub(crate) fn searched(written: &str, regex: &str) -> ValueSet {
    let anchors_are_whole = !regex.contains('|');
    let (start, regex) = match regex.strip_prefix('^').filter(|_| anchors_are_whole) {
        Some(rest) => ("", rest),
        None => ("(?s:.*)", regex),
    };
    let (regex, end) = match regex.strip_suffix('$').filter(|rest| anchors_are_whole && !rest.ends_with('\\'))
    {
        Some(rest) => (rest, ""),
        None => (regex, "(?s:.*)"),
    };
    pattern(written, &format!("{start}(?:{regex}){end}"))
}

/// A pattern, or unknown where the expression is not one.
pub(crate) fn pattern(written: &str, regex: &str) -> ValueSet {
    // Large counted repetitions are a way to make a small file expensive.
    let built = regex::RegexBuilder::new(&format!("^(?:{regex})$")).size_limit(1 << 18).build();
    match built {
        Ok(_) => ValueSet::Matching(ValuePattern { written: written.to_owned(), regex: regex.to_owned() }),
        Err(_) => ValueSet::Unknown(format!("`{written}` is not an expression that is understood")),
    }
}

/// A pattern of path-like names as GitHub's filter cheat sheet has them: `*` stops at slashes, `**` does not, `?` and `+`
/// repeat the character before them.
pub(crate) fn glob(text: &str) -> ValueSet {
    if !text.contains(['*', '?', '+', '[', '\\']) {
        return ValueSet::exactly(text);
    }
    let mut regex = String::new();
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '*' => {
                let mut run = "[^/]*";
                while characters.next_if_eq(&'*').is_some() {
                    run = "(?s:.*)";
                }
                regex.push_str(run);
            }
            '?' | '+' if !regex.is_empty() => regex.push(c),
            '[' => {
                regex.push('[');
                for inner in characters.by_ref() {
                    regex.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '\\' => {
                if let Some(next) = characters.next() {
                    regex.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
                }
            }
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern(text, &regex)
}

/// The values that begin so.
pub(crate) fn prefix(text: &str) -> ValueSet {
    pattern(&format!("{text}*"), &format!("{}(?s:.*)", regex::escape(text)))
}

/// The values that hold the text.
pub(crate) fn containing(text: &str) -> ValueSet {
    pattern(&format!("*{text}*"), &format!("(?s:.*){}(?s:.*)", regex::escape(text)))
}

/// The values that end so.
pub(crate) fn suffix(text: &str) -> ValueSet {
    pattern(&format!("*{text}"), &format!("(?s:.*){}", regex::escape(text)))
}

/// Decides a pattern with the `regex` crate.
pub fn matches(pattern: &ValuePattern, value: &str) -> Option<bool> {
    let regex = regex::Regex::new(&format!("^(?:{})$", pattern.regex)).ok()?;
    Some(regex.is_match(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negation_goes_down_to_the_facts() {
        let main = Condition::is(Fact::Ref, "refs/heads/main");
        let unknown = Condition::Unknown("inputs.go".into());
        let both = main.clone().and(unknown.clone());
        let Condition::Any(parts) = both.clone().negate() else { panic!("{both:?}") };
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[1], Condition::Not(Box::new(unknown)));
        let Condition::Is(Fact::Ref, set) = &parts[0] else { panic!("{parts:?}") };
        assert_eq!(set.contains(None, &matches), Some(true));
        assert_eq!(set.contains(Some("refs/heads/main"), &matches), Some(false));
        assert_eq!(Condition::Always.and(main.clone()), main);
        assert_eq!(Condition::Never.or(main.clone()), main);
        assert_eq!(main.clone().and(Condition::Never), Condition::Never);
        assert_eq!(main.or(Condition::Always), Condition::Always);
    }

    #[test]
    fn patterns_are_over_the_whole_value() {
        let holds = |set: &ValueSet, value: &str| set.contains(Some(value), &matches);
        assert_eq!(holds(&prefix("release/"), "release/1"), Some(true));
        assert_eq!(holds(&prefix("release/"), "x/release/1"), Some(false));
        assert_eq!(holds(&containing("e."), "the.end"), Some(true));
        assert_eq!(holds(&containing("e."), "them"), Some(false));
        assert_eq!(holds(&suffix("-rc"), "v1-rc"), Some(true));
        assert_eq!(holds(&searched("/^v\\d/", "^v\\d"), "v1x"), Some(true));
        assert_eq!(holds(&searched("/^v\\d/", "^v\\d"), "xv1"), Some(false));
        assert_eq!(holds(&searched("/^a|b$/", "^a|b$"), "ax"), Some(true));
        assert_eq!(holds(&searched("/\\$$/", "\\$$"), "x$"), Some(true));
        assert!(matches!(searched("/(/", "("), ValueSet::Unknown(_)));
        assert!(matches!(pattern("x", "(a{1000}){1000}"), ValueSet::Unknown(_)));
    }
}
