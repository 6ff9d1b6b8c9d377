use std::borrow::Cow;

use daypass_issuers::{ValuePattern, ValueSet};

use crate::condition::{DEFAULT_BRANCH, matches};

/// The values of both sets, written out where one of them is a list.
pub(super) fn meet(left: ValueSet, right: ValueSet) -> ValueSet {
    match (&left, &right) {
        (ValueSet::Exactly(values), other) | (other, ValueSet::Exactly(values)) => {
            let keep = |value: &&String| other.contains(Some(value), &matches) != Some(false);
            let kept = ValueSet::Exactly(values.iter().filter(keep).cloned().collect());
            let undecided = values.iter().any(|value| other.contains(Some(value), &matches).is_none());
            if undecided { kept.and(other.clone()) } else { kept }
        }
        _ if excludes(&left, &right) || excludes(&right, &left) => ValueSet::none(),
        _ => left.and(right),
    }
}

/// Whether the sets are seen to have nothing in common: their values begin differently, or all that begin as the
/// values of one do are taken away.
fn excludes(left: &ValueSet, right: &ValueSet) -> bool {
    let Some(start) = beginning(left) else { return false };
    match right {
        ValueSet::Matching(_) | ValueSet::AllOf(_) => beginning(right)
            .is_some_and(|other| !start.starts_with(other.as_ref()) && !other.starts_with(start.as_ref())),
        ValueSet::AnyOf(sets) => sets.iter().all(|set| *set == ValueSet::Absent || excludes(left, set)),
        ValueSet::Not(set) => match set.as_ref() {
            ValueSet::Matching(pattern) => pattern
                .regex
                .strip_suffix("(?s:.*)")
                .and_then(literal)
                .is_some_and(|prefix| start.starts_with(prefix.as_str())),
            _ => false,
        },
        _ => false,
    }
}

/// The text that every value of the set begins with, as far as it is seen.
fn beginning(set: &ValueSet) -> Option<Cow<'_, str>> {
    match set {
        ValueSet::Matching(pattern) => Some(Cow::Owned(literal_prefix(&pattern.regex))),
        ValueSet::AllOf(sets) => sets.iter().filter_map(beginning).max_by_key(|text| text.len()),
        ValueSet::Exactly(values) if values.len() == 1 => {
            values.first().map(|one| Cow::Borrowed(one.as_str()))
        }
        _ => None,
    }
}

/// The literal text that a regular expression begins with.
fn literal_prefix(regex: &str) -> String {
    let mut text = String::new();
    let mut characters = regex.chars().peekable();
    while let Some(c) = characters.next() {
        let literal = match c {
            '\\' => match characters.next() {
                Some(escaped) if !escaped.is_alphanumeric() => escaped,
                _ => return text,
            },
            '(' | '[' | '.' | '*' | '+' | '?' | '{' | '|' | '^' | '$' | ')' => return text,
            c => c,
        };
        if characters.peek().is_some_and(|next| matches!(next, '*' | '+' | '?' | '{')) {
            return text;
        }
        text.push(literal);
    }
    text
}

/// The text, if a regular expression is nothing but literal text.
fn literal(regex: &str) -> Option<String> {
    let text = literal_prefix(regex);
    (regex::escape(&text) == regex).then_some(text)
}

/// The set of full refs for a set of short names.
pub(super) fn prefixed(prefix: &str, set: &ValueSet) -> ValueSet {
    let all = || crate::condition::prefix(prefix);
    match set {
        ValueSet::Any => all(),
        ValueSet::Absent => ValueSet::none(),
        ValueSet::Exactly(values) => {
            ValueSet::Exactly(values.iter().map(|value| format!("{prefix}{value}")).collect())
        }
        ValueSet::Matching(pattern) => ValueSet::Matching(ValuePattern {
            written: format!("{prefix}{}", pattern.written),
            regex: format!("{}(?:{})", regex::escape(prefix), pattern.regex),
        }),
        ValueSet::Not(set) => all().and(prefixed(prefix, set).complement()),
        ValueSet::AllOf(sets) => {
            sets.iter().map(|set| prefixed(prefix, set)).fold(ValueSet::Any, ValueSet::and)
        }
        ValueSet::AnyOf(sets) => {
            sets.iter().map(|set| prefixed(prefix, set)).fold(ValueSet::none(), ValueSet::or)
        }
        ValueSet::Unknown(_) => all().and(set.clone()),
    }
}

/// The short names for a set of full refs, or any where the prefix cannot be told apart from the rest.
pub(super) fn short(prefix: &str, set: &ValueSet) -> ValueSet {
    let escaped = regex::escape(prefix);
    match set {
        ValueSet::Exactly(values) => {
            let names = values.iter().filter_map(|value| value.strip_prefix(prefix));
            ValueSet::Exactly(names.map(str::to_owned).collect())
        }
        ValueSet::Matching(pattern) => match pattern.regex.strip_prefix(&escaped) {
            Some("(?s:.*)") | None => ValueSet::Any,
            Some(regex) => {
                let written = pattern.written.strip_prefix(prefix).unwrap_or(&pattern.written).to_owned();
                ValueSet::Matching(ValuePattern { written, regex: regex.to_owned() })
            }
        },
        ValueSet::AllOf(sets) => sets.iter().map(|set| short(prefix, set)).fold(ValueSet::Any, ValueSet::and),
        ValueSet::AnyOf(sets) => {
            sets.iter().map(|set| short(prefix, set)).fold(ValueSet::none(), ValueSet::or)
        }
        ValueSet::Not(inner) => match inner.as_ref() {
            ValueSet::Exactly(_) => short(prefix, inner).complement(),
            ValueSet::Matching(pattern) if pattern.regex.starts_with(&escaped) => {
                short(prefix, inner).complement()
            }
            _ => ValueSet::Any,
        },
        ValueSet::Absent | ValueSet::Any | ValueSet::Unknown(_) => set.clone(),
    }
}

/// Puts the default branch where a file names it without knowing it.
pub(super) fn resolve(set: ValueSet, default_branch: Option<&str>) -> ValueSet {
    match set {
        ValueSet::Exactly(values) if values.iter().any(|value| value.contains(DEFAULT_BRANCH)) => {
            let Some(branch) = default_branch else {
                return ValueSet::Unknown("the default branch was not given".to_owned());
            };
            ValueSet::Exactly(values.iter().map(|value| value.replace(DEFAULT_BRANCH, branch)).collect())
        }
        ValueSet::Not(set) => resolve(*set, default_branch).complement(),
        ValueSet::AllOf(sets) => {
            sets.into_iter().map(|set| resolve(set, default_branch)).fold(ValueSet::Any, ValueSet::and)
        }
        ValueSet::AnyOf(sets) => {
            sets.into_iter().map(|set| resolve(set, default_branch)).fold(ValueSet::none(), ValueSet::or)
        }
        set => set,
    }
}

/// The reasons in a set for which its values are not known.
pub(super) fn reasons(set: &ValueSet, found: &mut std::collections::BTreeSet<String>) {
    match set {
        ValueSet::Unknown(why) => {
            found.insert(why.clone());
        }
        ValueSet::Not(set) => reasons(set, found),
        ValueSet::AllOf(sets) | ValueSet::AnyOf(sets) => sets.iter().for_each(|set| reasons(set, found)),
        ValueSet::Absent | ValueSet::Any | ValueSet::Exactly(_) | ValueSet::Matching(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::{containing, prefix, suffix};

    #[test]
    fn what_begins_differently_has_nothing_in_common() {
        let heads = prefix("refs/heads/");
        assert!(meet(heads.clone(), prefix("refs/tags/")).is_empty());
        assert!(meet(prefix("refs/tags/").complement(), prefix("refs/tags/v")).is_empty());
        assert!(meet(heads.clone(), ValueSet::Absent.or(prefix("refs/heads/").complement())).is_empty());
        assert!(!meet(heads.clone(), prefix("refs/heads/release")).is_empty());
        assert!(!meet(heads.clone(), containing("rel")).is_empty());
        assert!(!meet(heads.clone(), suffix("main")).is_empty());
        assert_eq!(meet(heads, ValueSet::exactly("refs/heads/main")).as_single(), Some("refs/heads/main"));
    }

    #[test]
    fn lists_are_decided_and_unknown_ones_kept() {
        let list = ValueSet::exactly("a").or(ValueSet::exactly("b"));
        assert_eq!(meet(list.clone(), prefix("a")), ValueSet::exactly("a"));
        let unknown = ValueSet::Unknown("why".to_owned());
        assert!(matches!(meet(list, unknown), ValueSet::AllOf(_)));
    }

    #[test]
    fn short_names_become_refs() {
        let set = prefix("v").and(ValueSet::exactly("v0").complement());
        let refs = prefixed("refs/tags/", &set);
        let holds = |value: &str| refs.contains(Some(value), &matches);
        assert_eq!(holds("refs/tags/v1"), Some(true));
        assert_eq!(holds("refs/tags/v0"), Some(false));
        assert_eq!(holds("v1"), Some(false));
        let names = short("refs/tags/", &refs);
        let holds = |value: &str| names.contains(Some(value), &matches);
        assert_eq!((holds("v1"), holds("v0"), holds("x")), (Some(true), Some(false), Some(false)));
        assert_eq!(short("refs/heads/", &prefix("refs/heads/")), ValueSet::Any);
        assert_eq!(short("refs/heads/", &suffix("main")), ValueSet::Any, "more rather than less");
    }

    #[test]
    fn the_default_branch_is_a_fact() {
        let set = ValueSet::exactly(format!("refs/heads/{DEFAULT_BRANCH}"));
        assert_eq!(resolve(set.clone(), Some("trunk")), ValueSet::exactly("refs/heads/trunk"));
        let unknown = resolve(set.complement(), None);
        let mut why = std::collections::BTreeSet::new();
        reasons(&unknown, &mut why);
        assert_eq!(why.into_iter().collect::<Vec<_>>(), ["the default branch was not given"]);
    }
}
