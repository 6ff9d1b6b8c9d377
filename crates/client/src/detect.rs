use std::fmt;

use daypass_issuers::{EnvValue, Platform, catalogue};

use crate::Env;
use crate::token::azure_devops;

/// Which CI platform an environment is a job of.
#[derive(Clone)]
pub enum Detection {
    /// This one.
    Platform(&'static Platform),
    /// None that the catalogue describes.
    Nowhere,
    /// Several that fit equally well and hand out tokens in different ways; only the user can tell.
    Several(Vec<&'static Platform>),
}

/// Recognises the platform by the tests in the catalogue.
///
/// The more of its tests are true the better a platform fits, and a variable with a telling value (`CIRCLECI=true`)
/// says more than one that is merely set: `GOOGLE_CLOUD_PROJECT` is found in jobs of every platform. Platforms that fit
/// equally well but get tokens in the same way are as good as one; the catalogue's order decides.
pub fn detect(env: Env<'_>) -> Detection {
    let mut fitting = catalogue().detect(env);
    // Nothing in the environment tells a job that means to use a service connection; asking for one does.
    fitting.retain(|platform| platform.id != azure_devops::WITH_SERVICE_CONNECTION);
    let Some(best) = fitting.iter().map(|platform| fit(platform)).max() else {
        return Detection::Nowhere;
    };
    fitting.retain(|platform| fit(platform) == best);
    match fitting.as_slice() {
        [] => Detection::Nowhere,
        [first, rest @ ..] if rest.iter().all(|other| other.job.tokens == first.job.tokens) => {
            Detection::Platform(first)
        }
        several => Detection::Several(several.to_vec()),
    }
}

impl fmt::Debug for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform(platform) => write!(f, "Platform({})", platform.id),
            Self::Nowhere => f.write_str("Nowhere"),
            Self::Several(platforms) => {
                f.write_str("Several")?;
                f.debug_list().entries(platforms.iter().map(|platform| &platform.id)).finish()
            }
        }
    }
}

/// How many tests there are, and how many of them look at a value.
fn fit(platform: &Platform) -> (usize, usize) {
    let tests = &platform.job.detect;
    (tests.len(), tests.iter().filter(|test| test.value != EnvValue::Set).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{env, no_env};

    fn detected(variables: &[(&str, &str)]) -> Vec<&'static str> {
        match detect(&env(variables)) {
            Detection::Platform(platform) => vec![&platform.id],
            Detection::Nowhere => vec![],
            Detection::Several(platforms) => platforms.iter().map(|platform| platform.id.as_str()).collect(),
        }
    }

    #[test]
    fn jobs_are_recognised() {
        let github = ("GITHUB_ACTIONS", "true");
        for (variables, expected) in [
            (vec![github, ("GITHUB_SERVER_URL", "https://github.com")], "github-actions"),
            (vec![github, ("GITHUB_SERVER_URL", "https://acme.ghe.com")], "github-actions-ghe-com"),
            (vec![github, ("GITHUB_SERVER_URL", "https://git.acme.example")], "github-enterprise-server"),
            (vec![("GITLAB_CI", "true"), ("CI_SERVER_HOST", "gitlab.com")], "gitlab-com"),
            (vec![("GITLAB_CI", "true"), ("CI_SERVER_HOST", "git.acme.example")], "gitlab-self-managed"),
            (vec![("CIRCLECI", "true")], "circleci"),
            (vec![("BUILDKITE", "true")], "buildkite"),
            (vec![("BITBUCKET_BUILD_NUMBER", "7"), ("BITBUCKET_COMMIT", "c0ffee")], "bitbucket-pipelines"),
            (vec![("TF_BUILD", "True")], "azure-devops"),
            (vec![("TFC_RUN_ID", "run-1")], "hcp-terraform"),
            (vec![("JENKINS_URL", "https://ci.example/"), ("BUILD_ID", "7")], "jenkins-oidc-provider"),
        ] {
            assert_eq!(detected(&variables), [expected], "{variables:?}");
        }
    }

    #[test]
    fn a_variable_found_in_every_job_says_less_than_the_platforms_own() {
        let project = ("GOOGLE_CLOUD_PROJECT", "acme-prod");
        assert_eq!(detected(&[project]), ["google-cloud"]);
        assert_eq!(detected(&[project, ("CIRCLECI", "true")]), ["circleci"]);
        assert_eq!(
            detected(&[project, ("GITLAB_CI", "true"), ("CI_SERVER_HOST", "gitlab.com")]),
            ["gitlab-com"]
        );
    }

    #[test]
    fn what_only_the_user_can_tell_is_left_to_the_user() {
        let both = detected(&[("CIRCLECI", "true"), ("BUILDKITE", "true")]);
        assert_eq!(both, ["circleci", "buildkite"]);
    }

    #[test]
    fn a_workstation_is_no_platform() {
        assert!(matches!(detect(&no_env), Detection::Nowhere));
        assert!(matches!(detect(&env(&[("CI", "true"), ("GITHUB_ACTIONS", "")])), Detection::Nowhere));
    }
}
