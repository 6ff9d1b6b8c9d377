use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Who hands out what replaces a stored credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// A role of IAM, for a token (`AssumeRoleWithWebIdentity`).
    Aws,
    /// A service account of Google Cloud, through a workload identity pool.
    Gcp,
    /// An application of Microsoft Entra with federated credentials.
    Azure,
    /// A JWT role of Vault or OpenBao.
    Vault,
    /// A role of daypass's own exchange.
    Daypass,
}

/// No such cloud.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is generated for `{0}` (known: {known})", known = Cloud::ALL.map(Cloud::as_str).join(", "))]
pub struct UnknownCloud(String);

impl Cloud {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Aws, Self::Gcp, Self::Azure, Self::Vault, Self::Daypass];

    /// The word in plans and on the command line; what an inventory calls the cloud, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::Vault => "vault",
            Self::Daypass => "daypass",
        }
    }

    /// What a plan can say about where a role lives, with an example of each.
    pub const fn target_keys(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Aws => &[("account", "111122223333"), ("audience", "sts.amazonaws.com")],
            Self::Gcp => &[
                ("project", "acme-prod"),
                ("project_number", "123456789012"),
                ("pool", "ci"),
                ("provider", "github"),
                ("service_account", "deploy@acme-prod.iam.gserviceaccount.com"),
                ("audience", "https://iam.googleapis.com/projects/.../providers/github"),
            ],
            Self::Azure => &[
                ("tenant_id", "an Entra tenant's UUID"),
                ("client_id", "the application's UUID"),
                ("subscription_id", "a subscription's UUID"),
                ("application", "the application's object id"),
                ("service_connection_id", "a service connection's UUID"),
                ("audience", "api://AzureADTokenExchange"),
            ],
            Self::Vault => &[
                ("address", "https://vault.acme.example"),
                ("mount", "jwt"),
                ("audience", "https://vault.acme.example"),
            ],
            Self::Daypass => &[("audience", "https://sts.acme.example"), ("issuer", "github")],
        }
    }

    /// The audience that a job's token has for it unless a plan says otherwise.
    pub const fn usual_audience(self) -> Option<&'static str> {
        match self {
            Self::Aws => Some("sts.amazonaws.com"),
            Self::Azure => Some("api://AzureADTokenExchange"),
            // A pool provider wants its own full name, Vault and the exchange what was agreed on.
            Self::Gcp | Self::Vault | Self::Daypass => None,
        }
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Cloud {
    type Err = UnknownCloud;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|cloud| cloud.as_str() == name);
        found.ok_or_else(|| UnknownCloud(name.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_refused() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.as_str().parse(), Ok(cloud));
        }
        let refusal = "npm".parse::<Cloud>().unwrap_err().to_string();
        assert_eq!(refusal, "nothing is generated for `npm` (known: aws, gcp, azure, vault, daypass)");
    }
}
