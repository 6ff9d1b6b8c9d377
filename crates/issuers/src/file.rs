//! One platform as it is written: `data/platforms/<id>.toml`, whose schema `data/README.md` describes.

use serde::Deserialize;

use crate::platform::Claims;
use crate::{
    AudienceChoice, AudienceSpec, ClaimSpec, Consistency, CustomSubject, IssuerSpec, Job, LifetimeSpec,
    Platform, Selectors, SubjectForm, Tenants, Topic, UntrustedTrigger, Variant,
};

/// A platform file. What a file that inherits leaves out is its parent's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlatformFile {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) inherits: Option<String>,
    about: String,
    #[serde(default)]
    docs: Vec<String>,
    pub(crate) sources: Vec<String>,
    #[serde(default)]
    low_confidence: Vec<Topic>,
    issuer: IssuerSpec,
    audience: Option<AudienceSpec>,
    lifetime: Option<LifetimeSpec>,
    tenants: Option<Tenants>,
    selectors: Option<Selectors>,
    untrusted: Option<Vec<UntrustedTrigger>>,
    consistent: Option<Vec<Consistency>>,
    forks: Option<String>,
    job: Option<Job>,
    #[serde(default)]
    token: TokenFile,
    #[serde(rename = "subject")]
    subjects: Option<Vec<SubjectForm>>,
    custom_subject: Option<CustomSubject>,
    #[serde(rename = "variant")]
    variants: Option<Vec<Variant>>,
    #[serde(default)]
    gotchas: Vec<String>,
}

/// The claims of a platform's tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TokenFile {
    /// Claims that are the same on all platforms.
    registered: Option<Vec<String>>,
    claims: Vec<ClaimSpec>,
    parts: Vec<ClaimSpec>,
}

/// A registered claim that the file names and the shared list lacks.
pub(crate) struct NotRegistered(pub(crate) String);

impl PlatformFile {
    /// Takes over what the file leaves out. Claims and parts are merged by name, sources and gotchas are added to.
    pub(crate) fn inherit(self, parent: &Self) -> Self {
        Self {
            audience: self.audience.or_else(|| parent.audience.clone()),
            lifetime: self.lifetime.or_else(|| parent.lifetime.clone()),
            tenants: self.tenants.or_else(|| parent.tenants.clone()),
            selectors: self.selectors.or_else(|| parent.selectors.clone()),
            untrusted: self.untrusted.or_else(|| parent.untrusted.clone()),
            consistent: self.consistent.or_else(|| parent.consistent.clone()),
            forks: self.forks.or_else(|| parent.forks.clone()),
            job: self.job.or_else(|| parent.job.clone()),
            token: TokenFile {
                registered: self.token.registered.or_else(|| parent.token.registered.clone()),
                claims: merge(&parent.token.claims, self.token.claims),
                parts: merge(&parent.token.parts, self.token.parts),
            },
            subjects: self.subjects.or_else(|| parent.subjects.clone()),
            custom_subject: self.custom_subject.or_else(|| parent.custom_subject.clone()),
            variants: self.variants.or_else(|| parent.variants.clone()),
            docs: extended(self.docs, &parent.docs),
            sources: extended(self.sources, &parent.sources),
            gotchas: extended(self.gotchas, &parent.gotchas),
            ..self
        }
    }

    /// The platform, with its registered claims (`iss`, `exp`, ...) filled in from the list that all share.
    pub(crate) fn into_platform(self, shared: &[ClaimSpec]) -> Result<Platform, NotRegistered> {
        let mut claims = Vec::new();
        for name in self.token.registered.unwrap_or_default() {
            if self.token.claims.iter().any(|claim| claim.name.as_str() == name) {
                continue;
            }
            let spec = shared.iter().find(|claim| claim.name.as_str() == name);
            claims.push(spec.ok_or(NotRegistered(name))?.clone());
        }
        claims.extend(self.token.claims);
        Ok(Platform {
            id: self.id,
            name: self.name,
            inherits: self.inherits,
            about: self.about,
            docs: self.docs,
            sources: self.sources,
            low_confidence: self.low_confidence,
            issuer: self.issuer,
            audience: self.audience.unwrap_or(AudienceSpec {
                default: None,
                choice: AudienceChoice::Unknown,
                keeps_default: false,
                about: String::new(),
            }),
            lifetime: self.lifetime.unwrap_or_default(),
            tenants: self.tenants.unwrap_or_default(),
            selectors: self.selectors.unwrap_or_default(),
            untrusted: self.untrusted.unwrap_or_default(),
            consistent: self.consistent.unwrap_or_default(),
            forks: self.forks.unwrap_or_default(),
            job: self.job.unwrap_or_default(),
            claims: Claims::new(claims),
            parts: self.token.parts,
            subjects: self.subjects.unwrap_or_default(),
            custom_subject: self.custom_subject,
            variants: self.variants.unwrap_or_default(),
            gotchas: self.gotchas,
        })
    }
}

fn merge(parent: &[ClaimSpec], own: Vec<ClaimSpec>) -> Vec<ClaimSpec> {
    let mut merged = parent.to_vec();
    for spec in own {
        match merged.iter_mut().find(|inherited| inherited.name == spec.name) {
            Some(inherited) => *inherited = spec,
            None => merged.push(spec),
        }
    }
    merged
}

fn extended(mut own: Vec<String>, parent: &[String]) -> Vec<String> {
    for item in parent {
        if !own.contains(item) {
            own.push(item.clone());
        }
    }
    own
}
