//! The evidence table: the rows that logs come down to, natively or on an engine.

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

use crate::event::{Class, Cloud};
use crate::tally::{Cell, Heard, fields};

/// What one credential did on one day through one kind of program.
///
/// The columns up to `day` tell rows apart, and rows come in their order. Texts that do not apply are empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseRow {
    /// `aws`, `azure`, `daypass`, `gcp`, `vault`.
    pub cloud: Cloud,
    /// The account, project, tenant or namespace of the credential.
    pub account: String,
    /// What stands behind the calls.
    pub class: Class,
    /// Id of the stored credential, for the classes that have one: access key id, service account key id, key id of a client
    /// secret, accessor of a token.
    pub credential: String,
    /// What the calls are made as: ARN of user or role, e-mail of a service account, application id, role.
    pub principal: String,
    /// Who vouched for a federated session: ARN of the identity provider, workload identity pool, issuer, mount.
    pub issuer: String,
    /// For whom: `sub`, or the id of the federated credential where a cloud logs nothing else.
    pub subject: String,
    /// `aud`.
    pub audience: String,
    /// The kind of program, told by its user agent: `github-actions`, `terraform`, `aws-cli`, ..., `other`.
    pub agent: String,
    /// The system that it says it runs on: `linux`, `macos`, `windows`, or empty.
    pub system: String,
    /// The day, in UTC: `2026-11-23`.
    pub day: String,
    /// The least of the addresses that calls came from, compared as text.
    pub address: String,
    /// How many addresses there were; 64 stands for any more.
    pub addresses: u64,
    /// Hours of the day with a call, as bits: 1 is from 00:00 to 00:59 UTC.
    pub hours: u32,
    /// Minutes of the hour with a call, as bits.
    pub minutes: u64,
    /// Sessions that were issued.
    pub issued: u64,
    /// Calls that were made, with those that were refused.
    pub uses: u64,
    /// Calls that were refused; where nothing is signed with the credential yet, attempts to get a session.
    pub refused: u64,
    /// The first of all these, RFC 3339 in whole seconds.
    #[serde(with = "crate::rfc3339")]
    pub first: Timestamp,
    /// The last.
    #[serde(with = "crate::rfc3339")]
    pub last: Timestamp,
}

/// What of the logs was there, for one region and day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageRow {
    /// Whose logs.
    pub cloud: Cloud,
    /// The account that the records were delivered for; empty where records were lost that nobody can tell.
    pub account: String,
    /// The region, where the cloud has its logs by region. Of sign-ins of Microsoft Entra: `people` and `managed-identities` for
    /// the logs of those, and empty for the one of applications.
    pub region: String,
    /// The day, in UTC; empty like `account`.
    pub day: String,
    /// Records.
    pub events: u64,
    /// Of these, records of data: object reads and the like, which a trail has only if it was told to.
    pub data: u64,
    /// Hours with a record, as bits.
    pub hours: u32,
    /// Records, or parts of files, that could not be read. An engine's query cannot tell and says 0.
    pub lost: u64,
}

/// What the cloud itself says of a stored key, whatever the logs hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// The account, if the source says.
    pub account: String,
    /// The user's name.
    pub user: String,
    /// The user's ARN, if the source says.
    pub principal: String,
    /// The key; the credential report says only whose it is.
    pub key: Option<String>,
    /// Whether it can be used.
    pub active: Option<bool>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was last used, over all services and regions, to within hours.
    pub last_used: LastUsed,
}

/// When a key was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastUsed {
    /// Then.
    At(Timestamp),
    /// Never.
    Never,
    /// The source does not say.
    Unknown,
}

impl KeyState {
    /// Bytes that it takes.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.account, &self.user, &self.principal].into_iter().chain(&self.key);
        texts.fold(size_of::<Self>(), |sum, text| sum.saturating_add(text.capacity()).saturating_add(16))
    }
}

/// Texts that tell rows apart: the columns of [`UseRow`] up to `day`.
const KEY: usize = 11;

impl UseRow {
    pub(crate) fn from_cell(key: &str, cell: &Cell) -> Option<Self> {
        let [cloud, account, class, credential, principal, issuer, subject, audience, agent, system, day] =
            fields::<KEY>(key)?.map(str::to_owned);
        Some(Self {
            cloud: Cloud::parse(&cloud)?,
            account,
            class: Class::parse(&class)?,
            credential,
            principal,
            issuer,
            subject,
            audience,
            agent,
            system,
            day,
            address: cell.address.clone(),
            addresses: u64::try_from(cell.addresses()).unwrap_or(u64::MAX),
            hours: cell.hours,
            minutes: cell.minutes,
            issued: cell.issued,
            uses: cell.uses,
            refused: cell.refused,
            first: Timestamp::from_secs(cell.first),
            last: Timestamp::from_secs(cell.last),
        })
    }
}

impl CoverageRow {
    pub(crate) fn from_heard(key: &str, heard: &Heard) -> Option<Self> {
        let [cloud, account, region, day] = fields::<4>(key)?.map(str::to_owned);
        let cloud = Cloud::parse(&cloud)?;
        let Heard { events, data, hours, lost } = *heard;
        Some(Self { cloud, account, region, day, events, data, hours, lost })
    }
}
