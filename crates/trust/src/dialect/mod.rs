//! The languages that trust policies are written in, each compiled to the one form.

mod api;
pub mod aws;
pub mod azure;
pub mod gcp;
pub mod native;
pub mod vault;

use std::fmt;
use std::str::FromStr;

use daypass_claims::{Audience, Issuer, Timestamp};

use crate::document::{Node, Problem, Source, Span, parse_json, parse_toml};
use crate::form::Policy;

/// A language that trust policies are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// IAM role trust policies, JSON.
    Aws,
    /// Federated identity credentials of Microsoft Entra, JSON.
    Azure,
    /// daypass's own form, TOML.
    Daypass,
    /// Workload identity pools of Google Cloud, JSON.
    Gcp,
    /// JWT roles of HashiCorp Vault and OpenBao, JSON.
    Vault,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [Self::Aws, Self::Azure, Self::Daypass, Self::Gcp, Self::Vault];

    /// The name on the command line and in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Daypass => "daypass",
            Self::Gcp => "gcp",
            Self::Vault => "vault",
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
#[error("no dialect is called `{0}` (known: {known})", known = Dialect::ALL.map(Dialect::as_str).join(", "))]
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
    /// The issuer of the tokens, for documents that leave it to their surroundings (a role of Vault).
    pub issuer: Option<Issuer>,
    /// Which server a role of Vault is for, where known.
    pub vault: Option<vault::Server>,
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
    /// What the document says that the one form has no place for.
    pub facts: Facts,
}

/// What documents say that decides nothing about a token, or that the form no longer shows: for reviews and findings.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Facts {
    /// The policy says it all (AWS, native).
    #[default]
    None,
    /// The credentials of an application of Microsoft Entra, in the order of the statements.
    Azure(Vec<azure::Credential>),
    /// A pool of Google Cloud.
    Gcp(Box<gcp::Pool>),
    /// A role of Vault.
    Vault(Box<vault::Role>),
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
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
        Dialect::Aws | Dialect::Azure | Dialect::Gcp | Dialect::Vault => parse_json(source)?,
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
        Dialect::Azure => azure::compile(source, tree, options),
        Dialect::Daypass => native::compile(source, tree, options),
        Dialect::Gcp => gcp::compile(source, tree, options),
        Dialect::Vault => vault::compile(source, tree, options),
    }
}

/// The members that only documents of one dialect have, in JSON; the first that is there tells.
const TELLING: [(&str, Dialect); 15] = [
    ("Statement", Dialect::Aws),
    ("claimsMatchingExpression", Dialect::Azure),
    ("subject", Dialect::Azure),
    ("attributeMapping", Dialect::Gcp),
    ("attribute_mapping", Dialect::Gcp),
    ("attributeCondition", Dialect::Gcp),
    ("attribute_condition", Dialect::Gcp),
    ("allowedAudiences", Dialect::Gcp),
    ("providers", Dialect::Gcp),
    ("workloadIdentityPoolProviders", Dialect::Gcp),
    ("role_type", Dialect::Vault),
    ("bound_audiences", Dialect::Vault),
    ("bound_claims", Dialect::Vault),
    ("bound_subject", Dialect::Vault),
    ("user_claim", Dialect::Vault),
];

/// Tells the dialect of a document from what it holds. The problem, if nothing fits, says what was looked for.
pub fn detect(source: &Source) -> Result<Dialect, Problem> {
    let looks_like_json = is_json(source.text());
    let tree = if looks_like_json { parse_json(source)? } else { parse_toml(source)? };
    let found = if looks_like_json {
        detect_json(&tree)
    } else {
        ["role", "trust"].iter().any(|name| tree.get(name).is_some()).then_some(Dialect::Daypass)
    };
    found.ok_or_else(|| {
        Problem::new(source, tree.span, "cannot tell which dialect this policy is written in").help(
            "a trust policy of AWS has `Statement`, a federated credential of Azure `subject` or \
             `claimsMatchingExpression`, a provider of Google Cloud `attributeMapping`, a role of Vault `user_claim`, \
             daypass's own form `[[role]]` or `[[trust]]`; or name it with --dialect",
        )
    })
}

/// Documents are objects and listings are lists of them; `[[` and `[name` begin a table in TOML.
fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{')
        || text.strip_prefix('[').is_some_and(|list| list.trim_start().starts_with(['{', ']']))
}

fn detect_json(tree: &Node) -> Option<Dialect> {
    let has = |name: &str| tree.get(name).is_some();
    let told = TELLING.iter().find(|(name, _)| has(name)).map(|(_, dialect)| *dialect);
    // Listings wrap what they list.
    told.or_else(|| {
        ["value", "properties", "role", "data"].iter().find_map(|name| detect_json(tree.get(name)?))
    })
    .or_else(|| detect_json(tree.as_array()?.first()?))
}
