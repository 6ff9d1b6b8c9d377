//! The verdict on a stored credential.

use std::collections::BTreeMap;

use daypass_claims::Timestamp;
use serde::Serialize;

use super::consumer::{Consumer, Consuming};
use super::coverage::{Coverage, Heard};
use super::{Question, Used};
use crate::event::Cloud;
use crate::gather::Evidence;
use crate::table::{KeyState, LastUsed};

/// What is known of a stored credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialFinding {
    /// Where it is good.
    pub cloud: Cloud,
    /// Its account.
    pub account: String,
    /// Its id.
    pub credential: String,
    /// Whose it is.
    pub principal: String,
    /// Its first use in the logs, or by a session that it was exchanged for.
    pub first: Option<Timestamp>,
    /// Its last use, by the logs or by what the cloud says.
    pub last: Option<Timestamp>,
    /// Who uses it, the last first.
    pub consumers: Vec<Consumer>,
    /// Whether it has been used since cut-over.
    pub verdict: Verdict,
}

/// Whether a credential has been used since cut-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// It has.
    Used {
        /// When last.
        last: Timestamp,
        /// On how many days, by the logs.
        days: u64,
    },
    /// Nothing was seen of it, and there is what it would have been seen in.
    NoUseSeen {
        /// From cut-over.
        from: Timestamp,
        /// To the end of the window.
        until: Timestamp,
        /// What of the logs there is.
        coverage: Coverage,
    },
    /// Nothing was seen of it, which does not say that there was nothing.
    CannotTell {
        /// Why not.
        why: Vec<Doubt>,
        /// What of the logs there is.
        coverage: Coverage,
    },
}

/// Why "nothing was seen" is not "it was not used".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "doubt")]
#[non_exhaustive]
pub enum Doubt {
    /// Cut-over is not before the end of the window.
    #[error("cut-over is not before the end of the logs")]
    NoWindow,
    /// The account's logs are not there.
    #[error("there are no logs of account `{account}` since cut-over")]
    NoLogs {
        /// The account; empty where it is not known.
        account: String,
    },
    /// Nobody said which account's logs it would be seen in.
    #[error("its account is not known, and there are logs of {accounts} account(s)")]
    AccountUnknown {
        /// How many accounts there are logs of.
        accounts: usize,
    },
    /// Days without logs.
    #[error("there are no logs of {} day(s), the first of them {}", days.len(), days.first().map_or("", String::as_str))]
    MissingDays {
        /// The days.
        days: Vec<String>,
    },
    /// Days on which a busy region is not heard of.
    #[error("there are no logs of {} day(s) from a region that is busy otherwise, the first of them {}", days.len(), days.first().map_or("", |(_, day)| day.as_str()))]
    SilentRegion {
        /// Regions and days.
        days: Vec<(String, String)>,
    },
    /// Days of which a busy region is heard of for a part only, as where logs were fetched before the end.
    #[error("there are no logs of many hours of {} day(s) from a region that is busy otherwise, the first of them {}", days.len(), days.first().map_or("", |(_, day)| day.as_str()))]
    PartialDay {
        /// Regions and days.
        days: Vec<(String, String)>,
    },
    /// Something could not be read.
    #[error("{count} record(s) or parts of files could not be read")]
    Lost {
        /// How many things.
        count: u64,
    },
    /// Records of this very credential have times that cannot be true; or of any one, where they are of many.
    #[error("{count} record(s) of it, or of one that cannot be told from it, have times that cannot be true")]
    Disordered {
        /// How many.
        count: u64,
    },
    /// The logs are of management only: reading an object would not be in them, and the cloud itself was not asked.
    #[error("the logs have no data events, and there is no credential report or last-used time of the key")]
    ManagementOnly,
    /// The logs are of management only, and what the cloud says of the key is older than the window's end.
    #[error("the logs have no data events, and what the cloud says of the key is known up to {as_of} only")]
    StatementTooOld {
        /// Until when it holds.
        as_of: Timestamp,
    },
    /// The user has several keys, and the report does not say which of them was used.
    #[error("one of the keys of its user was used at {last}, and the credential report does not say which")]
    OneOfSeveralKeys {
        /// When.
        last: Timestamp,
    },
    /// Sessions of the same user were used, and the logs do not show which key they were got with.
    #[error("a session of its user was used at {last}, and the logs do not show which key it was got with")]
    SessionOfItsUser {
        /// When last.
        last: Timestamp,
    },
}

impl Verdict {
    /// What of the logs there is, where the verdict rests on that.
    pub const fn coverage(&self) -> Option<&Coverage> {
        match self {
            Self::Used { .. } => None,
            Self::NoUseSeen { coverage, .. } | Self::CannotTell { coverage, .. } => Some(coverage),
        }
    }
}

/// A day: what the cloud says of keys lags hours behind.
const FRESH: std::time::Duration = std::time::Duration::from_secs(86_400);

/// All that verdicts rest on.
pub(super) struct Judge<'e> {
    pub(super) question: &'e Question,
    pub(super) rest: &'e Evidence,
    pub(super) unattributed: &'e BTreeMap<(Cloud, String), Timestamp>,
    pub(super) heard: Heard<'e>,
}

impl Judge<'_> {
    pub(super) fn finding(&self, cloud: Cloud, credential: String, used: Used) -> CredentialFinding {
        let Used { mut account, principal, consuming } = used;
        if account.is_empty() {
            account_of(cloud, &principal).clone_into(&mut account);
        }
        let seen = consuming.values().filter_map(|it: &Consuming| it.last).max();
        let mut consumers: Vec<Consumer> = consuming
            .into_iter()
            .filter_map(|((agent, system), consuming)| consuming.finish(agent, system))
            .collect();
        consumers.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.agent.cmp(&b.agent)));
        let (states, exact) = self.states(cloud, &credential, &principal);
        let stated = states.iter().filter_map(|state| at(state)).max().filter(|_| exact);
        let last = seen.max(stated);
        let verdict = match last.filter(|last| *last >= self.question.cut_over) {
            Some(last) => {
                // Several programs on one day make one day.
                let days = consumers.iter().map(|consumer| consumer.days_since).max().unwrap_or_default();
                Verdict::Used { last, days }
            }
            None => self.unseen(cloud, &account, &credential, &principal, &states, exact),
        };
        let first = consumers.iter().map(|consumer| consumer.first).min();
        CredentialFinding { cloud, account, credential, principal, first, last, consumers, verdict }
    }

    fn unseen(
        &self,
        cloud: Cloud,
        account: &str,
        credential: &str,
        principal: &str,
        states: &[&KeyState],
        exact: bool,
    ) -> Verdict {
        let Question { cut_over: from, until, .. } = *self.question;
        let coverage = self.heard.coverage(cloud, account, from, until);
        let mut why = Vec::new();
        let accounts = self.heard.accounts().filter(|(of, _)| *of == cloud).count();
        if from >= until {
            why.push(Doubt::NoWindow);
        } else if coverage.days_heard == 0 {
            why.push(Doubt::NoLogs { account: account.to_owned() });
        } else {
            // An id that nobody has met may be one of any account, and may be misspelt. That the cloud lists it says that it is none.
            let unmet = cloud == Cloud::Aws && states.is_empty();
            if account.is_empty() && (accounts > 1 || unmet) {
                why.push(Doubt::AccountUnknown { accounts });
            }
            if !coverage.missing.is_empty() {
                why.push(Doubt::MissingDays { days: coverage.missing.clone() });
            }
            if !coverage.silent.is_empty() {
                why.push(Doubt::SilentRegion { days: coverage.silent.clone() });
            }
            if !coverage.partial.is_empty() {
                why.push(Doubt::PartialDay { days: coverage.partial.clone() });
            }
            if !coverage.data && matches!(cloud, Cloud::Aws | Cloud::Gcp) {
                why.extend(self.management_only(states, exact));
            }
        }
        if coverage.lost > 0 {
            why.push(Doubt::Lost { count: coverage.lost });
        }
        let disordered = self.rest.doubtful.iter().filter(|(of, _)| of == credential || of.is_empty());
        let count = disordered.fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        if count > 0 {
            why.push(Doubt::Disordered { count });
        }
        if !exact
            && let Some(last) = states.iter().filter_map(|state| at(state)).max().filter(|last| *last >= from)
        {
            why.push(Doubt::OneOfSeveralKeys { last });
        }
        let session = self.unattributed.get(&(cloud, principal.to_owned())).filter(|last| **last >= from);
        why.extend(session.map(|last| Doubt::SessionOfItsUser { last: *last }));
        if why.is_empty() {
            Verdict::NoUseSeen { from, until, coverage }
        } else {
            Verdict::CannotTell { why, coverage }
        }
    }

    /// What the cloud says of a key covers all services. Without data events in the logs, it has to be there, and be fresh.
    fn management_only(&self, states: &[&KeyState], exact: bool) -> Option<Doubt> {
        let known = states.iter().all(|state| state.last_used != LastUsed::Unknown);
        if states.is_empty() || !known {
            return Some(Doubt::ManagementOnly);
        }
        if !exact && states.iter().filter_map(|state| at(state)).any(|last| last >= self.question.cut_over) {
            // Said already, and more to the point.
            return None;
        }
        let mentioned = self.rest.keys.iter().filter_map(at).max();
        match self.question.stated_at.or(mentioned) {
            Some(as_of) if as_of + FRESH >= self.question.until => None,
            Some(as_of) => Some(Doubt::StatementTooOld { as_of }),
            None => Some(Doubt::ManagementOnly),
        }
    }

    /// What the cloud says of a key; and whether of this very one, or of all keys of its user.
    fn states(&self, cloud: Cloud, credential: &str, principal: &str) -> (Vec<&KeyState>, bool) {
        if cloud != Cloud::Aws {
            return (Vec::new(), true);
        }
        let keys = &self.rest.keys;
        let own: Vec<&KeyState> = keys
            .iter()
            .filter(|state| state.key.as_deref() == Some(credential) && state.last_used != LastUsed::Unknown)
            .collect();
        if !own.is_empty() || principal.is_empty() {
            return (own, true);
        }
        let users: Vec<&KeyState> =
            keys.iter().filter(|state| state.key.is_none() && is_owner(state, principal)).collect();
        let single = users.len() <= 1;
        (users, single)
    }
}

/// The account that the name of an owner has in it.
fn account_of(cloud: Cloud, principal: &str) -> &str {
    match cloud {
        Cloud::Aws if principal.starts_with("arn:") => principal.split(':').nth(4).unwrap_or_default(),
        _ => "",
    }
}

/// Whether a key is the one of an owner who is known by ARN, or by name.
fn is_owner(state: &KeyState, principal: &str) -> bool {
    state.principal == principal || state.user == principal
}

fn at(state: &KeyState) -> Option<Timestamp> {
    match state.last_used {
        LastUsed::At(at) => Some(at),
        LastUsed::Never | LastUsed::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
