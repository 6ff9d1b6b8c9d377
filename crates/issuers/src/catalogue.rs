use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use daypass_claims::{ClaimName, Issuer};
use serde::Deserialize;

use crate::check::check;
use crate::file::{NotRegistered, PlatformFile};
use crate::pattern::Captures;
use crate::{AwsKeys, ClaimSpec, Confidence, IssuerForm, Platform, data};

/// The built-in catalogue, read on first use (a few milliseconds).
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
        #[expect(clippy::expect_used, reason = "the files are compiled in, and a test reads them")]
        Catalogue::parse(&data::DOCUMENTS).expect("the built-in catalogue is valid")
    });
    &CATALOGUE
}

/// What is known about CI platforms and about what clouds see of their tokens.
#[derive(Clone, Debug)]
pub struct Catalogue {
    platforms: Vec<Platform>,
    index: HashMap<String, usize>,
    sources: BTreeMap<String, Source>,
    aws: AwsKeys,
    without_issuer: Vec<WithoutIssuer>,
}

/// Where facts come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is: a vendor's page, a source file at a commit.
    pub title: String,
    /// Where it is, if it has an URL of its own.
    pub url: Option<String>,
}

/// A platform that issues no token of its own, or of whose tokens too little is known.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WithoutIssuer {
    /// The product or products.
    pub name: String,
    /// What was found.
    pub about: String,
    /// The platform whose tokens its jobs can use instead.
    pub instead: Option<String>,
    /// Whether it was found in a primary source.
    #[serde(default)]
    pub confidence: Confidence,
}

/// The files of a catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Documents<'a> {
    /// Platforms: id and text, a parent before those that inherit from it.
    pub platforms: &'a [(&'a str, &'a str)],
    /// The claims of RFC 7519 that platforms have in common.
    pub registered: &'a str,
    /// Where facts come from.
    pub sources: &'a str,
    /// AWS's condition keys.
    pub aws: &'a str,
    /// Platforms without an issuer.
    pub without_issuer: &'a str,
}

/// A platform whose issuer an URL can be.
#[derive(Clone, Debug)]
pub struct IssuerMatch<'c> {
    /// The platform.
    pub platform: &'c Platform,
    /// The form of its issuer that the URL has.
    pub form: &'c IssuerForm,
    /// What the form's placeholders stand for.
    pub captures: Captures,
}

/// Why catalogue files are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML, not the schema, or a malformed pattern or template inside.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, with its place.
        message: String,
    },
    /// The id in a file is not the one it is listed under, or not kebab-case.
    #[error("{file}: id `{id}` must be `{file}` and kebab-case")]
    Id {
        /// The name that the file is listed under.
        file: String,
        /// The id in it.
        id: String,
    },
    /// Two things of one kind have one name.
    #[error("{file}: {what} `{name}` is there twice")]
    Duplicate {
        /// The file.
        file: String,
        /// Platform, claim, subject form or variant.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something is mentioned that does not exist.
    #[error("{file}: {place} mentions {what} `{name}`, which does not exist")]
    Unknown {
        /// The file.
        file: String,
        /// Who mentions it.
        place: String,
        /// Platform, source, claim, subject form or issuer form.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// No variant is called `default`.
    #[error("{file}: no variant is named or aliased `default`")]
    NoDefault {
        /// The file.
        file: String,
    },
    /// A claim that tokens always or usually have, with nothing to mint it from.
    #[error("{file}: claim `{claim}` needs a sample or a derive rule")]
    NoSample {
        /// The file.
        file: String,
        /// The claim.
        claim: ClaimName,
    },
    /// A sample that the platform would not write.
    #[error("{file}: the sample of `{claim}` is not {expected}")]
    Sample {
        /// The file.
        file: String,
        /// The claim.
        claim: ClaimName,
        /// The type, shape or list of values that it should have.
        expected: String,
    },
    /// A claim that is derived from itself.
    #[error("{file}: `{claim}` is derived from itself")]
    Cycle {
        /// The file.
        file: String,
        /// One claim of the circle.
        claim: ClaimName,
    },
}

impl Catalogue {
    /// Reads and cross-checks a catalogue.
    pub fn parse(documents: &Documents<'_>) -> Result<Self, CatalogueError> {
        let sources: BTreeMap<String, Source> = read("sources", documents.sources)?;
        let shared: RegisteredFile = read("registered", documents.registered)?;
        let aws = AwsKeys::parse(documents.aws)
            .map_err(|error| CatalogueError::Syntax { file: "aws".to_owned(), message: error.to_string() })?;
        let without: WithoutFile = read("without-issuer", documents.without_issuer)?;
        known("aws", &aws.sources, &sources)?;

        let files = read_platforms(documents.platforms)?;
        let mut platforms = Vec::with_capacity(files.len());
        let mut index = HashMap::with_capacity(files.len());
        for file in files {
            let id = file.id.clone();
            known(&id, &file.sources, &sources)?;
            let platform = file
                .into_platform(&shared.claims)
                .map_err(|NotRegistered(name)| unknown(&id, "registered", "claim", &name))?;
            check(&platform)?;
            index.insert(id, platforms.len());
            platforms.push(platform);
        }
        for entry in &without.platforms {
            if let Some(id) = entry.instead.as_ref().filter(|id| !index.contains_key(*id)) {
                return Err(unknown("without-issuer", &entry.name, "platform", id));
            }
        }
        Ok(Self { platforms, index, sources, aws, without_issuer: without.platforms })
    }

    /// Every platform.
    pub fn platforms(&self) -> &[Platform] {
        &self.platforms
    }

    /// The platform of that id.
    pub fn platform(&self, id: &str) -> Option<&Platform> {
        self.index.get(id).and_then(|place| self.platforms.get(*place))
    }

    /// The platforms whose issuer this can be, the most telling form first.
    ///
    /// Software that anyone can host anywhere (GitLab, Jenkins, Kubernetes) matches nearly every URL; it is left
    /// out where the host belongs to a platform.
    pub fn platforms_of(&self, issuer: &Issuer) -> Vec<IssuerMatch<'_>> {
        let mut matches: Vec<IssuerMatch<'_>> = self
            .platforms
            .iter()
            .filter_map(|platform| {
                let found =
                    platform.issuer.forms.iter().find_map(|form| Some((form, form.pattern.matches(issuer)?)));
                found.map(|(form, captures)| IssuerMatch { platform, form, captures })
            })
            .collect();
        if matches.iter().any(|one| one.form.pattern.names_host()) {
            matches.retain(|one| one.form.pattern.names_host());
        }
        matches.sort_by_key(|one| std::cmp::Reverse(one.form.pattern.specificity()));
        matches
    }

    /// The platforms that an environment looks like a job of, the best recognised first.
    pub fn detect(&self, variable: impl Fn(&str) -> Option<String>) -> Vec<&Platform> {
        let mut seen: Vec<&Platform> =
            self.platforms.iter().filter(|platform| platform.job.is_seen_in(&variable)).collect();
        seen.sort_by_key(|platform| std::cmp::Reverse(platform.job.detect.len()));
        seen
    }

    /// Where the facts come from, by key.
    pub fn sources(&self) -> &BTreeMap<String, Source> {
        &self.sources
    }

    /// What AWS sees of a token.
    pub fn aws(&self) -> &AwsKeys {
        &self.aws
    }

    /// Platforms that issue no token of their own.
    pub fn without_issuer(&self) -> &[WithoutIssuer] {
        &self.without_issuer
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisteredFile {
    #[serde(rename = "claim")]
    claims: Vec<ClaimSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithoutFile {
    #[serde(default, rename = "platform")]
    platforms: Vec<WithoutIssuer>,
}

/// Reads the platform files, each with what it inherits.
fn read_platforms(documents: &[(&str, &str)]) -> Result<Vec<PlatformFile>, CatalogueError> {
    let mut files: Vec<PlatformFile> = Vec::with_capacity(documents.len());
    for (id, text) in documents {
        let mut file: PlatformFile = read(id, text)?;
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if file.id != *id || !id.chars().all(kebab) {
            return Err(CatalogueError::Id { file: (*id).to_owned(), id: file.id });
        }
        if files.iter().any(|earlier| earlier.id == file.id) {
            let (file, name) = ((*id).to_owned(), file.id);
            return Err(CatalogueError::Duplicate { file, what: "platform", name });
        }
        if let Some(parent) = file.inherits.clone() {
            let parent = files
                .iter()
                .find(|earlier| earlier.id == parent)
                .ok_or_else(|| unknown(id, "inherits", "platform", &parent))?;
            file = file.inherit(parent);
        }
        files.push(file);
    }
    Ok(files)
}

fn read<'a, T: Deserialize<'a>>(file: &str, text: &'a str) -> Result<T, CatalogueError> {
    toml::from_str(text)
        .map_err(|error| CatalogueError::Syntax { file: file.to_owned(), message: error.to_string() })
}

fn known(file: &str, keys: &[String], sources: &BTreeMap<String, Source>) -> Result<(), CatalogueError> {
    match keys.iter().find(|key| !sources.contains_key(*key)) {
        Some(key) => Err(unknown(file, "sources", "source", key)),
        None => Ok(()),
    }
}

pub(crate) fn unknown(file: &str, place: &str, what: &'static str, name: &str) -> CatalogueError {
    CatalogueError::Unknown { file: file.to_owned(), place: place.to_owned(), what, name: name.to_owned() }
}

#[cfg(test)]
mod tests;
