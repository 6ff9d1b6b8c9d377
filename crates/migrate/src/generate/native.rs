//! Roles of daypass's own exchange: sessions for whoever speaks the wire of AWS, and for the other clouds a token of the exchange
//! that they can trust.

use daypass_issuers::{Mintable, ValueSet, catalogue};

use super::text::toml;
use super::{Artifact, Format, Site, Target, exchange, jobs};
use crate::Cloud;

pub(super) struct Native;

impl Target for Native {
    fn cloud(&self) -> Cloud {
        Cloud::Daypass
    }

    fn seed(&self, site: &Site<'_>) -> Result<String, String> {
        match site.role.cloud {
            Cloud::Aws | Cloud::Daypass => role(site, "{ kind = \"aws-session\" }"),
            Cloud::Gcp | Cloud::Azure | Cloud::Vault => {
                role(site, &exchange::reissued(site, &jobs::at_its_cloud(site.role)?))
            }
        }
    }

    fn limit(&self, _document: &str) -> Option<String> {
        None
    }

    /// A role of the exchange is a file, whatever the format.
    fn render(&self, site: &Site<'_>, document: &str, _format: Format) -> Result<Vec<Artifact>, String> {
        Ok(vec![Artifact { path: format!("{}.toml", site.name), text: document.to_owned() }])
    }

    fn remarks(&self, site: &Site<'_>) -> Vec<String> {
        let issuers = site.issuers.iter();
        issuers
            .map(|issuer| {
                format!("the exchange needs `{issuer}` as [[issuer]], with the audience `{}`", site.audience)
            })
            .collect()
    }
}

/// A role whose trust names issuer, audience and repository: what the form demands of any.
pub(super) fn role(site: &Site<'_>, credential: &str) -> Result<String, String> {
    let mut text = format!(
        "[[role]]\nname = {}\nmax_session = {}\ncredential = {credential}\n",
        toml(site.name),
        toml(&daypass_claims::format_duration(site.role.session)),
    );
    for issuer in &site.issuers {
        let token = site.tokens.iter().find(|token| {
            let platforms = catalogue().platforms_of(issuer);
            platforms.iter().any(|found| found.platform.id == token.platform)
        });
        // An organisation's own server has an URL that the catalogue does not know.
        let token = token.or_else(|| site.tokens.first()).ok_or("no token of its jobs is left to admit")?;
        text.push_str(&format!(
            "\n[[role.trust]]\nissuer = {}\naudience = {}\n",
            toml(issuer.as_str()),
            toml(site.audience)
        ));
        for (name, value) in tenancy(token) {
            text.push_str(&format!("claims.{} = {}\n", key(&name), toml(value)));
        }
    }
    Ok(text)
}

/// The claims that say whose token it is.
fn tenancy(token: &Mintable) -> Vec<(String, &str)> {
    let Some(platform) = catalogue().platform(token.platform) else { return Vec::new() };
    let tenants = &platform.tenants;
    let lists =
        [&tenants.organisation, &tenants.organisation_names, &tenants.repository, &tenants.repository_names];
    let slots = lists.into_iter().flatten().filter(|slot| platform.claims.get(slot.name.as_str()).is_some());
    let mut found = Vec::new();
    for slot in slots.filter(|slot| slot.filter.is_none()) {
        if let Some(value) = token.claims.get(&slot.name).and_then(ValueSet::as_single) {
            found.push((slot.name.to_string(), value));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A key of TOML.
fn key(name: &str) -> String {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { toml(name) }
}
