use std::sync::Arc;

use daypass_trust::document::Location;

use crate::yaml::{self, YamlError};
use crate::{Pipeline, Platform, Tree, github, recognise};

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
    let documents = yaml::parse(&file, bytes)?;
    let document = documents.iter().find(|document| document.is_mapping());
    let Some(document) = document else {
        let at = documents.first().map(|node| node.place.location());
        let start = Location { file: Arc::clone(&file), line: 1, column: 1 };
        return Err(ReadError::NotAMapping(at.unwrap_or(start)));
    };
    match platform {
        Platform::GitHubActions => Ok(github::read(&file, document, tree)),
        _ => Err(ReadError::NotAPipeline(file)),
    }
}
