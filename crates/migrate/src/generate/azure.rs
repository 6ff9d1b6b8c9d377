//! Federated credentials of an Entra application.

use serde_json::{Value, json};

use super::text::{compact, hcl, hcl_list, label, sh};
use super::{Artifact, Format, Site, Target};
use crate::Cloud;

pub(super) struct Azure;

/// How many federated credentials an application can have.
const MOST_CREDENTIALS: usize = 20;

impl Target for Azure {
    fn cloud(&self) -> Cloud {
        Cloud::Azure
    }

    fn seed(&self, site: &Site<'_>) -> Result<String, String> {
        let credentials: Vec<Value> = site
            .issuers
            .iter()
            .map(|issuer| {
                json!({"name": site.name, "issuer": issuer.as_str(), "subject": "none", "audiences": [site.audience]})
            })
            .collect();
        Ok(Value::Array(credentials).to_string())
    }

    fn limit(&self, document: &str) -> Option<String> {
        let count = credentials(document).len();
        (count > MOST_CREDENTIALS).then(|| {
            format!("it needs {count} federated credentials, an application takes {MOST_CREDENTIALS}, and one job alone needs as many")
        })
    }

    fn render(&self, site: &Site<'_>, document: &str, format: Format) -> Result<Vec<Artifact>, String> {
        let name = site.name;
        let all = credentials(document);
        let application = || {
            let found = site.role.target.get("application").map(String::as_str);
            found.ok_or_else(|| {
                format!("give role `{}` its `application` (object id) in the plan (`target`)", site.role.name)
            })
        };
        let text =
            |one: &Value, key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(match format {
            Format::Document => vec![Artifact {
                path: format!("{name}.credentials.json"),
                text: format!("{}\n", document.trim_end()),
            }],
            Format::Terraform => {
                let mut written = String::new();
                for (number, one) in all.iter().enumerate() {
                    if !written.is_empty() {
                        written.push('\n');
                    }
                    let id = format!("{}_{}", label(name), number.saturating_add(1));
                    let (resource, asked) =
                        match one.pointer("/claimsMatchingExpression/value").and_then(Value::as_str) {
                            Some(expression) => (
                                "azuread_application_flexible_federated_identity_credential",
                                format!("claims_matching_expression = {}", hcl(expression)),
                            ),
                            None => (
                                "azuread_application_federated_identity_credential",
                                format!("subject        = {}", hcl(&text(one, "subject"))),
                            ),
                        };
                    let audiences = if resource.contains("flexible") {
                        format!("audience       = {}", hcl(site.audience))
                    } else {
                        format!("audiences      = {}", hcl_list([site.audience]))
                    };
                    written.push_str(&format!(
                        "resource \"{resource}\" \"{id}\" {{\n  application_id = {}\n  display_name   = {}\n  issuer         = {}\n  {asked}\n  {audiences}\n}}\n",
                        hcl(&format!("/applications/{}", application()?)),
                        hcl(&text(one, "name")),
                        hcl(&text(one, "issuer")),
                    ));
                }
                vec![Artifact { path: format!("{name}.tf"), text: written }]
            }
            Format::Cli => {
                let mut written = "#!/bin/sh\nset -eu\n".to_owned();
                for one in &all {
                    // Flexible credentials are in the beta API only, which takes the same body.
                    let flexible = one.get("claimsMatchingExpression").is_some();
                    let body = sh(&compact(&one.to_string()));
                    written.push_str(&if flexible {
                        format!(
                            "az rest --method post --body {body} \\\n  --url {}\n",
                            sh(&format!(
                                "https://graph.microsoft.com/beta/applications/{}/federatedIdentityCredentials",
                                application()?
                            ))
                        )
                    } else {
                        format!("az ad app federated-credential create --id {} --parameters {body}\n", sh(application()?))
                    });
                }
                vec![Artifact { path: format!("{name}.sh"), text: written }]
            }
        })
    }

    fn remarks(&self, _site: &Site<'_>) -> Vec<String> {
        vec!["the application keeps its role assignments; its secrets are what goes".to_owned()]
    }
}

fn credentials(document: &str) -> Vec<Value> {
    match serde_json::from_str(document) {
        Ok(Value::Array(all)) => all,
        Ok(one) => vec![one],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_has_twenty_credentials() {
        let of = |count: usize| Value::Array(vec![json!({}); count]).to_string();
        assert_eq!(Azure.limit(&of(20)), None);
        assert!(Azure.limit(&of(21)).unwrap().contains("needs 21 federated credentials"));
    }
}
