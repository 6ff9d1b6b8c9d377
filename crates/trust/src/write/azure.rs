//! Federated identity credentials of Microsoft Entra: one for each subject, flexible where more than a subject is asked for.

use super::{Grant, Wanted, WriteError, glob, node, remove, set, table, text};
use crate::dialect::Dialect;
use crate::dialect::azure::comparable;
use crate::document::{Node, Value};
use crate::form::Pattern;

pub(super) fn write(tree: &Node, grants: &[Grant]) -> Result<Node, WriteError> {
    let listed = tree.get("value").filter(|value| value.as_array().is_some());
    let items = listed.unwrap_or(tree);
    let items = items.as_array().unwrap_or(std::slice::from_ref(items));
    let issuer_of = |item: &Node| {
        let inner = item.get("properties").unwrap_or(item);
        inner.get("issuer").and_then(Node::as_str).map(str::to_owned)
    };
    let is_granted =
        |item: &&Node| grants.iter().any(|grant| issuer_of(item).as_deref() == Some(grant.issuer.as_str()));
    let mut written: Vec<Node> = items.iter().filter(|item| !is_granted(item)).cloned().collect();
    for grant in grants {
        let base = items.iter().find(|item| issuer_of(item).as_deref() == Some(grant.issuer.as_str()));
        let base = base.ok_or_else(|| WriteError::NoIssuer(grant.issuer.clone()))?;
        for matching in matchings(grant)? {
            let nth = written.len();
            written.push(credential(base, &matching, grant, nth));
        }
    }
    match <[Node; 1]>::try_from(written) {
        Ok([one]) => Ok(one),
        Err(written) => Ok(node(Value::Array(written))),
    }
}

/// What one credential compares.
enum Matching {
    Subject(String),
    Expression(String),
}

fn matchings(grant: &Grant) -> Result<Vec<Matching>, WriteError> {
    let refused = |claim: &str, why: &str| WriteError::Claim {
        dialect: Dialect::Azure,
        claim: claim.into(),
        why: why.to_owned(),
    };
    let mut subjects: &[Pattern] = &[];
    let mut others: Vec<(&str, &Wanted)> = Vec::new();
    for (claim, wanted) in &grant.claims {
        match wanted {
            Wanted::Like(patterns) if claim.as_str() == "sub" => subjects = patterns,
            _ => others.push((claim.as_str(), wanted)),
        }
    }
    if subjects.is_empty() {
        return Err(refused("sub", "a credential has a subject"));
    }
    let exact: Option<Vec<&str>> = subjects.iter().map(Pattern::as_literal).collect();
    if let (Some(exact), true) = (exact, others.is_empty()) {
        return Ok(exact.into_iter().map(|subject| Matching::Subject(subject.to_owned())).collect());
    }
    let known =
        comparable(&grant.issuer).ok_or_else(|| refused("sub", "the issuer has no flexible credentials"))?;
    let mut ends = String::new();
    for (claim, wanted) in others {
        let wild = known.iter().find(|(name, _)| *name == claim).map(|(_, wild)| *wild);
        let wild = wild.ok_or_else(|| refused(claim, "Entra does not compare it"))?;
        let Wanted::Like(patterns) = wanted else {
            return Err(refused(claim, "absence cannot be asked for"));
        };
        let [pattern] = patterns.as_slice() else {
            return Err(refused(claim, "an expression has no alternatives"));
        };
        if pattern.has_wildcard() && !wild {
            return Err(refused(claim, "it is compared as a whole only"));
        }
        ends.push_str(" and ");
        ends.push_str(&comparison(claim, pattern).map_err(|why| refused(claim, &why))?);
    }
    let whole = |subject: &Pattern| {
        let subject = comparison("sub", subject).map_err(|why| refused("sub", &why))?;
        Ok(Matching::Expression(format!("{subject}{ends}")))
    };
    subjects.iter().map(whole).collect()
}

fn comparison(claim: &str, pattern: &Pattern) -> Result<String, String> {
    let wild = pattern.has_wildcard();
    let literal = |text: &str| {
        if text.contains('\'') || (wild && text.contains(['*', '?'])) {
            return Err(format!("`{text}` cannot be written in an expression"));
        }
        Ok(text.to_owned())
    };
    let value = glob(pattern, literal, "?", "*")?;
    Ok(format!("claims['{claim}'] {} '{value}'", if wild { "matches" } else { "eq" }))
}

fn credential(base: &Node, matching: &Matching, grant: &Grant, nth: usize) -> Node {
    let mut written = base.clone();
    if nth > 0 {
        for name in ["name", "display_name"] {
            if let Some(old) = base.get(name).and_then(Node::as_str) {
                set(&mut written, name, text(format!("{old}-{}", nth.saturating_add(1))));
            }
        }
        // Only the directory gives ids.
        remove(&mut written, "id");
    }
    let inner = match base.get("properties") {
        Some(properties) => {
            let mut inner = properties.clone();
            compare(&mut inner, matching, grant);
            set(&mut written, "properties", inner);
            return written;
        }
        None => &mut written,
    };
    compare(inner, matching, grant);
    written
}

fn compare(inner: &mut Node, matching: &Matching, grant: &Grant) {
    for name in ["subject", "claimsMatchingExpression", "claims_matching_expression"] {
        remove(inner, name);
    }
    match matching {
        Matching::Subject(subject) => set(inner, "subject", text(subject.as_str())),
        Matching::Expression(expression) => {
            let version = node(Value::Number("1".to_owned()));
            let members = vec![
                ("value".to_owned(), text(expression.as_str())),
                ("languageVersion".to_owned(), version),
            ];
            set(inner, "claimsMatchingExpression", table(members));
        }
    }
    if let [audience] = grant.audiences.as_slice() {
        let name = if inner.get("audience").is_some() { "audience" } else { "audiences" };
        set(inner, name, node(Value::Array(vec![text(audience.as_str())])));
    }
}
