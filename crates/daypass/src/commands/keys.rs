//! `daypass keys list`, `rotate` and `push`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::files;
use crate::admin::Service;
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::{Table, style};

/// Lists, rotates and pushes the keys of a running service.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Rotate(Rotate),
    Push(Push),
}

/// Lists the service's own keys, and what it knows of issuers' keys.
///
/// Keys of its own are for signing re-issued tokens (`sign`), for sealing sessions (`seal`) and for signing the record
/// (`audit`). Only public halves and states are shown.
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    service: Service,
}

/// Makes the next key of a purpose.
///
/// A signing key is published before it signs, and the one before it stays published until its last token has expired.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass keys rotate sign

  # The key has leaked: sessions that were sealed with it end now
  daypass keys rotate seal --at-once")]
pub(crate) struct Rotate {
    /// What the key is for: sign (re-issued tokens), seal (sessions) or audit (the record).
    #[arg(value_name = "PURPOSE", hide_possible_values = true)]
    purpose: Purpose,
    /// Use the new key at once, and retire the old one now: for a key that has leaked. Whoever caches our key set
    /// refuses new tokens until it fetches again.
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    service: Service,
}

/// What a key of ours is for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Purpose {
    /// Signing re-issued tokens.
    Sign,
    /// Sealing sessions.
    Seal,
    /// Signing the record of decisions.
    Audit,
}

/// Gives a service the keys of an issuer that it cannot reach.
///
/// They take the place of those pushed before. The issuer's configuration must say `pushed_keys = true`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  curl -s https://gitlab.internal/oauth/discovery/keys |
    daypass keys push --issuer gitlab -")]
pub(crate) struct Push {
    /// The issuer, by its name in the configuration or by its URL.
    #[arg(long, value_name = "ISSUER")]
    issuer: String,
    /// Its key set (JWKS); `-` for stdin.
    #[arg(value_name = "FILE")]
    jwks: Utf8PathBuf,
    #[command(flatten)]
    service: Service,
}

pub(crate) async fn run(command: Command, output: &Output) -> Result {
    match command {
        Command::List(arguments) => list(&arguments, output).await,
        Command::Rotate(arguments) => rotate(&arguments, output).await,
        Command::Push(arguments) => push(&arguments, output).await,
    }
}

async fn list(arguments: &List, output: &Output) -> Result {
    let admin = arguments.service.admin()?;
    let keys: Value = admin.get("/api/v1/keys").await?;
    let issuers: Value = admin.get("/api/v1/issuers").await?;
    let answer = json!({ "keys": keys.get("keys"), "issuers": issuers.get("issuers") });
    output.answer(&answer, |out| {
        write_keys(out, &answer)?;
        writeln!(out)?;
        let mut table = Table::new(["issuer", "keys from", "state", "keys", "last failure"]);
        for issuer in answer.get("issuers").and_then(Value::as_array).into_iter().flatten() {
            table.row(
                ["issuer", "origin", "state", "keys", "last_failure"].map(|member| cell(issuer, member)),
            );
        }
        table.write(out)
    })?;
    Ok(Outcome::Fine)
}

async fn rotate(arguments: &Rotate, output: &Output) -> Result {
    let purpose = arguments.purpose.to_possible_value().map(|value| value.get_name().to_owned());
    let wish = json!({ "purpose": purpose, "at_once": arguments.at_once });
    let answer: Value = arguments.service.admin()?.post("/api/v1/keys/rotate", &wish).await?;
    output.answer(&answer, |out| write_keys(out, &answer))?;
    Ok(Outcome::Fine)
}

async fn push(arguments: &Push, output: &Output) -> Result {
    let source = files::read(&arguments.jwks)?;
    let jwks: Value =
        serde_json::from_str(source.text()).map_err(|error| files::not_json(&source, &error))?;
    let wish = json!({ "issuer": arguments.issuer, "jwks": jwks });
    let answer: Value = arguments.service.admin()?.post("/api/v1/keys/push", &wish).await?;
    output.answer(&answer, |out| {
        for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
            writeln!(out, "{} {}", style::warning("warning:"), warning.as_str().unwrap_or_default())?;
        }
        writeln!(out, "{} keys of {} are in use", cell(&answer, "keys"), cell(&answer, "issuer"))
    })?;
    Ok(Outcome::Fine)
}

fn write_keys(out: &mut dyn std::io::Write, answer: &Value) -> std::io::Result<()> {
    let mut table = Table::new(["key", "purpose", "algorithm", "state", "used from", "until"]);
    for key in answer.get("keys").and_then(Value::as_array).into_iter().flatten() {
        let members = ["id", "purpose", "algorithm", "state", "use_from", "retire_at"];
        table.row(members.map(|member| cell(key, member)));
    }
    table.write(out)
}

/// A member as it stands in a table.
fn cell(row: &Value, member: &str) -> String {
    match row.get(member) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
