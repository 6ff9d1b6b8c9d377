//! `--sql`: the queries instead of the reading.

use camino::Utf8Path;
use clap::{Args, ValueEnum};
use daypass_evidence::{Engine, Query, sql};
use serde_json::json;

use super::question;
use crate::failure::{Failure, Outcome, Result};
use crate::output::Output;

#[derive(Debug, Args)]
#[command(next_help_heading = "On an engine")]
pub(super) struct OnEngine {
    /// Print the queries that yield the evidence table of CloudTrail on an engine, and read nothing: athena, spark, duckdb.
    #[arg(long = "sql", value_name = "ENGINE", hide_possible_values = true)]
    pub(super) engine: Option<Name>,
    /// The table of the trail on the engine.
    #[arg(long, value_name = "NAME", default_value = "cloudtrail", requires = "engine")]
    table: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Name {
    Athena,
    Spark,
    #[value(name = "duckdb")]
    DuckDb,
}

pub(super) fn run(
    engine: Name,
    asked: &OnEngine,
    files: &Utf8Path,
    window: &question::Asked,
    output: &Output,
) -> Result {
    let engine = match engine {
        Name::Athena => Engine::Athena,
        Name::Spark => Engine::Spark,
        Name::DuckDb => Engine::DuckDb,
    };
    let (from, until) = window.window();
    let query = Query { table: asked.table.clone(), files: files.to_string(), from, until };
    let text = sql(engine, &query).map_err(|error| Failure::usage(error.to_string()))?;
    let value = json!({ "setup": text.setup, "uses": text.uses, "coverage": text.coverage });
    output.answer(&value, |out| {
        let parts = [("what to read", &text.setup), ("uses", &text.uses), ("coverage", &text.coverage)];
        for (what, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            writeln!(out, "-- {what}\n{};\n", part.trim_end().trim_end_matches(';'))?;
        }
        Ok(())
    })?;
    Ok(Outcome::Fine)
}
