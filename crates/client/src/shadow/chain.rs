use std::fmt;

/// The places where an AWS SDK looks for credentials, in its order (botocore 1.44, `create_credential_resolver`). Others
/// differ further down; the environment is first in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// `AWS_ACCESS_KEY_ID`.
    Environment,
    /// A profile with `role_arn` and where to assume it from.
    AssumeRole,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`, or the same in a profile.
    WebIdentity,
    /// A profile with single sign-on.
    Sso,
    /// Keys in the credentials file.
    CredentialsFile,
    /// A profile with a login session.
    Login,
    /// A profile with `credential_process`.
    Process,
    /// Keys in the configuration file.
    ConfigFile,
    /// `AWS_CONTAINER_CREDENTIALS_*_URI`.
    Container,
}

/// How a federated credential reaches the program that uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An AWS session in variables.
    Environment,
    /// A web-identity token file that SDKs exchange.
    WebIdentity,
    /// A program that a profile names.
    CredentialProcess {
        /// The profile.
        profile: String,
    },
    /// The endpoint of `daypass run`.
    ContainerEndpoint,
    /// A token, for a cloud other than AWS.
    Token,
}

impl Delivery {
    /// Where an AWS SDK finds it; `None` for what is not for AWS.
    pub const fn link(&self) -> Option<Link> {
        match self {
            Self::Environment => Some(Link::Environment),
            Self::WebIdentity => Some(Link::WebIdentity),
            Self::CredentialProcess { .. } => Some(Link::Process),
            Self::ContainerEndpoint => Some(Link::Container),
            Self::Token => None,
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "the environment",
            Self::AssumeRole => "the profile's role",
            Self::WebIdentity => "the web-identity token",
            Self::Sso => "single sign-on",
            Self::CredentialsFile => "the credentials file",
            Self::Login => "the login session",
            Self::Process => "the profile's credential_process",
            Self::ConfigFile => "the configuration file",
            Self::Container => "the container endpoint",
        })
    }
}
