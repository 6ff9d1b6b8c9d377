use std::io::{self, BufRead, BufReader, Write};

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use daypass_exchange::record::{FirstBad, LogLine, SignedCheckpoint, Verification, Verifier, read_store};
use daypass_token::VerificationKey;
use daypass_token::jwk::Jwk;

use super::place;
use crate::admin::DEFAULT_DATA;
use crate::commands::files;
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::progress::Progress;
use crate::render::{self, style};

/// Checks that nothing on record was altered, removed or reordered.
///
/// Every entry is chained to the one before it, and every boot of a server and every checkpoint is signed. With checkpoints
/// that were kept elsewhere (`audit.checkpoint_file`) the answer reaches up to the last of them, whoever could write the log;
/// without, it says that the log is consistent in itself.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass audit verify --data data
  daypass audit verify log.jsonl --key audit-keys.json --heads checkpoints.jsonl
  daypass audit export --data data | daypass audit verify -

Exits 1 if something does not hold, and says what was altered, removed or reordered, and where.")]
pub(crate) struct Arguments {
    /// An exported log (`daypass audit export`), in place of a data directory; `-` for stdin.
    #[arg(value_name = "FILE", conflicts_with = "data")]
    file: Option<Utf8PathBuf>,
    /// The data directory of a service, which may be running; or a postgres:// URL (better in the environment).
    #[arg(long, value_name = "DIR", env = "DAYPASS_DATA", hide_env_values = true, default_value = DEFAULT_DATA)]
    data: String,
    /// Audit keys that were kept elsewhere, a JWKS or one JWK: only these are believed.
    #[arg(long, value_name = "FILE")]
    key: Option<Utf8PathBuf>,
    /// Checkpoints that were kept elsewhere, one a line.
    #[arg(long, value_name = "FILE")]
    heads: Option<Utf8PathBuf>,
}

pub(super) async fn run(arguments: Arguments, output: &Output) -> Result {
    let mut log = Reading::new();
    if let Some(path) = &arguments.key {
        log.trust_only(keys(path)?);
    }
    if let Some(path) = &arguments.heads {
        heads(path)?.into_iter().for_each(|checkpoint| log.verifier.outside(checkpoint));
    }
    match &arguments.file {
        Some(path) => log.read_file(path)?,
        None => log.read_data(&arguments.data).await?,
    }
    let found = log.verifier.finish();
    output.answer(&found, |out| write_verification(out, &found))?;
    Ok(Outcome::fine_if(found.ok))
}

/// Checks an exported log on its own.
pub(in crate::commands) fn check_file(path: &Utf8Path) -> Result<Verification> {
    let mut log = Reading::new();
    log.read_file(path)?;
    Ok(log.verifier.finish())
}

fn write_verification(out: &mut dyn Write, found: &Verification) -> io::Result<()> {
    for bad in &found.bad {
        let mut place = if bad.chain.is_empty() {
            String::new()
        } else {
            format!("chain {} entry {}: ", bad.chain, bad.seq)
        };
        if let Some(line) = bad.line {
            place = format!("line {line}, {place}");
        }
        writeln!(out, "{} {place}{}", style::bad("bad"), bad.problem)?;
        if let Some(decision) = &bad.decision {
            writeln!(out, "    {}", style::faint(format!("decision {decision}")))?;
        }
    }
    let verdict = if found.ok { style::good("holds") } else { style::bad("does not hold") };
    let chains = render::count(found.chains, "chain");
    writeln!(out, "{} records on {chains}: {verdict}; {}", found.records, found.scope)
}

/// A log that is being read.
struct Reading {
    verifier: Verifier,
    trusted: bool,
    progress: Progress,
    done: u64,
}

impl Reading {
    fn new() -> Self {
        Self { verifier: Verifier::new(), trusted: false, progress: Progress::new("records read:"), done: 0 }
    }

    /// Keys that lie with the log are not believed any more.
    fn trust_only(&mut self, keys: Vec<VerificationKey>) {
        self.trusted = true;
        for key in keys {
            self.verifier.key(key);
        }
    }

    fn line(&mut self, line: LogLine, number: Option<u64>) {
        self.done = self.done.saturating_add(1);
        self.progress.at(self.done);
        if !(self.trusted && matches!(line, LogLine::Key(_))) {
            line.check(&mut self.verifier, number);
        }
    }

    async fn read_data(&mut self, data: &str) -> Result<()> {
        let place = place::open(data).await?;
        for damage in place.damage {
            self.verifier.unreadable(FirstBad::elsewhere(format!("the database is damaged: {damage}")));
        }
        let mut bad = Vec::new();
        let read =
            read_store(&*place.store, &mut |line| self.line(line, None), &mut |found| bad.push(found)).await;
        // A log that breaks off is one that does not verify.
        bad.extend(read.err().map(|error| FirstBad::elsewhere(format!("the log breaks off: {error}"))));
        for found in bad {
            self.verifier.unreadable(found);
        }
        Ok(())
    }

    fn read_file(&mut self, path: &Utf8Path) -> Result<()> {
        let reader: Box<dyn BufRead> = if path == "-" {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = std::fs::File::open(path)
                .map_err(|error| files::unreadable(path.as_str(), &error.to_string()))?;
            Box::new(BufReader::new(file))
        };
        for (number, line) in (1_u64..).zip(reader.split(b'\n')) {
            let line = line?;
            if line.is_empty() {
                continue;
            }
            match LogLine::parse(&line) {
                Ok(line) => self.line(line, Some(number)),
                Err(error) => self.verifier.unreadable(FirstBad {
                    line: Some(number),
                    ..FirstBad::elsewhere(format!("line {number} was altered: {error}"))
                }),
            }
        }
        if self.done == 0 {
            self.verifier.unreadable(FirstBad::elsewhere("there is no log in the file"));
        }
        Ok(())
    }
}

/// A JWKS, or one JWK.
fn keys(path: &Utf8Path) -> Result<Vec<VerificationKey>> {
    let source = files::read(path)?;
    let json: serde_json::Value =
        serde_json::from_str(source.text()).map_err(|error| files::not_json(&source, &error))?;
    let listed =
        json.get("keys").and_then(|keys| keys.as_array().cloned()).unwrap_or_else(|| vec![json.clone()]);
    listed
        .iter()
        .map(|key| {
            Jwk::parse(key.to_string().as_bytes())
                .and_then(VerificationKey::new)
                .map_err(|error| files::wrong(&source, format!("a key is none: {error}")))
        })
        .collect()
}

fn heads(path: &Utf8Path) -> Result<Vec<SignedCheckpoint>> {
    let source = files::read(path)?;
    let lines = source.text().lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            serde_json::from_str(line)
                .map_err(|error| files::wrong(&source, format!("a checkpoint is none: {error}")))
        })
        .collect()
}
