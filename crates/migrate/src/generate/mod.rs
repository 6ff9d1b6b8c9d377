//! For each role of a plan the trust that exactly fits its jobs, with the proof, and its permissions carried over.
//!
//! A trust starts from what its cloud needs to name an issuer, and is narrowed to the tokens that the jobs can mint
//! ([`daypass_prove::tighten()`]): what comes out admits them all and is asked who else gets in. Where a document would be too
//! long for its cloud the role is split; no condition is widened. Where the cloud does not see what would make it tight, that
//! is said, and the exchange's re-issued token is offered in its place.

mod aws;
mod azure;
mod exchange;
mod gcp;
mod jobs;
mod native;
mod proof;
mod rehearse;
mod text;
mod vault;

use std::fmt;
use std::str::FromStr;

use daypass_claims::Issuer;
use daypass_issuers::Mintable;
use daypass_prove::tighten::Unseen;
use daypass_prove::{PersonaAnswer, Witness};
use serde::Serialize;

use crate::plan::Role;
use crate::plan::privilege::{Account, Permissions};
use crate::{Cloud, Plan, Survey};

pub use rehearse::{Existing, Recorded, Rehearsed, Replayed, Surplus, rehearse};

/// How what is generated is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Terraform configurations.
    Terraform,
    /// The documents themselves, as the clouds' APIs take them.
    Document,
    /// Commands of the clouds' own command lines.
    Cli,
}

/// No such format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is written as `{0}` (known: terraform, document, cli)")]
pub struct UnknownFormat(String);

/// What was generated.
#[derive(Clone, Debug, Default)]
pub struct Generated {
    /// The files, by path.
    pub files: Vec<Artifact>,
    /// What became of each role, in the order of the plan.
    pub roles: Vec<GeneratedRole>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// Its path, relative to the folder that everything goes to.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What became of a role.
#[derive(Clone, Debug, Serialize)]
pub struct GeneratedRole {
    /// Its name.
    pub role: String,
    /// Its trust; several where one document would be too long for the cloud. Empty where there is none, and then
    /// [`GeneratedRole::refused`] says why.
    pub trusts: Vec<Trust>,
    /// Tokens of its jobs that it does not admit, and why.
    pub left_out: Vec<String>,
    /// What to know about it.
    pub remarks: Vec<String>,
    /// Why there is no trust.
    pub refused: Vec<String>,
}

/// Trust, with what was proved of it.
#[derive(Clone, Debug, Serialize)]
pub struct Trust {
    /// The name of the role: the plan's, with a number where the role was split.
    pub name: String,
    /// The document, in the cloud's own dialect.
    pub document: String,
    /// The jobs that it is for.
    pub jobs: Vec<String>,
    /// Tokens of theirs that it admits, one for each kind.
    pub admits: Vec<Witness>,
    /// Who is admitted, measured from where the jobs belong.
    pub personas: Vec<PersonaAnswer>,
    /// Who is admitted that is not intended, in words.
    pub beyond: Vec<String>,
    /// What should be asked for and cannot be in this cloud.
    pub unseen: Vec<Unseen>,
    /// Whether it admits the jobs' tokens, and others only of the same place.
    pub is_tight: bool,
}

/// What a document of a cloud is made from.
struct Site<'a> {
    role: &'a Role,
    /// Its name: the plan's, or with a number where it was split.
    name: &'a str,
    issuers: Vec<Issuer>,
    audience: &'a str,
    tokens: &'a [Mintable],
    permissions: Vec<(&'a str, &'a Permissions)>,
    /// Whether subjects may be longer than Google takes them.
    long_subjects: bool,
}

/// What a cloud's own form of a role is like.
trait Target {
    /// Which cloud.
    fn cloud(&self) -> Cloud;

    /// A document that trusts the issuers for the audience and says nothing of claims: what is narrowed.
    fn seed(&self, site: &Site<'_>) -> Result<String, String>;

    /// Which of the cloud's limits a document exceeds.
    fn limit(&self, document: &str) -> Option<String>;

    /// The files of a role.
    fn render(&self, site: &Site<'_>, document: &str, format: Format) -> Result<Vec<Artifact>, String>;

    /// What to know about the role besides.
    fn remarks(&self, site: &Site<'_>) -> Vec<String> {
        let _ = site;
        Vec::new()
    }
}

/// Every cloud's, in the order of [`Cloud::ALL`].
const TARGETS: [&dyn Target; 5] = [&aws::Aws, &gcp::Gcp, &azure::Azure, &vault::Vault, &native::Native];

/// Generates the roles of a cloud. For [`Cloud::Daypass`] that is every role: the exchange can stand in for any cloud.
pub fn generate(
    plan: &Plan,
    survey: &Survey,
    account: Option<&Account>,
    cloud: Cloud,
    format: Format,
) -> Generated {
    let mut generated = Generated::default();
    let Some(target) = TARGETS.iter().find(|it| it.cloud() == cloud) else { return generated };
    for role in plan.roles.iter().filter(|role| cloud == Cloud::Daypass || role.cloud == cloud) {
        let (outcome, files) = one(plan, survey, account, *target, role, format);
        generated.roles.push(outcome);
        generated.files.extend(files);
    }
    generated
}

fn one(
    plan: &Plan,
    survey: &Survey,
    account: Option<&Account>,
    target: &dyn Target,
    role: &Role,
    format: Format,
) -> (GeneratedRole, Vec<Artifact>) {
    let mut outcome = GeneratedRole::of(role);
    let tokens = jobs::of(plan, survey, role, target.cloud(), &mut outcome);
    if !outcome.refused.is_empty() {
        return (outcome, Vec::new());
    }
    if tokens.mintable.is_empty() {
        outcome.refused.push("no token of its jobs is left to admit".to_owned());
        return (outcome, Vec::new());
    }
    // What a role of the exchange may do is said by whoever takes its credential.
    let permissions = match target.cloud() {
        Cloud::Daypass => Vec::new(),
        _ => permissions(role, account, &mut outcome),
    };
    let proved = proof::prove(target, role, &tokens, &permissions);
    let mut files = Vec::new();
    match proved {
        Ok(parts) => {
            for part in parts {
                let site = part.site(role, &tokens, &permissions);
                for remark in target.remarks(&site) {
                    if !outcome.remarks.contains(&remark) {
                        outcome.remarks.push(remark);
                    }
                }
                match target.render(&site, &part.trust.document, format) {
                    Ok(rendered) => files.extend(rendered),
                    Err(why) => outcome.refused.push(why),
                }
                if !part.trust.is_tight && target.cloud() != Cloud::Daypass {
                    outcome.remarks.push(format!(
                        "`{}`: {} does not see what would keep others out; let daypass' exchange decide, and trust its token \
                         instead (`{}`)",
                        part.trust.name,
                        target.cloud(),
                        exchange::path(&part.trust.name)
                    ));
                    files.push(exchange::offer(&site));
                }
                outcome.trusts.push(part.trust);
            }
        }
        Err(why) => outcome.refused.push(why),
    }
    if outcome.trusts.len() > 1 {
        let names: Vec<&str> = outcome.trusts.iter().map(|trust| trust.name.as_str()).collect();
        outcome.remarks.push(format!(
            "it is split into {}, because one document would be past the cloud's limit: give each job its own in the plan",
            names.join(", ")
        ));
    }
    if !outcome.refused.is_empty() {
        files.clear();
        outcome.trusts.clear();
    }
    (outcome, files)
}

/// What the role's principals may do.
fn permissions<'a>(
    role: &'a Role,
    account: Option<&'a Account>,
    outcome: &mut GeneratedRole,
) -> Vec<(&'a str, &'a Permissions)> {
    let mut found = Vec::new();
    for principal in &role.principals {
        match account.and_then(|account| account.find(principal)) {
            Some(known) => found.push(known),
            None => outcome.remarks.push(format!(
                "the permissions of `{principal}` are not carried over: its account's authorization details were not given"
            )),
        }
    }
    if role.principals.is_empty() {
        outcome.remarks.push(
            "it has no permissions yet: which user or account the credential belongs to is not in the plan (`principal`)"
                .to_owned(),
        );
    }
    found
}

impl GeneratedRole {
    /// Nothing became of it yet.
    fn of(role: &Role) -> Self {
        Self {
            role: role.name.clone(),
            trusts: Vec::new(),
            left_out: Vec::new(),
            remarks: Vec::new(),
            refused: Vec::new(),
        }
    }
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Terraform, Self::Document, Self::Cli];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Document => "document",
            Self::Cli => "cli",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == name);
        found.ok_or_else(|| UnknownFormat(name.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_has_its_target() {
        let clouds: Vec<Cloud> = TARGETS.iter().map(|it| it.cloud()).collect();
        assert_eq!(clouds, Cloud::ALL);
    }

    #[test]
    fn formats_round_trip_and_others_are_refused() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        let refusal = "pulumi".parse::<Format>().unwrap_err().to_string();
        assert_eq!(refusal, "nothing is written as `pulumi` (known: terraform, document, cli)");
    }
}
