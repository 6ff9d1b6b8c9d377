//! The languages that trust policies are written in, each compiled to the one form.

pub mod aws;
pub mod native;

use std::fmt;
use std::str::FromStr;

use daypass_claims::{Audience, Timestamp};

use crate::document::{Node, Problem, Source, parse_json, parse_toml};
use crate::form::Policy;

/// A language that trust policies are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// IAM role trust policies, JSON.
    Aws,
    /// daypass's own form, TOML.
    Daypass,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 2] = [Self::Aws, Self::Daypass];

    /// The name on the command line and in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Daypass => "daypass",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No dialect has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no dialect is called `{0}` (known: aws, daypass)")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.as_str() == name)
            .ok_or_else(|| UnknownDialect(name.chars().take(40).collect()))
    }
}

/// What a document cannot say about its surroundings.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// The audiences that the cloud's registration of the provider accepts, where known.
    pub audiences: Option<Vec<Audience>>,
    /// The account that the role lives in, where known.
    pub account: Option<String>,
    /// What native policies may call issuers by.
    pub issuers: native::Issuers,
    /// The current time, for accepted risks that expire; without it none has expired.
    pub now: Option<Timestamp>,
    /// The environment that the role belongs to, where known (native form).
    pub environment: Option<String>,
}

/// A compiled policy with what its author should know about it.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The policy.
    pub policy: Policy,
    /// Remarks that do not stand in the way: lengths, keys that are always absent, accepted risks.
    pub notes: Vec<Problem>,
    /// Risks that the document takes on with a reason and an end (native form).
    pub accepted_risks: Vec<native::AcceptedRisk>,
}

/// The document is not a policy of its dialect, or is one that its dialect refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct CompileError {
    /// Everything that is wrong, in the order of the source.
    pub problems: Vec<Problem>,
}

impl From<Vec<Problem>> for CompileError {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl From<Problem> for CompileError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

/// Compiles a document of a known dialect.
pub fn compile(
    dialect: Dialect,
    source: &Source,
    options: &CompileOptions,
) -> Result<Compiled, CompileError> {
    let tree = match dialect {
        Dialect::Aws => parse_json(source)?,
        Dialect::Daypass => parse_toml(source)?,
    };
    compile_tree(dialect, source, &tree, options)
}

/// Compiles a document that was read already, perhaps out of a file of another language: `tree` points into `source`.
pub fn compile_tree(
    dialect: Dialect,
    source: &Source,
    tree: &Node,
    options: &CompileOptions,
) -> Result<Compiled, CompileError> {
    match dialect {
        Dialect::Aws => aws::compile(source, tree, options),
        Dialect::Daypass => native::compile(source, tree, options),
    }
}

/// Tells the dialect of a document from what it holds. The problem, if nothing fits, says what was looked for.
pub fn detect(source: &Source) -> Result<Dialect, Problem> {
    let looks_like_json = source.text().trim_start().starts_with(['{', '[']);
    let (tree, names): (Node, &[(&str, Dialect)]) = if looks_like_json {
        (parse_json(source)?, &[("Statement", Dialect::Aws)])
    } else {
        (parse_toml(source)?, &[("role", Dialect::Daypass), ("trust", Dialect::Daypass)])
    };
    names.iter().find(|(name, _)| tree.get(name).is_some()).map(|(_, dialect)| *dialect).ok_or_else(|| {
        Problem::new(source, tree.span, "cannot tell which dialect this policy is written in").help(
            "a trust policy of AWS has `Statement`, one of daypass `[[role]]` or `[[trust]]`; or name it with --dialect",
        )
    })
}
