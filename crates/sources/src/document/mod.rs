//! Files that are one document each: policies by themselves, templates, plans, and what listing commands print.

mod cloudformation;
mod export;
mod plan;
mod policy;
mod toml;
mod yaml;

use daypass_trust::Dialect;
use daypass_trust::document::{Node, Source, parse_json};

use crate::find::{file_problem, text};
use crate::found::{Found, FoundPolicy, Origin};
use crate::tree::{FileTree, has_extension};

/// Words of which a JSON or YAML file about trust has at least one. Most files have none and need not be parsed.
const WORDS: [&str; 14] = [
    "Statement",
    "AssumeRolePolicyDocument",
    "ClientIDList",
    "ClientIdList",
    "assume_role_policy",
    "attributeMapping",
    "workloadIdentityPools",
    "claimsMatchingExpression",
    "api://AzureADTokenExchange",
    "audiences",
    "user_claim",
    "bound_audiences",
    "bound_claims",
    "attribute_mapping",
];

pub(crate) use export::PoolParts;

/// Reads a file if it is about trust. One that was `named` has to be.
pub(crate) fn read(tree: &dyn FileTree, path: &str, named: bool) -> Found {
    let mut found = Found::default();
    let source = match text(tree, path) {
        Ok(source) => source,
        Err(problem) => {
            // Data files of any kind end in the same letters; only what was asked for has to be text.
            if named {
                found.problems.push(problem);
            }
            return found;
        }
    };
    let known = read_text(&source, named, &mut found);
    if known {
        found.files = 1;
    } else if named && found.problems.is_empty() {
        found.problems.push(file_problem(path, "nothing in the file is known as trust"));
    }
    found
}

/// Reads a text if it is about trust; whether it was.
fn read_text(source: &Source, named: bool, found: &mut Found) -> bool {
    let text = source.text();
    if has_extension(source.name(), "toml") {
        return toml::read(source, named, found);
    }
    if !named && !WORDS.iter().any(|word| text.contains(word)) {
        return false;
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return cloudformation::read_yaml(source, named, found);
    }
    match parse_json(source) {
        // An export may list what is a policy by itself, so exports come first.
        Ok(node) => {
            export::read(source, &node, found)
                || plan::read(source, &node, found)
                || cloudformation::read(source, &node, found)
                || policy::read(source, &node, found)
        }
        Err(problem) => {
            if named || has_extension(source.name(), "json") {
                found.problems.push(problem);
            }
            false
        }
    }
}

/// A policy of a document, to be completed by its reader.
fn policy_of(source: &Source, dialect: Dialect, tree: Node, role: String, origin: Origin) -> FoundPolicy {
    FoundPolicy {
        dialect,
        source: source.clone(),
        location: source.at(tree.span),
        tree,
        role,
        module: None,
        origin,
        options: daypass_trust::CompileOptions::default(),
        facts: crate::found::Facts::default(),
    }
}

/// The name of a file without folder and ending: what a policy that has no name of its own is called.
fn stem(source: &Source) -> String {
    let name = source.name().rsplit('/').next().unwrap_or_default();
    name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
}
