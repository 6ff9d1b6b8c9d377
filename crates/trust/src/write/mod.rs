//! Writing policies: a document that admits certain tokens, in the dialect and the setting of an existing one.
//!
//! What a document says beside whom it admits by token (other principals, names, policies, lifetimes) is kept.

mod aws;
mod azure;
mod gcp;
mod native;
mod print;
#[cfg(test)]
mod tests;
mod vault;

use std::collections::BTreeMap;

use daypass_claims::{Audience, ClaimName, Issuer};

use crate::dialect::Dialect;
use crate::document::{Member, Node, Span, Value};
use crate::form::{Pattern, Piece, Policy, Statement, TokenIssuers};

/// Tokens to admit: those of an issuer, for an audience, each of whose claims is as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose tokens.
    pub issuer: Issuer,
    /// The audiences that will do; empty leaves the document's own.
    pub audiences: Vec<Audience>,
    /// What each claim must be; all of them.
    pub claims: BTreeMap<ClaimName, Wanted>,
}

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A text that one of these patterns matches: literal text, [`Piece::One`] and [`Piece::Run`].
    Like(Vec<Pattern>),
    /// Not there.
    Absent,
}

/// What becomes of the document's own conditions on claims that no grant names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Others {
    /// They are left out.
    Drop,
    /// They stay.
    Keep,
}

/// The grants cannot be written in this dialect or into this document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// There is nothing to write.
    #[error("there is nothing to admit")]
    NoGrant,
    /// The document has no place for the issuer.
    #[error("the document trusts no issuer {0}")]
    NoIssuer(Issuer),
    /// A claim that the dialect has no test for.
    #[error("{dialect} cannot ask for `{claim}`: {why}")]
    Claim {
        /// The dialect.
        dialect: Dialect,
        /// The claim.
        claim: ClaimName,
        /// Why not.
        why: String,
    },
    /// The dialect has one place for conditions, and the grants need several.
    #[error("{0} takes one set of conditions, and these tokens need several")]
    OneGrant(Dialect),
    /// The document is not set out as its dialect has it.
    #[error("the document has no {0}")]
    Shape(&'static str),
}

impl Wanted {
    /// Exactly this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Like(vec![Pattern::literal(text)])
    }

    /// The texts, where there is no wildcard among them.
    pub fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::Like(patterns) => patterns.iter().map(Pattern::as_literal).collect(),
            Self::Absent => None,
        }
    }
}

/// Writes a document that admits these tokens by token and nobody else, in place of whom `policy` admits; `tree` is what the
/// policy was compiled from.
pub fn write(policy: &Policy, tree: &Node, grants: &[Grant], others: Others) -> Result<String, WriteError> {
    if grants.is_empty() {
        return Err(WriteError::NoGrant);
    }
    match policy.dialect {
        Dialect::Aws => aws::write(policy, tree, grants, others).map(|node| print::json(&node)),
        Dialect::Azure => azure::write(tree, grants).map(|node| print::json(&node)),
        Dialect::Gcp => gcp::write(tree, grants, others).map(|node| print::json(&node)),
        Dialect::Vault => vault::write(tree, grants, others).map(|node| print::json(&node)),
        Dialect::Daypass => native::write(policy, tree, grants, others),
    }
}

/// Whether a statement is about tokens of the issuer by name.
fn trusts(statement: &Statement, issuer: &Issuer) -> bool {
    matches!(&statement.principals.tokens, TokenIssuers::Exactly(issuers) if issuers.contains(issuer))
}

fn node(value: Value) -> Node {
    Node { span: Span::default(), value }
}

fn text(text: impl Into<String>) -> Node {
    node(Value::String(text.into()))
}

fn table(members: Vec<(String, Node)>) -> Node {
    let member = |(name, node)| Member { name, name_span: Span::default(), node };
    node(Value::Table(members.into_iter().map(member).collect()))
}

/// One text, or the list of several.
fn one_or_list(texts: Vec<String>) -> Node {
    match <[String; 1]>::try_from(texts) {
        Ok([one]) => text(one),
        Err(texts) => node(Value::Array(texts.into_iter().map(text).collect())),
    }
}

/// Sets a member of a table: in its place where it is there, else at the end.
fn set(tree: &mut Node, name: &str, value: Node) {
    let Value::Table(members) = &mut tree.value else { return };
    match members.iter_mut().find(|member| member.name == name) {
        Some(member) => member.node = value,
        None => members.push(Member { name: name.to_owned(), name_span: Span::default(), node: value }),
    }
}

fn remove(tree: &mut Node, name: &str) {
    if let Value::Table(members) = &mut tree.value {
        members.retain(|member| member.name != name);
    }
}

/// A pattern as a glob, its literal text written by `literal` and its wildcards by `one` and `run`.
fn glob(
    pattern: &Pattern,
    literal: impl Fn(&str) -> Result<String, String>,
    one: &str,
    run: &str,
) -> Result<String, String> {
    let mut written = String::new();
    for piece in &pattern.pieces {
        match piece {
            Piece::Text(text) => written.push_str(&literal(text)?),
            Piece::One => written.push_str(one),
            Piece::Run => written.push_str(run),
            Piece::RunWithin | Piece::Variable(..) => {
                return Err("a pattern of another dialect".to_owned());
            }
        }
    }
    Ok(written)
}
