//! User agents, sorted into few classes by one table, which the SQL is written from as well.

use std::collections::HashMap;

/// The classes in the order in which they are tried: the first of which a text stands in the user agent is taken.
pub(crate) const AGENTS: &[(&str, &[&str])] = &[
    (
        "github-actions",
        &[
            "configure-aws-credentials-for-github-actions",
            "google-github-actions",
            "GitHubActions",
            "md/GitHub",
        ],
    ),
    ("gitlab-ci", &["gitlab-runner", "GitLab"]),
    ("circleci", &["CircleCI", "circleci"]),
    ("bitbucket-pipelines", &["bitbucket", "Bitbucket"]),
    ("azure-pipelines", &["VSTS_", "AzureDevOps", "vsts-task"]),
    ("buildkite", &["buildkite", "Buildkite"]),
    ("jenkins", &["Jenkins", "jenkins"]),
    ("daypass", &["daypass/"]),
    ("terraform", &["HashiCorp Terraform", "Terraform/", "OpenTofu", "terraform-provider"]),
    ("pulumi", &["Pulumi", "pulumi"]),
    ("cdk", &["aws-cdk", "cdk-assets"]),
    ("serverless", &["serverless/", "Serverless/"]),
    ("console", &["signin.amazonaws.com", "console.amazonaws.com", "AWSConsole", "Mozilla/"]),
    ("service", &[".amazonaws.com", "AWS Internal"]),
    ("aws-cli", &["aws-cli/"]),
    ("aws-sdk", &["Boto3/", "Botocore/", "aws-sdk-", "aws-sdk/"]),
    ("gcloud", &["google-cloud-sdk", "gcloud"]),
    ("gcp-sdk", &["google-api-", "gl-python/", "gl-go/", "gl-node/", "google-cloud-"]),
    ("azure-cli", &["AZURECLI/", "azure-cli"]),
    ("azure-sdk", &["azsdk-", "azure-sdk-"]),
    ("vault", &["Vault/", "vault-client"]),
    ("kubectl", &["kubectl/"]),
    ("http-tool", &["curl/", "Wget/", "python-requests/", "Go-http-client/", "okhttp/", "PostmanRuntime/"]),
];

/// The systems, likewise.
pub(crate) const SYSTEMS: &[(&str, &[&str])] = &[
    ("macos", &["Darwin/", "os/macos", "macOS", "Macintosh"]),
    ("windows", &["Windows/", "os/windows", "Windows NT"]),
    ("linux", &["Linux", "os/linux", "linux/"]),
];

/// What a user agent is where no class fits: not known, and not given.
pub(crate) const OTHER: &str = "other";

/// The first class of which a text stands in the user agent.
pub(crate) fn classify(table: &[(&'static str, &[&str])], text: &str) -> Option<&'static str> {
    table.iter().find(|(_, signs)| signs.iter().any(|sign| text.contains(sign))).map(|(class, _)| *class)
}

/// Agent and system of the user agents that were met last. There are few in any one log, and each comes often.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    known: HashMap<String, (&'static str, &'static str)>,
}

/// Where more than these are met, it starts over.
const REMEMBERED: usize = 4_096;
/// Bytes of the longest that is remembered: CloudTrail cuts at a thousand, and nothing keeps others from writing more.
const LONGEST: usize = 1_024;

impl Agents {
    /// The agent, and the system or nothing.
    pub(crate) fn of(&mut self, text: &str) -> (&'static str, &'static str) {
        if let Some(found) = self.known.get(text) {
            return *found;
        }
        let agent = classify(AGENTS, text).unwrap_or(if text.is_empty() { "" } else { OTHER });
        let found = (agent, classify(SYSTEMS, text).unwrap_or_default());
        if text.len() > LONGEST {
            return found;
        }
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(text.to_owned(), found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_told_by_what_is_most_telling() {
        let mut agents = Agents::default();
        for (text, expected) in [
            (
                "aws-sdk-nodejs/2.1112.0 linux/v20 configure-aws-credentials-for-github-actions promise",
                ("github-actions", "linux"),
            ),
            ("APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io)", ("terraform", "")),
            ("aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64", ("aws-cli", "macos")),
            ("aws-cli/1.22.34 Python/3.10.12 Linux/5.15.0-91-generic botocore/1.23.34", ("aws-cli", "linux")),
            ("Boto3/1.34.0 md/Botocore#1.34.0 os/windows#10", ("aws-sdk", "windows")),
            ("cloudformation.amazonaws.com", ("service", "")),
            ("something", ("other", "")),
            ("", ("", "")),
        ] {
            assert_eq!(agents.of(text), expected, "{text}");
            assert_eq!(agents.of(text), expected, "{text}, remembered");
        }
    }

    #[test]
    fn the_texts_need_no_quoting_in_sql() {
        for (class, signs) in AGENTS.iter().chain(SYSTEMS) {
            for text in signs.iter().chain([class]) {
                assert!(!text.contains(['\'', '\\', '%', '"']), "{text}");
            }
        }
    }

    #[test]
    fn what_was_remembered_is_bounded() {
        let mut agents = Agents::default();
        for index in 0..3 * REMEMBERED {
            agents.of(&index.to_string());
        }
        assert!(agents.known.len() <= REMEMBERED);
        agents.known.clear();
        assert_eq!(agents.of(&"terraform-provider".repeat(1_000)).0, "terraform");
        assert!(agents.known.is_empty());
    }
}
