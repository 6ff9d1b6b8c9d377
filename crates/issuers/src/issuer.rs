use daypass_claims::{Algorithm, Issuer};
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::IssuerPattern;

/// The issuers of a platform: their URLs, keys and tenants.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSpec {
    /// The forms that the issuer's URL takes; the first is the usual one.
    #[serde(rename = "form")]
    pub forms: Vec<IssuerForm>,
    /// Where the key set lies: a path below the issuer, or an URL of its own. `None`: ask discovery.
    pub jwks: Option<String>,
    /// The signature algorithms in use. Empty where none was established.
    pub algorithms: Vec<Algorithm>,
    /// Who shares the issuer, in a sentence.
    pub tenancy: String,
}

/// One form of an issuer's URL.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerForm {
    /// The form.
    pub pattern: IssuerPattern,
    /// What a relying party knows about the tenant when it has compared the issuer.
    pub binds: Binds,
    /// Where the key set of this form lies, if it differs from the platform's other forms.
    pub jwks: Option<String>,
    /// Whether a job must ask for this issuer (CircleCI's `--root-issuer`).
    #[serde(default)]
    pub on_request: bool,
    /// When the form is used, where there are several.
    #[serde(default)]
    pub about: String,
}

/// What an issuer's URL says about the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binds {
    /// Nothing: all tenants share the issuer, so claims must bind the organisation.
    Nothing,
    /// A name of the tenant, which can be renamed and taken by someone else.
    Name,
    /// An id of the tenant, which is never given to someone else.
    Id,
    /// An installation that its owner runs, with as many tenants as the owner lets in.
    Installation,
}

impl IssuerSpec {
    /// The form that the issuer has.
    pub fn form_of(&self, issuer: &Issuer) -> Option<&IssuerForm> {
        self.forms.iter().find(|form| form.pattern.matches(issuer).is_some())
    }

    /// Whether unrelated tenants share the issuer that jobs get unasked.
    pub fn is_shared(&self) -> bool {
        self.forms.iter().any(|form| form.binds == Binds::Nothing && !form.on_request)
    }

    /// The key set's URL under `issuer`, where the catalogue knows it.
    pub fn jwks_uri(&self, issuer: &Issuer) -> Option<String> {
        let own = self.form_of(issuer).and_then(|form| form.jwks.as_deref());
        let jwks = own.or(self.jwks.as_deref())?;
        if jwks.starts_with("https://") {
            return Some(jwks.to_owned());
        }
        Some(format!("{}{jwks}", issuer.as_str().trim_end_matches('/')))
    }
}

impl Binds {
    /// The word in catalogue files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Name => "name",
            Self::Id => "id",
            Self::Installation => "installation",
        }
    }
}

impl<'de> Deserialize<'de> for IssuerPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
