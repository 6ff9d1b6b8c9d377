//! The table of credential kinds: `data/credentials.toml`, compiled in.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};
use serde::Deserialize;

const DATA: &str = include_str!("../../data/credentials.toml");

/// A kind of stored credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Its name in output: `aws-access-key`.
    pub id: String,
    /// What it opens: a cloud or service.
    pub cloud: String,
    /// What it is.
    pub about: String,
    /// What to use instead, or that nothing is known.
    pub replacement: String,
    /// The page that says so.
    pub source: String,
    /// Whether workload identity can replace it.
    #[serde(default)]
    pub federation: Federation,
    /// Variables that tools read it from, and which part of it each is.
    #[serde(default)]
    pub(super) variables: BTreeMap<String, Part>,
    /// The same with `*` for any run.
    #[serde(default)]
    pub(super) patterns: BTreeMap<String, Part>,
    /// Programs that use it from the environment without a word in the file.
    #[serde(default)]
    pub(super) tools: Vec<String>,
    /// Texts that show that a job gets by with its OIDC token.
    #[serde(default)]
    pub(super) federated: Vec<String>,
    #[serde(default, rename = "use")]
    pub(super) uses: Vec<UseRule>,
    #[serde(default, rename = "command")]
    pub(super) commands: Vec<CommandRule>,
    #[serde(default)]
    pub(super) terraform: Vec<TerraformRule>,
}

/// Whether workload identity can replace a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Federation {
    /// It can, as [`Kind::replacement`] says.
    #[default]
    Known,
    /// No way is known.
    None,
}

/// A part of a credential that comes in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// Which one it is; worth nothing alone.
    Id,
    /// The secret.
    Secret,
    /// A session's token, with which the whole is short-lived.
    Session,
    /// The name of something on the platform that holds the credential: a service connection, a credentials id.
    Connection,
}

/// Inputs of actions, orb commands, pipes, tasks, plugins and Jenkins steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UseRule {
    /// Names without versions, in lower case; one that ends in `*` stands for all that begin so.
    pub(super) of: Vec<String>,
    pub(super) inputs: BTreeMap<String, Part>,
    /// Whether the inputs name variables instead of giving values.
    #[serde(default)]
    pub(super) names_variables: bool,
    /// Inputs with which the credential is not used.
    #[serde(default)]
    pub(super) unless: Vec<String>,
    /// Major versions below this one use `default` where no input says otherwise.
    #[serde(default)]
    pub(super) default_before: u32,
    /// The variables that are then read.
    #[serde(default)]
    pub(super) default: Vec<String>,
    /// Whether the input may hold another kind as well.
    #[serde(default)]
    pub(super) inferred: bool,
    /// The input that names an image registry, which decides the kind.
    pub(super) registry: Option<String>,
}

/// Shell commands that take a secret.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandRule {
    /// Found anywhere in a command, letter case aside.
    pub(super) needle: String,
    /// One of these must be in the command too.
    #[serde(default)]
    pub(super) with: Vec<String>,
    /// None of these may be.
    #[serde(default)]
    pub(super) without: Vec<String>,
    /// What the needle is.
    #[serde(default)]
    pub(super) is: Needle,
    /// Whether the command names an image registry, which decides the kind.
    #[serde(default)]
    pub(super) registry: bool,
    /// Words after which the secret stands: what is written there in plain is one by its looks, or none.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// Whether it takes a stored value in the command to make it one: the words alone say nothing.
    #[serde(default)]
    pub(super) named: bool,
}

/// What a needle is to the command that it is found in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Needle {
    /// Words of it.
    #[default]
    Words,
    /// A file, which it has to write.
    File,
    /// The host of a URL, which has the secret before it: `https://user:secret@host`.
    Host,
}

/// Terraform: attributes of a provider, or a resource that makes such a credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TerraformRule {
    pub(super) provider: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, Part>,
    pub(super) resource: Option<String>,
    /// Where a configuration keeps its state, with attributes of its own.
    pub(super) backend: Option<String>,
}

/// The kinds with indexes over their rules.
#[derive(Debug)]
pub(super) struct Table {
    kinds: Vec<Kind>,
    variables: HashMap<String, (usize, Part)>,
    patterns: Vec<(Vec<String>, usize, Part)>,
    uses: HashMap<String, Vec<(usize, usize)>>,
    use_prefixes: Vec<(String, usize, usize)>,
    commands: AhoCorasick,
    command_rules: Vec<(usize, usize)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kind: Vec<Kind>,
}

/// Every kind that is known, in the order of the table.
pub fn kinds() -> &'static [Kind] {
    &table().kinds
}

/// The kind of that name.
pub fn kind(id: &str) -> Option<&'static Kind> {
    kinds().iter().find(|kind| kind.id == id)
}

pub(super) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        // The file is part of the program and a test reads it: an empty table is what is left to say here.
        let kinds = toml::from_str::<File>(DATA).map(|file| file.kind).unwrap_or_default();
        Table::new(kinds)
    })
}

impl Table {
    fn new(kinds: Vec<Kind>) -> Self {
        let mut variables = HashMap::new();
        let mut patterns: Vec<(Vec<String>, usize, Part)> = Vec::new();
        let mut uses: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
        let mut use_prefixes = Vec::new();
        let (mut needles, mut command_rules) = (Vec::new(), Vec::new());
        for (index, kind) in kinds.iter().enumerate() {
            for (name, part) in &kind.variables {
                variables.entry(name.clone()).or_insert((index, *part));
            }
            for (pattern, part) in &kind.patterns {
                patterns.push((pattern.split('*').map(str::to_owned).collect(), index, *part));
            }
            for (rule_index, rule) in kind.uses.iter().enumerate() {
                for name in &rule.of {
                    match name.strip_suffix('*') {
                        Some(prefix) => use_prefixes.push((prefix.to_owned(), index, rule_index)),
                        None => uses.entry(name.clone()).or_default().push((index, rule_index)),
                    }
                }
            }
            for (rule_index, rule) in kind.commands.iter().enumerate() {
                needles.push(rule.needle.clone());
                command_rules.push((index, rule_index));
            }
        }
        // A name may be like that of an id and of a secret, `X_SECRET_ACCESS_KEY`: it is the secret's.
        patterns.sort_by_key(|(_, _, part)| *part != Part::Secret);
        let commands = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .build(&needles)
            .unwrap_or_else(|_| none());
        Self { kinds, variables, patterns, uses, use_prefixes, commands, command_rules }
    }

    pub(super) fn kind(&self, index: usize) -> Option<&Kind> {
        self.kinds.get(index)
    }

    pub(super) fn index(&self, id: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| kind.id == id)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = (usize, &Kind)> {
        self.kinds.iter().enumerate()
    }

    /// What a variable of that name holds, letter case aside. Terraform's prefix is looked through.
    pub(super) fn variable(&self, name: &str) -> Option<(usize, Part)> {
        let upper = name.to_ascii_uppercase();
        let exact = |name: &str| self.variables.get(name).copied();
        exact(&upper).or_else(|| upper.strip_prefix("TF_VAR_").and_then(exact)).or_else(|| {
            self.patterns
                .iter()
                .find(|(pieces, _, _)| fits(pieces, &upper))
                .map(|(_, kind, part)| (*kind, *part))
        })
    }

    /// The rules for an action, orb command, pipe, task or plugin.
    pub(super) fn uses(&self, name: &str) -> Vec<(usize, &UseRule)> {
        let exact = self.uses.get(name).into_iter().flatten().copied();
        let prefixed = self.use_prefixes.iter().filter(|(prefix, _, _)| name.starts_with(prefix.as_str()));
        let found = exact.chain(prefixed.map(|(_, kind, rule)| (*kind, *rule)));
        found.filter_map(|(kind, rule)| Some((kind, self.kinds.get(kind)?.uses.get(rule)?))).collect()
    }

    /// The rules whose needle is in a script, with where; overlapping ones too.
    pub(super) fn commands<'t>(
        &'t self,
        script: &'t str,
    ) -> impl Iterator<Item = (usize, &'t CommandRule, usize)> {
        self.commands.find_overlapping_iter(script).filter_map(|found| {
            let (kind, rule) = self.command_rules.get(found.pattern().as_usize())?;
            Some((*kind, self.kinds.get(*kind)?.commands.get(*rule)?, found.start()))
        })
    }
}

/// An automaton that finds nothing.
fn none() -> AhoCorasick {
    let nothing: [&str; 0] = [];
    AhoCorasick::new(nothing).unwrap_or_else(|_| none())
}

/// Whether the pieces between stars follow each other in a name.
fn fits(pieces: &[String], name: &str) -> bool {
    let mut rest = name;
    let last = pieces.len().saturating_sub(1);
    for (index, piece) in pieces.iter().enumerate() {
        if index == 0 {
            let Some(after) = rest.strip_prefix(piece.as_str()) else { return false };
            rest = after;
        } else if index == last {
            return rest.ends_with(piece.as_str());
        } else {
            let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
            rest = after;
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_read_and_is_consistent() {
        let file: File = toml::from_str(DATA).unwrap();
        let ids: BTreeSet<&str> = file.kind.iter().map(|kind| kind.id.as_str()).collect();
        assert_eq!(ids.len(), file.kind.len(), "ids are unique");
        let mut names = BTreeSet::new();
        for kind in &file.kind {
            assert!(kind.source.starts_with("https://"), "{}", kind.id);
            assert!(!kind.replacement.is_empty() && !kind.about.is_empty(), "{}", kind.id);
            let none = kind.replacement.starts_with("none is known");
            assert_eq!(none, kind.federation == Federation::None, "{}", kind.id);
            for name in kind.variables.keys().chain(kind.patterns.keys()) {
                assert_eq!(*name, name.to_ascii_uppercase());
                assert!(names.insert(name.clone()), "{name} is in two kinds");
            }
            for name in kind.uses.iter().flat_map(|rule| &rule.of) {
                assert_eq!(*name, name.to_ascii_lowercase());
            }
        }
    }

    #[test]
    fn names_are_looked_up_without_regard_to_case() {
        let found =
            |name: &str| table().variable(name).map(|(index, part)| (table().kinds[index].id.as_str(), part));
        assert_eq!(found("aws_secret_access_key"), Some(("aws-access-key", Part::Secret)));
        assert_eq!(found("PROD_AWS_SECRET_ACCESS_KEY"), Some(("aws-access-key", Part::Secret)));
        assert_eq!(found("TF_VAR_gcp_key"), Some(("gcp-service-account-key", Part::Secret)));
        assert_eq!(found("TF_VAR_arm_client_secret"), Some(("azure-client-secret", Part::Secret)));
        assert_eq!(found("AWS_REGION"), None);
        assert_eq!(found("AWS_ROLE_ARN"), None);
    }

    #[test]
    fn wildcards_and_commands() {
        let kinds = |name: &str| table().uses(name).len();
        assert_eq!((kinds("atlassian/aws-s3-deploy"), kinds("acme/x")), (1, 0));
        let found: Vec<&str> =
            table().commands("AZ LOGIN; vault login x").map(|(_, rule, _)| rule.needle.as_str()).collect();
        assert_eq!(found, ["az login", "vault login"]);
        let pieces = |pattern: &str| pattern.split('*').map(str::to_owned).collect::<Vec<_>>();
        assert!(fits(&pieces("*A*B"), "xAyB") && !fits(&pieces("*A*B"), "BA") && fits(&pieces("A*"), "A"));
    }
}
