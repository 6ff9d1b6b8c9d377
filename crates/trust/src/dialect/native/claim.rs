//! The tests of one claim: exact, `one_of`, `none_of`, `glob`, `has`, `has_only`, `present`.

use daypass_claims::{ClaimName, ClaimValue, Number};
use daypass_issuers::{ClaimSpec, ClaimType, Platform};

use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span, Value};
use crate::form::{Atom, ClaimPath, Comparison, Condition, Pattern, Quantifier, Reading, Test, Variable};
use crate::literal::shown_text;

/// One claim's tests, compiled, with what they pin down.
pub(super) struct ClaimTest {
    pub(super) claim: ClaimName,
    pub(super) condition: Condition,
    pub(super) wants: String,
    pub(super) span: Span,
    pub(super) pins: Pins,
}

/// What values a claim's tests leave open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pins {
    /// One of these values and nothing else (exact, `one_of`, `has_only`), or at least these in a list (`has`).
    Values(Vec<String>),
    /// Whatever matches one of these globs.
    Globs(Vec<String>),
    /// The claim must be absent.
    Absent,
    /// Open: anything but some values, or just present.
    Nothing {
        /// The values that `none_of` shuts out.
        excluded: Vec<String>,
    },
}

/// Reads the `claims` table.
pub(super) fn read(
    source: &Source,
    member: &Member,
    platform: Option<&Platform>,
    problems: &mut Problems,
    notes: &mut Vec<Problem>,
) -> Option<Vec<ClaimTest>> {
    let mut fields = Fields::of(source, &member.node, "`claims`", problems)?;
    let mut tests = Vec::new();
    let mut complete = true;
    for entry in fields.rest() {
        let declared = platform.and_then(|platform| platform.claims.get(&entry.name));
        if declared.is_none()
            && let Some(platform) = platform
        {
            let message = format!("the catalogue lists no claim `{}` for {}", entry.name, platform.id);
            notes.push(Problem::new(source, entry.name_span, message));
        }
        let reader = Reader { source, name: &entry.name, declared, platform };
        match reader.read(entry, problems) {
            Some(test) => tests.push(test),
            None => complete = false,
        }
    }
    complete.then_some(tests)
}

/// A value that a claim is compared with.
struct Wanted {
    test: Test,
    /// As it would stand in JSON, for messages.
    shown: String,
    /// As text, for what the statement pins down.
    text: String,
}

struct Reader<'a> {
    source: &'a Source,
    name: &'a str,
    declared: Option<&'a ClaimSpec>,
    platform: Option<&'a Platform>,
}

impl Reader<'_> {
    fn read(&self, entry: &Member, problems: &mut Problems) -> Option<ClaimTest> {
        let node = &entry.node;
        let (condition, wants, pins) = match &node.value {
            Value::Table(_) => self.table(node, problems)?,
            Value::Array(_) => {
                let problem =
                    Problem::new(self.source, node.span, format!("`claims.{}` is a list", self.name));
                problems.push(
                    problem.help("say how it counts: { one_of = [...] }, or for list claims { has = [...] }"),
                );
                return None;
            }
            _ => {
                self.expect_scalar(node.span, problems)?;
                let wanted = self.value(node, problems)?;
                (self.atom(Quantifier::Scalar, wanted.test), wanted.shown, Pins::Values(vec![wanted.text]))
            }
        };
        let (claim, span) = (ClaimName::from(self.name), entry.name_span);
        Some(ClaimTest { claim, condition, wants, span, pins })
    }

    fn table(&self, node: &Node, problems: &mut Problems) -> Option<(Condition, String, Pins)> {
        let mut fields = Fields::of(self.source, node, &format!("`claims.{}`", self.name), problems)?;
        let mut parts: Vec<(Condition, String, Pins)> = Vec::new();
        if let Some(member) = fields.take("one_of") {
            let wanted = self.scalars(&member.node, problems)?;
            let condition = self.atom(Quantifier::Scalar, one_of(&wanted));
            parts.push((condition, shown(&wanted, " or "), Pins::Values(texts(&wanted))));
        }
        if let Some(member) = fields.take("none_of") {
            let wanted = self.scalars(&member.node, problems)?;
            let condition = self.atom(Quantifier::Scalar, Test::Not(Box::new(one_of(&wanted))));
            let pins = Pins::Nothing { excluded: texts(&wanted) };
            parts.push((condition, format!("present, and not {}", shown(&wanted, " or ")), pins));
        }
        if let Some(globs) = fields.strings("glob", problems) {
            let tests = globs
                .iter()
                .map(|(glob, _)| Test::Text { pattern: Pattern::segments(glob), ignore_case: false });
            let texts: Vec<String> = globs.iter().map(|(glob, _)| shown_text(glob)).collect();
            let pins = Pins::Globs(globs.iter().map(|(glob, _)| (*glob).to_owned()).collect());
            let condition = self.atom(Quantifier::Scalar, Test::OneOf(tests.collect()));
            self.expect_scalar(node.span, problems)?;
            parts.push((condition, format!("like {}", texts.join(" or ")), pins));
        }
        if let Some(member) = fields.take("has") {
            let wanted = self.items(&member.node, problems)?;
            let all = wanted.iter().map(|wanted| self.atom(Quantifier::AnyOf, wanted.test.clone()));
            let text = format!("a list with {}", shown(&wanted, " and "));
            parts.push((Condition::All(all.collect()), text, Pins::Values(texts(&wanted))));
        }
        if let Some(member) = fields.take("has_only") {
            let wanted = self.items(&member.node, problems)?;
            // `all` alone would be true of an absent or empty list.
            let both = [Quantifier::AnyOf, Quantifier::AllOf].map(|over| self.atom(over, one_of(&wanted)));
            let text = format!("a list of nothing but {}", shown(&wanted, " and "));
            parts.push((Condition::All(both.into()), text, Pins::Values(texts(&wanted))));
        }
        if let Some(present) = fields.boolean("present", problems) {
            let condition = Condition::present(self.variable(), Reading::Strict);
            parts.push(if present {
                (condition, "present".to_owned(), Pins::Nothing { excluded: Vec::new() })
            } else {
                (condition.negated(), "absent".to_owned(), Pins::Absent)
            });
        }
        let known = ["one_of", "none_of", "glob", "has", "has_only", "present"];
        if let Some(member) = fields.rest().first() {
            let problem =
                Problem::new(self.source, member.name_span, format!("unknown test `{}`", member.name));
            problems.push(problem.help(format!(
                "known: {}; a claim name with dots is quoted: claims.\"{}.{}\"",
                known.join(", "),
                self.name,
                member.name
            )));
            return None;
        }
        if parts.is_empty() {
            problems.push(Problem::new(
                self.source,
                node.span,
                format!("`claims.{}` has no test", self.name),
            ));
            return None;
        }
        let wants = parts.iter().map(|(_, text, _)| text.as_str()).collect::<Vec<_>>().join(", and ");
        let pins = parts.iter().map(|(.., pins)| pins.clone()).min_by_key(|pins| match pins {
            Pins::Values(_) => 0,
            Pins::Absent => 1,
            Pins::Globs(_) => 2,
            Pins::Nothing { .. } => 3,
        })?;
        Some((Condition::All(parts.into_iter().map(|(condition, ..)| condition).collect()), wants, pins))
    }

    fn variable(&self) -> Variable {
        ClaimPath::claim(self.name).into()
    }

    fn atom(&self, quantifier: Quantifier, test: Test) -> Condition {
        Condition::Atom(Atom { variable: self.variable(), reading: Reading::Strict, quantifier, test })
    }

    /// Values that a scalar claim is compared with.
    fn scalars(&self, node: &Node, problems: &mut Problems) -> Option<Vec<Wanted>> {
        self.expect_scalar(node.span, problems)?;
        self.values(node, problems)
    }

    /// Values that the items of a list claim are compared with.
    fn items(&self, node: &Node, problems: &mut Problems) -> Option<Vec<Wanted>> {
        if let Some(declared) = self.declared
            && !declared.types.iter().any(|one| is_list(*one))
        {
            problems.push(self.mismatch(node.span, declared).help("use an exact value or `one_of`"));
            return None;
        }
        self.values(node, problems)
    }

    fn values(&self, node: &Node, problems: &mut Problems) -> Option<Vec<Wanted>> {
        let items = node.as_array().unwrap_or(std::slice::from_ref(node));
        if items.is_empty() {
            problems.push(Problem::new(self.source, node.span, "an empty list matches nothing"));
            return None;
        }
        items.iter().map(|item| self.value(item, problems)).collect()
    }

    fn value(&self, node: &Node, problems: &mut Problems) -> Option<Wanted> {
        let (test, value) = match &node.value {
            Value::String(text) => (Test::equals(text.as_str()), ClaimValue::from(text.as_str())),
            Value::Bool(value) => (Test::Bool(*value), ClaimValue::from(*value)),
            Value::Number(text) => {
                let number = text.parse::<i64>().map_or_else(
                    |_| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Number::Float),
                    |number| Some(Number::Integer(number.into())),
                );
                let Some(number) = number else {
                    problems.push(Problem::new(
                        self.source,
                        node.span,
                        format!("`{text}` is not a finite number"),
                    ));
                    return None;
                };
                (Test::Number(Comparison::Equal, number), ClaimValue::Number(number))
            }
            Value::Null | Value::Datetime(_) | Value::Array(_) | Value::Table(_) | Value::Unresolved(_) => {
                let message = format!(
                    "a claim is compared with a string, a number or a boolean, this is {}",
                    node.kind()
                );
                problems.push(Problem::new(self.source, node.span, message));
                return None;
            }
        };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(declared) = self.declared
            && !declared.types.iter().any(|one| is_list(*one) || comparable(*one, &value))
        {
            problems.push(
                self.mismatch(node.span, declared).help(format!("write {}", as_declared(declared, &text))),
            );
            return None;
        }
        Some(Wanted { test, shown: value.to_string(), text })
    }

    fn expect_scalar(&self, span: Span, problems: &mut Problems) -> Option<()> {
        if let Some(declared) = self.declared
            && declared.types.iter().all(|one| is_list(*one))
        {
            problems
                .push(self.mismatch(span, declared).help("write { has = \"...\" } or { has_only = [...] }"));
            return None;
        }
        Some(())
    }

    fn mismatch(&self, span: Span, declared: &ClaimSpec) -> Problem {
        let platform = self.platform.map_or("this issuer", |platform| platform.id.as_str());
        let message =
            format!("`{}` is {} in tokens of {platform}: this never matches", self.name, declared.expected());
        Problem::new(self.source, span, message)
    }
}

const fn is_list(declared: ClaimType) -> bool {
    matches!(declared, ClaimType::Strings | ClaimType::Objects)
}

/// Whether a value as the policy writes it can equal a claim of this type.
fn comparable(declared: ClaimType, value: &ClaimValue) -> bool {
    match declared {
        ClaimType::Any => true,
        // Equality with a text that is no boolean is pointless, but its author may know better than the catalogue.
        ClaimType::BooleanString => matches!(value, ClaimValue::String(_)),
        declared => declared.admits(value),
    }
}

/// The value as the platform would write it.
fn as_declared(declared: &ClaimSpec, text: &str) -> String {
    let is_text =
        declared.types.iter().any(|one| matches!(one, ClaimType::String | ClaimType::BooleanString));
    if is_text { shown_text(text) } else { text.to_owned() }
}

fn one_of(wanted: &[Wanted]) -> Test {
    Test::OneOf(wanted.iter().map(|wanted| wanted.test.clone()).collect())
}

fn shown(wanted: &[Wanted], between: &str) -> String {
    wanted.iter().map(|wanted| wanted.shown.as_str()).collect::<Vec<_>>().join(between)
}

fn texts(wanted: &[Wanted]) -> Vec<String> {
    wanted.iter().map(|wanted| wanted.text.clone()).collect()
}
