//! What is asked of the logs.

use std::time::Duration;

use clap::Args;
use daypass_claims::{Timestamp, parse_duration};
use daypass_evidence::{Cloud, Expected, Question, Stored};

use super::plan::Planned;
use crate::failure::{Failure, Result};

/// How long nobody may have used a credential, where nothing else is said.
const UNUSED: Duration = Duration::from_secs(30 * 86_400);

#[derive(Debug, Args)]
#[command(next_help_heading = "What is asked")]
pub(super) struct Asked {
    /// A stored credential, by the id that logs know it by; repeatable. Keys of AWS by themselves, or with their account where
    /// no log may know them any more: `111122223333:AKIA...`. Others with their cloud in front: `gcp:KEY`, `azure:KEY`,
    /// `vault:ACCESSOR`.
    #[arg(long = "key", value_name = "ID")]
    keys: Vec<String>,
    /// All keys of this user or service account: an ARN, a user's name, an e-mail address; repeatable.
    #[arg(long = "owner", value_name = "OWNER")]
    owners: Vec<String>,
    /// From when on stored credentials should not be used any more: 2026-10-18, or with a time. Unless given, as long before
    /// the end as the plan asks for, or 30 days.
    #[arg(long, value_name = "DATE", conflicts_with = "unused", value_parser = date)]
    cut_over: Option<Timestamp>,
    /// The same, counted back from the end: 30d.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    unused: Option<Duration>,
    /// When the logs were fetched, which ends what they can tell; now unless given.
    #[arg(long, value_name = "DATE", value_parser = date)]
    until: Option<Timestamp>,
    /// A session that is planned: what it acts as, and for which workload; repeatable, `*` stands for any text.
    #[arg(long, value_names = ["ROLE", "SUBJECT"], num_args = 2)]
    expect: Vec<String>,
}

impl Asked {
    pub(super) fn question(&self, now: Timestamp, planned: Planned) -> Result<Question> {
        let until = self.until.unwrap_or(now);
        let cut_over =
            self.cut_over.unwrap_or_else(|| until - self.unused.or(planned.unused).unwrap_or(UNUSED));
        if cut_over >= until {
            return Err(Failure::usage(format!("--cut-over: {cut_over} is not before the end, {until}")));
        }
        let keys = self.keys.iter().map(|key| {
            let (cloud, credential) = with_cloud(key);
            let (account, credential) = with_account(credential);
            Stored { account: account.to_owned(), ..stored(cloud, credential, "") }
        });
        let owners = self.owners.iter().map(|owner| {
            let (cloud, principal) = with_cloud(owner);
            let cloud = if principal.ends_with(".gserviceaccount.com") { Cloud::Gcp } else { cloud };
            stored(cloud, "", principal)
        });
        let (pairs, _) = self.expect.as_chunks::<2>();
        let expected = pairs.iter().map(|[principal, subject]| Expected {
            principal: principal.clone(),
            issuer: "*".to_owned(),
            subject: subject.clone(),
        });
        Ok(Question {
            cut_over,
            until,
            credentials: planned.credentials.into_iter().chain(keys).chain(owners).collect(),
            expected: planned.expected.into_iter().chain(expected).collect(),
            stated_at: None,
        })
    }

    /// The window, as far as it was given.
    pub(super) const fn window(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.cut_over, self.until)
    }
}

fn stored(cloud: Cloud, credential: &str, principal: &str) -> Stored {
    let name = if credential.is_empty() { principal } else { credential };
    Stored {
        name: name.to_owned(),
        cloud,
        credential: credential.to_owned(),
        account: String::new(),
        principal: principal.to_owned(),
    }
}

/// `gcp:KEY` is a key of Google Cloud, and what has no cloud in front is of AWS. ARNs have colons too.
fn with_cloud(text: &str) -> (Cloud, &str) {
    let split = text.split_once(':').and_then(|(cloud, rest)| Some((Cloud::parse(cloud)?, rest)));
    split.unwrap_or((Cloud::Aws, text))
}

/// `111122223333:AKIA...`: accounts of AWS have twelve digits.
fn with_account(text: &str) -> (&str, &str) {
    let is_account =
        |(account, _): &(&str, &str)| account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    text.split_once(':').filter(is_account).unwrap_or(("", text))
}

/// `2026-10-18`, or RFC 3339.
fn date(text: &str) -> std::result::Result<Timestamp, String> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole)
        .map_err(|_| "a date is written like 2026-10-18 or 2026-10-18T05:00:00Z".to_owned())
}

fn span(text: &str) -> std::result::Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}
