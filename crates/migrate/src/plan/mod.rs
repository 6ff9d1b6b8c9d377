//! `daypass.migration.toml`: which stored credential is replaced by which role, when, and how far that has come.
//!
//! ```toml
//! version = 1
//! paths = ["."]                             # where the files lie, seen from this one
//! evidence = { runs = 5, unused = "30d" }   # what a retirement asks for
//! [target.aws]                              # where roles live that say nothing else
//! account = "111122223333"
//! [[repository]]                            # what no pipeline file tells about its repository
//! path = "shop"                             # the folder that it was checked out to; "" for the top
//! platform = "github-actions"
//! default_branch = "main"
//! claims = { repository = "acme/shop", repository_id = "2002", repository_owner_id = "1001" }
//! [[group]]                                 # credentials that can do the same, or part of it
//! name = "aws-s3-write"
//! cloud = "aws"
//! grade = "inferred"                        # or "certain", from IAM policies
//! [[role]]                                  # one for each group and environment
//! name = "aws-s3-write-shop-production"
//! cloud = "aws"
//! group = "aws-s3-write"
//! environment = "production"
//! wave = 3                                  # non-production comes first
//! session = "1h"
//! target = { account = "444455556666" }     # where the role lives, less what [target.aws] says
//! [[credential]]
//! id = "cred-0123456789abcdef"
//! kind = "aws-access-key"
//! cloud = "aws"
//! file = "shop/.github/workflows/deploy.yml"
//! line = 12
//! source = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
//! confidence = "certain"
//! group = "aws-s3-write"
//! principal = "arn:aws:iam::111122223333:user/shop-deploy"   # whose it is, and
//! key = "AKIAIOSFODNN7EXAMPLE"              # the id by which logs know it: for people to fill in
//! state = "planned"                         # planned, cut-over, retired, kept
//! [[credential.use]]
//! job = "deploy"
//! role = "aws-s3-write-shop-production"
//! ```
//!
//! People and `draw` write the file in turns: what somebody has written stays, what is new is added, and a credential that
//! the files no longer have is marked `present = false`.

mod draw;
mod environment;
mod facts;
pub mod privilege;
mod read;
mod words;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use daypass_claims::Issuer;
use daypass_pipelines::inventory::Confidence;
use daypass_pipelines::{Platform, RepositoryFacts};
use daypass_trust::document::{Problem, Span};
use serde::Serialize;

use crate::Cloud;

pub use draw::{Drawn, draw};
pub use write::mark;

/// The name that the file usually has.
pub const FILE_NAME: &str = "daypass.migration.toml";

/// A migration, as its file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Where the files lie, seen from the plan's folder.
    pub paths: Vec<String>,
    /// Where roles of a cloud live that say nothing else.
    pub targets: BTreeMap<Cloud, BTreeMap<String, String>>,
    /// What a retirement asks for where the credential says nothing else.
    pub evidence: Required,
    /// What no pipeline file tells.
    pub repositories: Vec<Repository>,
    /// Credentials by what they can do.
    pub groups: Vec<Group>,
    /// What replaces them.
    pub roles: Vec<Role>,
    /// The stored credentials.
    pub credentials: Vec<Planned>,
}

/// The evidence that a retirement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Required {
    /// Successful runs of each job with its role.
    pub runs: u64,
    /// How long nobody may have used the stored credential.
    #[serde(skip)]
    pub unused: Duration,
}

/// A repository, with what no pipeline file tells about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository {
    /// The folder that it was checked out to; empty for the top.
    pub path: String,
    /// Whose pipelines it has.
    pub platform: Platform,
    /// Who mints its jobs' tokens, where the platform has several issuers.
    pub issuer: Option<Issuer>,
    /// The form of its subjects, a name of the catalogue, where the platform has several.
    pub subjects: Option<String>,
    /// What mintable tokens are made from.
    pub facts: RepositoryFacts,
}

/// Credentials that can do the same, or part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it opens.
    pub cloud: String,
    /// How its privileges are known.
    pub grade: Grade,
    /// Whether it can do anything, or give itself the right to.
    pub admin: bool,
    /// What it can do: actions where that is certain, services and levels where it is inferred.
    pub permits: Vec<String>,
}

/// How privileges are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// From the policies of the account.
    Certain,
    /// From the commands that the jobs run.
    Inferred,
}

/// What replaces stored credentials: a role, service account or application.
#[derive(Clone, Debug, PartialEq)]
pub struct Role {
    /// Its name, unique in the plan.
    pub name: String,
    /// The cloud that it belongs to.
    pub cloud: Cloud,
    /// The group whose privileges it has.
    pub group: String,
    /// The environment that bounds it; `None` where the jobs name none.
    pub environment: Option<String>,
    /// When it is its turn, from 1.
    pub wave: u64,
    /// How long its sessions last.
    pub session: Duration,
    /// The users and accounts whose permissions it takes over.
    pub principals: Vec<String>,
    /// Where it lives: `account`, `service_account`, `tenant_id` and the like ([`Cloud::target_keys`]), with what the plan
    /// says of all roles of the cloud.
    pub target: BTreeMap<String, String>,
    /// Where the plan says so.
    pub span: Span,
}

/// A stored credential and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The id that the inventory gives it.
    pub id: String,
    /// The kind, a key of the inventory's table.
    pub kind: String,
    /// What it opens.
    pub cloud: String,
    /// The file that binds it.
    pub file: String,
    /// The 1-based line.
    pub line: u64,
    /// Where its parts come from.
    pub source: String,
    /// How sure the finding is.
    pub confidence: Confidence,
    /// The user or account that it belongs to.
    pub principal: Option<String>,
    /// The id by which logs know it: an access key id, the id of a service account's key.
    pub key: Option<String>,
    /// The group that it is in.
    pub group: Option<String>,
    /// What uses it.
    pub uses: Vec<Use>,
    /// How far it has come.
    pub state: State,
    /// Why it stays, where it does.
    pub why: Option<String>,
    /// Whether the files still have it.
    pub present: bool,
    /// The evidence that its retirement asks for, where that is not the plan's usual.
    pub evidence: Option<Required>,
    /// Where the plan says so.
    pub span: Span,
}

/// A job that uses a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The job, with the jobs that call it in front: `release / deploy`. Empty for Terraform, which has none.
    pub job: String,
    /// The role that it is to assume instead; `None` where no role replaces the credential.
    pub role: Option<String>,
}

/// How far a credential has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its jobs still use it.
    Planned,
    /// Its jobs use their roles; it still works.
    CutOver,
    /// It is gone.
    Retired,
    /// It stays, for a reason that is written down.
    Kept,
}

/// The text is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PlanError {
    /// Everything that is wrong, in the order of the source.
    pub problems: Vec<Problem>,
}

impl Default for Required {
    /// Five runs, thirty days.
    fn default() -> Self {
        Self { runs: 5, unused: Duration::from_secs(30 * 86_400) }
    }
}

impl State {
    /// Every state, in the order in which they come.
    pub const ALL: [Self; 4] = [Self::Planned, Self::CutOver, Self::Retired, Self::Kept];

    /// The word in the plan.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::CutOver => "cut-over",
            Self::Retired => "retired",
            Self::Kept => "kept",
        }
    }
}

impl Grade {
    /// The word in the plan.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Inferred => "inferred",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Plan {
    /// The role of a name.
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }

    /// The group of a name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// The credential of an id.
    pub fn credential(&self, id: &str) -> Option<&Planned> {
        self.credentials.iter().find(|credential| credential.id == id)
    }

    /// The jobs that are to assume a role, with the files that start them.
    pub fn jobs_of<'p>(&'p self, role: &'p str) -> impl Iterator<Item = (&'p str, &'p str)> {
        let live = self.credentials.iter().filter(|it| it.state != State::Kept);
        live.flat_map(move |credential| {
            let uses = credential.uses.iter().filter(move |it| it.role.as_deref() == Some(role));
            uses.map(move |one| (credential.file.as_str(), one.job.as_str()))
        })
    }

    /// The repository that a file is of: the one with the longest folder.
    pub fn repository(&self, file: &str) -> Option<&Repository> {
        let holds =
            |path: &str| path.is_empty() || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        let found = self.repositories.iter().filter(|it| holds(&it.path));
        found.max_by_key(|it| it.path.len())
    }

    /// The wave in which a credential's last job moves; `None` where no role replaces it.
    pub fn wave(&self, credential: &Planned) -> Option<u64> {
        let roles = credential.uses.iter().filter_map(|one| self.role(one.role.as_deref()?));
        roles.map(|role| role.wave).max()
    }

    /// The evidence that a credential's retirement asks for.
    pub fn required(&self, credential: &Planned) -> Required {
        credential.evidence.unwrap_or(self.evidence)
    }
}
