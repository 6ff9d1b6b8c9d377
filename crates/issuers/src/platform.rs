use std::collections::HashMap;

use daypass_claims::{ClaimName, Issuer};
use serde::Deserialize;

use crate::{
    Binds, ClaimSpec, Confidence, Consistency, CustomSubject, IssuerSpec, Job, Selectors, SubjectForm,
    Template, Tenants, UntrustedTrigger, Variant,
};

/// Everything the catalogue knows about one CI platform.
#[derive(Clone, Debug)]
pub struct Platform {
    /// The id in configuration files, kebab-case: `github-actions`.
    pub id: String,
    /// The product's name.
    pub name: String,
    /// The platform whose facts these are where the file does not say otherwise.
    pub inherits: Option<String>,
    /// What the platform is and who would use its tokens, in a sentence.
    pub about: String,
    /// The vendor's pages.
    pub docs: Vec<String>,
    /// Keys into [`crate::Catalogue::sources`]: where the facts come from.
    pub sources: Vec<String>,
    /// What was not found in a primary source.
    pub low_confidence: Vec<Topic>,
    /// Issuer URLs, keys, tenants.
    pub issuer: IssuerSpec,
    /// The audience of its tokens.
    pub audience: AudienceSpec,
    /// How long its tokens live.
    pub lifetime: LifetimeSpec,
    /// Which claims bind a tenant.
    pub tenants: Tenants,
    /// Which claims name the run, repository, environment and ref.
    pub selectors: Selectors,
    /// How pull requests and their like show.
    pub untrusted: Vec<UntrustedTrigger>,
    /// What holds of every token beyond the claims one by one.
    pub consistent: Vec<Consistency>,
    /// What forks get.
    pub forks: String,
    /// The job's side.
    pub job: Job,
    /// The claims of its tokens.
    pub claims: Claims,
    /// What issuers, subjects and other claims are made of besides claims, such as the user in CircleCI's `sub`.
    pub parts: Vec<ClaimSpec>,
    /// The forms of `sub`; the first is the usual one. Empty where none was established.
    pub subjects: Vec<SubjectForm>,
    /// How `sub` can be made to look different.
    pub custom_subject: Option<CustomSubject>,
    /// Kinds of tokens to mint; the first is the usual one.
    pub variants: Vec<Variant>,
    /// What surprises people.
    pub gotchas: Vec<String>,
}

/// The audience of a platform's tokens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AudienceSpec {
    /// What `aud` is when nothing was asked for; `None` where something must be.
    pub default: Option<Template>,
    /// Who chooses it.
    pub choice: AudienceChoice,
    /// Whether a chosen audience comes in addition to the default one.
    #[serde(default)]
    pub keeps_default: bool,
    /// How it is chosen, and within which limits.
    #[serde(default)]
    pub about: String,
}

/// Who chooses the audience of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudienceChoice {
    /// The job, or whoever can edit the pipeline file.
    Job,
    /// An administrator, outside the pipeline file.
    Administrator,
    /// Nobody: it is always the default.
    Fixed,
    /// Not established.
    Unknown,
}

/// The times in a platform's tokens.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LifetimeSpec {
    /// From `iat` to `exp`, in seconds; `None` where it was not established.
    pub seconds: Option<u64>,
    /// From `iat` to `nbf`, in seconds; negative where tokens are valid from before their issue.
    pub not_before: i64,
    /// What it depends on.
    pub about: String,
}

/// Something that the catalogue says about a platform as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// The platform as such: nothing about it is from a primary source.
    Everything,
    /// Where the key set lies.
    Jwks,
    /// The signature algorithms.
    Algorithms,
    /// The default audience.
    Audience,
    /// The lifetime.
    Lifetime,
    /// How a job gets its token.
    Token,
    /// How a job is recognised by its environment.
    Detection,
    /// What forks get.
    Forks,
    /// Which triggers are pull requests and their like.
    Triggers,
}

/// The claims of a platform, in the order of its catalogue file.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    specs: Vec<ClaimSpec>,
    index: HashMap<ClaimName, usize>,
}

impl Platform {
    /// The part or claim of that name. A part comes first: where claims are free, a wildcard describes every name.
    pub fn variable(&self, name: &str) -> Option<&ClaimSpec> {
        self.part(name).or_else(|| self.claims.get(name))
    }

    /// The part of that name.
    pub fn part(&self, name: &str) -> Option<&ClaimSpec> {
        self.parts.iter().find(|part| part.name.as_str() == name)
    }

    /// The subject form of that name.
    pub fn subject(&self, form: &str) -> Option<&SubjectForm> {
        self.subjects.iter().find(|subject| subject.name == form)
    }

    /// The variant of that name or alias; every platform has `default`.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.is_called(name))
    }

    /// What comparing this issuer binds; `None` where it is none of the platform's, as with the loopback issuers
    /// of development.
    pub fn binds(&self, issuer: &Issuer) -> Option<Binds> {
        self.issuer.form_of(issuer).map(|form| form.binds)
    }

    /// How well the catalogue's word on a topic is established.
    pub fn confidence(&self, topic: Topic) -> Confidence {
        let low = self.low_confidence.iter().any(|one| *one == topic || *one == Topic::Everything);
        if low { Confidence::Low } else { Confidence::Stated }
    }
}

impl Claims {
    pub(crate) fn new(specs: Vec<ClaimSpec>) -> Self {
        let index = specs.iter().enumerate().map(|(place, spec)| (spec.name.clone(), place)).collect();
        Self { specs, index }
    }

    /// What is known about a claim: by its name, else by the longest wildcard that fits.
    pub fn get(&self, name: &str) -> Option<&ClaimSpec> {
        if let Some(place) = self.index.get(name) {
            return self.specs.get(*place);
        }
        let fits = |spec: &&ClaimSpec| spec.wildcard().is_some_and(|prefix| name.starts_with(prefix));
        self.specs.iter().filter(fits).max_by_key(|spec| spec.name.as_str().len())
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, ClaimSpec> {
        self.specs.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }
}

impl<'c> IntoIterator for &'c Claims {
    type Item = &'c ClaimSpec;
    type IntoIter = std::slice::Iter<'c, ClaimSpec>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
