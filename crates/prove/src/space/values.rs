//! Values that stand for what tests of order tell apart: every threshold, and one value of each interval between them.

use daypass_claims::{Number, Timestamp};

/// Where tests change their answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Thresholds {
    pub(crate) numbers: Vec<Number>,
    /// Numbers that only numbers are compared with: no text is one.
    pub(crate) typed: Vec<Number>,
    pub(crate) times: Vec<Timestamp>,
    /// Whether texts that say true or false are told from others.
    pub(crate) flags: bool,
    /// Values of other kinds: one for everything that their tests tell apart.
    pub(crate) others: Vec<String>,
}

impl Thresholds {
    pub(crate) const fn is_empty(&self) -> bool {
        self.numbers.is_empty()
            && self.typed.is_empty()
            && self.times.is_empty()
            && !self.flags
            && self.others.is_empty()
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.numbers.extend(&other.numbers);
        self.typed.extend(&other.typed);
        self.times.extend(&other.times);
        self.flags |= other.flags;
        self.others.extend(other.others.iter().cloned());
    }

    /// The same where a text is neither a number nor a boolean, whatever it says.
    pub(super) fn take_types_strictly(&mut self) {
        self.typed.append(&mut self.numbers);
        self.flags = false;
    }

    /// Texts, one of them nothing that has an order.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts = self.others.clone();
        if self.flags {
            texts.extend(["true".to_owned(), "false".to_owned()]);
        }
        texts.extend(near_numbers(&self.numbers));
        texts.extend(near_times(&self.times).map(Timestamp::to_rfc3339));
        if texts.len() > self.others.len() {
            texts.push("x".to_owned());
        }
        texts
    }

    /// Whole numbers; points in time are seconds.
    pub(super) fn integers(&self) -> Vec<i64> {
        let all: Vec<Number> = self.numbers.iter().chain(&self.typed).copied().collect();
        let numbers = near_numbers(&all).into_iter().filter_map(|text| text.parse().ok());
        numbers.chain(near_times(&self.times).map(Timestamp::as_secs)).collect()
    }

    /// Points in time; numbers are seconds.
    pub(super) fn times(&self) -> Vec<String> {
        self.integers().into_iter().map(|secs| Timestamp::from_secs(secs).to_rfc3339()).collect()
    }
}

/// The thresholds, the whole numbers around them, and what lies between two that are closer together than those are.
fn near_numbers(thresholds: &[Number]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut sorted: Vec<f64> = Vec::new();
    for threshold in thresholds {
        sorted.push(threshold.as_f64());
        match threshold {
            Number::Integer(whole) => {
                found.extend([-1, 0, 1].map(|near| whole.saturating_add(near).to_string()));
            }
            Number::Float(other) => {
                let near = [other - 1.0, other.floor(), *other, other.ceil(), other + 1.0];
                found.extend(near.map(|near| near.to_string()));
            }
        }
    }
    sorted.sort_by(f64::total_cmp);
    let between = sorted.windows(2).filter_map(|pair| Some(f64::midpoint(*pair.first()?, *pair.last()?)));
    found.extend(between.map(|between| between.to_string()));
    found
}

/// The thresholds, and the seconds before and after.
fn near_times(thresholds: &[Timestamp]) -> impl Iterator<Item = Timestamp> {
    let near = |secs: i64| [-1, 0, 1].map(|near| Timestamp::from_secs(secs.saturating_add(near)));
    thresholds.iter().flat_map(move |threshold| near(threshold.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(numbers: impl IntoIterator<Item = Number>) -> Thresholds {
        Thresholds { numbers: numbers.into_iter().collect(), ..Thresholds::default() }
    }

    #[test]
    fn every_interval_of_whole_numbers_has_one() {
        let mut found = numbers([Number::Integer(3), Number::Float(5.5)]).integers();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, [2, 3, 4, 5, 6]);
    }

    #[test]
    fn every_interval_of_texts_has_one_and_so_has_what_is_no_number() {
        let texts = numbers([Number::Integer(3), Number::Integer(4)]).texts();
        for wanted in ["2", "3", "3.5", "4", "5", "x"] {
            assert!(texts.iter().any(|text| text == wanted), "{wanted} of {texts:?}");
        }
    }

    #[test]
    fn what_is_compared_with_numbers_only_tells_no_texts_apart() {
        let typed = Thresholds { typed: vec![Number::Integer(3)], ..Thresholds::default() };
        assert_eq!((typed.texts(), typed.integers()), (Vec::new(), vec![2, 3, 4]));
        assert!(!typed.is_empty());
    }

    #[test]
    fn ids_as_large_as_they_get_are_told_apart() {
        let texts = numbers([Number::Integer(9_007_199_254_740_993)]).texts();
        assert!(
            texts.contains(&"9007199254740992".to_owned()) && texts.contains(&"9007199254740994".to_owned())
        );
    }

    #[test]
    fn the_time_of_a_request_can_be_asked_for_in_seconds() {
        let thresholds =
            Thresholds { times: vec![Timestamp::from_secs(1_700_000_000)], ..Thresholds::default() };
        assert_eq!(thresholds.times(), numbers([Number::Integer(1_700_000_000)]).times());
        assert!(thresholds.texts().contains(&"2023-11-14T22:13:20Z".to_owned()));
        assert!(Thresholds::default().texts().is_empty() && Thresholds::default().is_empty());
    }
}
