//! Facts about an organisation that no policy text holds: what is ours, what is gone, what is protected.
//!
//! ```toml
//! [[organisation]]
//! platform = "github-actions"            # id in the catalogue of issuers
//! name = "acme"                          # in its canonical letter case
//! id = "1001"
//! enterprise = "acme-ent"
//! [[repository]]
//! platform = "github-actions"
//! name = "acme/app"
//! id = "2002"
//! subjects = ["classic", "immutable"]    # the forms that its tokens' subjects may have, all of them
//! protected_refs = ["refs/heads/main"]   # all of them; `*` stays within a segment, `**` does not
//! protected_environments = ["prod"]      # all of them
//! # retired = true                       # gone: no token is its any more
//! [[provider]]
//! issuer = "https://token.actions.githubusercontent.com"
//! audiences = ["sts.amazonaws.com"]      # what the cloud's registration of the issuer accepts
//! ```
//!
//! Everything but `platform`, `name` and `issuer` may be left out, and is then not known.

mod facts;
pub mod import;
mod read;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use daypass_claims::{Audience, Issuer};
use daypass_issuers::{Platform, catalogue};
use daypass_trust::document::Problem;

pub(crate) use facts::{Fact, Facts, protected_refs};

/// The form of subject that an organisation's own template makes, in [`Repository::subjects`].
pub const CUSTOMISED: &str = "customised";

/// What is known about what is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    organisations: Vec<Organisation>,
    repositories: Vec<Repository>,
    providers: Vec<Provider>,
    /// Places of repositories, by name in lower case and by id.
    index: HashMap<String, Vec<usize>>,
}

/// An organisation that is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// The platform's id in the catalogue.
    pub platform: String,
    /// Its name, in the letter case that tokens have it in.
    pub name: String,
    /// The id that is never given to another one.
    pub id: Option<String>,
    /// The enterprise that it belongs to.
    pub enterprise: Option<String>,
}

/// A repository, or what stands in its place: a project, a pipeline, a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The platform's id in the catalogue.
    pub platform: String,
    /// Its name, with the organisation's in front where the platform has it so.
    pub name: String,
    /// The id that is never given to another one.
    pub id: Option<String>,
    /// The forms that its tokens' subjects may have: names of the catalogue, or [`CUSTOMISED`].
    pub subjects: Option<Vec<String>>,
    /// The refs that only reviewed changes reach, as globs.
    pub protected_refs: Option<Vec<String>>,
    /// The environments that let jobs in by rules of their own.
    pub protected_environments: Option<Vec<String>>,
    /// Whether it is gone.
    pub retired: bool,
}

/// A cloud's registration of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Whose tokens it takes.
    pub issuer: Issuer,
    /// The audiences that it accepts; empty where that is not known.
    pub audiences: Vec<Audience>,
}

/// The text is no estate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct EstateError {
    /// Everything that is wrong, in the order of the source.
    pub problems: Vec<Problem>,
}

impl Estate {
    /// An estate of these facts.
    pub fn new(
        organisations: Vec<Organisation>,
        repositories: Vec<Repository>,
        providers: Vec<Provider>,
    ) -> Self {
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, repository) in repositories.iter().enumerate() {
            for key in [Some(repository.name.to_lowercase()), repository.id.clone()].into_iter().flatten() {
                index.entry(key).or_default().push(at);
            }
        }
        Self { organisations, repositories, providers, index }
    }

    /// Organisations that are ours.
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// Repositories, or what stands in their place.
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// Registrations of issuers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        self.organisations.is_empty() && self.repositories.is_empty() && self.providers.is_empty()
    }

    /// The audiences that registrations of the issuer accept; `None` where that is not known.
    pub fn audiences(&self, issuer: &Issuer) -> Option<Vec<Audience>> {
        let of_issuer = self.providers.iter().filter(|provider| provider.issuer == *issuer);
        let mut audiences: Vec<Audience> = of_issuer.flat_map(|it| it.audiences.iter().cloned()).collect();
        audiences.sort_unstable();
        audiences.dedup();
        (!audiences.is_empty()).then_some(audiences)
    }

    /// Whether some fact is about tokens of the issuer: a registration of it, or something of ours on its platform.
    pub fn knows_issuer(&self, issuer: &Issuer) -> bool {
        let registered = self.providers.iter().any(|provider| provider.issuer == *issuer);
        let on = |platform: &Platform| {
            let organisations = self.organisations.iter().map(|it| it.platform.as_str());
            let mut named = organisations.chain(self.repositories.iter().map(|it| it.platform.as_str()));
            named.any(|id| is_about(id, platform, issuer))
        };
        registered || catalogue().platforms_of(issuer).iter().any(|found| on(found.platform))
    }
}

impl Estate {
    /// The repositories that policies with these words can be about: all where there are few, else those that are named. A
    /// pattern that names none in full fits repositories that are not in the estate as well.
    fn repositories_of(&self, words: &[String]) -> Vec<&Repository> {
        if self.repositories.len() <= FEW {
            return self.repositories.iter().collect();
        }
        let mut places: Vec<usize> = words
            .iter()
            .flat_map(|word| names_in(word))
            .filter_map(|name| self.index.get(&name))
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().take(MOST).filter_map(|at| self.repositories.get(at)).collect()
    }

    /// The organisations that policies with these words can be about.
    fn organisations_of(&self, words: &[String]) -> Vec<&Organisation> {
        let few = self.organisations.len() <= FEW;
        let named = |it: &&Organisation| {
            let id = it.id.as_deref();
            few || words
                .iter()
                .flat_map(|word| names_in(word))
                .any(|name| name == it.name.to_lowercase() || id == Some(name.as_str()))
        };
        self.organisations.iter().filter(named).take(MOST).collect()
    }
}

/// So many facts are taken in whatever they are about.
const FEW: usize = 16;
/// More facts than this are left out: they would only make the set of tokens smaller.
const MOST: usize = 64;

/// What a word of a policy may name, in lower case: `acme/app`, `acme` and `app` of `repo:acme/app:ref:refs/heads/main`.
fn names_in(word: &str) -> Vec<String> {
    let mut names = vec![word.to_lowercase()];
    for piece in word.split(':') {
        names.push(piece.to_lowercase());
        let mut segments = piece.splitn(3, '/');
        if let (Some(owner), Some(name)) = (segments.next(), segments.next()) {
            names.push(format!("{owner}/{name}").to_lowercase());
        }
        names.extend(piece.split(['/', '@', '{', '}']).map(str::to_lowercase));
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Whether what is said of a platform is said of these tokens: of its own, and of those that another platform mints for the
/// same repositories (an enterprise's own issuer at GitHub).
fn is_about(id: &str, platform: &Platform, issuer: &Issuer) -> bool {
    if platform.id == id {
        return true;
    }
    let parent = || {
        let host = Issuer::parse(&format!("https://{}", issuer.host())).ok()?;
        Some(catalogue().platforms_of(&host).iter().any(|found| found.platform.id == id))
    };
    platform.inherits.as_deref() == Some(id) && parent() == Some(true)
}
