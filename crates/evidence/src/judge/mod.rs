//! What the table means: a verdict for each stored credential, and the sessions that nobody expected.

mod consumer;
mod coverage;
mod credential;
mod session;

use std::collections::BTreeMap;

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

pub use consumer::{Confidence, Consumer, ConsumerKind};
pub use coverage::Coverage;
pub use credential::{CredentialFinding, Doubt, Verdict};
pub use session::{Expectation, Expected, SessionFinding};

use crate::event::{Class, Cloud};
use crate::gather::Evidence;
use crate::table::UseRow;
use consumer::Consuming;
use coverage::Heard;
use session::Sessions;

/// What is asked of the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// From when on stored credentials should not be used any more.
    pub cut_over: Timestamp,
    /// The end of the window: the time at which the logs were fetched.
    pub until: Timestamp,
    /// Credentials to be judged whether or not the logs have them.
    pub credentials: Vec<Stored>,
    /// The sessions that are meant to be; none at all leaves the question open.
    pub expected: Vec<Expected>,
    /// When the cloud's own statements on keys were fetched. Without it they hold up to the last time that they mention.
    pub stated_at: Option<Timestamp>,
}

/// A stored credential. Without its id, all that its owner has is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stored {
    /// What it is called by whoever asks; may be empty.
    pub name: String,
    /// Where it is good.
    pub cloud: Cloud,
    /// Its id, if known.
    pub credential: String,
    /// Its account, if known.
    pub account: String,
    /// Whose it is, if known: the ARN or the name of a user, the e-mail of a service account.
    pub principal: String,
}

/// Takes in the table row by row, in any order. What it holds grows with credentials, programs and subjects, not with days.
#[derive(Clone, Debug)]
pub struct Ledger {
    question: Question,
    credentials: BTreeMap<(Cloud, String), Used>,
    /// When sessions of a user were last used whose key the logs do not show.
    unattributed: BTreeMap<(Cloud, String), Timestamp>,
    sessions: Sessions,
}

/// What is known of a stored credential's use.
#[derive(Clone, Debug, Default)]
struct Used {
    account: String,
    principal: String,
    /// By program and system.
    consuming: BTreeMap<(String, String), Consuming>,
}

/// The answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Of every stored credential that was asked for or seen.
    pub credentials: Vec<CredentialFinding>,
    /// Of every workload that got, or tried to get, a session; and of everything else that used a role meant for workloads.
    pub sessions: Vec<SessionFinding>,
    /// What of the logs there is, for each account that there are any of.
    pub logs: Vec<Logs>,
}

/// What of an account's logs there is in the window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Whose logs.
    pub cloud: Cloud,
    /// The account, project, tenant or namespace.
    pub account: String,
    /// What of them there is.
    #[serde(flatten)]
    pub coverage: Coverage,
}

impl Stored {
    /// Whether a finding is about it.
    pub fn is(&self, finding: &CredentialFinding) -> bool {
        self.cloud == finding.cloud
            && if self.credential.is_empty() {
                self.owns(&finding.principal, &finding.account)
            } else {
                self.credential == finding.credential
            }
    }

    /// Whether its owner is the one of this full name. Names of users are unique in an account.
    fn owns(&self, principal: &str, account: &str) -> bool {
        let named = || principal.rsplit('/').next() == Some(&*self.principal) && principal.contains(":user/");
        !self.principal.is_empty()
            && (self.principal == principal
                || named() && (self.account.is_empty() || self.account == account))
    }
}

impl Ledger {
    /// Nothing taken in yet.
    pub fn new(question: Question) -> Self {
        let mut credentials = BTreeMap::new();
        let known = question.credentials.iter().filter(|it| !it.credential.is_empty());
        for Stored { cloud, credential, account, principal, .. } in known {
            let used =
                Used { account: account.clone(), principal: principal.clone(), consuming: BTreeMap::new() };
            credentials.insert((*cloud, credential.clone()), used);
        }
        Self { question, credentials, unattributed: BTreeMap::new(), sessions: Sessions::default() }
    }

    /// Takes in a row.
    pub fn add(&mut self, row: &UseRow) {
        if row.class.is_stored() {
            self.stored(row);
        }
        self.sessions.add(row, &self.question);
    }

    fn stored(&mut self, row: &UseRow) {
        if row.credential.is_empty() {
            let last = self.unattributed.entry((row.cloud, row.principal.clone())).or_insert(row.last);
            *last = row.last.max(*last);
            return;
        }
        let used = self.credentials.entry((row.cloud, row.credential.clone())).or_default();
        if used.account.is_empty() {
            used.account = row.account.clone();
        }
        // A brokered session acts as a role; the key's own calls say whose the key is.
        if used.principal.is_empty() || row.class != Class::Brokered {
            used.principal = row.principal.clone();
        }
        used.consuming
            .entry((row.agent.clone(), row.system.clone()))
            .or_default()
            .add(row, self.question.cut_over);
    }

    /// Judges. `rest` is the evidence less its rows, which need not be there.
    pub fn finish(self, rest: &Evidence) -> Findings {
        let Self { question, credentials, unattributed, sessions } = self;
        let heard = Heard::of(&rest.coverage);
        let judge = credential::Judge { question: &question, rest, unattributed: &unattributed, heard };
        let mut found: Vec<CredentialFinding> =
            credentials.into_iter().map(|((cloud, id), used)| judge.finding(cloud, id, used)).collect();
        for asked in &question.credentials {
            unseen(asked, &judge, &mut found);
        }
        let logs = judge.heard.accounts().map(|(cloud, account)| Logs {
            cloud,
            account: account.to_owned(),
            coverage: judge.heard.coverage(cloud, account, question.cut_over, question.until),
        });
        let logs = logs.collect();
        Findings { credentials: found, sessions: sessions.finish(), logs }
    }
}

/// Keys of an owner that the cloud lists and the logs do not have; or the owner as such, where there is no key at all.
fn unseen(asked: &Stored, judge: &credential::Judge<'_>, found: &mut Vec<CredentialFinding>) {
    if !asked.credential.is_empty() || asked.principal.is_empty() {
        return;
    }
    let whose = |account: &str, principal: &str| Used {
        account: account.to_owned(),
        principal: principal.to_owned(),
        consuming: BTreeMap::new(),
    };
    let listed = judge.rest.keys.iter().filter(|state| {
        asked.cloud == Cloud::Aws
            && (state.user == asked.principal || asked.owns(&state.principal, &state.account))
    });
    for state in listed {
        let Some(key) = &state.key else { continue };
        if !found.iter().any(|it| it.cloud == asked.cloud && it.credential == *key) {
            let principal = if state.principal.is_empty() { &asked.principal } else { &state.principal };
            found.push(judge.finding(asked.cloud, key.clone(), whose(&state.account, principal)));
        }
    }
    if !found.iter().any(|it| asked.is(it)) {
        found.push(judge.finding(asked.cloud, String::new(), whose(&asked.account, &asked.principal)));
    }
}

/// Judges evidence that is all there.
pub fn judge(evidence: &Evidence, question: Question) -> Findings {
    let mut ledger = Ledger::new(question);
    for row in &evidence.uses {
        ledger.add(row);
    }
    ledger.finish(evidence)
}
