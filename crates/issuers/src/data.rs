//! The files that make up the built-in catalogue. A new platform is a file and a line here.

use crate::Documents;

macro_rules! platforms {
    ($($id:literal),* $(,)?) => {
        &[$(($id, include_str!(concat!("../data/platforms/", $id, ".toml")))),*]
    };
}

/// A platform stands behind the one that it inherits from; otherwise this is the order of the reference page.
pub(crate) const DOCUMENTS: Documents<'static> = Documents {
    platforms: platforms![
        "github-actions",
        "github-actions-enterprise-slug",
        "github-actions-ghe-com",
        "github-enterprise-server",
        "gitlab-com",
        "gitlab-self-managed",
        "circleci",
        "buildkite",
        "bitbucket-pipelines",
        "azure-devops",
        "azure-devops-service-connection",
        "hcp-terraform",
        "terraform-enterprise",
        "spacelift",
        "semaphore",
        "codefresh",
        "harness",
        "env0",
        "scalr",
        "jenkins-oidc-provider",
        "teamcity-oidc-jwt",
        "google-cloud",
        "aws-sts-outbound",
        "cirrus-ci",
        "depot-ci",
        "forgejo",
        "concourse",
        "kubernetes",
        "vercel",
        "render",
        "fly-io",
        "pulumi-cloud",
        "octopus-deploy",
        "gitpod-classic",
        "bitrise",
        "buddy",
        "activestate",
    ],
    registered: include_str!("../data/registered.toml"),
    sources: include_str!("../data/sources.toml"),
    aws: include_str!("../data/aws.toml"),
    without_issuer: include_str!("../data/without-issuer.toml"),
};
