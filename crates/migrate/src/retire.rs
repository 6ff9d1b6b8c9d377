//! The last step: what stored credentials may go, and why the others may not yet.

mod observed;

use std::time::Duration;

use daypass_claims::format_duration;
use serde::Serialize;

use crate::plan::{Planned, Required, State};
use crate::{Plan, Survey};

pub use observed::Observed;

/// What was seen of a credential since its jobs were moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Use {
    /// It was used.
    Used {
        /// When it last was, and by whom, in words.
        last: String,
    },
    /// No use of it was seen.
    Unused {
        /// How long the log is that was read.
        #[serde(skip)]
        window: Duration,
        /// What of the cloud's actions that log covers, where it does not cover all: what is missing.
        gaps: Vec<String>,
    },
    /// It cannot be told.
    Unknown {
        /// Why.
        why: String,
    },
}

/// What logs say about the credentials and jobs of a plan.
pub trait Evidence {
    /// What was seen of a stored credential; `None` where nothing was looked for.
    fn usage(&self, credential: &Planned) -> Option<Use>;

    /// How many runs of a job obtained its role; `None` where nothing was looked for.
    fn runs(&self, role: &str, file: &str, job: &str) -> Option<u64>;
}

/// What may go and what may not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retirement {
    /// Credentials that nothing keeps, each with what to do.
    pub granted: Vec<Removal>,
    /// Credentials that must stay for now.
    pub refused: Vec<Refused>,
}

/// What to do about a credential that may go, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The credential, by id.
    pub credential: String,
    /// Steps; the first can be taken back.
    pub steps: Vec<String>,
    /// How to take it back while that is possible.
    pub rollback: String,
}

/// Why a credential must stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// The credential, by id.
    pub credential: String,
    /// Every reason, most of them something to do.
    pub why: Vec<Reason>,
}

/// A reason why a credential must stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case", tag = "reason")]
pub enum Reason {
    /// Its jobs were not moved yet.
    #[error("its jobs are not cut over (state `{state}`)")]
    NotCutOver {
        /// How far it has come.
        state: State,
    },
    /// A file still binds it, and would use it before the role.
    #[error("{file}:{line} still binds it, and what is bound is used in place of a role")]
    Shadows {
        /// The file.
        file: String,
        /// The 1-based line.
        line: usize,
    },
    /// The file that bound it could not be read.
    #[error("`{file}` could not be read: whether it still binds it is not known")]
    Unread {
        /// The file.
        file: String,
    },
    /// No role takes over from it.
    #[error("job `{job}` has no role to use instead")]
    NoRole {
        /// The job.
        job: String,
    },
    /// A job did not show that it gets by with its role.
    #[error("job `{job}` obtained `{role}` in {seen} runs, {wanted} are asked for")]
    FewRuns {
        /// The job.
        job: String,
        /// Its role.
        role: String,
        /// Runs that were seen.
        seen: u64,
        /// Runs that are asked for.
        wanted: u64,
    },
    /// Whether a job gets by with its role was not looked for.
    #[error("there is no evidence of job `{job}` obtaining `{role}`")]
    NoRuns {
        /// The job.
        job: String,
        /// Its role.
        role: String,
    },
    /// Somebody uses it.
    #[error("it was used since cut-over: {last}")]
    Used {
        /// When and by whom.
        last: String,
    },
    /// The log does not go back far enough.
    #[error("no use was seen in {seen}, and {wanted} without one are asked for")]
    ShortWindow {
        /// How long the log is.
        seen: String,
        /// How long it has to be.
        wanted: String,
    },
    /// The log does not have everything.
    #[error("no use was seen, but the log does not cover {gap}")]
    Gap {
        /// What is missing.
        gap: String,
    },
    /// Nobody can tell.
    #[error("whether it is used cannot be told: {why}")]
    Unknown {
        /// Why.
        why: String,
    },
    /// Nothing was looked for.
    #[error("there is no evidence about its use")]
    NoEvidence,
}

/// Judges every credential of the plan that is to go. Those that are retired or kept are left alone.
pub fn retire(plan: &Plan, survey: &Survey, evidence: &dyn Evidence) -> Retirement {
    let mut retirement = Retirement::default();
    for credential in plan.credentials.iter().filter(|it| !matches!(it.state, State::Retired | State::Kept)) {
        let why = reasons(plan, survey, evidence, credential);
        if why.is_empty() {
            retirement.granted.push(removal(credential));
        } else {
            retirement.refused.push(Refused { credential: credential.id.clone(), why });
        }
    }
    retirement
}

fn reasons(plan: &Plan, survey: &Survey, evidence: &dyn Evidence, credential: &Planned) -> Vec<Reason> {
    let wanted = plan.required(credential);
    let mut why = Vec::new();
    if credential.state != State::CutOver {
        why.push(Reason::NotCutOver { state: credential.state });
    }
    if let Some(found) = survey.credentials().iter().find(|found| found.id == credential.id) {
        why.push(Reason::Shadows { file: found.file.to_string(), line: found.line });
    }
    if survey.is_unread(&credential.file) {
        why.push(Reason::Unread { file: credential.file.clone() });
    }
    for one in &credential.uses {
        let job = one.job.clone();
        why.extend(match &one.role {
            None => Some(Reason::NoRole { job }),
            Some(role) => match evidence.runs(role, &credential.file, &one.job) {
                None => Some(Reason::NoRuns { job, role: role.clone() }),
                Some(seen) if seen < wanted.runs => {
                    Some(Reason::FewRuns { job, role: role.clone(), seen, wanted: wanted.runs })
                }
                Some(_) => None,
            },
        });
    }
    why.extend(unused(evidence.usage(credential), wanted));
    why
}

fn unused(usage: Option<Use>, wanted: Required) -> Vec<Reason> {
    match usage {
        None => vec![Reason::NoEvidence],
        Some(Use::Used { last }) => vec![Reason::Used { last }],
        Some(Use::Unknown { why }) => vec![Reason::Unknown { why }],
        Some(Use::Unused { window, gaps }) => {
            let mut why: Vec<Reason> = gaps.into_iter().map(|gap| Reason::Gap { gap }).collect();
            if window < wanted.unused {
                why.push(Reason::ShortWindow {
                    seen: format_duration(window),
                    wanted: format_duration(wanted.unused),
                });
            }
            why
        }
    }
}

/// Off before gone: what can be switched off is, and waits for whoever complains.
fn removal(credential: &Planned) -> Removal {
    let whose = credential.principal.as_deref().unwrap_or("its owner");
    let stored = if credential.source.is_empty() { "the stored value" } else { credential.source.as_str() };
    let (off, gone, rollback) = match credential.kind.as_str() {
        "aws-access-key" => (
            format!("deactivate the key of `{whose}` (`aws iam update-access-key --status Inactive`)"),
            "delete the key, then the user if nothing else is left of it (`aws iam delete-access-key`)",
            "`aws iam update-access-key --status Active`, as long as the key is not deleted",
        ),
        "gcp-service-account-key" => (
            format!("disable the key of `{whose}` (`gcloud iam service-accounts keys disable`)"),
            "delete the key (`gcloud iam service-accounts keys delete`)",
            "`gcloud iam service-accounts keys enable`, as long as the key is not deleted",
        ),
        "azure-client-secret" => (
            format!("check the sign-in logs of `{whose}` once more: a client secret cannot be switched off"),
            "delete the secret (`az ad app credential delete`)",
            "none after the deletion but a new secret",
        ),
        "vault-token" => (
            format!("check the audit log for `{whose}` once more: a token cannot be switched off"),
            "revoke the token or the secret id (`vault token revoke`)",
            "none after the revocation but a new token",
        ),
        _ => (
            format!("check with its issuer that nothing uses the credential of `{whose}`"),
            "revoke it where it was issued",
            "none after the revocation but a new one",
        ),
    };
    let steps = vec![off, format!("delete {stored} from the CI system's settings"), gone.to_owned()];
    Removal { credential: credential.id.clone(), steps, rollback: rollback.to_owned() }
}
