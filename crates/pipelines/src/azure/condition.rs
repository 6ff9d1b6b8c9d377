use daypass_issuers::ValueSet;

use crate::condition::{containing, prefix, suffix};
use crate::{Condition, Fact};

/// How deep calls may nest.
const DEPTH: usize = 32;

/// The condition that `condition:` states: functions of functions, as in `and(succeeded(), eq(a, 'b'))`.
pub(super) fn read(text: &str) -> Condition {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    match parser.value() {
        Some(value) if parser.rest.is_empty() => condition(&value),
        _ => Condition::Unknown(text.trim().into()),
    }
}

enum Value {
    Text(String),
    Variable(String),
    Call(String, Vec<Value>),
}

fn condition(value: &Value) -> Condition {
    let Value::Call(name, arguments) = value else {
        return match value {
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Condition::Always,
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Condition::Never,
            other => Condition::Unknown(written(other).into()),
        };
    };
    let unknown = || Condition::Unknown(written(value).into());
    match (name.as_str(), arguments.as_slice()) {
        ("succeeded" | "always" | "succeededorfailed", _) => Condition::Always,
        ("and", all) => all.iter().map(condition).fold(Condition::Always, Condition::and),
        ("or", any) => any.iter().map(condition).fold(Condition::Never, Condition::or),
        ("not", [one]) => condition(one).negate(),
        ("eq", [left, right]) => compare(left, right, exactly).unwrap_or_else(unknown),
        ("ne", [left, right]) => compare(left, right, exactly).map_or_else(unknown, Condition::negate),
        ("startswith", [left, right]) => compare(left, right, prefix).unwrap_or_else(unknown),
        ("endswith", [left, right]) => compare(left, right, suffix).unwrap_or_else(unknown),
        ("contains", [left, right]) => compare(left, right, containing).unwrap_or_else(unknown),
        ("in", [variable, values @ ..]) => values
            .iter()
            .map(|value| compare(variable, value, exactly))
            .try_fold(Condition::Never, |any, one| Some(any.or(one?)))
            .unwrap_or_else(unknown),
        _ => unknown(),
    }
}

fn exactly(text: &str) -> ValueSet {
    ValueSet::exactly(text)
}

fn compare(left: &Value, right: &Value, set: impl Fn(&str) -> ValueSet) -> Option<Condition> {
    let ((Value::Variable(name), Value::Text(text)) | (Value::Text(text), Value::Variable(name))) =
        (left, right)
    else {
        return None;
    };
    // `Build.Reason` has words of its own for what `trigger`, `pr` and `schedules` bring about.
    let reason = match text.as_str() {
        "IndividualCI" | "BatchedCI" => "trigger",
        "PullRequest" => "pr",
        "Schedule" => "schedule",
        "Manual" => "manual",
        "ResourceTrigger" | "BuildCompletion" => "resources",
        other => other,
    };
    match name.to_ascii_lowercase().as_str() {
        "build.sourcebranch" => Some(Condition::Is(Fact::Ref, set(text))),
        "build.sourcebranchname" => {
            // The last piece of the ref only: `refs/heads/a/main` is called `main` too.
            Some(Condition::Is(
                Fact::RefName,
                ValueSet::exactly(text.as_str()).or(suffix(&format!("/{text}"))),
            ))
        }
        "build.reason" => Some(Condition::is(Fact::Event, reason)),
        "system.pullrequest.targetbranch" => {
            Some(Condition::Is(Fact::BaseRef, set(text.strip_prefix("refs/heads/").unwrap_or(text))))
        }
        _ => None,
    }
}

fn written(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Variable(name) => format!("variables['{name}']"),
        Value::Call(name, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(written).collect();
            format!("{name}({})", arguments.join(", "))
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn eat(&mut self, token: char) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH {
            return None;
        }
        let value = self.inner();
        self.depth = self.depth.saturating_sub(1);
        value
    }

    fn inner(&mut self) -> Option<Value> {
        if let Some(after) = self.rest.strip_prefix('\'') {
            let (text, rest) = after.split_once('\'')?;
            self.rest = rest.trim_start();
            return Some(Value::Text(text.to_owned()));
        }
        let name = self.word()?;
        if self.eat('(') {
            let mut arguments = Vec::new();
            while !self.eat(')') {
                arguments.push(self.value()?);
                if !self.eat(',') && !self.rest.starts_with(')') {
                    return None;
                }
            }
            return Some(Value::Call(name.to_ascii_lowercase(), arguments));
        }
        if self.eat('[') {
            let Value::Text(key) = self.value()? else { return None };
            self.eat(']').then_some(())?;
            return (name == "variables").then_some(Value::Variable(key));
        }
        match name.strip_prefix("variables.") {
            Some(variable) => Some(Value::Variable(variable.to_owned())),
            None => Some(Value::Text(name.to_owned())),
        }
    }

    fn word(&mut self) -> Option<&'t str> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        (!word.is_empty()).then_some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_conditions() {
        for (text, wanted) in [
            (
                "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))",
                Condition::is(Fact::Ref, "refs/heads/main"),
            ),
            ("eq(variables.Build.Reason, 'Schedule')", Condition::is(Fact::Event, "schedule")),
            ("always()", Condition::Always),
            ("false", Condition::Never),
            ("eq(variables['x'], 'y')", Condition::Unknown("eq(variables['x'], 'y')".into())),
            ("eq(a", Condition::Unknown("eq(a".into())),
            ("ne(variables['Build.Reason'], 'PullRequest')", Condition::is(Fact::Event, "pr").negate()),
        ] {
            assert_eq!(read(text), wanted, "{text}");
        }
        let Condition::Is(Fact::Ref, set) = read("startsWith(variables['Build.SourceBranch'], 'refs/tags/')")
        else {
            panic!()
        };
        assert_eq!(set.to_string(), "like `refs/tags/*`");
        assert!(
            matches!(read("in(variables['Build.Reason'], 'Manual', 'Schedule')"), Condition::Any(any) if any.len() == 2)
        );
        assert!(matches!(read(&"not(".repeat(100)), Condition::Unknown(_)));
    }
}
