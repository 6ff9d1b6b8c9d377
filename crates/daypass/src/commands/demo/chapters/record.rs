//! The record: verified, then altered by one byte in a copy.

use anyhow::Context;
use daypass_exchange::record::{LogLine, Verification, read_store};

use crate::commands::audit::check_file;
use crate::commands::demo::stage::Stage;
use crate::commands::demo::teller::Teller;
use crate::failure::Result;

pub(in super::super) async fn tell(stage: &Stage, teller: &mut Teller<'_>) -> Result<()> {
    teller.chapter(
        "5. Every decision is on record, and the record cannot be changed unseen",
        "Entries are chained by their hashes; boots of the service and checkpoints are signed.",
    )?;
    stage.exchange().checkpoint().await?;
    let log = export(stage).await?;
    let path = stage.directory()?.join("audit.jsonl");
    std::fs::write(&path, log.concat())?;
    let found = check_file(&path)?;
    teller.step("audit-verified", "the record, verified", "holds", verdict(&found))?;
    teller.show(format!("{} records; {}", found.records, found.scope))?;

    let (altered, line) = alter(log).context("there is no admission of production on record")?;
    let path = stage.directory()?.join("altered.jsonl");
    std::fs::write(&path, altered)?;
    let found = check_file(&path)?;
    teller.step(
        "audit-altered",
        "a copy in which one byte was altered: who assumed production",
        format!(
            "does not hold, line {line}: the body was altered: it does not have the hash that was recorded"
        ),
        verdict(&found),
    )
}

async fn export(stage: &Stage) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut unwritten = None;
    let mut add = |line: LogLine| match line.to_json() {
        Ok(line) => lines.push(line),
        Err(error) => unwritten = Some(error),
    };
    let mut bad = Vec::new();
    read_store(stage.exchange().store(), &mut add, &mut |found| bad.push(found.problem)).await?;
    match unwritten {
        Some(error) => Err(error.into()),
        None => Ok(lines.into_iter().chain(bad).map(|line| format!("{line}\n")).collect()),
    }
}

/// Makes the job that assumed production another repository's: `2002` becomes `2003`. Returns the line, from 1.
fn alter(mut log: Vec<String>) -> Option<(String, usize)> {
    const CLAIM: &str = r#"\"repository_id\":\"2002\""#;
    let production =
        |line: &String| line.contains("role/deploy-prod") || line.contains(r#"\"role\":\"deploy-prod\""#);
    let at =
        log.iter().position(|line| production(line) && line.contains("admitted") && line.contains(CLAIM))?;
    let line = log.get_mut(at)?;
    *line = line.replacen(CLAIM, r#"\"repository_id\":\"2003\""#, 1);
    Some((log.concat(), at.saturating_add(1)))
}

fn verdict(found: &Verification) -> String {
    match &found.first_bad {
        None => "holds".to_owned(),
        Some(bad) => format!("does not hold, line {}: {}", bad.line.unwrap_or_default(), bad.problem),
    }
}
