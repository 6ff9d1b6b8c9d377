//! What a role asks of a token, member by member.

use std::net::IpAddr;

use daypass_claims::{ClaimName, Number};

use super::{Role, Server};
use crate::dialect::Located;
use crate::dialect::api::{Remarks, Text, clause, text, wrong};
use crate::document::{Member, Node, Problem, Span, Value};
use crate::form::{
    Atom, ClaimPath, Comparison, Condition, Pattern, Piece, Quantifier, Reading, RequestKey, Step, Test,
    Variable,
};
use crate::literal::shown_text;

/// Without `bound_audiences`: the token names no audience, unless the server does not insist.
pub(super) fn unaddressed(span: Span, server: Option<Server>) -> Condition {
    let aud = |quantifier, test| {
        Condition::Atom(Atom {
            variable: ClaimPath::claim("aud").into(),
            reading: Reading::Strict,
            quantifier,
            test,
        })
    };
    // True of an absent and of an empty list alone.
    let unnamed = aud(Quantifier::AllOf, Test::OneOf(Vec::new()));
    let (wants, body) = match server {
        Some(Server::Vault) => ("no audience", unnamed),
        Some(Server::VaultBefore117) => ("anything", Condition::TRUE),
        Some(Server::OpenBao) => {
            ("no audience, or one string", Condition::Any(vec![unnamed, aud(Quantifier::Scalar, any_text())]))
        }
        None => {
            let why = "whether a token that names an audience may use a role without `bound_audiences` depends on the \
                       server: Vault from 1.17 refuses it, Vault before 1.17 and OpenBao do not";
            ("no audience", Condition::Any(vec![unnamed, Condition::Unknown(why.to_owned())]))
        }
    };
    clause("bound_audiences (none)", wants, span, body)
}

/// `bound_subject`.
pub(super) fn subject(subject: Text<'_>) -> Condition {
    match subject.value {
        Ok(text) => {
            let body = atom(ClaimPath::claim("sub"), Quantifier::Scalar, Test::equals(text));
            clause("bound_subject", shown_text(text), subject.span, body)
        }
        Err(why) => unknown("bound_subject", subject.span, why),
    }
}

/// `bound_claims`: every one of these has one of its values.
pub(super) fn claims<'a>(
    member: &'a Member,
    globs: Result<bool, &str>,
    remarks: &mut Remarks<'a>,
) -> Vec<Condition> {
    table(member, remarks)
        .into_iter()
        .flatten()
        .map(|entry| {
            let name = format!("bound_claims.{}", entry.name);
            match globs {
                Ok(globs) => bound_claim(entry, &name, globs, remarks),
                Err(why) => unknown(&name, entry.node.span, why),
            }
        })
        .chain(member.node.unresolved().map(|why| unknown("bound_claims", member.node.span, why)))
        .collect()
}

fn bound_claim(entry: &Member, name: &str, globs: bool, remarks: &mut Remarks<'_>) -> Condition {
    let items = entry.node.as_array().unwrap_or(std::slice::from_ref(&entry.node));
    if items.is_empty() {
        remarks.note(
            entry.node.span,
            "an empty list of values matches nothing",
            "give a value, or leave the claim out",
        );
    }
    let paths = match paths(&entry.name) {
        Ok(paths) => paths,
        Err(why) => return unknown(name, entry.name_span, why),
    };
    let mut accepted = Vec::with_capacity(items.len());
    let mut shown = Vec::with_capacity(items.len());
    for item in items {
        let (text, conditions) = bound_value(item, name, &paths, globs, remarks);
        shown.push(text);
        accepted.extend(conditions);
    }
    let wants = match shown.as_slice() {
        [] => "one of no values".to_owned(),
        _ => format!("{}{}", if globs { "like " } else { "" }, shown.join(" or ")),
    };
    clause(name, wants, entry.name_span, Condition::Any(accepted))
}

/// What one value of a bound claim stands for, for messages and as conditions of which one must hold.
fn bound_value(
    item: &Node,
    name: &str,
    paths: &[ClaimPath],
    globs: bool,
    remarks: &mut Remarks<'_>,
) -> (String, Vec<Condition>) {
    let on =
        |quantifier, test: Test| paths.iter().map(move |path| atom(path.clone(), quantifier, test.clone()));
    match &item.value {
        Value::String(text) => {
            if !globs && text.contains('*') {
                let message = "`*` stands for itself: the values of `bound_claims` are compared as they are";
                remarks.note(item.span, message, "patterns need `bound_claims_type = \"glob\"`");
            }
            let pattern = if globs { glob(text) } else { Pattern::literal(text.as_str()) };
            let test = Test::Text { pattern, ignore_case: false };
            (shown_text(text), on(Quantifier::AnyOf, test).collect())
        }
        Value::Unresolved(why) => {
            ("a value that is not known here".to_owned(), vec![Condition::Unknown(why.clone())])
        }
        Value::Bool(value) if !globs => {
            (value.to_string(), on(Quantifier::AnyOf, Test::Bool(*value)).collect())
        }
        Value::Number(text) if !globs => (text.clone(), bound_number(text, item.span, paths, remarks)),
        _ => {
            let expected = if globs { "a string" } else { "a string, a number or a boolean" };
            wrong(item, name, expected, remarks);
            ("nothing".to_owned(), Vec::new())
        }
    }
}

/// A number is compared by its digits as the role has them, with those of a number in the token; numbers in a list are never
/// equal to it.
fn bound_number(text: &str, span: Span, paths: &[ClaimPath], remarks: &mut Remarks<'_>) -> Vec<Condition> {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => {
            let test = Test::Number(Comparison::Equal, Number::Integer(number.into()));
            paths.iter().map(|path| atom(path.clone(), Quantifier::Scalar, test.clone())).collect()
        }
        _ => {
            let why = format!("whether a number is equal to `{text}` depends on the version of the server");
            remarks.note(
                span,
                why.clone(),
                "whole numbers are compared alike by all; CI platforms write no others",
            );
            let present = paths.iter().map(|path| Condition::present(path.clone().into(), Reading::Strict));
            vec![Condition::All(vec![Condition::Any(present.collect()), Condition::Unknown(why)])]
        }
    }
}

/// `token_bound_cidrs`: the login comes from one of these.
pub(super) fn networks(networks: &[Text<'_>], remarks: &mut Remarks<'_>) -> Option<Condition> {
    let first = networks.first()?;
    let mut accepted = Vec::with_capacity(networks.len());
    let mut shown = Vec::with_capacity(networks.len());
    for text in networks {
        match text.value.map(|value| (value, network(value))) {
            Ok((value, Some((network, prefix)))) => {
                shown.push(value.to_owned());
                accepted.push(Condition::Atom(Atom {
                    variable: Variable::Request(RequestKey::SourceIp),
                    reading: Reading::Strict,
                    quantifier: Quantifier::Scalar,
                    test: Test::Ip { network, prefix },
                }));
            }
            Ok((value, None)) => {
                let problem = Problem::new(remarks.source, text.span, format!("`{value}` is not a network"));
                remarks.problems.push(problem.help("for example 192.0.2.0/24, or one address"));
            }
            Err(why) => {
                shown.push("a network that is not known here".to_owned());
                accepted.push(Condition::Unknown(why.to_owned()));
            }
        }
    }
    Some(clause("token_bound_cidrs", shown.join(" or "), first.span, Condition::Any(accepted)))
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) =
        text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(longest), str::parse).ok()?;
    (prefix <= longest).then_some((address, prefix))
}

/// `user_claim`: there, and a string. It is a JSON pointer only where the role says so.
pub(super) fn user(claim: Text<'_>, pointer: bool) -> Condition {
    let name = match claim.value {
        Ok(name) => name,
        Err(why) => return unknown("user_claim", claim.span, why),
    };
    let paths = match if pointer { paths(name) } else { Ok(vec![ClaimPath::claim(name)]) } {
        Ok(paths) => paths,
        Err(why) => return unknown("user_claim", claim.span, why),
    };
    let there = paths.into_iter().map(|path| atom(path, Quantifier::Scalar, any_text()));
    clause(&format!("user_claim {name}"), "a string", claim.span, Condition::Any(there.collect()))
}

/// `groups_claim`: there, and a string or a list of nothing but strings.
pub(super) fn groups(claim: Text<'_>) -> Condition {
    let name = match claim.value {
        Ok(name) => name,
        Err(why) => return unknown("groups_claim", claim.span, why),
    };
    let paths = match paths(name) {
        Ok(paths) => paths,
        Err(why) => return unknown("groups_claim", claim.span, why),
    };
    let body = paths.into_iter().map(|path| {
        let present = Condition::present(path.clone().into(), Reading::Vault);
        Condition::All(vec![present, atom(path, Quantifier::AllOf, any_text())])
    });
    let wants = "a string or a list of strings";
    clause(&format!("groups_claim {name}"), wants, claim.span, Condition::Any(body.collect()))
}

/// `claim_mappings`: what becomes metadata is a string, where it is there. A `null`, which Vault passes over, is taken for a
/// refusal.
pub(super) fn mappings<'a>(
    member: &'a Member,
    facts: &mut Role,
    remarks: &mut Remarks<'a>,
) -> Vec<Condition> {
    let mut conditions: Vec<Condition> = member
        .node
        .unresolved()
        .map(|why| unknown("claim_mappings", member.node.span, why))
        .into_iter()
        .collect();
    for entry in table(member, remarks).into_iter().flatten() {
        if let Ok(target) = text(&entry.node, &entry.name, remarks).value {
            if target == "role" {
                remarks.problem(entry.node.span, "the metadata key `role` is reserved", "name it otherwise");
            }
            let value = (entry.name.clone(), target.to_owned());
            facts.claim_mappings.push(Located { value, span: entry.name_span });
        }
        let paths = match paths(&entry.name) {
            Ok(paths) => paths,
            Err(why) => {
                conditions.push(unknown("claim_mappings", entry.name_span, why));
                continue;
            }
        };
        let present = paths.iter().map(|path| Condition::present(path.clone().into(), Reading::Strict));
        let absent = Condition::Any(present.collect()).negated();
        let texts = paths.iter().map(|path| atom(path.clone(), Quantifier::Scalar, any_text()));
        let body = Condition::Any(std::iter::once(absent).chain(texts).collect());
        conditions.push(clause(
            &format!("claim_mappings {}", entry.name),
            "absent, or a string",
            entry.name_span,
            body,
        ));
    }
    conditions
}

/// The members of a table that is known.
fn table<'a>(member: &'a Member, remarks: &mut Remarks<'a>) -> Option<&'a [Member]> {
    if member.node.as_table().is_none() && member.node.unresolved().is_none() {
        wrong(&member.node, &member.name, "a table", remarks);
    }
    let members = member.node.as_table()?;
    for (index, entry) in members.iter().enumerate() {
        if members.iter().take(index).any(|earlier| earlier.name == entry.name) {
            let message = format!("duplicate member `{}`", entry.name);
            remarks.problem(entry.name_span, message, "readers disagree about which one counts");
        }
    }
    Some(members)
}

/// The values that a name stands for: a claim, or what a JSON pointer leads to. Where a part of the pointer is a number, that
/// can be a member or an item of a list; with every such part there are twice as many, so there may be only some. The error is
/// why it is not known what the name stands for.
fn paths(name: &str) -> Result<Vec<ClaimPath>, &'static str> {
    const NUMBERS: usize = 6;
    let Some(pointer) = name.strip_prefix('/') else { return Ok(vec![ClaimPath::claim(name)]) };
    if pointer.split('/').skip(1).filter(|part| part.parse::<usize>().is_ok()).nth(NUMBERS).is_some() {
        return Err(
            "more than six parts of the JSON pointer are numbers, each of a member or of an item of a list",
        );
    }
    let mut parts = pointer.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
    let mut paths = vec![ClaimPath::claim(ClaimName::from(parts.next().unwrap_or_default()))];
    for part in parts {
        let index = part.parse::<usize>().ok().map(Step::Item);
        let steps: Vec<Step> = std::iter::once(Step::Member(part)).chain(index).collect();
        paths = paths
            .iter()
            .flat_map(|path| {
                steps.iter().map(|step| {
                    let mut path = path.clone();
                    path.steps.push(step.clone());
                    path
                })
            })
            .collect();
    }
    Ok(paths)
}

/// Only `*` is a wildcard, and there is no escape.
fn glob(text: &str) -> Pattern {
    let mut pattern = Pattern::default();
    for c in text.chars() {
        match c {
            '*' => pattern.push(Piece::Run),
            c => pattern.push_char(c),
        }
    }
    pattern
}

/// Any string.
fn any_text() -> Test {
    Test::Text { pattern: Pattern { pieces: vec![Piece::Run] }, ignore_case: false }
}

fn atom(path: ClaimPath, quantifier: Quantifier, test: Test) -> Condition {
    Condition::Atom(Atom { variable: path.into(), reading: Reading::Vault, quantifier, test })
}

fn unknown(name: &str, span: Span, why: &str) -> Condition {
    clause(name, "something that is not known here", span, Condition::Unknown(why.to_owned()))
}
