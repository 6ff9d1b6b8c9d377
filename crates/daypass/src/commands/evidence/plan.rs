//! What a migration's plan asks of the logs.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_evidence::{Expected, Stored};
use daypass_migrate::{Plan, Survey, question};
use daypass_pipelines::NoTree;

use crate::commands::files;
use crate::failure::{Failure, Result};

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
    pub(super) fn read(&self) -> Result<Planned> {
        let Some(file) = &self.file else { return Ok(Planned::default()) };
        let source = files::read(file)?;
        let plan =
            Plan::parse(&source).map_err(|error| Failure::input(error.problems, vec![source.clone()]))?;
        let survey = survey(&plan, file.parent().unwrap_or(Utf8Path::new("")));
        Ok(Planned {
            credentials: question::stored(&plan),
            expected: question::expected(&plan, &survey),
            unused: Some(plan.evidence.unused),
        })
    }
}

/// The pipelines of the plan's jobs. Of a file that cannot be read any more the jobs are not known, and then any subject is meant.
fn survey(plan: &Plan, folder: &Utf8Path) -> Survey {
    let mut survey = Survey::new();
    let mut names: Vec<&str> = plan.credentials.iter().map(|it| it.file.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if let Ok(source) = files::read_text(&folder.join(name)) {
            let _ = survey.add(name, source.text().as_bytes(), &NoTree);
        }
    }
    survey
}
