use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use daypass_claims::ClaimName;

/// The tokens that one job can mint when one kind of event sets it off, as far as its pipeline file decides that.
///
/// Pipeline readers make these, and a prover compares them with what a role admits. The set is the product of its
/// claims; what hangs together (this environment only on that branch) is told apart by several `Mintable`s. A claim
/// that is not listed is what the platform makes of the others ([`crate::ClaimSpec::derive`]), else anything of its
/// shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mintable {
    /// The id of the platform in the catalogue.
    pub platform: &'static str,
    /// The pipeline file that starts the run.
    pub file: Arc<str>,
    /// Where the job is defined: a file, which is another one for a reusable workflow, and a 1-based line.
    pub location: (Arc<str>, usize),
    /// The job, with the jobs that call it in front: `release / deploy`.
    pub job: String,
    /// What sets it off, in the platform's word: `push`, `merge_request_event`.
    pub trigger: String,
    /// What the job asks for as audience. Where a job may ask for any, what it is seen to ask for.
    pub audiences: ValueSet,
    /// The values of claims and parts.
    pub claims: BTreeMap<ClaimName, ValueSet>,
    /// Why the real set may be smaller: conditions that are not modelled, facts that were not given. Empty where the
    /// set is exact as far as the file goes.
    pub at_most: BTreeSet<String>,
}

/// A set of values of one claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSet {
    /// The claim is not in the token.
    Absent,
    /// Every value that the platform could write.
    Any,
    /// These values.
    Exactly(BTreeSet<String>),
    /// The values that match.
    Matching(ValuePattern),
    /// The values that are in none of the set.
    Not(Box<ValueSet>),
    /// The values that are in all of the sets.
    AllOf(Vec<ValueSet>),
    /// The values that are in one of the sets.
    AnyOf(Vec<ValueSet>),
    /// Some value that the file does not tell, and why.
    Unknown(String),
}

/// A pattern over the whole of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValuePattern {
    /// The pattern as the pipeline file has it.
    pub written: String,
    /// The same as a regular expression over the whole text, in the syntax of the `regex` crate.
    pub regex: String,
}

impl ValueSet {
    /// One value.
    pub fn exactly(value: impl Into<String>) -> Self {
        Self::Exactly(BTreeSet::from([value.into()]))
    }

    /// No value at all.
    pub const fn none() -> Self {
        Self::Exactly(BTreeSet::new())
    }

    /// The values of both sets.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, set) | (set, Self::Any) => set,
            (Self::Exactly(left), Self::Exactly(right)) => {
                Self::Exactly(left.intersection(&right).cloned().collect())
            }
            (Self::Exactly(left), Self::Not(right)) | (Self::Not(right), Self::Exactly(left))
                if matches!(*right, Self::Exactly(_)) =>
            {
                let Self::Exactly(right) = *right else { return Self::Exactly(left) };
                Self::Exactly(left.difference(&right).cloned().collect())
            }
            (left, right) if left == right => left,
            (Self::AllOf(mut sets), set) | (set, Self::AllOf(mut sets)) => {
                sets.push(set);
                Self::AllOf(sets)
            }
            (left, right) => Self::AllOf(vec![left, right]),
        }
    }

    /// The values of either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (Self::Exactly(none), set) | (set, Self::Exactly(none)) if none.is_empty() => set,
            (Self::Exactly(mut left), Self::Exactly(right)) => {
                left.extend(right);
                Self::Exactly(left)
            }
            (left, right) if left == right => left,
            (Self::AnyOf(mut sets), set) | (set, Self::AnyOf(mut sets)) => {
                sets.push(set);
                Self::AnyOf(sets)
            }
            (left, right) => Self::AnyOf(vec![left, right]),
        }
    }

    /// The values that are not in the set.
    #[must_use]
    pub fn complement(self) -> Self {
        match self {
            Self::Any => Self::none(),
            Self::Exactly(values) if values.is_empty() => Self::Any,
            Self::Not(set) => *set,
            set => Self::Not(Box::new(set)),
        }
    }

    /// Whether it is known that no value is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Exactly(values) => values.is_empty(),
            Self::AllOf(sets) => sets.iter().any(Self::is_empty),
            Self::AnyOf(sets) => sets.iter().all(Self::is_empty),
            Self::Not(set) => **set == Self::Any,
            Self::Absent | Self::Any | Self::Matching(_) | Self::Unknown(_) => false,
        }
    }

    /// The only value, if there is just one.
    pub fn as_single(&self) -> Option<&str> {
        match self {
            Self::Exactly(values) if values.len() == 1 => values.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether a value is in the set; `None` where the file does not tell or `matches` cannot say.
    ///
    /// `matches` decides a pattern: this room has no engine for regular expressions.
    pub fn contains(
        &self,
        value: Option<&str>,
        matches: &dyn Fn(&ValuePattern, &str) -> Option<bool>,
    ) -> Option<bool> {
        let Some(text) = value else {
            return match self {
                Self::Absent => Some(true),
                Self::Unknown(_) => None,
                Self::AnyOf(sets) => any(sets.iter().map(|set| set.contains(None, matches))),
                _ => Some(false),
            };
        };
        match self {
            Self::Absent => Some(false),
            Self::Any => Some(true),
            Self::Exactly(values) => Some(values.contains(text)),
            Self::Matching(pattern) => matches(pattern, text),
            Self::Not(set) => set.contains(value, matches).map(|inside| !inside),
            Self::AllOf(sets) => {
                let outside = sets.iter().map(|set| set.contains(value, matches).map(|inside| !inside));
                any(outside).map(|outside| !outside)
            }
            Self::AnyOf(sets) => any(sets.iter().map(|set| set.contains(value, matches))),
            Self::Unknown(_) => None,
        }
    }
}

/// True if one is true, else unknown if one is unknown.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

impl fmt::Display for ValueSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, sets: &[Self], joint: &str| {
            let text = |set: &Self| match set {
                Self::AnyOf(sets) if sets.len() > 1 && joint == " and " => format!("({set})"),
                Self::Exactly(values) if values.len() > 1 && joint == " and " => format!("({set})"),
                _ => set.to_string(),
            };
            f.write_str(&sets.iter().map(text).collect::<Vec<_>>().join(joint))
        };
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Any => f.write_str("any"),
            Self::Exactly(values) if values.is_empty() => f.write_str("nothing"),
            Self::Exactly(values) => {
                let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
                f.write_str(&values.join(" or "))
            }
            Self::Matching(pattern) => write!(f, "like `{}`", pattern.written),
            Self::Not(set) => write!(f, "not ({set})"),
            Self::AllOf(sets) => list(f, sets, " and "),
            Self::AnyOf(sets) => list(f, sets, " or "),
            Self::Unknown(why) => write!(f, "unknown ({why})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> ValueSet {
        ValueSet::Exactly(values.iter().map(|value| (*value).to_owned()).collect())
    }

    fn like(prefix: &str) -> ValueSet {
        ValueSet::Matching(ValuePattern { written: format!("{prefix}*"), regex: format!("{prefix}.*") })
    }

    fn contains(set: &ValueSet, value: Option<&str>) -> Option<bool> {
        let prefix = |pattern: &ValuePattern, text: &str| {
            pattern.written.strip_suffix('*').map(|prefix| text.starts_with(prefix))
        };
        set.contains(value, &prefix)
    }

    #[test]
    fn sets_are_combined_as_sets() {
        assert_eq!(of(&["a", "b"]).and(of(&["b", "c"])), of(&["b"]));
        assert_eq!(of(&["a", "b"]).and(of(&["b"]).complement()), of(&["a"]));
        assert_eq!(of(&["a"]).or(of(&["b"])), of(&["a", "b"]));
        assert_eq!(ValueSet::none().or(like("x")), like("x"));
        assert_eq!(ValueSet::Any.and(like("x")), like("x"));
        assert_eq!(ValueSet::Any.complement(), ValueSet::none());
        assert_eq!(ValueSet::none().complement(), ValueSet::Any);
        assert_eq!(like("x").complement().complement(), like("x"));
        assert!(like("x").and(ValueSet::none()).is_empty());
        assert!(!like("x").is_empty());
    }

    #[test]
    fn membership_is_three_valued() {
        let set = like("release/").and(of(&["release/old"]).complement());
        assert_eq!(contains(&set, Some("release/1")), Some(true));
        assert_eq!(contains(&set, Some("release/old")), Some(false));
        assert_eq!(contains(&set, None), Some(false));
        let unknown = ValueSet::Unknown("a variable".to_owned());
        assert_eq!(contains(&unknown, Some("x")), None);
        assert_eq!(contains(&of(&["x"]).or(unknown.clone()), Some("x")), Some(true));
        assert_eq!(contains(&of(&["y"]).and(unknown), Some("x")), Some(false));
        assert_eq!(contains(&ValueSet::Absent.or(of(&["x"])), None), Some(true));
        assert_eq!(contains(&ValueSet::Absent, Some("x")), Some(false));
    }

    #[test]
    fn a_set_reads_as_a_phrase() {
        let set = like("v").and(of(&["v0"]).complement()).or(ValueSet::Absent);
        assert_eq!(set.to_string(), "like `v*` and not (`v0`) or absent");
        assert_eq!(of(&["a", "b"]).to_string(), "`a` or `b`");
        assert_eq!(
            like("x").or(like("y")).and(like("z")).to_string(),
            "(like `x*` or like `y*`) and like `z*`"
        );
        assert_eq!(ValueSet::none().to_string(), "nothing");
        assert_eq!(ValueSet::Unknown("why".to_owned()).to_string(), "unknown (why)");
        assert_eq!(of(&["a"]).as_single(), Some("a"));
    }
}
