//! IAM role trust policies.

use std::collections::BTreeMap;

use daypass_issuers::{Support, catalogue};

use super::{Grant, Others, Wanted, WriteError, glob, node, one_or_list, set, table, text, trusts};
use crate::dialect::Dialect;
use crate::document::{Member, Node, Span, Value};
use crate::form::{Effect, Pattern, Permission, Policy, Statement};

/// Condition operators and their keys: operator, key, value.
type Conditions = BTreeMap<&'static str, Vec<(String, Node)>>;

pub(super) fn write(
    policy: &Policy,
    tree: &Node,
    grants: &[Grant],
    others: Others,
) -> Result<Node, WriteError> {
    let old = tree.get("Statement").ok_or(WriteError::Shape("`Statement`"))?;
    let items = old.as_array().unwrap_or(std::slice::from_ref(old));
    let mut statements: Vec<Node> = items.iter().filter_map(|item| without_tokens(item, policy)).collect();
    for grant in grants {
        let (statement, item) = policy
            .statements
            .iter()
            .filter(|statement| admits_tokens_of(statement, grant))
            .find_map(|statement| Some((statement, items.iter().find(|item| item.span == statement.span)?)))
            .ok_or_else(|| WriteError::NoIssuer(grant.issuer.clone()))?;
        statements.push(admitting(statement, item, grant, others)?);
    }
    let mut document = tree.clone();
    set(&mut document, "Statement", node(Value::Array(statements)));
    Ok(document)
}

fn admits_tokens_of(statement: &Statement, grant: &Grant) -> bool {
    is_admission(statement) && trusts(statement, &grant.issuer)
}

fn is_admission(statement: &Statement) -> bool {
    statement.effect == Effect::Allow && statement.permissions.contains(Permission::AssumeWithToken)
}

/// What stays of a statement when nobody is admitted by token; `None` where that is nothing.
fn without_tokens(item: &Node, policy: &Policy) -> Option<Node> {
    let statement = policy.statements.iter().find(|statement| statement.span == item.span);
    if statement.is_none_or(|statement| !is_admission(statement)) {
        return Some(item.clone());
    }
    let principal = item.get("Principal")?.as_table()?;
    let rest: Vec<Member> = principal.iter().filter(|member| member.name != "Federated").cloned().collect();
    if rest.is_empty() {
        return None;
    }
    let mut kept = item.clone();
    set(&mut kept, "Principal", node(Value::Table(rest)));
    Some(kept)
}

fn admitting(statement: &Statement, item: &Node, grant: &Grant, others: Others) -> Result<Node, WriteError> {
    let mut written = item.clone();
    if let Some(arn) = provider(item, grant) {
        set(&mut written, "Principal", table(vec![("Federated".to_owned(), text(arn))]));
    }
    let mut conditions = Conditions::new();
    for (claim, wanted) in &grant.claims {
        let unseen = |why: String| WriteError::Claim { dialect: Dialect::Aws, claim: claim.clone(), why };
        if let Support::Unsupported { date } = catalogue().aws().support(&grant.issuer, claim.as_str()) {
            return Err(unseen(format!("it is not on the list of condition keys of {date}")));
        }
        let key = format!("{}:{claim}", grant.issuer.host_and_path());
        let (operator, value) = match wanted {
            Wanted::Absent => ("Null", text("true")),
            Wanted::Like(patterns) => operand(patterns).map_err(unseen)?,
        };
        conditions.entry(operator).or_default().push((key, value));
    }
    if !grant.audiences.is_empty() {
        let key = format!("{}:aud", grant.issuer.host_and_path());
        let audiences = grant.audiences.iter().map(|audience| audience.as_str().to_owned()).collect();
        conditions.entry("StringEquals").or_default().push((key, one_or_list(audiences)));
    }
    let mut operators: Vec<(String, Node)> =
        conditions.into_iter().map(|(operator, keys)| (operator.to_owned(), table(keys))).collect();
    if others == Others::Keep {
        keep(item, &mut operators);
    }
    set(&mut written, "Condition", table(operators));
    // A name that two statements share is refused.
    if statement.label.chars().all(|c| c.is_ascii_alphanumeric()) {
        super::remove(&mut written, "Sid");
    }
    written.span = Span::default();
    Ok(written)
}

/// The ARN of the issuer's provider, as the statement has it.
fn provider(item: &Node, grant: &Grant) -> Option<String> {
    let named = item.get("Principal")?.get("Federated")?;
    let named = named.as_array().unwrap_or(std::slice::from_ref(named));
    let end = format!("oidc-provider/{}", grant.issuer.host_and_path());
    named.iter().filter_map(Node::as_str).find(|arn| arn.ends_with(&end)).map(str::to_owned)
}

/// The operator and its values: equality where there is no wildcard.
fn operand(patterns: &[Pattern]) -> Result<(&'static str, Node), String> {
    let wild = patterns.iter().any(Pattern::has_wildcard);
    let literal = |text: &str| {
        let escaped: String = text
            .chars()
            .map(|c| match c {
                '*' | '?' if wild => format!("${{{c}}}"),
                '$' => "${$}".to_owned(),
                c => c.to_string(),
            })
            .collect();
        Ok(escaped)
    };
    let texts: Result<Vec<String>, String> =
        patterns.iter().map(|pattern| glob(pattern, literal, "?", "*")).collect();
    Ok((if wild { "StringLike" } else { "StringEquals" }, one_or_list(texts?)))
}

/// Adds the statement's own conditions on keys that nothing was said about.
fn keep(item: &Node, operators: &mut Vec<(String, Node)>) {
    let set_keys: Vec<String> = operators
        .iter()
        .flat_map(|(_, keys)| keys.as_table().unwrap_or_default())
        .map(|member| member.name.to_ascii_lowercase())
        .collect();
    for old in item.get("Condition").and_then(Node::as_table).unwrap_or_default() {
        let keys = old.node.as_table().unwrap_or_default().iter();
        let kept: Vec<Member> =
            keys.filter(|key| !set_keys.contains(&key.name.to_ascii_lowercase())).cloned().collect();
        if kept.is_empty() {
            continue;
        }
        match operators.iter_mut().find(|(name, _)| *name == old.name) {
            Some((_, Node { value: Value::Table(members), .. })) => members.extend(kept),
            _ => operators.push((old.name.clone(), node(Value::Table(kept)))),
        }
    }
}
