//! Workload identity pools of Google Cloud: the attribute condition of the issuer's providers. Mappings and bindings stay.

use super::{Grant, Others, Wanted, WriteError, set, text};
use crate::dialect::Dialect;
use crate::document::{Node, Value};
use crate::form::{Pattern, Piece};

pub(super) fn write(tree: &Node, grants: &[Grant], others: Others) -> Result<Node, WriteError> {
    let mut document = tree.clone();
    let mut written = Vec::new();
    rewrite(&mut document, grants, others, &mut written)?;
    match grants.iter().find(|grant| !written.contains(&grant.issuer)) {
        Some(grant) => Err(WriteError::NoIssuer(grant.issuer.clone())),
        None => Ok(document),
    }
}

fn rewrite(
    node: &mut Node,
    grants: &[Grant],
    others: Others,
    written: &mut Vec<daypass_claims::Issuer>,
) -> Result<(), WriteError> {
    if let Value::Array(items) = &mut node.value {
        return items.iter_mut().try_for_each(|item| rewrite(item, grants, others, written));
    }
    if let Value::Table(members) = &mut node.value {
        for member in members {
            if ["providers", "workloadIdentityPoolProviders"].contains(&member.name.as_str()) {
                rewrite(&mut member.node, grants, others, written)?;
            }
        }
    }
    let Some(issuer) = issuer_of(node) else { return Ok(()) };
    let of_issuer: Vec<&Grant> = grants.iter().filter(|grant| grant.issuer.as_str() == issuer).collect();
    let Some(first) = of_issuer.first() else { return Ok(()) };
    written.push(first.issuer.clone());
    let alternatives: Result<Vec<String>, WriteError> =
        of_issuer.iter().map(|grant| condition(grant)).collect();
    let mut whole = match alternatives?.as_slice() {
        [one] => one.clone(),
        several => several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" || "),
    };
    let snake = node.get("attribute_mapping").or_else(|| node.get("attribute_condition")).is_some();
    let name = if snake { "attribute_condition" } else { "attributeCondition" };
    let old = node.get(name).and_then(Node::as_str).map(str::trim).filter(|old| !old.is_empty());
    if let (Some(old), Others::Keep) = (old, others) {
        whole = format!("({old}) && ({whole})");
    }
    set(node, name, text(whole));
    Ok(())
}

fn issuer_of(node: &Node) -> Option<String> {
    let inner =
        node.get("oidc").map_or(node, |oidc| oidc.as_array().and_then(<[Node]>::first).unwrap_or(oidc));
    let issuer = ["issuerUri", "issuer_uri", "issuer"].into_iter().find_map(|name| inner.get(name))?;
    issuer.as_str().map(str::to_owned)
}

fn condition(grant: &Grant) -> Result<String, WriteError> {
    let mut all = Vec::with_capacity(grant.claims.len());
    for (claim, wanted) in &grant.claims {
        let refused = |why: &str| WriteError::Claim {
            dialect: Dialect::Gcp,
            claim: claim.clone(),
            why: why.to_owned(),
        };
        let name = path(claim.as_str());
        all.push(match wanted {
            Wanted::Absent if name.ends_with(']') => {
                format!("!({} in assertion)", quoted(claim.as_str()))
            }
            Wanted::Absent => format!("!has({name})"),
            Wanted::Like(patterns) => {
                like(&name, patterns).ok_or_else(|| refused("the pattern is of another dialect"))?
            }
        });
    }
    Ok(all.join(" && "))
}

/// `assertion.claim`, or by index where the name is none of CEL's.
fn path(claim: &str) -> String {
    let starts = claim.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let plain = starts && claim.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { format!("assertion.{claim}") } else { format!("assertion[{}]", quoted(claim)) }
}

fn like(name: &str, patterns: &[Pattern]) -> Option<String> {
    let exact: Option<Vec<&str>> = patterns.iter().map(Pattern::as_literal).collect();
    match exact.as_deref() {
        Some([one]) => return Some(format!("{name} == {}", quoted(one))),
        Some(several) => {
            let several: Vec<String> = several.iter().map(|one| quoted(one)).collect();
            return Some(format!("{name} in [{}]", several.join(", ")));
        }
        None => {}
    }
    let any: Option<Vec<String>> = patterns.iter().map(expression).collect();
    Some(format!("{name}.matches({})", quoted(&format!("^(?s:{})$", any?.join("|")))))
}

fn expression(pattern: &Pattern) -> Option<String> {
    let mut written = String::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Text(text) => written.push_str(&regex::escape(text)),
            Piece::One => written.push('.'),
            Piece::Run => written.push_str(".*"),
            Piece::RunWithin | Piece::Variable(..) => return None,
        }
    }
    Some(written)
}

/// A string of CEL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}
