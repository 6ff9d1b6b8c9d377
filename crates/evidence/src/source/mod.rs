//! The sources: one file for each, and what they have in common.

mod azure;
mod cloudtrail;
mod credential_report;
mod daypass;
mod gcp;
mod key_last_used;
mod vault;

use std::fmt;
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

use crate::KeyState;
use crate::event::{Event, Instance, Like};
use crate::input::{Envelope, Item, Limits, Records, Shape};
use crate::skip::Skip;

/// What a file is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SourceKind {
    /// CloudTrail: as it is delivered to S3, as `lookup-events` prints it, or events of `EventBridge`.
    CloudTrail,
    /// Cloud Audit Logs of Google Cloud: exported to Cloud Storage, or as `gcloud logging read --format=json` prints them.
    GcpAudit,
    /// Sign-ins of Microsoft Entra: diagnostic export, Log Analytics rows or Microsoft Graph.
    AzureSignIn,
    /// An audit device of Vault or OpenBao, in JSON.
    VaultAudit,
    /// The record of daypass itself: `daypass audit export`.
    DaypassLog,
    /// The IAM credential report, in CSV.
    CredentialReport,
    /// `aws iam get-access-key-last-used` and `list-access-keys`.
    KeyLastUsed,
}

impl SourceKind {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::CloudTrail,
        Self::GcpAudit,
        Self::AzureSignIn,
        Self::VaultAudit,
        Self::DaypassLog,
        Self::CredentialReport,
        Self::KeyLastUsed,
    ];

    /// As in `--cloudtrail DIR`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloudTrail => "cloudtrail",
            Self::GcpAudit => "gcp-audit",
            Self::AzureSignIn => "azure-sign-in",
            Self::VaultAudit => "vault-audit",
            Self::DaypassLog => "daypass-log",
            Self::CredentialReport => "credential-report",
            Self::KeyLastUsed => "key-last-used",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What takes in what a file holds.
pub(crate) trait Sink {
    /// Counts a call that is like an earlier one; false if there was none that is remembered.
    fn again(&mut self, like: &Like<'_>, call: &Instance<'_>) -> bool;
    /// Counts an event, or says why it cannot be.
    fn event(&mut self, event: &Event<'_>) -> Result<(), Skip>;
    /// A record that is none, or cannot be read.
    fn skip(&mut self, skip: Skip, offset: u64);
    /// A record that is in order and says nothing of credentials.
    fn aside(&mut self);
    /// What the cloud itself says of a stored key.
    fn key(&mut self, key: KeyState);
}

/// A source whose records are JSON.
trait Source: Shape {
    const ENVELOPE: Envelope;
    /// Makes events of a record, or says why it is none of this source.
    fn events(record: &Self::Record<'_>, sink: &mut dyn Sink) -> Result<(), Skip>;
}

/// Reads a file. `name` is that of the file, which some exports keep the key's id in. An error is one of the file itself.
pub(crate) fn read(
    kind: SourceKind,
    file: impl Read,
    name: &str,
    limits: Limits,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    match kind {
        SourceKind::CloudTrail => read_json::<cloudtrail::CloudTrail>(file, limits, sink),
        SourceKind::GcpAudit => read_json::<gcp::Gcp>(file, limits, sink),
        SourceKind::AzureSignIn => read_json::<azure::Azure>(file, limits, sink),
        SourceKind::VaultAudit => read_json::<vault::Vault>(file, limits, sink),
        SourceKind::DaypassLog => read_json::<daypass::Daypass>(file, limits, sink),
        SourceKind::KeyLastUsed => key_last_used::read(file, name, limits, sink),
        SourceKind::CredentialReport => credential_report::read(file, limits, sink),
    }
}

fn read_json<S: Source>(file: impl Read, limits: Limits, sink: &mut dyn Sink) -> io::Result<()> {
    let mut records = Records::new(file, S::ENVELOPE, limits);
    records.each::<S>(&mut |offset, item: Item<&S::Record<'_>>| {
        if let Err(skip) = item.and_then(|record| S::events(record, sink)) {
            sink.skip(skip, offset);
        }
    })
}

#[cfg(test)]
mod tests;
