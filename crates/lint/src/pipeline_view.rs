//! A pipeline, as the rules about pipelines look at it.

use daypass_pipelines::{Job, Pipeline, Place, Tree};
use daypass_sources::{FILE_LIMIT, FileTree};
use daypass_trust::document::Source;

use crate::finding::Draft;

/// A pipeline with its text.
#[derive(Debug)]
pub(crate) struct PipelineView<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) source: &'a Source,
}

impl PipelineView<'_> {
    /// A finding about a job, at a place of it.
    pub(crate) fn at(&self, job: &Job, place: &Place, message: impl Into<String>) -> Draft {
        Draft::new(self.source, self.own(job, place).span, &job.path(), message)
    }

    /// A finding about all jobs of the file.
    pub(crate) fn everywhere(&self, place: &Place, message: impl Into<String>) -> Draft {
        Draft::new(self.source, place.span, "every job", message)
    }

    /// The place itself if it is in this file, else that of the job that calls the other file.
    fn own<'p>(&'p self, job: &'p Job, place: &'p Place) -> &'p Place {
        if *place.file == *self.pipeline.file {
            return place;
        }
        let caller = job.via.first().and_then(|id| self.pipeline.jobs.iter().find(|it| it.id == *id));
        caller.map_or(&job.place, |caller| &caller.place)
    }
}

/// The files around a pipeline.
///
/// A platform looks for local actions and included files from the top of the repository, which is where the folder of its
/// own files begins: paths are tried from there, then as they are.
pub(crate) struct Surroundings<'a> {
    pub(crate) tree: &'a dyn FileTree,
    pub(crate) path: &'a str,
}

impl Surroundings<'_> {
    fn top(&self) -> &str {
        let folders = ["/.github/", "/.forgejo/", "/.gitea/", "/.circleci/", "/.buildkite/", "/.gitlab/"];
        let ends = folders.iter().filter_map(|folder| self.path.split_once(folder).map(|(top, _)| top));
        ends.min_by_key(|top| top.len()).unwrap_or_default()
    }
}

impl Tree for Surroundings<'_> {
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        let top = self.top();
        let from_top = (!top.is_empty()).then(|| format!("{top}/{path}"));
        let tried = from_top.iter().map(String::as_str).chain([path]);
        tried.into_iter().find_map(|path| self.tree.read(path, FILE_LIMIT).ok())
    }
}
