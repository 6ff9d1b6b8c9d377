//! An organisation's pipelines on eight platforms: most of them GitHub's, some long, and each repository's its own.

use std::fs;

use anyhow::Result;
use camino::Utf8Path;

/// What was written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    pub(super) bytes: usize,
    /// Stored credentials, one for each job that uses them.
    pub(super) credentials: usize,
}

/// A file of a repository, with the stored credentials that it adds to the answer: one for each job.
#[derive(Clone, Copy, Debug)]
struct Sample {
    path: &'static str,
    /// `__N__` stands for the repository's number.
    text: &'static str,
    credentials: usize,
}

macro_rules! sample {
    ($path:literal, $text:literal, $credentials:literal) => {
        Sample { path: $path, text: include_str!(concat!("samples/", $text)), credentials: $credentials }
    };
}

const CI: Sample = sample!(".github/workflows/ci.yml", "ci.yml", 0);

/// A service that is deployed with a stored key, and published with a token.
const STORED: &[Sample] = &[CI, sample!(".github/workflows/deploy.yml", "deploy.yml", 2)];
/// One whose workflow hands all secrets to another one, which hands one to an action.
const CALLED: &[Sample] = &[
    CI,
    sample!(".github/actions/push/action.yml", "action.yml", 0),
    sample!(".github/workflows/release.yml", "release.yml", 2),
    sample!(".github/workflows/main.yml", "main.yml", 0),
];
const FEDERATED: &[Sample] = &[CI, sample!(".github/workflows/deploy.yml", "federated.yml", 0)];
const GITLAB: &[Sample] = &[
    sample!("ci/deploy.gitlab-ci.yml", "deploy.gitlab-ci.yml", 1),
    sample!(".gitlab-ci.yml", "gitlab-ci.yml", 2),
];
const CIRCLECI: &[Sample] = &[sample!(".circleci/config.yml", "circleci.yml", 1)];
const BITBUCKET: &[Sample] = &[sample!("bitbucket-pipelines.yml", "bitbucket-pipelines.yml", 1)];
const AZURE: &[Sample] = &[sample!("azure-pipelines.yml", "azure-pipelines.yml", 1)];
const BUILDKITE: &[Sample] = &[sample!(".buildkite/pipeline.yml", "buildkite.yml", 1)];
const JENKINS: &[Sample] = &[sample!("Jenkinsfile", "Jenkinsfile", 1)];
const TERRAFORM: &[Sample] = &[sample!("provider.tf", "provider.tf", 1)];

/// The repositories, over and over again.
const REPOSITORIES: &[&[Sample]] = &[
    STORED, GITLAB, CALLED, CIRCLECI, STORED, TERRAFORM, FEDERATED, STORED, GITLAB, BITBUCKET, CALLED, AZURE,
    STORED, BUILDKITE, FEDERATED, STORED, JENKINS,
];

/// Writes so many files below `folder`.
pub(super) fn write(folder: &Utf8Path, files: usize) -> Result<Written> {
    let mut written = Written::default();
    let repositories = REPOSITORIES.iter().cycle().enumerate();
    let samples = repositories.flat_map(|(number, samples)| samples.iter().map(move |it| (number, it)));
    for (number, sample) in samples.take(files) {
        let path = folder.join(format!("service-{number:05}")).join(sample.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let text = sample.text.replace("__N__", &number.to_string());
        written.bytes += text.len();
        written.credentials += sample.credentials;
        fs::write(path, text)?;
    }
    Ok(written)
}
