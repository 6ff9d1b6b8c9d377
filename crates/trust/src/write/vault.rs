//! JWT roles of Vault: `bound_claims` and `bound_audiences`. Policies, lifetimes and the rest stay.

use std::collections::BTreeMap;

use daypass_claims::ClaimName;

use super::{Grant, Others, Wanted, WriteError, glob, node, one_or_list, remove, set, table, text};
use crate::dialect::Dialect;
use crate::document::{Node, Value};
use crate::form::{Pattern, Piece};

pub(super) fn write(tree: &Node, grants: &[Grant], others: Others) -> Result<Node, WriteError> {
    let mut document = tree.clone();
    let role = match ["role", "data"]
        .into_iter()
        .find(|name| tree.get(name).is_some_and(|it| it.as_table().is_some()))
    {
        Some(name) => {
            let mut role = tree.get(name).cloned().unwrap_or_else(|| table(Vec::new()));
            bind(&mut role, grants, others)?;
            set(&mut document, name, role);
            return Ok(document);
        }
        None => &mut document,
    };
    bind(role, grants, others)?;
    Ok(document)
}

fn bind(role: &mut Node, grants: &[Grant], others: Others) -> Result<(), WriteError> {
    let claims = merged(grants)?;
    let wild = claims.values().flatten().any(Pattern::has_wildcard);
    let mut bound: Vec<(String, Node)> = Vec::with_capacity(claims.len());
    for (claim, patterns) in &claims {
        let refused = |why: String| WriteError::Claim { dialect: Dialect::Vault, claim: claim.clone(), why };
        let texts: Result<Vec<String>, String> = patterns.iter().map(|one| written(one, wild)).collect();
        bound.push((claim.to_string(), one_or_list(texts.map_err(refused)?)));
    }
    if others == Others::Keep {
        let old_type = role.get("bound_claims_type").and_then(Node::as_str).unwrap_or("string");
        let kept = role.get("bound_claims").and_then(Node::as_table).unwrap_or_default();
        let kept = kept.iter().filter(|member| !claims.contains_key(member.name.as_str()));
        let kept: Vec<(String, Node)> = kept.map(|it| (it.name.clone(), it.node.clone())).collect();
        if !kept.is_empty() && (old_type == "glob") != wild {
            return Err(WriteError::OneGrant(Dialect::Vault));
        }
        bound.extend(kept);
    }
    remove(role, "bound_subject");
    set(role, "bound_claims", table(bound));
    set(role, "bound_claims_type", text(if wild { "glob" } else { "string" }));
    let mut audiences: Vec<&str> =
        grants.iter().flat_map(|grant| &grant.audiences).map(daypass_claims::Audience::as_str).collect();
    audiences.sort_unstable();
    audiences.dedup();
    if !audiences.is_empty() {
        set(role, "bound_audiences", node(Value::Array(audiences.into_iter().map(text).collect())));
    }
    Ok(())
}

/// One set of conditions for all grants: the claims that all of them name, each with the values of all.
fn merged(grants: &[Grant]) -> Result<BTreeMap<ClaimName, Vec<Pattern>>, WriteError> {
    let mut claims: BTreeMap<ClaimName, Vec<Pattern>> = BTreeMap::new();
    let Some((first, rest)) = grants.split_first() else { return Err(WriteError::NoGrant) };
    for (claim, wanted) in &first.claims {
        // That a claim is absent cannot be asked for; `sub` says most of it.
        let Wanted::Like(patterns) = wanted else { continue };
        let mut all = patterns.clone();
        let mut named_by_all = true;
        for grant in rest {
            match grant.claims.get(claim) {
                Some(Wanted::Like(more)) => {
                    let new: Vec<Pattern> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
                    all.extend(new);
                }
                Some(Wanted::Absent) | None => named_by_all = false,
            }
        }
        if named_by_all {
            claims.insert(claim.clone(), all);
        }
    }
    if claims.is_empty() { Err(WriteError::OneGrant(Dialect::Vault)) } else { Ok(claims) }
}

/// Vault's globs have `*` only, which then also stands for the characters that are counted elsewhere.
fn written(pattern: &Pattern, wild: bool) -> Result<String, String> {
    let mut coarse = Pattern::default();
    for piece in &pattern.pieces {
        coarse.push(if *piece == Piece::One { Piece::Run } else { piece.clone() });
    }
    let literal = |text: &str| {
        if wild && text.contains('*') {
            return Err(format!("`{text}` cannot be written as a glob"));
        }
        Ok(text.to_owned())
    };
    glob(&coarse, literal, "*", "*")
}
