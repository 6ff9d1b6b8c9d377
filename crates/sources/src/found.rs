use daypass_trust::dialect::{CompileError, CompileOptions, Compiled, Dialect};
use daypass_trust::document::{Location, Node, Problem, Source};

use crate::aws::Providers;
use crate::document::PoolParts;

/// All that was found in the files.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Trust policies, in the order of the files.
    pub policies: Vec<FoundPolicy>,
    /// What looks like trust and cannot be resolved, and the unknown parts of the policies.
    pub unresolved: Vec<Unresolved>,
    /// Files, or parts of them, that are not what they should be.
    pub problems: Vec<Problem>,
    /// How many files were read.
    pub files: usize,
    /// Identity providers of AWS that exports list.
    pub(crate) providers: Providers,
    /// Providers and grants of Google Cloud that exports list.
    pub(crate) pools: PoolParts,
}

/// A trust policy with its place and what its surroundings say about it.
#[derive(Clone, Debug)]
pub struct FoundPolicy {
    /// The language of `tree`.
    pub dialect: Dialect,
    /// The file that `tree` stands in. Its text is that file's, whatever its format.
    pub source: Source,
    /// The document in the dialect's form; its spans point into `source`.
    pub tree: Node,
    /// What people call the role: an address, a role's name, a logical id.
    pub role: String,
    /// Where the role is declared; `tree` may stand elsewhere.
    pub location: Location,
    /// The module, stack or account export that the role is part of, where it has a name.
    pub module: Option<String>,
    /// What kind of file it was read from.
    pub origin: Origin,
    /// What [`daypass_trust::compile_tree`] wants to know besides the document.
    pub options: CompileOptions,
    /// What else the files say about the role.
    pub facts: Facts,
}

/// What the files say about a role beside its trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The role's own name in the cloud, where it is known.
    pub name: Option<String>,
    /// The environment by tags or by a word in the role's name: a hint, never a fact to decide on.
    pub environment: Option<String>,
    /// The longest session that the role allows, in seconds.
    pub max_session: Option<u64>,
    /// Permissions that are visible beside the role: ARNs of managed policies, names of roles of the cloud.
    pub permissions: Vec<String>,
}

/// Kinds of files that trust policies live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A policy document of its own.
    Document,
    /// Terraform or OpenTofu configuration.
    Terraform,
    /// A Terraform plan or state as JSON.
    TerraformPlan,
    /// A CloudFormation, SAM or CDK template.
    CloudFormation,
    /// What a cloud's listing command printed.
    Export,
}

impl Origin {
    /// The name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Terraform => "terraform",
            Self::TerraformPlan => "terraform-plan",
            Self::CloudFormation => "cloudformation",
            Self::Export => "export",
        }
    }
}

/// Something that looks like trust, or is a part of it, and is not known from the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{location}: {construct}: {why}")]
pub struct Unresolved {
    /// Where it stands.
    pub location: Location,
    /// What it is, as it is written.
    pub construct: String,
    /// Why it is not known.
    pub why: String,
}

impl FoundPolicy {
    /// Compiles the policy to the one form.
    pub fn compile(&self) -> Result<Compiled, CompileError> {
        daypass_trust::compile_tree(self.dialect, &self.source, &self.tree, &self.options)
    }
}

impl Found {
    /// Adds what was found elsewhere.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.policies.append(&mut other.policies);
        self.unresolved.append(&mut other.unresolved);
        self.problems.append(&mut other.problems);
        self.providers.append(other.providers);
        self.pools.append(other.pools);
        self.files = self.files.saturating_add(other.files);
    }

    /// Adds a policy, and its unknown parts to what is unresolved.
    pub(crate) fn push(&mut self, policy: FoundPolicy) {
        unknown_parts(&policy.source, &policy.tree, &mut self.unresolved);
        self.policies.push(policy);
    }

    /// Brings everything into the order of the files, without repetitions.
    pub(crate) fn sort(&mut self) {
        self.policies.sort_by(|a, b| (&a.location, &a.role).cmp(&(&b.location, &b.role)));
        self.unresolved.sort();
        self.unresolved.dedup();
        self.problems.sort_by(|a, b| (&a.location, &a.message).cmp(&(&b.location, &b.message)));
        self.problems.dedup();
    }
}

fn unknown_parts(source: &Source, node: &Node, unresolved: &mut Vec<Unresolved>) {
    if let Some(why) = node.unresolved() {
        let construct = excerpt(source.slice(node.span));
        unresolved.push(Unresolved { location: source.at(node.span), construct, why: why.to_owned() });
    }
    for item in node.as_array().unwrap_or_default() {
        unknown_parts(source, item, unresolved);
    }
    for member in node.as_table().unwrap_or_default() {
        unknown_parts(source, &member.node, unresolved);
    }
}

/// The first line of a text, shortened for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let Some(line) = text.trim().lines().next() else { return "(nothing)".to_owned() };
    let short: String = line.chars().take(60).collect();
    if short.len() < text.trim().len() { format!("{short}...") } else { short }
}

/// The environment that a word of a name speaks of.
pub(crate) fn environment_of(name: &str) -> Option<String> {
    const WORDS: [(&str, &str); 9] = [
        ("production", "production"),
        ("prod", "production"),
        ("prd", "production"),
        ("live", "production"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("development", "development"),
        ("dev", "development"),
        ("test", "test"),
    ];
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase);
    words.into_iter().find_map(|word| {
        WORDS.iter().find(|(known, _)| *known == word).map(|(_, environment)| (*environment).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_a_word_and_not_a_part_of_one() {
        assert_eq!(environment_of("deploy-Prod-eu").as_deref(), Some("production"));
        assert_eq!(environment_of("product-catalogue"), None);
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt("  var.x\n"), "var.x");
        assert_eq!(excerpt("{\n a\n}"), "{...");
        assert_eq!(excerpt(" "), "(nothing)");
    }
}
