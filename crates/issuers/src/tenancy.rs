use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::{Guard, Slot, Template};

/// Which claims bind a token to one organisation and to one repository.
///
/// Each entry is a claim, a piece of one (`repository|segment 0`), or a part that only `sub` or `iss` carry.
/// Binding any one of a list is enough. On an issuer that unrelated tenants share, trust that binds no organisation
/// admits strangers, and trust that binds names alone admits whoever takes the name over.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tenants {
    /// Immutable ids of the organisation, or of an enterprise that it belongs to.
    pub organisation: Vec<Slot>,
    /// Renameable names of the organisation.
    pub organisation_names: Vec<Slot>,
    /// Immutable ids of the repository, or of what stands in its place.
    pub repository: Vec<Slot>,
    /// Renameable names of the repository.
    pub repository_names: Vec<Slot>,
}

/// Which claims answer the common questions about a job.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selectors {
    /// The CI run, for revoking what one run was given.
    pub run: Option<Template>,
    /// The repository, for revoking what one repository was given: by id where the token always has one.
    pub repository: Option<Template>,
    /// The environment that the job deploys to. The claim may be a list (CircleCI's contexts).
    pub environment: Option<Slot>,
    /// The branch or tag.
    #[serde(rename = "ref")]
    pub git_ref: Option<Slot>,
}

/// How a token shows that its job was set off by something less trusted than a push.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UntrustedTrigger {
    /// True of such tokens.
    pub when: Guard,
    /// What kind of trigger it is.
    pub kind: TriggerKind,
    /// What it means for a relying party.
    pub about: String,
}

/// Kinds of triggers that a production role should not be reachable by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TriggerKind {
    /// A pull or merge request, or something that one sets off.
    PullRequest,
    /// Something that any account of the platform can do to a public repository, such as writing a comment.
    Outsider,
    /// A person at the wheel: a debug session, a personal build, a settings page that tests a connection.
    Interactive,
}

impl TriggerKind {
    /// The word on the reference page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PullRequest => "pull request",
            Self::Outsider => "outsider",
            Self::Interactive => "interactive",
        }
    }
}

impl Tenants {
    /// Every entry of the four lists.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        [&self.organisation, &self.organisation_names, &self.repository, &self.repository_names]
            .into_iter()
            .flatten()
    }
}

impl Selectors {
    /// Every claim that a selector looks at.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        let templates = [&self.run, &self.repository].into_iter().flatten().flat_map(Template::slots);
        templates.chain([&self.environment, &self.git_ref].into_iter().flatten())
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
