//! How far a migration has come.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::plan::{Planned, State};
use crate::retire::{Evidence, retire};
use crate::{Plan, Survey};

/// The burn-down of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// All stored credentials of the plan.
    pub total: Count,
    /// By wave; those that no role replaces have none and are not in it.
    pub waves: BTreeMap<u64, Count>,
    /// By what they open.
    pub clouds: BTreeMap<String, Count>,
    /// What is next: credentials of the earliest wave that is not done, by id, with what is to be done.
    pub next: Vec<Next>,
}

/// Credentials by how far they have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Their jobs still use them.
    pub planned: usize,
    /// Their jobs use roles, and they still work.
    pub cut_over: usize,
    /// Of these, the ones that nothing keeps.
    pub ready: usize,
    /// They are gone.
    pub retired: usize,
    /// They stay, for a reason.
    pub kept: usize,
}

/// What is to be done about a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Next {
    /// The credential, by id.
    pub credential: String,
    /// Its wave.
    pub wave: u64,
    /// What, in a few words.
    pub what: String,
}

impl Count {
    /// Credentials that are still to go.
    pub const fn left(&self) -> usize {
        self.planned.saturating_add(self.cut_over)
    }

    fn add(&mut self, state: State, ready: bool) {
        let counter = match state {
            State::Planned => &mut self.planned,
            State::CutOver => &mut self.cut_over,
            State::Retired => &mut self.retired,
            State::Kept => &mut self.kept,
        };
        *counter = counter.saturating_add(1);
        if ready {
            self.ready = self.ready.saturating_add(1);
        }
    }
}

/// Counts the credentials of a plan and says what is next.
pub fn status(plan: &Plan, survey: &Survey, evidence: &dyn Evidence) -> Status {
    let retirement = retire(plan, survey, evidence);
    let mut status = Status::default();
    for credential in &plan.credentials {
        let ready = retirement.granted.iter().any(|it| it.credential == credential.id);
        status.total.add(credential.state, ready);
        status.clouds.entry(credential.cloud.clone()).or_default().add(credential.state, ready);
        if let Some(wave) = plan.wave(credential) {
            status.waves.entry(wave).or_default().add(credential.state, ready);
        }
    }
    let current = status.waves.iter().find(|(_, count)| count.left() > 0).map(|(wave, _)| *wave);
    let of_wave = |credential: &&Planned| current.is_some() && plan.wave(credential) == current;
    for credential in plan.credentials.iter().filter(of_wave) {
        let ready = retirement.granted.iter().any(|it| it.credential == credential.id);
        let refused = retirement.refused.iter().find(|it| it.credential == credential.id);
        let what = match (credential.state, ready) {
            (State::Retired | State::Kept, _) => continue,
            (_, true) => "retire it".to_owned(),
            (State::Planned, false) => "move its jobs to their roles".to_owned(),
            (State::CutOver, false) => {
                refused.and_then(|it| it.why.first()).map_or_else(String::new, ToString::to_string)
            }
        };
        status.next.push(Next { credential: credential.id.clone(), wave: current.unwrap_or_default(), what });
    }
    status
}
