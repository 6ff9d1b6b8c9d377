//! GitHub's expression language, as far as conditions on refs and events need it.
//!
//! Comparisons ignore letter case on GitHub; a set of refs made from one has the case that the file has.

use daypass_issuers::ValueSet;

use crate::condition::{DEFAULT_BRANCH, containing, prefix, suffix};
use crate::{Condition, Fact};

/// How deep parentheses and operators may nest.
const DEPTH: usize = 64;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// A text, number, boolean or null, as text.
    Literal(String),
    /// A context value: `github.ref`, `secrets['X']` as `secrets.X`; an index that is no literal reads `*`.
    Path(String),
    /// A function call.
    Call(String, Vec<Expression>),
    /// A part of what a call or parentheses give: `fromJSON(secrets.X).key`; an index that is no literal reads `*`.
    Part(Box<Expression>, String),
    /// `!`.
    Not(Box<Expression>),
    /// `&&`.
    And(Box<Expression>, Box<Expression>),
    /// `||`.
    Or(Box<Expression>, Box<Expression>),
    /// `==` or, negated, `!=`.
    Equal(Box<Expression>, Box<Expression>),
    /// `<`, `<=`, `>`, `>=`: not understood further.
    Compare,
}

/// Reads the inside of `${{ }}`.
pub(crate) fn parse(text: &str) -> Option<Expression> {
    let mut parser = Parser { rest: text.trim(), depth: 0 };
    let expression = parser.or()?;
    parser.rest.is_empty().then_some(expression)
}

/// The condition that an `if:` states. It may be written with or without `${{ }}`.
pub(crate) fn condition(text: &str) -> Condition {
    let unknown = || Condition::Unknown(text.trim().into());
    let inner = match whole(text) {
        Some(inner) => inner,
        None if text.contains("${{") => return unknown(),
        None => text.trim(),
    };
    if inner.is_empty() {
        return Condition::Always;
    }
    parse(inner).map_or_else(unknown, |expression| expression.condition())
}

/// The inside, if the text is one `${{ }}` and nothing else.
pub(crate) fn whole(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("${{")?.strip_suffix("}}")?;
    (!inner.contains("${{")).then(|| inner.trim())
}

/// The insides of every `${{ }}` in a text.
pub(crate) fn embedded(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("${{").skip(1);
    parts.filter_map(|part| part.split_once("}}")).map(|(inner, _)| inner.trim())
}

impl Expression {
    /// Every context path that the expression mentions.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.collect_paths(&mut found);
        found
    }

    fn collect_paths<'e>(&'e self, found: &mut Vec<&'e str>) {
        match self {
            Self::Literal(_) | Self::Compare => {}
            Self::Path(path) => found.push(path),
            Self::Call(_, arguments) => arguments.iter().for_each(|one| one.collect_paths(found)),
            Self::Not(one) | Self::Part(one, _) => one.collect_paths(found),
            Self::And(left, right) | Self::Or(left, right) | Self::Equal(left, right) => {
                left.collect_paths(found);
                right.collect_paths(found);
            }
        }
    }

    /// The expression as a condition on the run.
    pub(crate) fn condition(&self) -> Condition {
        match self {
            Self::Literal(text) => {
                if matches!(text.as_str(), "false" | "" | "0" | "null") {
                    Condition::Never
                } else {
                    Condition::Always
                }
            }
            Self::And(left, right) => left.condition().and(right.condition()),
            Self::Or(left, right) => left.condition().or(right.condition()),
            Self::Not(one) => one.condition().negate(),
            Self::Equal(left, right) => match (left.fact(), right.fact()) {
                (Some(fact), None) => right.value_of(fact).map(|set| Condition::Is(fact, set)),
                (None, Some(fact)) => left.value_of(fact).map(|set| Condition::Is(fact, set)),
                _ => None,
            }
            .unwrap_or_else(|| self.unknown()),
            Self::Call(name, arguments) => self.call(name, arguments),
            Self::Path(_) | Self::Part(..) | Self::Compare => self.unknown(),
        }
    }

    fn call(&self, name: &str, arguments: &[Self]) -> Condition {
        match (name, arguments) {
            // A job whose predecessors failed may still hold a token.
            ("success" | "always", []) => Condition::Always,
            ("startswith" | "endswith" | "contains", [Self::Path(_), Self::Literal(text)]) => {
                let Some(fact) = arguments.first().and_then(Self::fact) else { return self.unknown() };
                Condition::Is(
                    fact,
                    match name {
                        "startswith" => prefix(text),
                        "endswith" => suffix(text),
                        _ => containing(text),
                    },
                )
            }
            ("contains", [Self::Call(function, list), item]) if function == "fromjson" => {
                let (Some(fact), [Self::Literal(json)]) = (item.fact(), list.as_slice()) else {
                    return self.unknown();
                };
                strings_of(json).map_or_else(
                    || self.unknown(),
                    |values| Condition::Is(fact, ValueSet::Exactly(values.into_iter().collect())),
                )
            }
            _ => self.unknown(),
        }
    }

    fn fact(&self) -> Option<Fact> {
        let Self::Path(path) = self else { return None };
        match path.as_str() {
            "github.ref" => Some(Fact::Ref),
            "github.ref_name" => Some(Fact::RefName),
            "github.event_name" => Some(Fact::Event),
            "github.ref_type" => Some(Fact::RefType),
            "github.base_ref" => Some(Fact::BaseRef),
            _ => None,
        }
    }

    fn value_of(&self, fact: Fact) -> Option<ValueSet> {
        const DEFAULT: &str = "github.event.repository.default_branch";
        match self {
            Self::Literal(text) if text.is_empty() => Some(ValueSet::Absent),
            Self::Literal(text) => Some(ValueSet::exactly(text)),
            Self::Path(path) if path == DEFAULT && fact != Fact::Ref => {
                Some(ValueSet::exactly(DEFAULT_BRANCH))
            }
            Self::Call(name, arguments) if name == "format" => match arguments.as_slice() {
                [Self::Literal(form), Self::Path(path)] if form == "refs/heads/{0}" && path == DEFAULT => {
                    Some(ValueSet::exactly(format!("refs/heads/{DEFAULT_BRANCH}")))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn unknown(&self) -> Condition {
        Condition::Unknown(self.to_string().into())
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Literal(text) => write!(f, "'{text}'"),
            Self::Path(path) => f.write_str(path),
            Self::Call(name, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
                write!(f, "{name}({})", arguments.join(", "))
            }
            Self::Part(one, name) => write!(f, "{one}.{name}"),
            Self::Not(one) => write!(f, "!{one}"),
            Self::And(left, right) => write!(f, "{left} && {right}"),
            Self::Or(left, right) => write!(f, "({left} || {right})"),
            Self::Equal(left, right) => write!(f, "{left} == {right}"),
            Self::Compare => f.write_str("a comparison"),
        }
    }
}

/// The texts of a JSON list of texts without escapes.
pub(crate) fn strings_of(json: &str) -> Option<Vec<String>> {
    let inner = json.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    if inner.is_empty() {
        return Some(Vec::new());
    }
    let items = inner.split(',').map(|item| {
        let text = item.trim().strip_prefix('"')?.strip_suffix('"')?;
        (!text.contains(['"', '\\'])).then(|| text.to_owned())
    });
    items.collect()
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn or(&mut self) -> Option<Expression> {
        let mut left = self.and()?;
        while self.eat("||") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Some(left)
    }

    fn and(&mut self) -> Option<Expression> {
        let mut left = self.comparison()?;
        while self.eat("&&") {
            left = Expression::And(Box::new(left), Box::new(self.comparison()?));
        }
        Some(left)
    }

    fn comparison(&mut self) -> Option<Expression> {
        let left = self.unary()?;
        if self.eat("==") {
            return Some(Expression::Equal(Box::new(left), Box::new(self.unary()?)));
        }
        if self.eat("!=") {
            let equal = Expression::Equal(Box::new(left), Box::new(self.unary()?));
            return Some(Expression::Not(Box::new(equal)));
        }
        if ["<=", ">=", "<", ">"].iter().any(|operator| self.eat(operator)) {
            self.unary()?;
            return Some(Expression::Compare);
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Expression> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEPTH {
            return None;
        }
        let result = if self.eat("!") {
            self.unary().map(|one| Expression::Not(Box::new(one)))
        } else if self.eat("(") {
            self.or().filter(|_| self.eat(")")).and_then(|inner| self.part_of(inner))
        } else {
            self.primary()
        };
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn primary(&mut self) -> Option<Expression> {
        if self.rest.starts_with('\'') {
            return self.quoted().map(Expression::Literal);
        }
        let name = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+'))?;
        if name.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+')) {
            let fraction = if self.rest.starts_with('.') {
                self.take(|c| c.is_ascii_alphanumeric() || c == '.')
            } else {
                None
            };
            return Some(Expression::Literal(format!("{name}{}", fraction.unwrap_or_default())));
        }
        if matches!(name, "true" | "false" | "null" | "NaN" | "Infinity") {
            return Some(Expression::Literal(name.to_owned()));
        }
        if self.eat("(") {
            let mut arguments = Vec::new();
            if !self.eat(")") {
                loop {
                    arguments.push(self.or()?);
                    if self.eat(")") {
                        break;
                    }
                    if !self.eat(",") {
                        return None;
                    }
                }
            }
            return self.part_of(Expression::Call(name.to_ascii_lowercase(), arguments));
        }
        let mut path = name.to_owned();
        self.names(&mut path)?;
        Some(Expression::Path(path))
    }

    /// What stands before, or the part of it that the names behind it choose.
    fn part_of(&mut self, whole: Expression) -> Option<Expression> {
        let mut path = String::new();
        self.names(&mut path)?;
        Some(match path.strip_prefix('.') {
            Some(name) => Expression::Part(Box::new(whole), name.to_owned()),
            None => whole,
        })
    }

    /// Names and indexes: `.a`, `['b']`, `.*`, each with a dot before it.
    fn names(&mut self, path: &mut String) -> Option<()> {
        loop {
            if self.eat(".") {
                path.push('.');
                if self.eat("*") {
                    path.push('*');
                } else {
                    path.push_str(self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))?);
                }
            } else if self.eat("[") {
                path.push('.');
                match self.or()? {
                    Expression::Literal(text) => path.push_str(&text),
                    _ => path.push('*'),
                }
                if !self.eat("]") {
                    return None;
                }
            } else {
                return Some(());
            }
        }
    }

    fn quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.rest.strip_prefix('\'')?;
        loop {
            let (part, after) = rest.split_once('\'')?;
            text.push_str(part);
            match after.strip_prefix('\'') {
                Some(after) => {
                    text.push('\'');
                    rest = after;
                }
                None => {
                    self.rest = after.trim_start();
                    return Some(text);
                }
            }
        }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> Option<&'t str> {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        (!taken.is_empty()).then_some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::matches;

    #[test]
    fn conditions_on_refs_and_events() {
        for (text, wanted) in [
            ("github.ref == 'refs/heads/main'", Condition::is(Fact::Ref, "refs/heads/main")),
            ("${{ 'push' == github.event_name }}", Condition::is(Fact::Event, "push")),
            ("always()", Condition::Always),
            ("", Condition::Always),
            ("false", Condition::Never),
            ("github.ref_type == 'tag' && success()", Condition::is(Fact::RefType, "tag")),
            (
                "github.ref_name == github.event.repository.default_branch",
                Condition::is(Fact::RefName, DEFAULT_BRANCH),
            ),
            (
                "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)",
                Condition::is(Fact::Ref, format!("refs/heads/{DEFAULT_BRANCH}")),
            ),
            ("inputs.deploy", Condition::Unknown("inputs.deploy".into())),
            (
                "github.event.pull_request.head.repo.fork == false",
                Condition::Unknown("github.event.pull_request.head.repo.fork == 'false'".into()),
            ),
            ("not an expression", Condition::Unknown("not an expression".into())),
            ("x ${{ github.ref }} y", Condition::Unknown("x ${{ github.ref }} y".into())),
        ] {
            assert_eq!(condition(text), wanted, "{text}");
        }
        let Condition::Is(Fact::Event, set) =
            condition("contains(fromJSON('[\"push\", \"workflow_dispatch\"]'), github.event_name)")
        else {
            panic!()
        };
        assert_eq!(set.to_string(), "`push` or `workflow_dispatch`");
        let Condition::Is(Fact::Ref, tags) = condition("!startsWith(github.ref, 'refs/tags/')") else {
            panic!()
        };
        assert_eq!(tags.contains(Some("refs/tags/v1"), &matches), Some(false));
        assert_eq!(tags.contains(Some("refs/heads/v1"), &matches), Some(true));
    }

    #[test]
    fn precedence_and_parentheses() {
        let parsed = parse("a || b && !(c == 'd''e')").unwrap();
        assert_eq!(parsed.to_string(), "(a || b && !c == 'd'e')");
        assert_eq!(parse("a ||"), None);
        assert_eq!(parse("'open"), None);
        assert_eq!(parse("f(a,)"), None);
        assert_eq!(parse(&"(".repeat(10_000)), None);
    }

    #[test]
    fn what_an_expression_mentions() {
        let paths = |text: &str| parse(text).unwrap().paths().join(" ");
        assert_eq!(paths("secrets.A || secrets['B'] || secrets[matrix.k]"), "secrets.A secrets.B secrets.*");
        assert_eq!(paths("toJSON(secrets)"), "secrets");
        assert_eq!(paths("format('{0}', env.X) != 1.5"), "env.X");
        assert_eq!(embedded("a ${{ b }} c ${{d}} ${{ open").collect::<Vec<_>>(), ["b", "d"]);
        assert_eq!((whole("${{ a }}"), whole("${{ a }}${{ b }}"), whole("a")), (Some("a"), None, None));
    }
}
