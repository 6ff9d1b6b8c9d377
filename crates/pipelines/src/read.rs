use std::sync::Arc;

use daypass_trust::document::Location;

use crate::yaml::{self, YamlError};
use crate::{
    Pipeline, Platform, Tree, azure, bitbucket, buildkite, circleci, github, gitlab, jenkins, recognise,
};

/// Why a file is not read as a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is no platform's file, by path or content.
    #[error("{0}: neither path nor content is a pipeline's")]
    NotAPipeline(Arc<str>),
    /// It is not YAML, or costs too much.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It is YAML, but not a mapping with names.
    #[error("{0}: a pipeline is a mapping")]
    NotAMapping(Location),
}

/// Reads a pipeline file of whichever platform it is. Other files that it names are looked for in the tree.
///
/// What the file leaves open or names elsewhere is in [`Pipeline::notes`]: only a file that cannot be read as a whole is
/// an error.
pub fn read(path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<Pipeline, ReadError> {
    let platform = recognise(path, bytes).ok_or_else(|| ReadError::NotAPipeline(path.into()))?;
    read_as(platform, path, bytes, tree)
}

/// Reads a file as one of a platform.
pub fn read_as(platform: Platform, path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<Pipeline, ReadError> {
    let file: Arc<str> = Arc::from(path);
    if platform == Platform::Jenkins {
        return Ok(jenkins::read(&file, yaml::text(&file, bytes, yaml::Limits::default())?));
    }
    let documents = yaml::parse(&file, bytes)?;
    let document = documents.iter().find(|document| document.is_mapping());
    let pipeline = match platform {
        Platform::GitHubActions => document.map(|document| github::read(&file, document, tree)),
        Platform::AzurePipelines => document.map(|document| azure::read(&file, document, tree)),
        Platform::Bitbucket => document.map(|document| bitbucket::read(&file, document)),
        Platform::Buildkite => documents
            .first()
            .filter(|node| node.is_mapping() || !node.items().is_empty())
            .map(|document| buildkite::read(&file, document)),
        Platform::CircleCi => document.map(|document| circleci::read(&file, document)),
        Platform::GitLab => gitlab::read(&file, &documents, tree),
        Platform::Jenkins | Platform::Terraform => return Err(ReadError::NotAPipeline(file)),
    };
    pipeline.ok_or_else(|| {
        let at = documents.first().map(|node| node.place.location());
        let start = Location { file: Arc::clone(&file), line: 1, column: 1 };
        ReadError::NotAMapping(at.unwrap_or(start))
    })
}
