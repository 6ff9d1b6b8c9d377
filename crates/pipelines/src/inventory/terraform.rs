//! Terraform: credentials in provider blocks, and those that a configuration makes and hands to CI systems.
//!
//! A file is taken apart at its braces; expressions are not evaluated. Values of variables are not in the file.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_trust::document::Span;

use super::group::{Groups, Sink, Strength};
use super::source::Origin;
use super::table::{Part, table};
use super::{Confidence, Credential, finished, literal};
use crate::braces::{Block, Source, blocks, blocks_within};
use crate::{Platform, ReadError, yaml};

/// What begins a comment that ends with its line.
const COMMENTS: [&str; 2] = ["#", "//"];

/// Resources that store a value as a secret of a CI system, and the attributes that name it.
const STORES: [&str; 14] = [
    "github_actions_secret",
    "github_actions_organization_secret",
    "github_actions_environment_secret",
    "github_dependabot_secret",
    "github_codespaces_secret",
    "gitlab_project_variable",
    "gitlab_group_variable",
    "gitlab_instance_variable",
    "circleci_context_environment_variable",
    "circleci_environment_variable",
    "bitbucket_repository_variable",
    "bitbucket_deployment_variable",
    "tfe_variable",
    "buildkite_cluster_secret",
];

/// Data sources that fetch a secret which somebody stored; others make one when they are asked.
const KEPT: [&str; 7] = [
    "vault_generic_secret.",
    "vault_kv_secret",
    "aws_secretsmanager_secret_version.",
    "aws_ssm_parameter.",
    "azurerm_key_vault_secret.",
    "google_secret_manager_secret_version.",
    "sops_file.",
];

/// The credentials of a Terraform file.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Vec<Credential>, ReadError> {
    let file: Arc<str> = Arc::from(path);
    let text = yaml::text(&file, bytes, yaml::Limits::default())?;
    let source = Source::new(&file, text);
    let mut found = blocks(text, &COMMENTS);
    if path.strip_suffix(".hcl").is_some() {
        // Terragrunt writes provider blocks out of here-documents.
        found.extend(documents(text).into_iter().flat_map(|part| blocks_within(text, part, &COMMENTS)));
    }
    let mut groups = Groups::default();
    let locals = locals(&source, &found);
    for (index, block) in found.iter().enumerate() {
        let reader = Reader { source: &source, index, locals: &locals };
        for sink in reader.block(block) {
            groups.add(None, sink);
        }
    }
    let groups = groups.finish().into_iter().map(|group| (group, |_: Option<&str>| None));
    let mut credentials = finished(Platform::Terraform, groups.collect());
    let users = users(&source, &found);
    for credential in &mut credentials {
        credential.user = credential.stored.iter().find_map(|name| users.get(name)).cloned();
    }
    Ok(credentials)
}

/// No local values.
static NONE: BTreeMap<String, String> = BTreeMap::new();

/// The local values that a file defines, as written.
fn locals(source: &Source<'_>, blocks: &[Block]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let is_locals = |block: &&Block| source.slice(block.head).trim() == "locals";
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| is_locals(block)) {
        let reader = Reader { source, index, locals: &NONE };
        found.extend(reader.attributes(block).map(|(name, value, _)| (name.to_owned(), value.to_owned())));
    }
    found
}

/// The insides of here-documents.
fn documents(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0_usize;
    for line in text.split_inclusive('\n') {
        let next = at.saturating_add(line.len());
        match open {
            Some((word, start)) if line.trim() == word => {
                found.push(Span::new(start, at));
                open = None;
            }
            Some(_) => {}
            None => {
                let word = line.rsplit_once("<<").map(|(_, word)| word.trim_start_matches('-').trim());
                open = word.filter(|word| !word.is_empty()).map(|word| (word, next));
            }
        }
        at = next;
    }
    found
}

/// The IAM users of the keys that a file makes, by the address of each key: as the file names them, in words or through
/// an `aws_iam_user` of the same file.
fn users<'s>(source: &'s Source<'s>, blocks: &'s [Block]) -> BTreeMap<String, String> {
    let address = |(index, block): (usize, &'s Block)| {
        let head = source.slice(block.head);
        let mut words = head.split_whitespace().map(|word| word.trim_matches('"'));
        let (Some("resource"), Some(kind), Some(name)) = (words.next(), words.next(), words.next()) else {
            return None;
        };
        Some((format!("{kind}.{name}"), (Reader { source, index, locals: &NONE }, block)))
    };
    let resources: BTreeMap<String, (Reader<'_>, &Block)> =
        blocks.iter().enumerate().filter_map(address).collect();
    let attribute = |address: &str, wanted: &str| {
        let (reader, block) = resources.get(address)?;
        let (_, value, _) = reader.attributes(block).find(|(name, _, _)| *name == wanted)?;
        Some(value.to_owned())
    };
    let literal = |value: &str| match origin(value) {
        Origin::Literal(text) if !text.contains("${") => Some(text),
        _ => None,
    };
    let keys = resources.keys().filter(|address| address.starts_with("aws_iam_access_key."));
    keys.filter_map(|address| {
        let user = attribute(address, "user")?;
        let named = literal(&user).or_else(|| literal(&attribute(user.strip_suffix(".name")?, "name")?));
        Some((address.clone(), named?))
    })
    .collect()
}

struct Reader<'s> {
    source: &'s Source<'s>,
    index: usize,
    /// The local values of the file.
    locals: &'s BTreeMap<String, String>,
}

impl Reader<'_> {
    fn block(&self, block: &Block) -> Vec<Sink> {
        let head = self.source.slice(block.head).trim();
        let mut words = head.split_whitespace().map(|word| word.trim_matches('"'));
        let (kind, first, second) = (words.next(), words.next(), words.next());
        match (kind, first, second) {
            (Some("provider"), Some(provider), _) => self.given("provider", provider, block),
            (Some("terraform"), None, _) => {
                let backends = block.inner.iter().filter_map(|inner| {
                    let head = self.source.slice(inner.head).trim();
                    let name = head.strip_prefix("backend")?.trim().trim_matches('"');
                    Some(self.given("backend", name, inner))
                });
                backends.flatten().collect()
            }
            (Some("resource"), Some(resource), Some(name)) => self.resource(resource, name, block),
            (Some("variable"), Some(name), _) => self.variable(name, block).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The attributes of a block: name, its value, and the bytes of that.
    fn attributes<'b>(&'b self, block: &'b Block) -> impl Iterator<Item = (&'b str, &'b str, Span)> {
        block.inner.iter().filter(|line| line.body.is_none()).filter_map(|line| {
            let written = self.source.slice(line.head);
            let (name, value) = written.split_once('=')?;
            let skipped = written.len().saturating_sub(value.trim_start().len());
            let span = Span::new(line.head.start.saturating_add(skipped), line.head.end);
            Some((name.trim(), value.trim(), span))
        })
    }

    fn sink(
        &self,
        kind: usize,
        part: Part,
        name: String,
        origins: Vec<Origin>,
        span: Span,
        why: String,
    ) -> Sink {
        Sink {
            kind,
            part,
            name,
            origins,
            place: self.source.place(span),
            step: Some(self.index),
            confidence: Confidence::Certain,
            strength: Strength::Rule,
            why,
        }
    }

    /// Where a value comes from; what another file defines may be anything.
    fn origin(&self, value: &str) -> (Origin, Confidence) {
        let named = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).unwrap_or(value);
        let Some(name) = named.strip_prefix("local.") else { return (origin(value), Confidence::Certain) };
        match self.locals.get(name).map(|value| origin(value)) {
            Some(Origin::Made) => (Origin::Made, Confidence::Certain),
            Some(Origin::Literal(text)) => (Origin::Literal(text), Confidence::Certain),
            Some(_) => (Origin::Stored(named.to_owned()), Confidence::Certain),
            None => (Origin::Stored(named.to_owned()), Confidence::Inferred),
        }
    }

    /// What the block of a provider or backend is given.
    fn given(&self, what: &str, called: &str, block: &Block) -> Vec<Sink> {
        let mut sinks = Vec::new();
        for (kind, rule) in
            table().kinds().flat_map(|(index, kind)| kind.terraform.iter().map(move |rule| (index, rule)))
        {
            let named = if what == "backend" { &rule.backend } else { &rule.provider };
            if named.as_deref() != Some(called) {
                continue;
            }
            for (name, value, span) in self.attributes(block) {
                let Some(part) = rule.attributes.get(name) else { continue };
                let (origin, confidence) = self.origin(value);
                let empty = match &origin {
                    Origin::Literal(text) => !literal::looks_secret(text),
                    Origin::Made | Origin::Nothing => true,
                    _ => false,
                };
                if !empty {
                    let sink_name = format!("{what}.{called}.{name}");
                    let why = format!("{what} `{called}` takes it as `{name}`");
                    let sink = self.sink(kind, *part, sink_name, vec![origin], span, why);
                    sinks.push(Sink { confidence, ..sink });
                }
            }
        }
        sinks
    }

    /// A resource that makes a credential, or one that stores such a one in a CI system.
    fn resource(&self, resource: &str, name: &str, block: &Block) -> Vec<Sink> {
        let address = format!("{resource}.{name}");
        let rules =
            table().kinds().flat_map(|(index, kind)| kind.terraform.iter().map(move |rule| (index, rule)));
        let makers: Vec<(usize, &str)> =
            rules.filter_map(|(index, rule)| Some((index, rule.resource.as_deref()?))).collect();
        if let Some((kind, _)) = makers.iter().find(|(_, maker)| *maker == resource) {
            let why =
                format!("`{resource}` makes a key that does not expire by itself, and keeps it in the state");
            return vec![self.sink(
                *kind,
                Part::Secret,
                address.clone(),
                vec![Origin::Stored(address)],
                block.head,
                why,
            )];
        }
        if !STORES.contains(&resource) {
            return Vec::new();
        }
        let named = self
            .attributes(block)
            .find(|(name, _, _)| matches!(*name, "secret_name" | "key" | "name" | "variable_name"));
        let called = named.map(|(_, value, _)| value.trim_matches('"').to_owned()).unwrap_or_default();
        let mut sinks = Vec::new();
        for (_, value, span) in self.attributes(block) {
            for (kind, maker) in &makers {
                let Some((_, after)) = value.split_once(&format!("{maker}.")) else { continue };
                let key = after
                    .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
                    .next()
                    .unwrap_or_default();
                let origin = Origin::Stored(format!("{maker}.{key}"));
                let sink_name =
                    if called.is_empty() { address.clone() } else { format!("{address} ({called})") };
                let why = format!("`{resource}` stores it in a CI system");
                let part = if value.rsplit('.').next() == Some("id") { Part::Id } else { Part::Secret };
                sinks.push(self.sink(*kind, part, sink_name, vec![origin], span, why));
            }
        }
        sinks
    }

    /// A default that is a credential by its looks.
    fn variable(&self, name: &str, block: &Block) -> Option<Sink> {
        let (_, value, span) = self.attributes(block).find(|(attribute, _, _)| *attribute == "default")?;
        let Origin::Literal(text) = origin(value) else { return None };
        let kind = table().index(literal::kind_of(&text)?)?;
        let why = "the value is a credential by its looks".to_owned();
        Some(self.sink(
            kind,
            Part::Secret,
            format!("variable.{name}"),
            vec![Origin::Literal(text)],
            span,
            why,
        ))
    }
}

/// Where a value comes from: a literal, a variable, a file; anything else is made elsewhere.
fn origin(value: &str) -> Origin {
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(text) = quoted {
        return match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(inner) => origin(inner),
            None if text.is_empty() => Origin::Nothing,
            None => Origin::Literal(text.to_owned()),
        };
    }
    if value.starts_with("var.") {
        return Origin::Stored(value.to_owned());
    }
    if let Some(secret) = value.strip_prefix("data.")
        && KEPT.iter().any(|kind| secret.starts_with(kind))
    {
        let address: Vec<&str> = secret.split('.').take(2).collect();
        return Origin::Stored(format!("data.{}", address.join(".")));
    }
    match value.split_once("file(") {
        Some((before, rest)) if before.is_empty() || before.ends_with('(') => {
            Origin::Stored(format!("file {}", rest.trim_end_matches(')').trim_matches('"')))
        }
        _ => Origin::Made,
    }
}
