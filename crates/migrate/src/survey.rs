use std::collections::HashSet;

use daypass_pipelines::inventory::{self, Credential};
use daypass_pipelines::{Job, Note, Pipeline, Platform, ReadError, Tree, expected, read_as, recognise};
use daypass_prove::Estate;

/// What was read of an organisation: pipelines, and the stored credentials that they use.
#[derive(Debug, Default)]
pub struct Survey {
    paths: Vec<String>,
    estate: Estate,
    pipelines: Vec<Pipeline>,
    credentials: Vec<Credential>,
    ids: HashSet<String>,
    unread: Vec<String>,
}

impl Survey {
    /// Nothing was read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says below which paths the files lie, as the plan is to name them, so that later steps read the same ones.
    #[must_use]
    pub fn over(mut self, paths: Vec<String>) -> Self {
        self.paths = paths;
        self
    }

    /// Takes names and ids of repositories from an estate.
    #[must_use]
    pub fn knowing(mut self, estate: Estate) -> Self {
        self.estate = estate;
        self
    }

    /// Reads a file of whichever platform it is. Files that it names are looked for in the tree. Gives back what was not
    /// followed, where credentials may lie too.
    pub fn add(&mut self, path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<Vec<Note>, ReadError> {
        // A file that stands where a platform looks is held to be the platform's, so that it is not passed over in silence.
        let platform = recognise(path, bytes)
            .or_else(|| expected(path))
            .ok_or_else(|| ReadError::NotAPipeline(path.into()))?;
        let (found, notes) = if platform == Platform::Terraform {
            let found = inventory::inventory_as(platform, path, bytes, tree)?;
            (found.credentials, found.notes)
        } else {
            let pipeline = read_as(platform, path, bytes, tree)?;
            let (found, notes) = (inventory::credentials(&pipeline), pipeline.notes.clone());
            self.pipelines.push(pipeline);
            (found, notes)
        };
        // A file that several others include gives the same findings with each.
        let ids = &mut self.ids;
        self.credentials.extend(found.into_iter().filter(|one| ids.insert(one.id.clone())));
        Ok(notes)
    }

    /// Takes down that a file or a folder could not be read, so that nobody takes what lies there for gone. `""` is everything.
    pub fn miss(&mut self, path: &str) {
        self.unread.push(path.to_owned());
    }

    /// Whether what a file has is not known, as it could not be read.
    pub fn is_unread(&self, file: &str) -> bool {
        self.unread.iter().any(|path| {
            path.is_empty()
                || file
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Where the files lie, as the plan is to name it.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// What is known of repositories.
    pub const fn estate(&self) -> &Estate {
        &self.estate
    }

    /// The pipelines, in the order in which they were read.
    pub fn pipelines(&self) -> &[Pipeline] {
        &self.pipelines
    }

    /// The stored credentials.
    pub fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    /// The jobs that see a credential: its own, or all of its file where it is bound for the whole of it.
    pub fn jobs_of<'s>(
        &'s self,
        credential: &'s Credential,
    ) -> impl Iterator<Item = (&'s Pipeline, &'s Job)> {
        let files = self.pipelines.iter().filter(|pipeline| pipeline.file == credential.file);
        let jobs = files.flat_map(|pipeline| pipeline.own_jobs().map(move |job| (pipeline, job)));
        jobs.filter(move |(_, job)| credential.job.as_ref().is_none_or(|name| *name == job.path()))
    }
}
