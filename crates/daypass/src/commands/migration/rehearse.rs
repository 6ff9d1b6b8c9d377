//! `daypass rehearse`.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_migrate::Cloud;
use daypass_migrate::generate::{Existing, Recorded, Rehearsed, rehearse};
use daypass_prove::Verdict;
use daypass_sources::{Found, find};
use daypass_token::UnverifiedToken;
use daypass_trust::document::Source;
use serde::Serialize;
use serde_json::Value;

use super::super::files;
use super::super::inventory::Skipped;
use super::{Chosen, warn};
use crate::disk::DiskTree;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;
use crate::render::{count, style};

/// Replays the tokens of all jobs against the roles of a plan, before anything is switched over.
///
/// Development tokens are made for every job that the pipelines can run, and held against the trust that would be generated, or
/// with --against the trust that is there: which of them are refused, and who else gets in. Tokens that were recorded in jobs
/// can be added.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass rehearse                              # against what generate would write
  daypass rehearse --against infra/roles        # against what was applied
  daypass rehearse --target daypass             # with the exchange in front of every cloud
  daypass rehearse --tokens recorded/ --against account.json --json

A recorded token is a file with the token, or with its claims in JSON; one that only claims to be of a
platform is replayed like any other, as nothing is granted for it.

Exits 1 where a job is refused or somebody gets in whom no job needs.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    plan: Chosen,
    /// Only roles of this cloud: aws, gcp, azure, vault; or daypass, with its exchange in front of them all.
    #[arg(long, value_name = "CLOUD")]
    target: Option<Cloud>,
    /// Recorded tokens: a file, or a folder of such files.
    #[arg(long, value_name = "FILE|DIR")]
    tokens: Option<Utf8PathBuf>,
    /// Trust that is there: a file or a folder, as `check` reads them.
    #[arg(long, value_name = "PATH")]
    against: Option<Utf8PathBuf>,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    /// Whether every job gets in and nobody else.
    clean: bool,
    roles: Vec<Rehearsed>,
    skipped: Vec<Skipped>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let migration = arguments.plan.open()?;
    let existing = arguments.against.as_deref().map(trust).transpose()?;
    let recorded = arguments.tokens.as_deref().map(recorded).transpose()?.unwrap_or_default();
    let roles =
        rehearse(&migration.plan, &migration.read.survey, arguments.target, existing.as_deref(), &recorded);
    warn(&migration.read.skipped, output);
    let clean = roles.iter().all(Rehearsed::is_clean);
    let answer = Answer { clean, roles, skipped: migration.read.skipped };
    output.answer(&answer, |out| tell(out, &answer))?;
    Ok(Outcome::fine_if(clean))
}

/// The trust below a path.
fn trust(path: &Utf8Path) -> Result<Vec<Existing>> {
    let Found { policies, problems, .. } = find(&[path.as_str()], &DiskTree::here());
    if policies.is_empty() {
        let none = || Failure::usage(format!("there is no trust policy in `{path}`"));
        return Err(if problems.is_empty() { none() } else { Failure::input(problems, Vec::new()) });
    }
    let existing = policies.into_iter().map(|found| match found.compile() {
        Ok(compiled) => {
            let names = [Some(found.role), found.facts.name].into_iter().flatten();
            // Terraform calls a role by its address: its name is the last part of it.
            let last = |name: String| [name.rsplit('.').next().unwrap_or(&name).to_owned(), name];
            Ok(Existing { names: names.flat_map(last).collect(), policy: compiled.policy })
        }
        Err(error) => Err(Failure::input(error.problems, vec![found.source])),
    });
    existing.collect()
}

/// The tokens in a file, or in the files of a folder.
fn recorded(path: &Utf8Path) -> Result<Vec<Recorded>> {
    if !path.is_dir() {
        return Ok(vec![token(path)?]);
    }
    let unreadable = |error: &io::Error| Failure::usage(format!("cannot read `{path}`: {error}"));
    let mut all = Vec::new();
    for entry in path.read_dir_utf8().map_err(|error| unreadable(&error))? {
        let entry = entry.map_err(|error| unreadable(&error))?;
        if entry.path().is_file() {
            all.push(entry.into_path());
        }
    }
    all.sort();
    all.iter().map(|file| token(file)).collect()
}

/// A token, or the claims of one.
fn token(path: &Utf8Path) -> Result<Recorded> {
    let source = files::read(path)?;
    let text = source.text().trim();
    let claims = if text.starts_with('{') {
        claims(&source, text)?
    } else {
        let token = UnverifiedToken::parse(text).map_err(|error| files::wrong(&source, error.to_string()))?;
        token.unverified_claims().clone()
    };
    let issuer = claims.get("iss").and_then(ClaimValue::as_str).and_then(|text| Issuer::parse(text).ok());
    let issuer = issuer.ok_or_else(|| files::wrong(&source, "the token names no issuer"))?;
    Ok(Recorded { name: path.to_string(), issuer, claims })
}

/// Claims by themselves, or as `daypass token inspect --json` shows them.
fn claims(source: &Source, text: &str) -> Result<ClaimSet> {
    let inspected = serde_json::from_str::<Value>(text).ok();
    let inner = inspected.as_ref().and_then(|it| it.get("claims")).filter(|it| it.is_object());
    let text = inner.map_or_else(|| text.to_owned(), Value::to_string);
    ClaimSet::from_json(text.as_bytes()).map_err(|error| files::not_claims(source, &error))
}

fn tell(out: &mut dyn Write, answer: &Answer) -> io::Result<()> {
    for role in &answer.roles {
        let word = if role.is_clean() { style::good("clean") } else { style::bad("not clean") };
        let admitted = count(role.admitted.len(), "kind");
        writeln!(out, "{word} {}: {admitted} of token admitted", style::strong(&role.role))?;
        for it in &role.missing {
            writeln!(
                out,
                "  {} {}: job `{}` on `{}`: {}",
                style::bad("refused"),
                it.file,
                it.job,
                it.trigger,
                it.subject
            )?;
            it.why.iter().try_for_each(|why| writeln!(out, "    {}", style::faint(why)))?;
        }
        for it in &role.slack {
            let word = if it.unwanted { style::bad("unwanted") } else { style::faint("of the same place") };
            writeln!(out, "  {word} {}: {}", it.who, it.subject)?;
        }
        let unsure = role.personas.iter().filter(|it| it.answer.answer == Verdict::Unknown);
        for it in unsure {
            writeln!(out, "  {} whether {} gets in", style::unsure("unknown"), it.persona.about())?;
        }
        role.left_out.iter().try_for_each(|it| writeln!(out, "  {} {it}", style::unsure("left out")))?;
        role.refused.iter().try_for_each(|it| writeln!(out, "  {} {it}", style::bad("cannot say")))?;
    }
    let clean = answer.roles.iter().filter(|role| role.is_clean()).count();
    writeln!(out, "{clean} of {} clean", count(answer.roles.len(), "role"))
}
