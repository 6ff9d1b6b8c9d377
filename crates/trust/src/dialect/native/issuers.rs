use daypass_claims::Issuer;
use daypass_issuers::{Platform, catalogue};

/// An issuer that a native policy can be about.
#[derive(Clone, Debug)]
pub struct KnownIssuer {
    /// What the configuration calls it.
    pub name: String,
    /// Its URL.
    pub issuer: Issuer,
    /// What the catalogue knows about it, if anything.
    pub platform: Option<&'static Platform>,
}

/// What native policies may call issuers by.
#[derive(Clone, Debug, Default)]
pub enum Issuers {
    /// A policy file on its own: any issuer by its URL, or by the id of a platform that has one fixed issuer.
    #[default]
    Any,
    /// The issuers of a configuration, by name or URL, and no others.
    Configured(Vec<KnownIssuer>),
}

impl Issuers {
    /// Finds an issuer by what a policy calls it.
    pub fn resolve(&self, text: &str) -> Option<KnownIssuer> {
        if let Self::Configured(known) = self {
            return known.iter().find(|known| known.name == text || known.issuer.as_str() == text).cloned();
        }
        if let Ok(issuer) = Issuer::parse(text) {
            let platform = catalogue().platforms_of(&issuer).first().map(|found| found.platform);
            return Some(KnownIssuer { name: text.to_owned(), issuer, platform });
        }
        let platform = catalogue().platform(text)?;
        let [form] = platform.issuer.forms.as_slice() else { return None };
        let issuer = Issuer::parse(form.pattern.as_str()).ok()?;
        Some(KnownIssuer { name: text.to_owned(), issuer, platform: Some(platform) })
    }

    /// What would have been right in place of `text`.
    pub(super) fn suggestion(&self, text: &str) -> String {
        let Self::Configured(known) = self else {
            return "write the issuer's URL, or the id of a platform".to_owned();
        };
        let score = |known: &&KnownIssuer| strsim::jaro_winkler(&known.name, text);
        let near =
            known.iter().filter(|known| score(known) > 0.7).max_by(|a, b| score(a).total_cmp(&score(b)));
        near.map_or_else(
            || {
                let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
                format!("configured: {}", names.join(", "))
            },
            |near| format!("did you mean `{}`?", near.name),
        )
    }
}
