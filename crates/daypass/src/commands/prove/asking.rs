use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_claims::Issuer;
use daypass_prove::{Estate, Home, Options};
use daypass_sources::{Found, FoundPolicy, MemoryTree, find};
use daypass_trust::document::Source;
use daypass_trust::{CompileOptions, Dialect, Policy, compile};

use crate::commands::files;
use crate::disk::DiskTree;
use crate::failure::{Failure, Result};

/// The name that an estate file is looked for under.
const FILE_NAME: &str = "daypass.estate.toml";

/// What is known beside the policies.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is known")]
pub(crate) struct Known {
    /// Where the role belongs: owner, owner_id, repo, repo_id, ref, environment or audience. Repeatable. What is not given is
    /// read off the policy.
    #[arg(long = "home", value_name = "KEY=VALUE")]
    home: Vec<String>,
    /// Ask about this issuer's tokens, whatever issuers the policy names.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The account that the role lives in.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// What is ours: organisations, repositories, providers. Found beside the policy or above it unless given.
    #[arg(long, value_name = "FILE")]
    estate: Option<Utf8PathBuf>,
}

impl Known {
    /// For questions about what stands at `path`.
    pub(crate) fn options(&self, path: &Utf8Path) -> Result<Options> {
        let issuer = self.issuer.as_deref().map(Issuer::parse).transpose();
        Ok(Options {
            account: self.account.clone(),
            issuer: issuer.map_err(|error| Failure::usage(format!("--issuer: {error}")))?,
            estate: self.estate(path)?,
            ..Options::default()
        })
    }

    /// Where the role belongs, if anything was said of it.
    pub(crate) fn home(&self) -> Result<Option<Home>> {
        if self.home.is_empty() {
            return Ok(None);
        }
        let home = Home::from_pairs(self.home.iter().map(String::as_str));
        home.map(Some).map_err(|error| Failure::usage(format!("--home: {error}")))
    }

    fn estate(&self, path: &Utf8Path) -> Result<Estate> {
        estate(self.estate.as_deref(), path)
    }
}

/// What is ours, by the given file, or by the one in the folder of a path or above it.
pub(crate) fn estate(file: Option<&Utf8Path>, path: &Utf8Path) -> Result<Estate> {
    let Some(file) = file.map(Utf8Path::to_owned).or_else(|| nearest(path)) else {
        return Ok(Estate::default());
    };
    let source = files::read(&file)?;
    Estate::parse(&source).map_err(|error| Failure::input(error.problems, vec![source]))
}

/// The estate file in the folder of a path, or above it.
fn nearest(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let here = Utf8PathBuf::from_path_buf(std::env::current_dir().ok()?).ok()?;
    let full = here.join(path);
    full.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
}

/// Which policy.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which policy")]
pub(crate) struct Choice {
    /// The policy's dialect, where its content does not tell: aws, azure, daypass, gcp, vault.
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
    /// The role, where a file has several.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
}

/// A policy to ask about.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What the role is called.
    pub(crate) role: String,
    /// Its trust.
    pub(crate) policy: Policy,
}

/// Every policy below a path.
pub(super) fn all(path: &Utf8Path) -> Result<Vec<Asked>> {
    let Found { policies, problems, .. } = find(&[path.as_str()], &DiskTree::here());
    if policies.is_empty() && !problems.is_empty() {
        let sources = problems.iter().filter_map(|problem| source(&problem.location.file)).collect();
        return Err(Failure::input(problems, sources));
    }
    let compiled = policies.into_iter().map(|found| match found.compile() {
        Ok(compiled) => Ok(Asked { role: found.role, policy: compiled.policy }),
        Err(error) => Err(Failure::input(error.problems, vec![found.source])),
    });
    compiled.collect()
}

impl Choice {
    /// Reads the one policy that is meant.
    pub(crate) fn read(&self, path: &Utf8Path) -> Result<Asked> {
        if let Some(name) = &self.dialect {
            let dialect: Dialect =
                name.parse().map_err(|error| Failure::usage(format!("--dialect: {error}")))?;
            let source = files::read(path)?;
            let compiled = compile(dialect, &source, &CompileOptions::default())
                .map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
            return Ok(Asked {
                role: path.file_stem().unwrap_or(path.as_str()).to_owned(),
                policy: compiled.policy,
            });
        }
        let mut policies = self.find(path)?;
        let (Some(found), true) = (policies.pop(), policies.is_empty()) else {
            return Err(Failure::usage(format!("`{path}` has several roles; name one with --role")));
        };
        let compiled =
            found.compile().map_err(|error| Failure::input(error.problems, vec![found.source.clone()]))?;
        Ok(Asked { role: found.role, policy: compiled.policy })
    }

    /// The policies of a file or folder that have the role's name, or all of them.
    fn find(&self, path: &Utf8Path) -> Result<Vec<FoundPolicy>> {
        let found = if path == "-" {
            let source = files::read(path)?;
            let tree = MemoryTree::new().with(source.name(), source.text());
            find(&[source.name()], &tree)
        } else {
            find(&[path.as_str()], &DiskTree::here())
        };
        let Found { policies, problems, unresolved, .. } = found;
        let names: Vec<String> = policies.iter().map(|policy| policy.role.clone()).collect();
        let named = |policy: &FoundPolicy| {
            self.role.as_ref().is_none_or(|role| {
                policy.role == *role || policy.facts.name.as_ref().is_some_and(|name| name == role)
            })
        };
        let chosen: Vec<FoundPolicy> = policies.into_iter().filter(named).collect();
        if !chosen.is_empty() {
            if chosen.len() > 1 {
                return Err(Failure::usage(format!(
                    "`{path}` has several roles; name one with --role: {}",
                    names.join(", ")
                )));
            }
            return Ok(chosen);
        }
        if let (Some(role), false) = (&self.role, names.is_empty()) {
            return Err(Failure::usage(format!("`{path}` has no role `{role}`, but {}", names.join(", "))));
        }
        if !problems.is_empty() {
            let sources = problems.iter().filter_map(|problem| source(&problem.location.file)).collect();
            return Err(Failure::input(problems, sources));
        }
        let why: Vec<String> = unresolved.iter().map(ToString::to_string).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        Err(Failure::usage(format!("there is no trust policy in `{path}`{why}")))
    }
}

/// The text of a file that a problem is in, for showing its lines.
fn source(name: &str) -> Option<Source> {
    files::read_text(Utf8Path::new(name)).ok()
}
