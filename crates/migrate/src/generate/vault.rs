//! JWT roles of Vault and OpenBao.

use serde_json::json;

use super::text::{hcl, heredoc, label, sh};
use super::{Artifact, Format, Site, Target};
use crate::Cloud;

pub(super) struct Vault;

impl Target for Vault {
    fn cloud(&self) -> Cloud {
        Cloud::Vault
    }

    fn seed(&self, site: &Site<'_>) -> Result<String, String> {
        if site.issuers.len() != 1 {
            return Err(
                "its jobs' tokens have several issuers, and a mount has one: plan a role for each".to_owned()
            );
        }
        Ok(json!({
            "role_name": site.name,
            "role_type": "jwt",
            "user_claim": user_claim(site),
            "bound_audiences": [site.audience],
            "token_policies": [site.role.name],
            "token_ttl": format!("{}s", site.role.session.as_secs()),
            "token_max_ttl": format!("{}s", site.role.session.as_secs()),
        })
        .to_string())
    }

    fn limit(&self, _document: &str) -> Option<String> {
        // A role's bound claims have no limit of their own.
        None
    }

    fn render(&self, site: &Site<'_>, document: &str, format: Format) -> Result<Vec<Artifact>, String> {
        let (name, mount) = (site.name, site.role.target.get("mount").map_or("jwt", String::as_str));
        let document = document.trim_end();
        Ok(vec![match format {
            Format::Document => Artifact { path: format!("{name}.role.json"), text: format!("{document}\n") },
            // The endpoint takes the document as it is, and so keeps every member that was proved.
            Format::Terraform => Artifact {
                path: format!("{name}.tf"),
                text: format!(
                    "resource \"vault_generic_endpoint\" \"{}\" {{\n  path                 = {}\n  ignore_absent_fields = true\n  data_json            = {}\n}}\n",
                    label(name),
                    hcl(&format!("auth/{mount}/role/{name}")),
                    heredoc(document)
                ),
            },
            Format::Cli => Artifact {
                path: format!("{name}.sh"),
                text: format!(
                    "#!/bin/sh\nset -eu\nvault write {} - <<'ROLE'\n{document}\nROLE\n",
                    sh(&format!("auth/{mount}/role/{name}"))
                ),
            },
        }])
    }

    fn remarks(&self, site: &Site<'_>) -> Vec<String> {
        let issuer = site.issuers.first().map_or("", daypass_claims::Issuer::as_str);
        vec![
            format!("the mount must have `bound_issuer={issuer}`: a role does not say whose tokens it takes"),
            format!("write the policy `{}`: what the stored token may do is not in any file", site.role.name),
        ]
    }
}

/// The claim that entities are told apart by: the repository, by id where its tokens have one.
fn user_claim(site: &Site<'_>) -> String {
    let platform =
        site.tokens.first().and_then(|token| daypass_issuers::catalogue().platform(token.platform));
    let slot = platform.and_then(|platform| {
        let mut slots = platform.tenants.repository.iter().chain(&platform.tenants.repository_names);
        slots.find(|slot| slot.filter.is_none() && platform.claims.get(slot.name.as_str()).is_some())
    });
    slot.map_or_else(|| "sub".to_owned(), |slot| slot.name.to_string())
}
