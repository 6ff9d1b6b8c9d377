//! What is offered where a cloud cannot be told enough: daypass' exchange decides on every claim, and re-issues a token whose
//! subject says all that the cloud has to compare.

use daypass_issuers::{ClaimSpec, ClaimType, Platform, catalogue};

use super::text::toml;
use super::{Artifact, Site, native};

/// Where the offer goes.
pub(super) fn path(name: &str) -> String {
    format!("exchange/{name}.toml")
}

/// A role of the exchange that mints a token for the cloud. Its trust is the seed: generating for daypass proves the tight one.
pub(super) fn offer(site: &Site<'_>) -> Artifact {
    let role = native::role(site, &reissued(site, site.audience)).unwrap_or_default();
    let text = format!(
        "# The exchange sees every claim of the job's token; the cloud then trusts one issuer, the exchange, and compares one\n\
         # subject exactly. `daypass generate --target daypass` writes the trust that fits the jobs in place of this one.\n{role}"
    );
    Artifact { path: path(site.name), text }
}

/// A credential that is a token for a cloud, with a subject that tells it all.
pub(super) fn reissued(site: &Site<'_>, audience: &str) -> String {
    let platform = site.tokens.first().and_then(|token| catalogue().platform(token.platform));
    let subject = platform.map_or_else(|| "{sub}".to_owned(), subject);
    format!("{{ kind = \"jwt\", audience = {}, subject = {} }}", toml(audience), toml(&subject))
}

/// A subject of ids and of the place, in claims that every token of the platform has.
fn subject(platform: &Platform) -> String {
    // A list has no text form; trust asks for its items.
    let is_text =
        |spec: &ClaimSpec| !spec.types.iter().all(|it| matches!(it, ClaimType::Strings | ClaimType::Objects));
    let present = |name: &str| platform.claims.get(name).is_some_and(is_text);
    let tenants = &platform.tenants;
    let repository = tenants.repository.iter().chain(&tenants.repository_names);
    let repository = repository.into_iter().find(|slot| slot.filter.is_none() && present(slot.name.as_str()));
    let git_ref = platform.selectors.git_ref.as_ref().filter(|slot| present(slot.name.as_str()));
    let environment = platform.selectors.environment.as_ref().filter(|slot| present(slot.name.as_str()));
    let mut parts = Vec::new();
    if let Some(slot) = repository {
        parts.push(format!("repository:{{{}}}", slot.name));
    }
    if let Some(slot) = environment {
        parts.push(format!("environment:{{{}?}}", slot.name));
    }
    if let Some(slot) = git_ref {
        parts.push(format!("ref:{{{}}}", slot.name));
    }
    parts.join(":")
}
