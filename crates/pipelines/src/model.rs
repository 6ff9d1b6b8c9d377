//! What all CI platforms' files have in common, with places.
//!
//! The model keeps what trust, migration and lint rules ask about. What a file leaves open (an expression, a remote
//! template) stays visible: as the text it is, as [`Condition::Unknown`], or as a [`Note`].

use std::sync::Arc;

use daypass_issuers::ValueSet;

use crate::{Condition, Place, Platform, Text};

/// One file that starts or defines jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Whose file it is.
    pub platform: Platform,
    /// The file.
    pub file: Arc<str>,
    /// What the file is to its platform.
    pub role: Role,
    /// Its name, where it gives itself one.
    pub name: Option<Text>,
    /// What sets it off. Empty where the platform's settings decide and the file says nothing.
    pub triggers: Vec<Trigger>,
    /// Variables that every job sees.
    pub env: Vec<Variable>,
    /// What it grants the jobs' platform token, if it says so at the top.
    pub permissions: Option<Permissions>,
    /// The jobs, those of called local workflows after the jobs that call them.
    pub jobs: Vec<Job>,
    /// What was not followed or understood.
    pub notes: Vec<Note>,
}

/// What a file is to its platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Events set it off.
    Pipeline,
    /// Only other files call it: a reusable workflow, a template.
    Callable,
    /// Steps that jobs of other files use: a composite action, an orb.
    Action,
}

/// An event that sets a pipeline off.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The platform's word: `push`, `merge_request_event`, `schedule`.
    pub event: Text,
    /// Who can bring it about.
    pub who: Who,
    /// The branches on which it does; for a pull request its target branch.
    pub branches: ValueSet,
    /// The tags on which it does.
    pub tags: ValueSet,
    /// The kinds of the event that count, such as `opened`; empty for the platform's own choice.
    pub types: Vec<Text>,
    /// Whether only changes of some paths set it off.
    pub paths: bool,
}

/// Who can set a job off, and with whose version of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// Whoever can push to a branch or tag that counts.
    Writer,
    /// The author of a pull or merge request, with the request's own version of the pipeline file.
    PullRequest,
    /// The author of a pull request, forks included, but with the target branch's version and rights
    /// (`pull_request_target`).
    PullRequestTarget,
    /// Another pipeline's run, whoever set that one off (`workflow_run`, `pipeline`).
    Follows,
    /// Anyone with an account, by a comment or the like, with the default branch's version.
    Outsider,
    /// The clock, on the default branch or one that was chosen.
    Clock,
    /// A person who may run pipelines, on a ref of their choice.
    Person,
    /// Whatever calls it: another workflow or pipeline.
    Caller,
    /// Something else that only writers or administrators can bring about.
    Other,
}

/// A job: the unit that gets a machine and a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its key or label. Unnamed ones are called by their place in the file.
    pub id: Text,
    /// The name it is shown under.
    pub name: Option<Text>,
    /// The whole of its definition.
    pub place: Place,
    /// The calling jobs, outermost first, where the job is defined by a called workflow.
    pub via: Vec<Text>,
    /// What must hold for it to run besides the triggers.
    pub condition: Condition,
    /// The environment that it deploys to.
    pub environment: Option<Environment>,
    /// CircleCI's contexts and the like: named groups of secrets.
    pub contexts: Vec<Text>,
    /// Whether it may have an OIDC token, and where that is said.
    pub id_token: IdToken,
    /// What it grants its platform token, if the job itself says so.
    pub permissions: Option<Permissions>,
    /// The tokens that the file asks for by name or audience.
    pub requests: Vec<TokenRequest>,
    /// The workflow or template that the job is a call of.
    pub calls: Option<Call>,
    /// Where the file that defines the job lies if it is not the pipeline's own: `./.github/workflows/deploy.yml`.
    pub defined_in: Option<Arc<str>>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Variables of the job, and of stages and defaults that it is part of; the pipeline's own are not repeated.
    pub env: Vec<Variable>,
    /// Whose machine it runs on.
    pub runner: Runner,
    /// The images it runs in and beside.
    pub images: Vec<Image>,
    /// The jobs that it waits for.
    pub needs: Vec<Text>,
    /// The values that a matrix gives to names, where they are written out.
    pub matrix: Vec<(Text, Vec<Text>)>,
}

/// Whether a job may have an OIDC token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdToken {
    /// Yes; where that is said, and whether it is said for this job alone.
    Granted {
        /// The words that grant it.
        place: Place,
        /// Said for every job of the file.
        by_default: bool,
    },
    /// Yes: every job of the platform may.
    Always,
    /// No, and where it is said; `None` where nothing is said.
    Denied(Option<Place>),
    /// The calling file or the project's settings decide.
    Unknown(String),
}

impl IdToken {
    /// Whether the job may have a token; `None` where the file does not tell.
    pub const fn allowed(&self) -> Option<bool> {
        match self {
            Self::Granted { .. } | Self::Always => Some(true),
            Self::Denied(_) => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

/// A token that a file asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRequest {
    /// The variable that gets it, where the file names one.
    pub variable: Option<Text>,
    /// Its audiences; empty for the platform's own.
    pub audiences: Vec<Text>,
    /// Where it is asked for.
    pub place: Place,
}

/// Permissions of the platform's own token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permissions {
    /// Where they are given.
    pub place: Place,
    /// What they are.
    pub grants: Grants,
}

/// What [`Permissions`] say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grants {
    /// `read-all`.
    ReadAll,
    /// `write-all`.
    WriteAll,
    /// Scope by scope; what is left out is `none`.
    Scopes(Vec<(Text, Text)>),
    /// Something else.
    Unknown(Text),
}

impl Permissions {
    /// `write`, `read` or `none` for a scope such as `id-token`, and where it is said.
    pub fn level(&self, scope: &str) -> (&str, &Place) {
        match &self.grants {
            Grants::ReadAll => (if scope == "id-token" { "none" } else { "read" }, &self.place),
            Grants::WriteAll => ("write", &self.place),
            Grants::Scopes(scopes) => {
                let found = scopes.iter().rev().find(|(name, _)| name.as_str() == scope);
                found.map_or(("none", &self.place), |(_, level)| (level.as_str(), &level.place))
            }
            Grants::Unknown(_) => ("none", &self.place),
        }
    }
}

/// An environment that a job deploys to.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// The name as written.
    pub name: Text,
    /// The names that it can be.
    pub names: ValueSet,
    /// What the job does there: `start` unless it says otherwise (GitLab's `environment:action`).
    pub action: Option<Text>,
}

/// A reusable workflow or template that a job calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What is called.
    pub target: Uses,
    /// Its inputs.
    pub inputs: Vec<Variable>,
    /// The secrets that are passed by name.
    pub secrets: Vec<Variable>,
    /// Where all secrets are passed at once (`secrets: inherit`).
    pub inherits: Option<Place>,
    /// Whether the target was read, as far as it lies in the same tree.
    pub followed: bool,
}

/// A step, with what it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name or key.
    pub name: Option<Text>,
    /// The whole of its definition.
    pub place: Place,
    /// The action, orb command, pipe, task or plugin.
    pub uses: Option<Uses>,
    /// What that is given.
    pub inputs: Vec<Variable>,
    /// What it runs in a shell.
    pub scripts: Vec<Text>,
    /// Variables of the step alone.
    pub env: Vec<Variable>,
    /// What must hold for it to run.
    pub condition: Condition,
    /// The local composite actions or commands that it was reached through, outermost first.
    pub via: Vec<Text>,
}

/// A reference to something that others wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uses {
    /// As written.
    pub text: Text,
    /// The name without the version, lower-cased: `aws-actions/configure-aws-credentials`, `circleci/aws-cli/setup`.
    pub name: String,
    /// The version, tag, branch or commit; `None` where none is given.
    pub version: Option<String>,
}

impl Uses {
    /// Whether the version is one that nobody can move: a commit, or a digest of an image.
    pub fn is_pinned(&self) -> bool {
        let hexadecimal =
            |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit());
        self.is_local()
            || self.version.as_deref().is_some_and(|version| {
                hexadecimal(version) || version.strip_prefix("sha256:").is_some_and(hexadecimal)
            })
    }

    /// Whether it lies in the same repository.
    pub fn is_local(&self) -> bool {
        self.text.as_str().starts_with("./") || self.text.as_str().starts_with('/')
    }

    /// The first number of the version: 4 of `v4.1` and of `4.1.2`.
    pub fn major(&self) -> Option<u32> {
        let version = self.version.as_deref()?.trim_start_matches('v');
        version.split('.').next()?.parse().ok()
    }
}

/// A name that is given a value: a variable, an input, a passed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The name.
    pub name: Text,
    /// The value as written; empty where the file does not give one.
    pub value: Text,
    /// How far it is seen.
    pub scope: Scope,
}

/// How far a [`Variable`] is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// In every job of the file.
    Pipeline,
    /// In the jobs of a stage or group.
    Stage,
    /// In one job.
    Job,
    /// In one step.
    Step,
}

/// Whose machine a job runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runner {
    /// The platform's.
    Hosted,
    /// The organisation's own; where that is said.
    SelfHosted(Text),
    /// The file does not tell.
    Unknown,
}

/// A container image with the credentials to pull it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The image.
    pub name: Text,
    /// User names, passwords and keys for its registry.
    pub credentials: Vec<Variable>,
}

/// Something that was not followed or understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What, in the words of an error: lower-case, no full stop.
    pub what: String,
}

impl Pipeline {
    /// The jobs that this file itself defines.
    pub fn own_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.via.is_empty())
    }

    /// Whether it can be set off so.
    pub fn is_triggered_by(&self, who: Who) -> bool {
        self.triggers.iter().any(|trigger| trigger.who == who)
    }
}

impl Job {
    /// The job's id after those of its callers: `release / deploy`.
    pub fn path(&self) -> String {
        let ids = self.via.iter().chain([&self.id]).map(Text::as_str);
        ids.collect::<Vec<_>>().join(" / ")
    }

    /// The steps that use an action, by its name without the version.
    pub fn steps_using<'j>(&'j self, name: &'j str) -> impl Iterator<Item = &'j Step> {
        self.steps.iter().filter(move |step| step.uses.as_ref().is_some_and(|uses| uses.name == name))
    }
}

impl Step {
    /// What an input is given; names are compared without regard to letter case.
    pub fn input(&self, name: &str) -> Option<&Text> {
        let found = self.inputs.iter().find(|input| input.name.as_str().eq_ignore_ascii_case(name));
        found.map(|input| &input.value)
    }
}
