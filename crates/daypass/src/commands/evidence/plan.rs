//! What a migration's plan asks of the logs.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::Args;
use daypass_evidence::{Expected, Stored};
use daypass_migrate::question;

use crate::commands::migration::{Migration, warn};
use crate::failure::Result;
use crate::output::Output;

#[derive(Debug, Args)]
#[command(next_help_heading = "What is asked")]
pub(super) struct Chosen {
    /// Every credential that this plan means to retire, and the sessions that its roles are for.
    #[arg(long = "plan", value_name = "FILE")]
    file: Option<Utf8PathBuf>,
}

/// What a plan adds to the question.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) credentials: Vec<Stored>,
    pub(super) expected: Vec<Expected>,
    /// How long nobody may have used a credential.
    pub(super) unused: Option<Duration>,
}

impl Chosen {
    pub(super) fn read(&self, output: &Output) -> Result<Planned> {
        let Some(file) = &self.file else { return Ok(Planned::default()) };
        let Migration { plan, read, .. } = Migration::open(file, &[])?;
        warn(&read.skipped, output);
        Ok(Planned {
            credentials: question::stored(&plan),
            expected: question::expected(&plan, &read.survey),
            unused: Some(plan.evidence.unused),
        })
    }
}
