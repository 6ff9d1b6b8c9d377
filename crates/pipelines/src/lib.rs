#![doc = include_str!("../README.md")]

mod azure;
mod bitbucket;
mod braces;
mod buildkite;
mod circleci;
mod condition;
mod github;
mod gitlab;
pub mod inventory;
mod jenkins;
mod mintable;
mod model;
mod place;
mod platform;
mod read;
mod recognise;
mod tree;
pub mod yaml;

pub use condition::{Condition, DEFAULT_BRANCH, Fact, matches};
pub use daypass_issuers::{Mintable, ValuePattern, ValueSet};
pub use mintable::{RepositoryFacts, mintable};
pub use model::{
    Call, Environment, Grants, IdToken, Image, Job, Note, Permissions, Pipeline, Role, Runner, Scope, Step,
    TokenRequest, Trigger, Uses, Variable, Who,
};
pub use place::{Place, Style, Text};
pub use platform::Platform;
pub use read::{ReadError, read, read_as};
pub use recognise::{expected, may_be_pipeline, recognise};
pub use tree::{NoTree, Tree};
