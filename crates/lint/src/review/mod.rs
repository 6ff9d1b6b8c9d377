//! The house standard, as a list of checks with a score; and what of the trust goes beyond its use.
//!
//! A check passes, fails, or cannot be told, and always says why. What it rests on are the findings of [`crate::check()`] and, where
//! there is any, the evidence of audit logs.

mod html;
mod idle;
mod render;
mod sarif;
mod sprawl;
mod standard;

use std::sync::Arc;

use daypass_evidence::Report as Evidence;
use daypass_trust::form::Policy;
use serde::Serialize;

pub use html::page;
pub use idle::Idle;
pub use render::{markdown, text};
pub use sarif::sarif;
pub use sprawl::{Excess, Narrower, Sprawl};
pub use standard::{STANDARD, Standard};

use crate::{Options, Report, Work};

/// What a review came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Review {
    /// How much of the standard is met.
    pub score: Score,
    /// Every check, in the order of [`STANDARD`].
    pub checks: Vec<Check>,
    /// Trust that nothing was seen to need.
    pub sprawl: Vec<Sprawl>,
}

/// How much of the standard is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Score {
    /// Passed of all checks, in whole percent, rounded down. What cannot be told has not passed.
    pub percent: usize,
    /// Checks that pass.
    pub passed: usize,
    /// Checks that fail.
    pub failed: usize,
    /// Checks that cannot be told.
    pub unknown: usize,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its id: kebab-case.
    pub id: &'static str,
    /// What it asks for.
    pub standard: &'static str,
    /// Whether that is so; `None` where it cannot be told.
    pub pass: Option<bool>,
    /// Why, in a sentence.
    pub why: String,
    /// What stands against it, or keeps it from being told.
    pub places: Vec<Place>,
}

/// Something that a check rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file; empty for what was seen in logs.
    pub file: Arc<str>,
    /// The 1-based line; 1 for what was seen in logs.
    pub line: usize,
    /// What is there.
    pub what: String,
}

/// A policy with what the prover is to know of it.
pub(crate) struct Trust<'w> {
    pub(crate) found: &'w daypass_sources::FoundPolicy,
    pub(crate) policy: Policy,
    pub(crate) prover: daypass_prove::Options,
}

impl Review {
    /// Holds what was looked at against the standard. `report` is what the check of `work` came to, less what is accepted.
    pub fn new(work: &Work, report: &Report, evidence: Option<&Evidence>, options: &Options) -> Self {
        let trusts = work.trusts(options);
        let (sprawl, doubts) = sprawl::find(&trusts, evidence);
        let looked = standard::Looked { report, trusts: &trusts, evidence, sprawl: &sprawl, doubts: &doubts };
        let checks = STANDARD.iter().map(|standard| standard.check(&looked)).collect();
        let mut review = Self { score: Score::default(), checks, sprawl };
        review.count();
        review
    }

    /// Takes out sprawl that is accepted, by its [`Sprawl::fingerprint`].
    pub fn accept(&mut self, is_known: impl Fn(&str) -> bool) {
        self.sprawl.retain(|it| !is_known(&it.fingerprint));
        if self.sprawl.is_empty()
            && let Some(check) = self.checks.iter_mut().find(|it| it.id == standard::SPRAWL)
            && check.pass == Some(false)
        {
            check.pass = Some(true);
            "all that goes beyond use is in the baseline".clone_into(&mut check.why);
            check.places.clear();
        }
        self.count();
    }

    fn count(&mut self) {
        let of = |pass: Option<bool>| self.checks.iter().filter(|it| it.pass == pass).count();
        let (passed, failed, unknown) = (of(Some(true)), of(Some(false)), of(None));
        let percent = passed.saturating_mul(100).checked_div(self.checks.len()).unwrap_or_default();
        self.score = Score { percent, passed, failed, unknown };
    }
}

impl Check {
    /// The word for its outcome.
    pub const fn outcome(&self) -> &'static str {
        match self.pass {
            Some(true) => "pass",
            Some(false) => "fail",
            None => "unknown",
        }
    }
}

impl Score {
    /// `7 of 12 checks pass (58 %), 3 fail, 2 cannot be told`.
    pub fn in_words(&self) -> String {
        let Self { percent, passed, failed, unknown } = self;
        let all = passed.saturating_add(*failed).saturating_add(*unknown);
        format!("{passed} of {all} checks pass ({percent} %), {failed} fail, {unknown} cannot be told")
    }
}
