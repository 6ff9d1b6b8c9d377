//! IAM roles for tokens.

use serde_json::{Value, json};

use super::text::{compact, hcl, hcl_list, heredoc, label, sh};
use super::{Artifact, Format, Site, Target};
use crate::Cloud;

pub(super) struct Aws;

/// The longest role trust policy, in characters without blanks, unless the account's quota was raised.
const LONGEST_TRUST: usize = 2_048;

/// The longest name of a role.
const LONGEST_NAME: usize = 64;

impl Target for Aws {
    fn cloud(&self) -> Cloud {
        Cloud::Aws
    }

    fn seed(&self, site: &Site<'_>) -> Result<String, String> {
        let account = account(site)?;
        let length = site.name.chars().count();
        if length > LONGEST_NAME {
            return Err(format!(
                "its name has {length} characters, AWS takes {LONGEST_NAME}: give it another in the plan"
            ));
        }
        let statements: Vec<Value> = site
            .issuers
            .iter()
            .map(|issuer| {
                let host = issuer.host_and_path();
                json!({
                    "Effect": "Allow",
                    "Principal": {"Federated": format!("arn:aws:iam::{account}:oidc-provider/{host}")},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": {format!("{host}:aud"): site.audience}}
                })
            })
            .collect();
        Ok(json!({"Version": "2012-10-17", "Statement": statements}).to_string())
    }

    fn limit(&self, document: &str) -> Option<String> {
        let length = compact(document).chars().count();
        (length > LONGEST_TRUST).then(|| {
            format!("its trust policy has {length} characters, AWS takes {LONGEST_TRUST}, and one job alone is no shorter")
        })
    }

    fn render(&self, site: &Site<'_>, document: &str, format: Format) -> Result<Vec<Artifact>, String> {
        let name = site.name;
        Ok(match format {
            Format::Document => {
                let mut files = vec![Artifact {
                    path: format!("{name}.trust.json"),
                    text: format!("{}\n", document.trim_end()),
                }];
                for (policy, text) in inline(site) {
                    files.push(Artifact { path: format!("{name}.{policy}.json"), text: format!("{text}\n") });
                }
                files
            }
            Format::Terraform => {
                vec![Artifact { path: format!("{name}.tf"), text: terraform(site, document) }]
            }
            Format::Cli => vec![Artifact { path: format!("{name}.sh"), text: cli(site, document) }],
        })
    }

    fn remarks(&self, site: &Site<'_>) -> Vec<String> {
        let urls: Vec<String> = site.issuers.iter().map(|issuer| format!("`{issuer}`")).collect();
        let mut remarks = vec![format!(
            "the account needs {} as OIDC provider, with the audience `{}`",
            urls.join(" and "),
            site.audience
        )];
        for (principal, permissions) in &site.permissions {
            remarks.extend(permissions.unknown.iter().map(|why| format!("`{principal}`: {why}")));
        }
        remarks
    }
}

fn account<'a>(site: &Site<'a>) -> Result<&'a str, String> {
    let account = site.role.target.get("account").map(String::as_str);
    let account = account
        .ok_or_else(|| format!("give role `{}` its `account` in the plan (`target`)", site.role.name))?;
    if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(account)
    } else {
        Err(format!("the `account` of role `{}` is not 12 digits", site.role.name))
    }
}

/// Inline policies of all principals, by name.
fn inline(site: &Site<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (_, permissions) in &site.permissions {
        for (name, document) in &permissions.inline {
            let text = serde_json::to_string_pretty(document).unwrap_or_else(|_| document.to_string());
            if !found.contains(&(name.clone(), text.clone())) {
                found.push((name.clone(), text));
            }
        }
    }
    found
}

/// The managed policies of all principals.
fn managed<'a>(site: &Site<'a>) -> Vec<&'a str> {
    let mut arns: Vec<&str> = site
        .permissions
        .iter()
        .flat_map(|(_, permissions)| &permissions.managed)
        .map(String::as_str)
        .collect();
    arns.sort_unstable();
    arns.dedup();
    arns
}

fn terraform(site: &Site<'_>, document: &str) -> String {
    let (name, id) = (site.name, label(site.name));
    let mut text = format!(
        "resource \"aws_iam_role\" \"{id}\" {{\n  name                 = {}\n  max_session_duration = {}\n  assume_role_policy   = {}\n}}\n",
        hcl(name),
        site.role.session.as_secs().max(3600),
        heredoc(document),
    );
    for arn in managed(site) {
        let policy = label(arn.rsplit('/').next().unwrap_or(arn));
        text.push_str(&format!(
            "\nresource \"aws_iam_role_policy_attachment\" \"{id}_{policy}\" {{\n  role       = aws_iam_role.{id}.name\n  policy_arn = {}\n}}\n",
            hcl(arn)
        ));
    }
    for (policy, document) in inline(site) {
        text.push_str(&format!(
            "\nresource \"aws_iam_role_policy\" \"{id}_{}\" {{\n  name   = {}\n  role   = aws_iam_role.{id}.id\n  policy = {}\n}}\n",
            label(&policy),
            hcl(&policy),
            heredoc(&document)
        ));
    }
    text.push_str(&format!(
        "\n# The tokens' issuers are OIDC providers of the account: {}\n",
        hcl_list(site.issuers.iter().map(daypass_claims::Issuer::as_str))
    ));
    text
}

fn cli(site: &Site<'_>, document: &str) -> String {
    let name = site.name;
    let mut text = format!(
        "#!/bin/sh\nset -eu\naws iam create-role --role-name {} --max-session-duration {} \\\n  --assume-role-policy-document {}\n",
        sh(name),
        site.role.session.as_secs().max(3600),
        sh(&compact(document))
    );
    for arn in managed(site) {
        text.push_str(&format!(
            "aws iam attach-role-policy --role-name {} --policy-arn {}\n",
            sh(name),
            sh(arn)
        ));
    }
    for (policy, document) in inline(site) {
        text.push_str(&format!(
            "aws iam put-role-policy --role-name {} --policy-name {} \\\n  --policy-document {}\n",
            sh(name),
            sh(&policy),
            sh(&compact(&document))
        ));
    }
    text
}
