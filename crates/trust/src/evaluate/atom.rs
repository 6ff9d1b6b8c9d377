use std::borrow::Cow;

use daypass_claims::ClaimValue;

use super::Evaluator;
use super::value::{self, Operand};
use crate::context::Fact;
use crate::form::{Atom, ClaimPath, JoinPart, Pattern, Quantifier, Reading, Step, Test, Variable};
use crate::truth::Truth;

/// A truth value, with the reason where it is unknown.
pub(super) struct Verdict {
    pub(super) truth: Truth,
    pub(super) why: Option<String>,
}

impl Verdict {
    fn unknown(why: impl Into<String>) -> Self {
        Self { truth: Truth::Unknown, why: Some(why.into()) }
    }

    fn combine(parts: impl IntoIterator<Item = Self>, join: fn(Vec<Truth>) -> Truth) -> Self {
        let mut why = None;
        let truths = parts.into_iter().map(|part| {
            why = why.take().or(part.why);
            part.truth
        });
        let truth = join(truths.collect());
        Self { truth, why: why.filter(|_| truth == Truth::Unknown) }
    }

    fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, Truth::any)
    }

    fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, Truth::all)
    }
}

impl From<bool> for Verdict {
    fn from(value: bool) -> Self {
        Self { truth: value.into(), why: None }
    }
}

/// What a variable holds.
pub(super) enum Found<'a> {
    Absent,
    Value(Cow<'a, ClaimValue>),
    Unknown(String),
    /// Either absent or this value.
    Perhaps(Cow<'a, ClaimValue>, String),
}

impl<'a> Evaluator<'a> {
    pub(super) fn atom(&self, atom: &Atom) -> Verdict {
        match self.find(&atom.variable) {
            Found::Absent => absent(atom).into(),
            Found::Value(value) => self.present(atom, &value),
            Found::Unknown(why) => Verdict::unknown(why),
            Found::Perhaps(value, why) => {
                let present = self.present(atom, &value);
                if present.truth == Truth::from(absent(atom)) { present } else { Verdict::unknown(why) }
            }
        }
    }

    /// Looks a variable up.
    pub(super) fn find(&self, variable: &Variable) -> Found<'a> {
        match variable {
            Variable::Claim(path) => self.claim(path).map_or(Found::Absent, Found::Value),
            Variable::Unverified { claim, why } => {
                self.claim(claim).map_or(Found::Absent, |value| Found::Perhaps(value, why.clone()))
            }
            Variable::Request(key) => match self.context.fact(key, self.claims) {
                Fact::Absent => Found::Absent,
                Fact::Value(value) => Found::Value(value),
                Fact::Unknown(why) => Found::Unknown(why),
            },
            Variable::Never { .. } => Found::Absent,
            Variable::Joined(parts) => self
                .join(parts)
                .map_or(Found::Absent, |text| Found::Value(Cow::Owned(ClaimValue::String(text)))),
        }
    }

    /// A text that is put together; `None` where a part has none.
    fn join(&self, parts: &[JoinPart]) -> Option<String> {
        let mut joined = String::new();
        for part in parts {
            match part {
                JoinPart::Text(text) => joined.push_str(text),
                JoinPart::Claim(path) => joined.push_str(self.claim(path)?.as_str()?),
            }
        }
        Some(joined)
    }

    fn claim(&self, path: &ClaimPath) -> Option<Cow<'a, ClaimValue>> {
        if let Some(wanted) = &path.of_issuer
            && let Some(issuer) = self.issuer()
        {
            let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
            if !host.eq_ignore_ascii_case(wanted) {
                return None;
            }
        }
        let mut value = Cow::Borrowed(self.claims.get(path.claim.as_str())?);
        for step in &path.steps {
            value = step_into(&value, step)?;
        }
        Some(value)
    }

    fn present(&self, atom: &Atom, found: &ClaimValue) -> Verdict {
        if atom.test == Test::Present {
            return match (atom.reading, found) {
                (Reading::AwsSingle | Reading::AwsAudience | Reading::AwsMulti, ClaimValue::Null) => {
                    Verdict::unknown(format!(
                        "AWS does not document whether a null `{}` is present",
                        atom.variable
                    ))
                }
                _ => true.into(),
            };
        }
        let reading = atom.reading;
        let test = |value: &ClaimValue| self.test(&atom.test, value, reading);
        match (value::operand(found, reading, &atom.variable.to_string()), atom.quantifier) {
            (Operand::Unknown(why), _) => Verdict::unknown(why),
            (Operand::One(value), Quantifier::Scalar) => test(value),
            (Operand::Many(_), Quantifier::Scalar) => false.into(),
            (Operand::Many(values), Quantifier::AnyOf) => Verdict::any(values.into_iter().map(test)),
            (Operand::Many(values), Quantifier::AllOf) => Verdict::all(values.into_iter().map(test)),
            // AWS takes a single value for a set of one; the strict reading does not take a string for a list.
            (Operand::One(_), Quantifier::AnyOf | Quantifier::AllOf) if reading == Reading::Strict => {
                false.into()
            }
            (Operand::One(value), Quantifier::AnyOf | Quantifier::AllOf) => test(value),
        }
    }

    fn test(&self, test: &Test, found: &ClaimValue, reading: Reading) -> Verdict {
        match test {
            Test::Present => true.into(),
            Test::OneOf(tests) => Verdict::any(tests.iter().map(|test| self.test(test, found, reading))),
            Test::Not(inner) => {
                let verdict = self.test(inner, found, reading);
                Verdict { truth: !verdict.truth, why: verdict.why }
            }
            Test::Text { pattern, ignore_case } => match value::text(found, reading) {
                Some(text) => self.text(pattern, &text, *ignore_case),
                None => false.into(),
            },
            Test::Regex(expression) => {
                value::text(found, reading).is_some_and(|text| expression.is_found_in(&text)).into()
            }
            Test::Number(comparison, wanted) => value::number(found, reading)
                .is_some_and(|number| comparison.accepts(value::order(number, *wanted)))
                .into(),
            Test::Bool(wanted) => (value::boolean(found, reading) == Some(*wanted)).into(),
            Test::Date(comparison, wanted) => {
                value::time(found).is_some_and(|time| comparison.accepts(time.cmp(wanted))).into()
            }
            Test::Ip { network, prefix } => value::text(found, reading)
                .and_then(|text| value::in_network(&text, *network, *prefix))
                .unwrap_or(false)
                .into(),
            Test::Arn(parts) => match value::text(found, reading) {
                Some(text) => self.arn(parts, &text),
                None => false.into(),
            },
            Test::Binary(wanted) => value::text(found, reading)
                .and_then(|text| crate::literal::decode_base64(&text))
                .is_some_and(|bytes| bytes == *wanted)
                .into(),
        }
    }

    fn text(&self, pattern: &Pattern, text: &str, ignore_case: bool) -> Verdict {
        let mut unknown = None;
        let mut resolve = |variable: &Variable| self.resolve(variable, &mut unknown);
        let matches = pattern.matches(text, ignore_case, &mut resolve);
        if let Some(why) = unknown {
            return Verdict::unknown(why);
        }
        if ignore_case && !matches && !(text.is_ascii() && pattern.to_string().is_ascii()) {
            return Verdict::unknown("how letter case is ignored outside ASCII is not documented");
        }
        matches.into()
    }

    fn arn(&self, parts: &[Pattern], text: &str) -> Verdict {
        let values: Vec<&str> = text.splitn(6, ':').collect();
        if values.len() != parts.len() || values.first() != Some(&"arn") {
            return false.into();
        }
        Verdict::all(parts.iter().zip(values).map(|(pattern, value)| self.text(pattern, value, false)))
    }

    /// The text of a policy variable; a list or an absent one has none, and then the value it stands in matches
    /// nothing.
    fn resolve(&self, variable: &Variable, unknown: &mut Option<String>) -> Option<String> {
        match self.find(variable) {
            Found::Value(value) => value::text(&value, Reading::AwsRequest).map(Cow::into_owned),
            Found::Absent => None,
            Found::Unknown(why) | Found::Perhaps(_, why) => {
                unknown.get_or_insert(why);
                None
            }
        }
    }
}

/// What an atom says of an absent variable.
fn absent(atom: &Atom) -> bool {
    atom.quantifier == Quantifier::AllOf
}

fn step_into<'a>(value: &Cow<'a, ClaimValue>, step: &Step) -> Option<Cow<'a, ClaimValue>> {
    let string = |text: String| Some(Cow::Owned(ClaimValue::String(text)));
    match step {
        Step::Extract { before, after } => return string(extract(value.as_str()?, before, after)),
        Step::Lower => return string(value.as_str()?.to_ascii_lowercase()),
        Step::Upper => return string(value.as_str()?.to_ascii_uppercase()),
        _ => {}
    }
    let pick = |value: &'a ClaimValue| -> Option<Cow<'a, ClaimValue>> {
        match step {
            Step::Extract { .. } | Step::Lower | Step::Upper => None,
            Step::Item(index) => value.as_array()?.get(*index).map(Cow::Borrowed),
            Step::Member(name) => value.as_object()?.get(name).map(Cow::Borrowed),
            Step::MemberIgnoreCase(name) => value
                .as_object()?
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| Cow::Borrowed(value)),
            Step::OnlyItem => match value {
                ClaimValue::Array(items) => match items.as_slice() {
                    [one] => Some(Cow::Borrowed(one)),
                    _ => None,
                },
                other => Some(Cow::Borrowed(other)),
            },
            Step::Names => {
                let names = value.as_object()?.keys().cloned().map(ClaimValue::String);
                Some(Cow::Owned(ClaimValue::Array(names.collect())))
            }
        }
    };
    match value {
        Cow::Borrowed(value) => pick(value),
        // Only names of members and parts of strings are ever made up, and nothing steps into those.
        Cow::Owned(_) => None,
    }
}

/// `extract` of GCP: the text between the first `before` and the next `after`, empty where there is none.
fn extract(text: &str, before: &str, after: &str) -> String {
    let Some((_, rest)) = text.split_once(before) else { return String::new() };
    if after.is_empty() {
        return rest.to_owned();
    }
    rest.split_once(after).map_or_else(String::new, |(found, _)| found.to_owned())
}
