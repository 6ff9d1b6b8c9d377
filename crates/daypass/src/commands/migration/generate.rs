//! `daypass generate`.

use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::Args;
use daypass_migrate::Cloud;
use daypass_migrate::generate::{Format, GeneratedRole, generate};
use serde::Serialize;

use super::super::inventory::Skipped;
use super::{Chosen, Details, warn, write_within};
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::{count, style};

/// Writes the roles of a plan, with trust that exactly fits their jobs.
///
/// Each trust is proved: it admits every token that its jobs can mint, and whoever else it admits is named. Where a cloud cannot
/// be told enough, that is said, and a role of the exchange is written that re-issues the token with a subject that tells.
/// Permissions of the users that a role takes over from are carried over.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass generate --target aws --format terraform --out infra/roles --account-details account.json
  daypass generate --target daypass --format document --out roles

Exits 1 where a role could not be written; what is missing in the plan is said.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    plan: Chosen,
    /// Whose roles: aws, gcp, azure, vault; or daypass, whose exchange can stand in for any of them.
    #[arg(long, value_name = "CLOUD")]
    target: Cloud,
    /// How they are written: terraform, document (as the cloud's API takes it) or cli (commands).
    #[arg(long, value_name = "FORMAT", default_value = "terraform")]
    format: Format,
    /// The folder to write to; made if it is not there.
    #[arg(long, value_name = "DIR")]
    out: Utf8PathBuf,
    #[command(flatten)]
    details: Details,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    target: Cloud,
    format: Format,
    /// The files that were written.
    files: Vec<String>,
    roles: &'a [GeneratedRole],
    skipped: &'a [Skipped],
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let migration = arguments.plan.open()?;
    let account = arguments.details.read()?;
    let made = generate(
        &migration.plan,
        &migration.read.survey,
        account.as_ref(),
        arguments.target,
        arguments.format,
    );
    let mut files = Vec::new();
    for file in &made.files {
        files.push(write_within(&arguments.out, &file.path, &file.text)?.into_string());
    }
    warn(&migration.read.skipped, output);
    let answer = Answer {
        target: arguments.target,
        format: arguments.format,
        files,
        roles: &made.roles,
        skipped: &migration.read.skipped,
    };
    output.answer(&answer, |out| tell(out, &answer))?;
    Ok(Outcome::fine_if(made.roles.iter().all(|role| role.refused.is_empty())))
}

fn tell(out: &mut dyn Write, answer: &Answer<'_>) -> io::Result<()> {
    for role in answer.roles {
        tell_role(out, role)?;
    }
    writeln!(out, "{}", style::faint(format!("{} written", count(answer.files.len(), "file"))))
}

fn tell_role(out: &mut dyn Write, role: &GeneratedRole) -> io::Result<()> {
    for why in &role.refused {
        writeln!(out, "{} {}: {why}", style::bad("refused"), style::strong(&role.role))?;
    }
    for trust in &role.trusts {
        let word = if trust.is_tight { style::good("fits") } else { style::unsure("too wide") };
        let admits = count(trust.admits.len(), "kind");
        writeln!(
            out,
            "{word} {}: admits {admits} of token of {}",
            style::strong(&trust.name),
            trust.jobs.join(", ")
        )?;
        trust.beyond.iter().try_for_each(|who| writeln!(out, "  {} {who}", style::bad("also admits")))?;
    }
    role.left_out.iter().try_for_each(|it| writeln!(out, "  {} {it}", style::unsure("left out")))?;
    role.remarks.iter().try_for_each(|it| writeln!(out, "  {}", style::faint(it)))
}
