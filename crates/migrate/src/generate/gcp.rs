//! Workload identity pools of Google Cloud: a pool for each role, so that no other provider's identities are in it.

use serde_json::{Value, json};

use super::text::{hcl, hcl_list, label, sh};
use super::{Artifact, Format, Site, Target};
use crate::Cloud;

pub(super) struct Gcp;

/// The longest attribute condition.
const LONGEST_CONDITION: usize = daypass_trust::dialect::gcp::LONGEST_CONDITION;

impl Target for Gcp {
    fn cloud(&self) -> Cloud {
        Cloud::Gcp
    }

    fn seed(&self, site: &Site<'_>) -> Result<String, String> {
        let place = Place::of(site)?;
        let [issuer] = site.issuers.as_slice() else {
            return Err(
                "its jobs' tokens have several issuers, and a provider has one: plan a role for each"
                    .to_owned(),
            );
        };
        // Past 127 bytes a subject is refused; who it is shows in the repository then.
        let subject = if site.long_subjects {
            place_claim(site).ok_or("its subjects are longer than Google's 127 bytes")?
        } else {
            "assertion.sub".to_owned()
        };
        Ok(json!({
            "name": format!("{}/providers/{}", place.pool_name(), place.provider),
            "attributeMapping": {"google.subject": subject},
            "oidc": {"issuerUri": issuer.as_str(), "allowedAudiences": [site.audience]},
            "bindings": [{
                "role": "roles/iam.workloadIdentityUser",
                "members": [format!("principalSet://iam.googleapis.com/{}/*", place.pool_name())]
            }]
        })
        .to_string())
    }

    fn limit(&self, document: &str) -> Option<String> {
        let document: Value = serde_json::from_str(document).ok()?;
        let length = document.get("attributeCondition")?.as_str()?.chars().count();
        (length > LONGEST_CONDITION).then(|| {
            format!("its attribute condition has {length} characters, Google takes {LONGEST_CONDITION}")
        })
    }

    fn render(&self, site: &Site<'_>, document: &str, format: Format) -> Result<Vec<Artifact>, String> {
        let place = Place::of(site)?;
        let name = site.name;
        let read: Value = serde_json::from_str(document).map_err(|error| error.to_string())?;
        let condition = read.get("attributeCondition").and_then(Value::as_str).unwrap_or_default();
        let subject =
            read.pointer("/attributeMapping/google.subject").and_then(Value::as_str).unwrap_or_default();
        let issuer = read.pointer("/oidc/issuerUri").and_then(Value::as_str).unwrap_or_default();
        let member = format!("principalSet://iam.googleapis.com/{}/*", place.pool_name());
        Ok(vec![match format {
            Format::Document => {
                Artifact { path: format!("{name}.provider.json"), text: format!("{}\n", document.trim_end()) }
            }
            Format::Terraform => {
                let id = label(name);
                let text = format!(
                    "resource \"google_iam_workload_identity_pool\" \"{id}\" {{\n  workload_identity_pool_id = {pool}\n}}\n\n\
                     resource \"google_iam_workload_identity_pool_provider\" \"{id}\" {{\n  workload_identity_pool_id          = google_iam_workload_identity_pool.{id}.workload_identity_pool_id\n  \
                     workload_identity_pool_provider_id = {provider}\n  attribute_mapping = {{\n    \"google.subject\" = {subject}\n  }}\n  \
                     attribute_condition = {condition}\n  oidc {{\n    issuer_uri        = {issuer}\n    allowed_audiences = {audiences}\n  }}\n}}\n\n\
                     resource \"google_service_account_iam_member\" \"{id}\" {{\n  service_account_id = {account}\n  role               = \"roles/iam.workloadIdentityUser\"\n  \
                     member             = {member}\n}}\n",
                    pool = hcl(place.pool),
                    provider = hcl(place.provider),
                    subject = hcl(subject),
                    condition = hcl(condition),
                    issuer = hcl(issuer),
                    audiences = hcl_list([site.audience]),
                    account = hcl(&format!("projects/-/serviceAccounts/{}", place.account)),
                    member = hcl(&member),
                );
                Artifact { path: format!("{name}.tf"), text }
            }
            Format::Cli => {
                let text = format!(
                    "#!/bin/sh\nset -eu\ngcloud iam workload-identity-pools create {pool} --location=global\n\
                     gcloud iam workload-identity-pools providers create-oidc {provider} \\\n  --location=global --workload-identity-pool={pool} \\\n  \
                     --issuer-uri={issuer} --allowed-audiences={audience} \\\n  --attribute-mapping={mapping} \\\n  --attribute-condition={condition}\n\
                     gcloud iam service-accounts add-iam-policy-binding {account} \\\n  --role=roles/iam.workloadIdentityUser --member={member}\n",
                    pool = sh(place.pool),
                    provider = sh(place.provider),
                    issuer = sh(issuer),
                    audience = sh(site.audience),
                    mapping = sh(&format!("google.subject={subject}")),
                    condition = sh(condition),
                    account = sh(place.account),
                    member = sh(&member),
                );
                Artifact { path: format!("{name}.sh"), text }
            }
        }])
    }

    fn remarks(&self, site: &Site<'_>) -> Vec<String> {
        let mut remarks = vec![
            "its pool is for this role alone: a binding admits the identities of every provider of a pool"
                .to_owned(),
            "the service account keeps its permissions; its keys are what goes".to_owned(),
        ];
        if site.long_subjects {
            remarks.push("subjects of its jobs are longer than Google's 127 bytes: the audit log has the repository instead".to_owned());
        }
        remarks
    }
}

/// Where a role lives.
struct Place<'a> {
    number: &'a str,
    pool: &'a str,
    provider: &'a str,
    account: &'a str,
}

impl<'a> Place<'a> {
    fn of(site: &Site<'a>) -> Result<Self, String> {
        let role = site.role;
        let get = |key: &str| {
            let found = role.target.get(key).map(String::as_str);
            found.ok_or_else(|| format!("give role `{}` its `{key}` in the plan (`target`)", role.name))
        };
        Ok(Self {
            number: get("project_number")?,
            pool: get("pool")?,
            provider: get("provider")?,
            account: get("service_account")?,
        })
    }

    fn pool_name(&self) -> String {
        format!("projects/{}/locations/global/workloadIdentityPools/{}", self.number, self.pool)
    }
}

/// A short claim that says whose token it is.
fn place_claim(site: &Site<'_>) -> Option<String> {
    let platform = daypass_issuers::catalogue().platform(site.tokens.first()?.platform)?;
    let slots = platform.tenants.repository.iter().chain(&platform.tenants.repository_names);
    let slot = slots
        .into_iter()
        .find(|slot| slot.filter.is_none() && platform.claims.get(slot.name.as_str()).is_some())?;
    let name = slot.name.as_str();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    Some(if plain { format!("assertion.{name}") } else { format!("assertion['{name}']") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::text::compact;

    #[test]
    fn a_condition_past_the_limit_is_told() {
        let document = |condition: &str| compact(&json!({"attributeCondition": condition}).to_string());
        assert_eq!(Gcp.limit(&document(&"x".repeat(4_096))), None);
        assert!(Gcp.limit(&document(&"x".repeat(4_097))).unwrap().contains("4097 characters"));
    }
}
