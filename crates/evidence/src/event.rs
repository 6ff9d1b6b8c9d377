//! What a record of any source comes down to: whose credential made a call, and which session came of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::moment::Moment;

/// Where a credential is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Entra and Azure.
    Azure,
    /// The exchange of this project.
    Daypass,
    /// Google Cloud.
    Gcp,
    /// HashiCorp Vault and OpenBao.
    Vault,
}

/// What stands behind a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A session that was issued to the bearer of a stored credential: what keeps it alive is still the stored one.
    Brokered,
    /// A session that was issued for a workload's token.
    Federated,
    /// A person who signed in.
    Human,
    /// The identity of the machine that the workload runs on.
    Instance,
    /// The stored key of an account's root user.
    Root,
    /// A session that was issued to a person by an identity provider (SAML).
    Saml,
    /// A session of which the logs do not show how it came about.
    #[default]
    Session,
    /// A stored credential: access key, service account key, client secret, token without a login.
    Static,
}

impl Cloud {
    /// As it stands in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Daypass => "daypass",
            Self::Gcp => "gcp",
            Self::Vault => "vault",
        }
    }

    /// Reads what [`Cloud::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Aws, Self::Azure, Self::Daypass, Self::Gcp, Self::Vault];
        all.into_iter().find(|cloud| cloud.as_str() == text)
    }
}

impl Class {
    /// All there are, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Brokered,
        Self::Federated,
        Self::Human,
        Self::Instance,
        Self::Root,
        Self::Saml,
        Self::Session,
        Self::Static,
    ];

    /// As it stands in rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Brokered => "brokered",
            Self::Federated => "federated",
            Self::Human => "human",
            Self::Instance => "instance",
            Self::Root => "root",
            Self::Saml => "saml",
            Self::Session => "session",
            Self::Static => "static",
        }
    }

    /// Reads what [`Class::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Whether a stored credential is needed for it: removing that one ends it.
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Static | Self::Root | Self::Brokered)
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One call, or one credential handed out, as far as evidence goes. Texts that a record does not have are empty.
#[derive(Clone, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) cloud: Cloud,
    /// Where the record was written: the account, project, tenant or namespace.
    pub(crate) account: &'a str,
    /// Where it was written, within the account.
    pub(crate) region: &'a str,
    pub(crate) at: Moment,
    pub(crate) address: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) refused: bool,
    /// Whether the record is of data (an object read, a queue polled) rather than of management.
    pub(crate) data: bool,
    pub(crate) who: Who<'a>,
    pub(crate) issued: Option<Issued<'a>>,
    /// What later calls of the same caller can be known by, where the source has such a thing.
    pub(crate) like: Option<Like<'a>>,
}

/// What calls have in common that differ in time, address and outcome alone. Texts as they stand in the record: those that are the
/// same mean the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Like<'a> {
    pub(crate) caller: &'a str,
    pub(crate) user_agent: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

/// What they differ in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) at: Moment,
    pub(crate) address: &'a str,
    pub(crate) refused: bool,
    pub(crate) data: bool,
}

/// Whose credential made a call.
#[derive(Clone, Debug)]
pub(crate) enum Who<'a> {
    /// Nobody's: a call of the cloud itself, or one that needs no credential.
    Nobody,
    /// The record says it all.
    Known { account: &'a str, identity: Identity<'a> },
    /// A session, which some other record may tell more about; `hint` is what this one knows.
    Session { account: &'a str, id: &'a str, hint: Identity<'a> },
}

/// Who is behind a credential.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity<'a> {
    pub(crate) class: Class,
    /// The id of the stored credential.
    pub(crate) credential: &'a str,
    /// The user, role or service account that the call is made as.
    pub(crate) principal: &'a str,
    pub(crate) issuer: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) audience: &'a str,
}

/// A session that came of a call.
#[derive(Clone, Debug)]
pub(crate) struct Issued<'a> {
    /// What its calls are known by; empty where the source has no such id.
    pub(crate) session: &'a str,
    /// The account that it is good in.
    pub(crate) account: &'a str,
    /// What it may act as.
    pub(crate) principal: &'a str,
    pub(crate) origin: Origin<'a>,
}

/// What a session was issued for.
#[derive(Clone, Debug)]
pub(crate) enum Origin<'a> {
    /// For what this record tells.
    Known(Identity<'a>),
    /// For the session that made the call.
    Session { id: &'a str, hint: Identity<'a> },
}

impl<'a> Origin<'a> {
    /// What the record itself tells.
    pub(crate) const fn identity(&self) -> &Identity<'a> {
        match self {
            Self::Known(identity) | Self::Session { hint: identity, .. } => identity,
        }
    }
}
