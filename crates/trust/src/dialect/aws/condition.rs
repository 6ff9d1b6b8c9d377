//! `Condition`: operators, set qualifiers, `IfExists`, and what absence means to each of them.

use std::net::IpAddr;

use super::Scope;
use super::key::{self, Key};
use super::text::{Wildcards, pattern};
use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span, Value};
use crate::form::{
    Atom, ClaimPath, Clause, Comparison, Condition, Principals, Quantifier, Reading, Test, Variable,
};
use crate::literal::{parse_bool, parse_number, parse_time, shown_text};

/// The operators of IAM, without qualifier and suffix.
const OPERATORS: [(&str, Family, bool); 27] = [
    ("StringEquals", Family::Text { ignore_case: false, wildcards: Wildcards::Literal }, false),
    ("StringNotEquals", Family::Text { ignore_case: false, wildcards: Wildcards::Literal }, true),
    ("StringEqualsIgnoreCase", Family::Text { ignore_case: true, wildcards: Wildcards::Literal }, false),
    ("StringNotEqualsIgnoreCase", Family::Text { ignore_case: true, wildcards: Wildcards::Literal }, true),
    ("StringLike", Family::Text { ignore_case: false, wildcards: Wildcards::Matching }, false),
    ("StringNotLike", Family::Text { ignore_case: false, wildcards: Wildcards::Matching }, true),
    ("NumericEquals", Family::Number(Comparison::Equal), false),
    ("NumericNotEquals", Family::Number(Comparison::Equal), true),
    ("NumericLessThan", Family::Number(Comparison::Less), false),
    ("NumericLessThanEquals", Family::Number(Comparison::LessOrEqual), false),
    ("NumericGreaterThan", Family::Number(Comparison::Greater), false),
    ("NumericGreaterThanEquals", Family::Number(Comparison::GreaterOrEqual), false),
    ("DateEquals", Family::Date(Comparison::Equal), false),
    ("DateNotEquals", Family::Date(Comparison::Equal), true),
    ("DateLessThan", Family::Date(Comparison::Less), false),
    ("DateLessThanEquals", Family::Date(Comparison::LessOrEqual), false),
    ("DateGreaterThan", Family::Date(Comparison::Greater), false),
    ("DateGreaterThanEquals", Family::Date(Comparison::GreaterOrEqual), false),
    ("Bool", Family::Bool, false),
    ("BinaryEquals", Family::Binary, false),
    ("IpAddress", Family::Ip, false),
    ("NotIpAddress", Family::Ip, true),
    ("ArnEquals", Family::Arn, false),
    ("ArnLike", Family::Arn, false),
    ("ArnNotEquals", Family::Arn, true),
    ("ArnNotLike", Family::Arn, true),
    ("Null", Family::Null, false),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Text { ignore_case: bool, wildcards: Wildcards },
    Number(Comparison),
    Date(Comparison),
    Bool,
    Binary,
    Ip,
    Arn,
    Null,
}

struct Operator {
    family: Family,
    negated: bool,
    qualifier: Option<Quantifier>,
    if_exists: bool,
}

/// Reads `Condition`: all operators and all keys must hold.
pub(super) fn read(
    scope: &Scope<'_>,
    member: Option<&Member>,
    principals: Option<&Principals>,
    problems: &mut Problems,
    notes: &mut Vec<Problem>,
) -> Option<Condition> {
    let Some(member) = member else { return Some(Condition::TRUE) };
    let mut clauses = Vec::new();
    let mut complete = true;
    let mut block = Fields::of(scope.source, &member.node, "`Condition`", problems)?;
    for entry in block.rest() {
        let operator = operator(scope.source, entry, problems);
        let keys = Fields::of(scope.source, &entry.node, &format!("`{}`", entry.name), problems);
        let (Some(operator), Some(mut keys)) = (operator, keys) else {
            complete = false;
            continue;
        };
        for key in keys.rest() {
            match clause(scope, &operator, entry, key, principals, problems, notes) {
                Some(clause) => clauses.push(clause),
                None => complete = false,
            }
        }
    }
    complete.then_some(Condition::All(clauses))
}

fn operator(source: &Source, entry: &Member, problems: &mut Problems) -> Option<Operator> {
    let (qualifier, rest) = match entry.name.split_once(':') {
        Some(("ForAllValues", rest)) => (Some(Quantifier::AllOf), rest),
        Some(("ForAnyValue", rest)) => (Some(Quantifier::AnyOf), rest),
        Some((other, _)) => {
            let problem = Problem::new(source, entry.name_span, format!("unknown set qualifier `{other}`"));
            problems.push(problem.help("known: `ForAllValues`, `ForAnyValue`"));
            return None;
        }
        None => (None, entry.name.as_str()),
    };
    let (name, if_exists) = rest.strip_suffix("IfExists").map_or((rest, false), |name| (name, true));
    let Some((_, family, negated)) = OPERATORS.iter().find(|(known, ..)| *known == name) else {
        let near = OPERATORS
            .iter()
            .max_by(|a, b| strsim::jaro_winkler(a.0, name).total_cmp(&strsim::jaro_winkler(b.0, name)));
        let problem =
            Problem::new(source, entry.name_span, format!("unknown condition operator `{}`", entry.name));
        problems.push(match near {
            Some((near, ..)) if strsim::jaro_winkler(near, name) > 0.7 => {
                problem.help(format!("did you mean `{near}`?"))
            }
            _ => problem,
        });
        return None;
    };
    if *family == Family::Null && (if_exists || qualifier.is_some()) {
        problems.push(Problem::new(
            source,
            entry.name_span,
            "`Null` takes neither a set qualifier nor `IfExists`",
        ));
        return None;
    }
    Some(Operator { family: *family, negated: *negated, qualifier, if_exists })
}

fn clause(
    scope: &Scope<'_>,
    operator: &Operator,
    entry: &Member,
    member: &Member,
    principals: Option<&Principals>,
    problems: &mut Problems,
    notes: &mut Vec<Problem>,
) -> Option<Condition> {
    let key = key::resolve(&member.name, principals);
    let unresolved = unresolved(&member.node);
    let values = values(scope.source, &member.node, problems)?;
    if let Some(why) = unresolved.clone().filter(|_| values.is_empty() || operator.family == Family::Null) {
        return Some(Condition::Clause(Box::new(Clause {
            name: format!("{} {}", entry.name, member.name),
            wants: "a value that is not known here".to_owned(),
            span: member.name_span,
            body: Condition::Unknown(why),
        })));
    }
    if let Variable::Never { why, .. } = &key.variable {
        notes.push(Problem::new(scope.source, member.name_span, why.clone()));
    }
    let body = if operator.family == Family::Null {
        null(scope.source, &key, &values, problems)?
    } else {
        let tests =
            values.iter().map(|(text, span)| test(scope, operator.family, text, *span, principals, problems));
        let tests: Vec<Result<Test, String>> = tests.collect::<Option<_>>()?;
        let (mut known, mut why) = (Vec::with_capacity(tests.len()), unresolved.clone());
        for test in tests {
            match test {
                Ok(test) => known.push(test),
                Err(undecided) => why = why.or(Some(undecided)),
            }
        }
        match why {
            None => compare(operator, &key, known),
            Some(why) if known.is_empty() => Condition::Unknown(why),
            Some(why) => partly(operator, compare(operator, &key, known), why),
        }
    };
    let body = if is_audience(&key) { with_authorized_party(body, &key) } else { body };
    Some(Condition::Clause(Box::new(Clause {
        name: format!("{} {}", entry.name, member.name),
        wants: match unresolved {
            Some(_) => format!("{}, and values that are not known here", wants(operator, &values)),
            None => wants(operator, &values),
        },
        span: member.name_span,
        body,
    })))
}

/// A condition of several values some of which are not known: one more value lets in more, or of a negated operator fewer, so that
/// what the known ones let in, or keep out, they do whatever the others are.
fn partly(operator: &Operator, known: Condition, why: String) -> Condition {
    let both = vec![known, Condition::Unknown(why)];
    if operator.negated { Condition::All(both) } else { Condition::Any(both) }
}

/// Why a value, or one of several, is not known.
fn unresolved(node: &Node) -> Option<String> {
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    items.iter().find_map(Node::unresolved).map(str::to_owned)
}

/// Scalars as text, as far as they are known: IAM compares unquoted numbers and booleans by how they are written.
fn values<'n>(source: &Source, node: &'n Node, problems: &mut Problems) -> Option<Vec<(String, Span)>> {
    let items: &'n [Node] = node.as_array().unwrap_or(std::slice::from_ref(node));
    let known = items.iter().filter(|item| item.unresolved().is_none());
    let texts = known.map(|item| match &item.value {
        Value::String(text) | Value::Number(text) => Some((text.clone(), item.span)),
        Value::Bool(value) => Some((value.to_string(), item.span)),
        Value::Unresolved(_) | Value::Null | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {
            let message =
                format!("a condition value is a string, a number or a boolean, this is {}", item.kind());
            problems.push(Problem::new(source, item.span, message));
            None
        }
    });
    texts.collect()
}

/// One value of a condition. The outer `None` is a problem that AWS would refuse the document for, the inner error
/// something that it does not document.
fn test(
    scope: &Scope<'_>,
    family: Family,
    text: &str,
    span: Span,
    principals: Option<&Principals>,
    problems: &mut Problems,
) -> Option<Result<Test, String>> {
    let mut refuse = |what: &str| {
        problems.push(Problem::new(scope.source, span, format!("`{text}` is not {what}")));
        None
    };
    Some(Ok(match family {
        Family::Text { ignore_case, wildcards } => {
            return Some(
                pattern(text, wildcards, scope, principals)
                    .map(|pattern| Test::Text { pattern, ignore_case }),
            );
        }
        Family::Arn => {
            let parts: Vec<&str> = split_arn(text);
            if parts.len() != 6 {
                return refuse("an ARN (six parts between colons)");
            }
            let parts = parts.into_iter().map(|part| pattern(part, Wildcards::Matching, scope, principals));
            return Some(parts.collect::<Result<_, _>>().map(Test::Arn));
        }
        Family::Number(comparison) => match parse_number(text) {
            Some(number) => Test::Number(comparison, number),
            None => return refuse("a number"),
        },
        Family::Date(comparison) => match parse_time(text) {
            Some(time) => Test::Date(comparison, time),
            None => return refuse("a date like 2026-11-23T00:00:00Z"),
        },
        Family::Bool => match parse_bool(text) {
            Some(value) => Test::Bool(value),
            None => return refuse("true or false"),
        },
        Family::Binary => match crate::literal::decode_base64(text) {
            Some(bytes) => Test::Binary(bytes),
            None => return refuse("base64"),
        },
        Family::Ip => match network(text) {
            Some((network, prefix)) => Test::Ip { network, prefix },
            None => return refuse("an address or a network like 192.0.2.0/24"),
        },
        Family::Null => return refuse("a value of `Null`"),
    }))
}

/// Splits an ARN at its first five colons, taking `${...}` for one piece.
fn split_arn(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut braces) = (0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '{' => braces = braces.saturating_add(1),
            '}' => braces = braces.saturating_sub(1),
            ':' if braces == 0 && parts.len() < 5 => {
                parts.extend(text.get(start..at));
                start = at.saturating_add(1);
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
    (prefix <= bits).then_some((address, prefix))
}

/// The table of IAM User Guide, "Multi-valued context keys" and "Negated matching": what holds when the key is absent
/// follows from the shape that is built here.
fn compare(operator: &Operator, key: &Key, tests: Vec<Test>) -> Condition {
    if tests.is_empty() {
        return Condition::Unknown("what an empty list of values means is not documented".to_owned());
    }
    let test = match <[Test; 1]>::try_from(tests) {
        Ok([one]) => one,
        Err(tests) => Test::OneOf(tests),
    };
    let atom = |quantifier, test| {
        Condition::Atom(Atom { variable: key.variable.clone(), reading: key.reading, quantifier, test })
    };
    let matched = match (operator.qualifier, operator.negated) {
        // AWS never matches a key of several values without a set qualifier, negated or not.
        (None, _) if key.multi_valued => Condition::FALSE,
        (None, false) => atom(Quantifier::Scalar, test),
        (None, true) => atom(Quantifier::Scalar, test).negated(),
        (Some(quantifier), false) => atom(quantifier, test),
        (Some(quantifier), true) => atom(quantifier, Test::Not(Box::new(test))),
    };
    if operator.if_exists {
        return Condition::Any(vec![
            Condition::present(key.variable.clone(), key.reading).negated(),
            matched,
        ]);
    }
    matched
}

fn null(source: &Source, key: &Key, values: &[(String, Span)], problems: &mut Problems) -> Option<Condition> {
    let mut conditions = Vec::new();
    for (text, span) in values {
        let present = Condition::present(key.variable.clone(), key.reading);
        match parse_bool(text) {
            Some(true) => conditions.push(present.negated()),
            Some(false) => conditions.push(present),
            None => {
                problems.push(Problem::new(
                    source,
                    *span,
                    format!("`Null` wants true or false, this is `{text}`"),
                ));
                return None;
            }
        }
    }
    Some(Condition::Any(conditions))
}

fn is_audience(key: &Key) -> bool {
    key.reading == Reading::AwsAudience
}

/// The key `aud` holds `azp` where the token has one, else `aud`. AWS documents that for Google; for other issuers it
/// is unknown which of the two counts when they lead to different answers.
fn with_authorized_party(by_audience: Condition, key: &Key) -> Condition {
    let Variable::Claim(path) = &key.variable else { return by_audience };
    let authorized_party = ClaimPath { claim: "azp".into(), ..path.clone() };
    let by_party = substitute(&by_audience, &key.variable, &authorized_party.clone().into());
    let has_party = Condition::present(authorized_party.into(), Reading::AwsSingle);
    let with_party = if path.of_issuer.as_deref() == Some("accounts.google.com") {
        by_party
    } else {
        let unknown = "AWS documents only for Google whether `azp` or `aud` fills the key `aud`";
        let either = Condition::Any(vec![by_party.clone(), by_audience.clone()]);
        Condition::Any(vec![
            Condition::All(vec![by_party, by_audience.clone()]),
            Condition::All(vec![either, Condition::Unknown(unknown.to_owned())]),
        ])
    };
    Condition::Any(vec![
        Condition::All(vec![has_party.clone().negated(), by_audience]),
        Condition::All(vec![has_party, with_party]),
    ])
}

/// The same condition about another variable.
fn substitute(condition: &Condition, from: &Variable, to: &Variable) -> Condition {
    let all = |parts: &[Condition]| parts.iter().map(|part| substitute(part, from, to)).collect();
    match condition {
        Condition::All(parts) => Condition::All(all(parts)),
        Condition::Any(parts) => Condition::Any(all(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(substitute(inner, from, to))),
        Condition::Clause(clause) => Condition::Clause(Box::new(Clause {
            body: substitute(&clause.body, from, to),
            ..(**clause).clone()
        })),
        Condition::Atom(atom) if atom.variable == *from => {
            Condition::Atom(Atom { variable: to.clone(), reading: Reading::AwsSingle, ..atom.clone() })
        }
        Condition::Atom(_) | Condition::Unknown(_) => condition.clone(),
    }
}

fn wants(operator: &Operator, values: &[(String, Span)]) -> String {
    let listed = values.iter().map(|(text, _)| shown_text(text)).collect::<Vec<_>>();
    if operator.family == Family::Null {
        return if listed.iter().any(|text| text.to_ascii_lowercase().contains("true")) {
            "absent"
        } else {
            "present"
        }
        .to_owned();
    }
    let verb = match (operator.family, operator.negated) {
        (Family::Text { wildcards: Wildcards::Matching, .. } | Family::Arn, false) => "like ",
        (Family::Text { wildcards: Wildcards::Matching, .. } | Family::Arn, true) => "not like ",
        (Family::Ip, false) => "in ",
        (Family::Ip, true) => "not in ",
        (_, true) => "not ",
        (Family::Number(comparison) | Family::Date(comparison), false) => match comparison {
            Comparison::Equal => "",
            Comparison::Less => "less than ",
            Comparison::LessOrEqual => "at most ",
            Comparison::Greater => "greater than ",
            Comparison::GreaterOrEqual => "at least ",
        },
        (_, false) => "",
    };
    let quantifier = match operator.qualifier {
        Some(Quantifier::AllOf) => "every value ",
        Some(Quantifier::AnyOf) => "some value ",
        Some(Quantifier::Scalar) | None => "",
    };
    let absent = if operator.if_exists { ", or absent" } else { "" };
    format!("{quantifier}{verb}{}{absent}", listed.join(" or "))
}
