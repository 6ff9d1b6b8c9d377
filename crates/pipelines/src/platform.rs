use std::fmt;

/// The CI systems whose files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Platform {
    /// GitHub Actions (and Forgejo's and Gitea's imitations of its files).
    GitHubActions,
    /// GitLab CI/CD.
    GitLab,
    /// CircleCI.
    CircleCi,
    /// Bitbucket Pipelines.
    Bitbucket,
    /// Azure Pipelines.
    AzurePipelines,
    /// Buildkite.
    Buildkite,
    /// Jenkins, declarative pipelines.
    Jenkins,
    /// Terraform, whose configurations hold providers' credentials and mint some into CI systems.
    Terraform,
}

impl Platform {
    /// Every platform.
    pub const ALL: [Self; 8] = [
        Self::GitHubActions,
        Self::GitLab,
        Self::CircleCi,
        Self::Bitbucket,
        Self::AzurePipelines,
        Self::Buildkite,
        Self::Jenkins,
        Self::Terraform,
    ];

    /// The word in output and configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GitHubActions => "github-actions",
            Self::GitLab => "gitlab",
            Self::CircleCi => "circleci",
            Self::Bitbucket => "bitbucket-pipelines",
            Self::AzurePipelines => "azure-pipelines",
            Self::Buildkite => "buildkite",
            Self::Jenkins => "jenkins",
            Self::Terraform => "terraform",
        }
    }

    /// The platform of that word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == name)
    }

    /// Its id in the issuer catalogue, for the hosted product; `None` where its jobs have no tokens.
    pub const fn catalogue_id(self) -> Option<&'static str> {
        Some(match self {
            Self::GitHubActions => "github-actions",
            Self::GitLab => "gitlab-com",
            Self::CircleCi => "circleci",
            Self::Bitbucket => "bitbucket-pipelines",
            Self::AzurePipelines => "azure-devops",
            Self::Buildkite => "buildkite",
            Self::Jenkins => "jenkins-oidc-provider",
            Self::Terraform => return None,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_the_catalogue_knows_them() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_name(&platform.to_string()), Some(platform));
            if let Some(id) = platform.catalogue_id() {
                assert!(daypass_issuers::catalogue().platform(id).is_some(), "{id}");
            }
        }
        assert_eq!(Platform::from_name("travis"), None);
    }
}
