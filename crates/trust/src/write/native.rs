//! The native form: one `[[trust]]` for each grant, in the role that the document holds.

use std::fmt::Write as _;

use daypass_issuers::{ClaimType, catalogue};

use super::print::{key, toml};
use super::{Grant, Others, Wanted, WriteError, glob, trusts};
use crate::dialect::Dialect;
use crate::document::{Member, Node};
use crate::form::{Pattern, Permission, Policy};
use crate::literal::shown_text;

pub(super) fn write(
    policy: &Policy,
    tree: &Node,
    grants: &[Grant],
    others: Others,
) -> Result<String, WriteError> {
    let role = tree.get("role").and_then(Node::as_array).and_then(<[Node]>::first);
    let (holder, header) = match role {
        Some(role) => (role, "[[role.trust]]"),
        None => (tree, "[[trust]]"),
    };
    let trust = holder.get("trust").and_then(Node::as_array).ok_or(WriteError::Shape("[[trust]]"))?;
    let mut out = String::new();
    if role.is_some() {
        out.push_str("[[role]]\n");
        for Member { name, node, .. } in holder.as_table().unwrap_or_default() {
            if name != "trust" {
                line(&mut out, &format!("{} = {}", key(name), toml(node)));
            }
        }
        out.push('\n');
    }
    // What is not about tokens stays.
    let of_sessions = trust.iter().filter(|it| it.get("from_role").is_some());
    for statement in of_sessions {
        line(&mut out, header);
        for Member { name, node, .. } in statement.as_table().unwrap_or_default() {
            line(&mut out, &format!("{} = {}", key(name), toml(node)));
        }
        out.push('\n');
    }
    for grant in grants {
        let old = policy
            .statements
            .iter()
            .filter(|it| it.permissions.contains(Permission::AssumeWithToken))
            .filter(|it| trusts(it, &grant.issuer))
            .find_map(|it| trust.iter().find(|node| node.span == it.span))
            .ok_or_else(|| WriteError::NoIssuer(grant.issuer.clone()))?;
        statement(&mut out, header, old, grant, others)?;
    }
    Ok(format!("{}\n", out.trim_end()))
}

fn statement(
    out: &mut String,
    header: &str,
    old: &Node,
    grant: &Grant,
    others: Others,
) -> Result<(), WriteError> {
    line(out, header);
    for Member { name, node, .. } in old.as_table().unwrap_or_default() {
        match name.as_str() {
            "claims" => {}
            "audience" if !grant.audiences.is_empty() => {}
            // A risk is accepted for what a statement was, not for what it becomes.
            "accept_risk" if others == Others::Drop => {}
            _ => line(out, &format!("{} = {}", key(name), toml(node))),
        }
    }
    match grant.audiences.as_slice() {
        [] => {}
        [one] => line(out, &format!("audience = {}", shown_text(one.as_str()))),
        several => {
            let several: Vec<String> = several.iter().map(|one| shown_text(one.as_str())).collect();
            line(out, &format!("audience = [{}]", several.join(", ")));
        }
    }
    for (claim, wanted) in &grant.claims {
        let refused =
            |why: String| WriteError::Claim { dialect: Dialect::Daypass, claim: claim.clone(), why };
        let test = match wanted {
            Wanted::Absent => "{ present = false }".to_owned(),
            Wanted::Like(patterns) if is_list(grant, claim.as_str()) => only(patterns).map_err(refused)?,
            Wanted::Like(patterns) => test(patterns).map_err(refused)?,
        };
        line(out, &format!("claims.{} = {test}", key(claim.as_str())));
    }
    if others == Others::Keep {
        for Member { name, node, .. } in old.get("claims").and_then(Node::as_table).unwrap_or_default() {
            if !grant.claims.contains_key(name.as_str()) {
                line(out, &format!("claims.{} = {}", key(name), toml(node)));
            }
        }
    }
    out.push('\n');
    Ok(())
}

/// Whether tokens of the issuer have a list there.
fn is_list(grant: &Grant, claim: &str) -> bool {
    let platforms = catalogue().platforms_of(&grant.issuer);
    let mut declared = platforms.iter().filter_map(|found| found.platform.claims.get(claim));
    declared.any(|spec| {
        !spec.types.is_empty()
            && spec.types.iter().all(|one| matches!(one, ClaimType::Strings | ClaimType::Objects))
    })
}

/// A list of these and of nothing else.
fn only(patterns: &[Pattern]) -> Result<String, String> {
    let items: Option<Vec<String>> = patterns.iter().map(|it| it.as_literal().map(shown_text)).collect();
    let items = items.ok_or("items of a list are compared as they are")?;
    Ok(format!("{{ has_only = [{}] }}", items.join(", ")))
}

fn test(patterns: &[Pattern]) -> Result<String, String> {
    let exact: Option<Vec<String>> = patterns.iter().map(|it| it.as_literal().map(shown_text)).collect();
    match exact.as_deref() {
        Some([one]) => return Ok(one.clone()),
        Some(several) => return Ok(format!("{{ one_of = [{}] }}", several.join(", "))),
        None => {}
    }
    let literal = |text: &str| {
        if text.contains(['*', '?']) {
            return Err(format!("`{text}` cannot be written as a glob"));
        }
        Ok(text.to_owned())
    };
    let globs: Result<Vec<String>, String> =
        patterns.iter().map(|it| glob(it, literal, "?", "**").map(|text| shown_text(&text))).collect();
    Ok(match globs?.as_slice() {
        [one] => format!("{{ glob = {one} }}"),
        several => format!("{{ glob = [{}] }}", several.join(", ")),
    })
}

fn line(out: &mut String, text: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{text}").ok();
}
