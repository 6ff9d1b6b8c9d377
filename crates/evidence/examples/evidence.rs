//! What the comparison with SQL engines needs (`ci/evidence/compare.py`):
//!
//! ```text
//! evidence make FOLDER [SEED]       a made-up month
//! evidence rows FOLDER              its table, natively: a line of JSON for each row, uses before coverage
//! evidence sql ENGINE TABLE FILES   the queries, as one object
//! ```

use std::io::{self, Write};

use daypass_evidence::synthesise::{Month, write_month};
use daypass_evidence::{Engine, Input, Options, Query, SourceKind, gather, sql};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::stdout().lock();
    match arguments.as_slice() {
        ["make", folder, seed @ ..] => {
            let seed = seed.first().map_or(Ok(Month::default().seed), |seed| seed.parse())?;
            let written = write_month((*folder).into(), &Month { seed, ..Month::default() })?;
            writeln!(
                out,
                "{} records in {} files of {} bytes",
                written.records, written.files, written.bytes
            )?;
        }
        ["rows", folder] => {
            let input = Input { source: SourceKind::CloudTrail, path: (*folder).into() };
            let evidence = gather(&[input], &Options::default(), &())?.into_evidence()?;
            for row in &evidence.uses {
                writeln!(out, "{}", serde_json::to_string(row)?)?;
            }
            for row in &evidence.coverage {
                writeln!(out, "{}", serde_json::to_string(row)?)?;
            }
        }
        ["sql", engine, table, files] => {
            let engine = Engine::ALL.into_iter().find(|it| it.name() == *engine).ok_or("no such engine")?;
            let (table, files) = ((*table).to_owned(), (*files).to_owned());
            let text = sql(engine, &Query { table, files, from: None, until: None })?;
            let text =
                serde_json::json!({ "setup": text.setup, "uses": text.uses, "coverage": text.coverage });
            writeln!(out, "{text}")?;
        }
        _ => return Err("make FOLDER [SEED] | rows FOLDER | sql ENGINE TABLE FILES".into()),
    }
    Ok(())
}
