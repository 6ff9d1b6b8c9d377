use daypass_pipelines::inventory::{Credential, inventory};
use daypass_pipelines::{Job, Pipeline, Platform, ReadError, Tree, read_as, recognise};

/// What was read of an estate: pipelines, and the stored credentials that they use.
#[derive(Debug, Default)]
pub struct Survey {
    pipelines: Vec<Pipeline>,
    credentials: Vec<Credential>,
}

impl Survey {
    /// Nothing was read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a file of whichever platform it is. Files that it names are looked for in the tree.
    pub fn add(&mut self, path: &str, bytes: &[u8], tree: &dyn Tree) -> Result<(), ReadError> {
        let found = inventory(path, bytes, tree)?;
        match recognise(path, bytes) {
            Some(Platform::Terraform) | None => {}
            Some(platform) => self.pipelines.push(read_as(platform, path, bytes, tree)?),
        }
        for credential in found.credentials {
            // A file that several others include gives the same findings with each.
            if !self.credentials.iter().any(|known| known.id == credential.id) {
                self.credentials.push(credential);
            }
        }
        Ok(())
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
        let files = self.pipelines.iter().filter(move |pipeline| pipeline.file == credential.file);
        let jobs = files.flat_map(|pipeline| pipeline.own_jobs().map(move |job| (pipeline, job)));
        jobs.filter(move |(_, job)| credential.job.as_ref().is_none_or(|name| *name == job.path()))
    }
}
