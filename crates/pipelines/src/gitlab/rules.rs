//! `rules`, `only` and `except` as conditions.

use daypass_issuers::ValueSet;

use crate::condition::{DEFAULT_BRANCH, searched};
use crate::yaml::Node;
use crate::{Condition, Fact};

const REQUEST: &str = "merge_request_event";

/// The condition of a list of rules: the first that holds decides.
pub(super) fn rules(node: &Node) -> Condition {
    let mut condition = Condition::Never;
    let mut before = Condition::Always;
    for rule in node.items() {
        let mut holds = rule.get("if").and_then(Node::as_str).map_or(Condition::Always, expression);
        for key in ["changes", "exists"] {
            if rule.get(key).is_some() {
                holds = holds.and(Condition::Unknown(format!("{key} of files").into()));
            }
        }
        if rule.get("when").and_then(Node::as_str) == Some("never") {
            before = before.and(holds.negate());
        } else {
            condition = condition.or(before.clone().and(holds));
        }
    }
    condition
}

/// The condition of `only` and `except`. A job without either does not run for merge requests.
pub(super) fn only_except(only: Option<&Node>, except: Option<&Node>) -> Condition {
    let condition = match only {
        Some(only) => refs(only),
        None => Condition::is(Fact::Event, REQUEST).negate(),
    };
    match except {
        Some(except) => condition.and(refs(except).negate()),
        None => condition,
    }
}

fn refs(node: &Node) -> Condition {
    let keyed = node.is_mapping();
    let list = if keyed { node.get("refs") } else { Some(node) };
    let mut condition = match list {
        Some(list) => list
            .one_or_more()
            .iter()
            .filter_map(Node::as_str)
            .map(git_ref)
            .fold(Condition::Never, Condition::or),
        None => Condition::Always,
    };
    for variable in node.get("variables").map(Node::one_or_more).unwrap_or_default() {
        condition = condition.and(variable.as_str().map_or(Condition::Always, expression));
    }
    for key in ["changes", "kubernetes"] {
        if keyed && node.get(key).is_some() {
            condition = condition.and(Condition::Unknown(format!("only: {key}").into()));
        }
    }
    condition
}

/// One entry of `only`: a keyword, `/expression/`, or the name of a branch or tag; `@group/project` limits it.
fn git_ref(text: &str) -> Condition {
    let event = |name: &str| Condition::is(Fact::Event, name);
    let request = || event(REQUEST).negate();
    let text =
        text.split_once('@').filter(|(_, project)| project.contains('/')).map_or(text, |(name, _)| name);
    match text {
        "branches" => Condition::is(Fact::RefType, "branch").and(request()),
        "tags" => Condition::is(Fact::RefType, "tag"),
        "merge_requests" => event(REQUEST),
        "pushes" => event("push"),
        "schedules" => event("schedule"),
        "triggers" => event("trigger"),
        "pipelines" => event("pipeline"),
        "web" => event("web"),
        "api" => event("api"),
        "chat" => event("chat"),
        "external" => event("external"),
        "external_pull_requests" => event("external_pull_request_event"),
        _ => match text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/')) {
            Some((regex, flags)) => Condition::Is(Fact::RefName, search(text, regex, flags)).and(request()),
            None => Condition::is(Fact::RefName, text).and(request()),
        },
    }
}

fn search(written: &str, regex: &str, flags: &str) -> ValueSet {
    let regex = regex.replace("\\/", "/");
    if flags.is_empty() {
        return searched(written, &regex);
    }
    let flags: String = flags.chars().filter(|flag| matches!(flag, 'i' | 'm' | 's' | 'x')).collect();
    searched(written, &format!("(?{flags}:{regex})"))
}

/// The condition of an `if:`.
pub(super) fn expression(text: &str) -> Condition {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    match parser.or() {
        Some(condition) if parser.rest.is_empty() => condition,
        _ => Condition::Unknown(text.trim().into()),
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

enum Operand<'t> {
    Variable(&'t str),
    Literal(&'t str),
    Null,
    Regex(&'t str, &'t str),
}

impl<'t> Parser<'t> {
    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Option<Condition> {
        let mut left = self.and()?;
        while self.eat("||") {
            left = left.or(self.and()?);
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Condition> {
        let mut left = self.comparison()?;
        while self.eat("&&") {
            left = left.and(self.comparison()?);
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Condition> {
        if self.eat("(") {
            self.depth = self.depth.saturating_add(1);
            if self.depth > 64 {
                return None;
            }
            let inner = self.or()?;
            self.depth = self.depth.saturating_sub(1);
            return self.eat(")").then_some(inner);
        }
        let start = self.rest;
        let left = self.operand()?;
        let operator = ["==", "!=", "=~", "!~"].into_iter().find(|operator| self.eat(operator));
        let Some(operator) = operator else {
            return Some(present(&left));
        };
        let right = self.operand()?;
        let length = start.len().saturating_sub(self.rest.len());
        let written = start.get(..length).unwrap_or_default().trim();
        let holds = compare(&left, &right).unwrap_or_else(|| Condition::Unknown(unnegated(written).into()));
        Some(if operator.starts_with('!') { holds.negate() } else { holds })
    }

    fn operand(&mut self) -> Option<Operand<'t>> {
        let rest = self.rest;
        if let Some(after) = rest.strip_prefix('$') {
            let after = after.strip_prefix('{').unwrap_or(after);
            let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
            let (name, tail) = after.split_at_checked(end)?;
            self.rest = tail.strip_prefix('}').unwrap_or(tail).trim_start();
            return (!name.is_empty()).then_some(Operand::Variable(name));
        }
        for quote in ['"', '\''] {
            if let Some(after) = rest.strip_prefix(quote) {
                let (text, tail) = after.split_once(quote)?;
                self.rest = tail.trim_start();
                return Some(Operand::Literal(text));
            }
        }
        if let Some(after) = rest.strip_prefix('/') {
            let mut escaped = false;
            let end = after.find(|c| {
                let ends = c == '/' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            })?;
            let (regex, tail) = after.split_at_checked(end)?;
            let tail = tail.strip_prefix('/')?;
            let flags = tail.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tail.len());
            let (flags, tail) = tail.split_at_checked(flags)?;
            self.rest = tail.trim_start();
            return Some(Operand::Regex(regex, flags));
        }
        self.eat("null").then_some(Operand::Null)
    }
}

fn unnegated(written: &str) -> String {
    written.replacen("!=", "==", 1).replacen("!~", "=~", 1)
}

/// What a predefined variable tells.
fn fact(name: &str) -> Option<Fact> {
    match name {
        "CI_COMMIT_BRANCH" => Some(Fact::Branch),
        "CI_COMMIT_TAG" => Some(Fact::Tag),
        "CI_COMMIT_REF_NAME" => Some(Fact::RefName),
        "CI_PIPELINE_SOURCE" => Some(Fact::Event),
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME" => Some(Fact::BaseRef),
        _ => None,
    }
}

fn present(operand: &Operand<'_>) -> Condition {
    match operand {
        Operand::Variable("CI_MERGE_REQUEST_IID" | "CI_MERGE_REQUEST_ID") => {
            Condition::is(Fact::Event, REQUEST)
        }
        Operand::Variable(name) => match fact(name) {
            Some(fact) => Condition::Is(fact, ValueSet::Any),
            None => Condition::Unknown(format!("${name}").into()),
        },
        Operand::Literal(text) => {
            if text.is_empty() {
                Condition::Never
            } else {
                Condition::Always
            }
        }
        Operand::Null => Condition::Never,
        Operand::Regex(..) => Condition::Always,
    }
}

fn compare(left: &Operand<'_>, right: &Operand<'_>) -> Option<Condition> {
    let (name, other) = match (left, right) {
        (Operand::Variable("CI_DEFAULT_BRANCH"), Operand::Variable(name)) => {
            (*name, Operand::Variable("CI_DEFAULT_BRANCH"))
        }
        (Operand::Variable(name), Operand::Variable(other)) => (*name, Operand::Variable(other)),
        (Operand::Variable(name), Operand::Literal(text))
        | (Operand::Literal(text), Operand::Variable(name)) => (*name, Operand::Literal(text)),
        (Operand::Variable(name), Operand::Null) | (Operand::Null, Operand::Variable(name)) => {
            return Some(present(&Operand::Variable(name)).negate());
        }
        (Operand::Variable(name), Operand::Regex(regex, flags)) => (*name, Operand::Regex(regex, flags)),
        _ => return None,
    };
    let fact = fact(name)?;
    match other {
        Operand::Literal("") => Some(Condition::Is(fact, ValueSet::Absent)),
        Operand::Literal(text) => Some(Condition::is(fact, text)),
        Operand::Variable("CI_DEFAULT_BRANCH") => Some(Condition::is(fact, DEFAULT_BRANCH)),
        Operand::Regex(regex, flags) => {
            Some(Condition::Is(fact, search(&format!("/{regex}/{flags}"), regex, flags)))
        }
        Operand::Variable(_) | Operand::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_conditions() {
        for (text, wanted) in [
            ("$CI_COMMIT_BRANCH == \"main\"", Condition::is(Fact::Branch, "main")),
            ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", Condition::is(Fact::Branch, DEFAULT_BRANCH)),
            ("\"push\" == $CI_PIPELINE_SOURCE", Condition::is(Fact::Event, "push")),
            ("$CI_COMMIT_TAG", Condition::Is(Fact::Tag, ValueSet::Any)),
            ("$CI_COMMIT_TAG == null", Condition::Is(Fact::Tag, ValueSet::Absent.or(ValueSet::none()))),
            ("$CI_MERGE_REQUEST_IID", Condition::is(Fact::Event, REQUEST)),
            ("$DEPLOY == \"yes\"", Condition::Unknown("$DEPLOY == \"yes\"".into())),
            ("$DEPLOY != \"yes\"", Condition::Unknown("$DEPLOY == \"yes\"".into()).negate()),
            ("$A ==", Condition::Unknown("$A ==".into())),
        ] {
            assert_eq!(expression(text), wanted, "{text}");
        }
        let Condition::Is(Fact::Branch, set) = expression("$CI_COMMIT_BRANCH =~ /^release\\/\\d+$/i") else {
            panic!()
        };
        assert_eq!(set.contains(Some("Release/7"), &crate::matches), Some(true));
        assert_eq!(set.contains(Some("release/x"), &crate::matches), Some(false));
        assert!(matches!(expression(&"(".repeat(1000)), Condition::Unknown(_)));
        let both = expression("($CI_COMMIT_BRANCH == 'a' || $CI_COMMIT_TAG) && $X");
        assert!(matches!(both, Condition::All(parts) if parts.len() == 2));
    }
}
