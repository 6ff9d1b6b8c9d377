//! Who is at the other end of a stored credential: as far as programs, addresses and times tell.

use std::collections::BTreeSet;

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::UseRow;

/// One kind of program that uses a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// The kind of program, as in [`UseRow::agent`].
    pub agent: String,
    /// The system, as in [`UseRow::system`].
    pub system: String,
    /// One of the addresses, the one of the last day.
    pub address: String,
    /// How many addresses there were at least.
    pub addresses: u64,
    /// Calls, and sessions that were issued.
    pub uses: u64,
    /// Days with a use.
    pub days: u64,
    /// Days with a use since cut-over.
    pub days_since: u64,
    /// The first use.
    #[serde(with = "crate::rfc3339")]
    pub first: Timestamp,
    /// The last use.
    #[serde(with = "crate::rfc3339")]
    pub last: Timestamp,
    /// What it looks like.
    pub kind: ConsumerKind,
    /// How much that is worth.
    pub confidence: Confidence,
    /// What it is told by, in words.
    pub why: Vec<String>,
}

impl Consumer {
    /// `aws-cli on linux from 203.0.113.7, last at ...: likely a scheduled job (within 1 minute(s) ...)`.
    pub fn in_words(&self) -> String {
        let Self { agent, system, address, last, kind, confidence, why, .. } = self;
        let agent = if agent.is_empty() { "a program that names itself nothing" } else { agent };
        let on = if system.is_empty() { String::new() } else { format!(" on {system}") };
        let from = if address.is_empty() { String::new() } else { format!(" from {address}") };
        let guess = match confidence {
            Confidence::Unknown => "nothing tells what it is".to_owned(),
            Confidence::Possible => format!("possibly {}", kind.in_words()),
            Confidence::Likely => format!("likely {}", kind.in_words()),
        };
        format!("{agent}{on}{from}, last at {last}: {guess} ({})", why.join(", "))
    }
}

impl ConsumerKind {
    /// With its article.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::CiJob => "a job of a CI platform",
            Self::Scheduled => "a scheduled job",
            Self::Workstation => "somebody's own machine",
            Self::Service => "a service of the cloud",
            Self::Server => "one machine, at no set times",
            Self::Unknown => "something unknown",
        }
    }
}

/// What uses a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsumerKind {
    /// A job of a CI platform.
    CiJob,
    /// Something that runs at set times on one machine.
    Scheduled,
    /// Somebody's own machine.
    Workstation,
    /// A service of the cloud, on behalf of the credential.
    Service,
    /// One machine, at no set times.
    Server,
    /// Nothing tells.
    Unknown,
}

/// How much evidence there is. None of it is proof: a program says of itself what it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// None.
    Unknown,
    /// It fits, and so would something else.
    Possible,
    /// The program says so, or the times leave little else.
    Likely,
}

/// The agents that are CI platforms.
const PLATFORMS: [&str; 8] = [
    "github-actions",
    "gitlab-ci",
    "circleci",
    "bitbucket-pipelines",
    "azure-pipelines",
    "buildkite",
    "jenkins",
    "daypass",
];
/// Different addresses that are kept in mind.
const ADDRESSES: usize = 256;
/// Days that make a habit.
const HABIT: u64 = 3;

/// What adds up to a consumer.
#[derive(Clone, Debug, Default)]
pub(super) struct Consuming {
    days: BTreeSet<String>,
    days_since: BTreeSet<String>,
    addresses: BTreeSet<String>,
    most_on_a_day: u64,
    last_address: String,
    hours: u32,
    minutes: u64,
    uses: u64,
    first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

impl Consuming {
    pub(super) fn add(&mut self, row: &UseRow, cut_over: Timestamp) {
        self.days.insert(row.day.clone());
        if row.last >= cut_over {
            self.days_since.insert(row.day.clone());
        }
        if !row.address.is_empty() && self.addresses.len() < ADDRESSES {
            self.addresses.insert(row.address.clone());
        }
        if self.last.is_none_or(|last| row.last >= last) {
            self.last_address = row.address.clone();
        }
        self.most_on_a_day = self.most_on_a_day.max(row.addresses);
        self.hours |= row.hours;
        self.minutes |= row.minutes;
        self.uses = self.uses.saturating_add(row.uses).saturating_add(row.issued);
        self.first = Some(self.first.map_or(row.first, |first| first.min(row.first)));
        self.last = Some(self.last.map_or(row.last, |last| last.max(row.last)));
    }

    pub(super) fn finish(self, agent: String, system: String) -> Option<Consumer> {
        let (kind, confidence, why) = self.recognise(&agent, &system);
        Some(Consumer {
            agent,
            system,
            address: self.last_address.clone(),
            addresses: self.addresses_at_least(),
            uses: self.uses,
            days: count(self.days.len()),
            days_since: count(self.days_since.len()),
            first: self.first?,
            last: self.last?,
            kind,
            confidence,
            why,
        })
    }

    fn addresses_at_least(&self) -> u64 {
        count(self.addresses.len()).max(self.most_on_a_day)
    }

    fn recognise(&self, agent: &str, system: &str) -> (ConsumerKind, Confidence, Vec<String>) {
        let (days, addresses) = (count(self.days.len()), self.addresses_at_least());
        let (hours, minutes) = (self.hours.count_ones(), self.minutes.count_ones());
        let from = format!("from {} address{}", addresses, if addresses == 1 { "" } else { "es" });
        if PLATFORMS.contains(&agent) {
            let why = vec![format!("its user agent names {agent}"), from];
            return (ConsumerKind::CiJob, Confidence::Likely, why);
        }
        if agent == "service" {
            return (
                ConsumerKind::Service,
                Confidence::Likely,
                vec!["its user agent is a service's".to_owned()],
            );
        }
        if agent == "console" || matches!(system, "macos" | "windows") {
            let what = if agent == "console" { "a browser or the console" } else { system };
            return (
                ConsumerKind::Workstation,
                Confidence::Likely,
                vec![format!("its user agent names {what}"), from],
            );
        }
        // At one or two times of the day, or at the same minutes of many hours: a clock starts it.
        let regular = days >= HABIT && minutes <= 3 && (hours <= 2 || hours >= 12);
        if regular && addresses == 1 {
            let times = format!("within {minutes} minute(s) of {hours} hour(s), on {days} days");
            return (ConsumerKind::Scheduled, Confidence::Likely, vec![times, from]);
        }
        if days >= HABIT && addresses > days {
            let why = vec![from, "as hosted runners do".to_owned()];
            return (ConsumerKind::CiJob, Confidence::Possible, why);
        }
        if regular {
            let times = format!("within {minutes} minute(s) of {hours} hour(s), on {days} days");
            return (ConsumerKind::Scheduled, Confidence::Possible, vec![times, from]);
        }
        if addresses == 1 && days >= HABIT {
            return (ConsumerKind::Server, Confidence::Possible, vec![from, format!("on {days} days")]);
        }
        (ConsumerKind::Unknown, Confidence::Unknown, vec![from, format!("on {days} day(s)")])
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Class, Cloud};

    fn row(day: u32, time: &str, address: &str, addresses: u64) -> UseRow {
        let at = Timestamp::parse(&format!("2026-10-{day:02}T{time}:00Z")).unwrap();
        let (hour, minute) = time.split_once(':').unwrap();
        let (hour, minute): (u32, u32) = (hour.parse().unwrap(), minute.parse().unwrap());
        UseRow {
            cloud: Cloud::Aws,
            account: String::new(),
            class: Class::Static,
            credential: "AKIA".to_owned(),
            principal: String::new(),
            issuer: String::new(),
            subject: String::new(),
            audience: String::new(),
            agent: String::new(),
            system: String::new(),
            day: format!("2026-10-{day:02}"),
            address: address.to_owned(),
            addresses,
            hours: 1 << hour,
            minutes: 1 << minute,
            issued: 0,
            uses: 1,
            refused: 0,
            first: at,
            last: at,
        }
    }

    fn kind(agent: &str, system: &str, rows: &[UseRow]) -> (ConsumerKind, Confidence) {
        let mut consuming = Consuming::default();
        for row in rows {
            consuming.add(row, Timestamp::from_secs(0));
        }
        let consumer = consuming.finish(agent.to_owned(), system.to_owned()).unwrap();
        assert!(!consumer.why.is_empty());
        (consumer.kind, consumer.confidence)
    }

    #[test]
    fn consumers_are_told_by_program_then_by_time_then_by_address() {
        use Confidence::{Likely, Possible, Unknown};
        use ConsumerKind::{CiJob, Scheduled, Server, Service, Workstation};
        let nightly: Vec<UseRow> = (1..9).map(|day| row(day, "02:15", "203.0.113.7", 1)).collect();
        let anywhere: Vec<UseRow> = (1..9)
            .map(|day| row(day, &format!("{day:02}:{day:02}"), &format!("20.0.0.{day}"), 3 * u64::from(day)))
            .collect();
        let sometimes: Vec<UseRow> =
            (1..9).map(|day| row(day, &format!("{day:02}:{day:02}"), "203.0.113.7", 1)).collect();
        assert_eq!(kind("github-actions", "linux", &nightly), (CiJob, Likely));
        assert_eq!(kind("service", "", &nightly), (Service, Likely));
        assert_eq!(kind("aws-cli", "macos", &nightly), (Workstation, Likely));
        assert_eq!(kind("console", "", &nightly), (Workstation, Likely));
        assert_eq!(kind("aws-cli", "linux", &nightly), (Scheduled, Likely));
        assert_eq!(kind("aws-cli", "linux", &anywhere), (CiJob, Possible));
        assert_eq!(kind("aws-cli", "linux", &sometimes), (Server, Possible));
        assert_eq!(kind("aws-cli", "linux", &sometimes[..1]), (ConsumerKind::Unknown, Unknown));
        let moving: Vec<UseRow> = (1..9)
            .map(|day| row(day, "02:15", if day < 5 { "203.0.113.7" } else { "203.0.113.8" }, 1))
            .collect();
        assert_eq!(kind("aws-cli", "linux", &moving), (Scheduled, Possible));
    }
}
