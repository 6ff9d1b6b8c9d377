//! The same table from an engine that has the trail already.
//!
//! The queries are written out in `*.sql`, with marks for what engines say differently and for what has one source in this crate:
//! the classes of user agents.

use daypass_claims::Timestamp;

use crate::agent::{AGENTS, OTHER, SYSTEMS};

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Amazon Athena (Trino), on the table that CloudTrail's console makes.
    Athena,
    /// Apache Spark SQL, on the files.
    Spark,
    /// DuckDB, on the files.
    DuckDb,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The table of the trail; for Spark and DuckDB [`Sql::setup`] makes it.
    pub table: String,
    /// Where the files are, for Spark and DuckDB: `s3://BUCKET/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz`.
    pub files: String,
    /// Records from then on.
    pub from: Option<Timestamp>,
    /// Records before then.
    pub until: Option<Timestamp>,
}

/// The text to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// A statement to run first; empty where the engine has the table.
    pub setup: String,
    /// A query for [`UseRow`](crate::UseRow)s: columns and order are theirs.
    pub uses: String,
    /// A query for [`CoverageRow`](crate::CoverageRow)s.
    pub coverage: String,
}

/// The query cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// A name that would need quoting, which every engine does in its own way.
    #[error("`{0}` is not a table's name like `cloudtrail` or `audit.cloudtrail_logs`")]
    Table(String),
    /// A location that cannot stand in a string.
    #[error("`{0}` is not a location like s3://bucket/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz")]
    Files(String),
}

/// The text that yields the evidence table of CloudTrail on an engine.
pub fn sql(engine: Engine, query: &Query) -> Result<Sql, SqlError> {
    let word = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let names = || query.table.split('.');
    if !names().all(|name| !name.is_empty() && name.chars().all(word)) || names().count() > 3 {
        return Err(SqlError::Table(query.table.clone()));
    }
    if query.files.contains(['\'', '\\', '`', '\n', '\r']) {
        return Err(SqlError::Files(query.files.clone()));
    }
    let events = engine.events().trim_end();
    let whole = |text: &str| {
        let text = text
            .replace("{{events}}", events)
            .replace("{{table}}", &query.table)
            .replace("{{window}}", &window(query))
            .replace("{{agent}}", &engine.classes(AGENTS, OTHER))
            .replace("{{system}}", &engine.classes(SYSTEMS, ""));
        engine.spell(&text)
    };
    Ok(Sql {
        setup: engine.setup().replace("{{table}}", &query.table).replace("{{files}}", &query.files),
        uses: whole(include_str!("uses.sql")),
        coverage: whole(include_str!("coverage.sql")),
    })
}

impl Engine {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Athena, Self::Spark, Self::DuckDb];

    /// As in `--sql athena`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Athena => "athena",
            Self::Spark => "spark",
            Self::DuckDb => "duckdb",
        }
    }

    /// The first of the common table expressions: the members of records, by their names here.
    const fn events(self) -> &'static str {
        match self {
            Self::Athena => include_str!("events.athena.sql"),
            Self::Spark => include_str!("events.spark.sql"),
            Self::DuckDb => include_str!("events.duckdb.sql"),
        }
    }

    const fn setup(self) -> &'static str {
        match self {
            Self::Athena => "",
            Self::Spark => include_str!("setup.spark.sql"),
            Self::DuckDb => include_str!("setup.duckdb.sql"),
        }
    }

    /// The functions of the queries, as this engine calls them.
    fn spell(self, text: &str) -> String {
        let names: [(&str, &str); 3] = match self {
            Self::Athena => [
                ("BIT(", "bitwise_left_shift(CAST(1 AS bigint), "),
                ("ANY_BIT(", "bitwise_or_agg("),
                ("MATCHES(", "regexp_like("),
            ],
            Self::Spark => [
                ("BIT(", "shiftleft(CAST(1 AS bigint), "),
                ("ANY_BIT(", "bit_or("),
                ("MATCHES(", "regexp_like("),
            ],
            Self::DuckDb => {
                [("BIT(", "(CAST(1 AS bigint) << "), ("ANY_BIT(", "bit_or("), ("MATCHES(", "regexp_matches(")]
            }
        };
        let [bit, any, matches] = names;
        // The longer name first: the shorter is its end.
        [any, bit, matches].iter().fold(text.to_owned(), |text, (name, own)| text.replace(name, own))
    }

    /// One class of many, told by what stands in the user agent; as [`classify`](crate::agent::classify) does it.
    fn classes(self, table: &[(&str, &[&str])], otherwise: &str) -> String {
        let at = if self == Self::Spark { "instr" } else { "strpos" };
        let mut text = "CASE WHEN user_agent = '' THEN ''".to_owned();
        for (class, signs) in table {
            let found: Vec<String> =
                signs.iter().map(|sign| format!("{at}(user_agent, '{sign}') > 0")).collect();
            text.push_str(&format!("\n      WHEN {} THEN '{class}'", found.join(" OR ")));
        }
        text.push_str(&format!("\n      ELSE '{otherwise}' END"));
        text
    }
}

fn window(query: &Query) -> String {
    let bound = |sign: &str, time: Option<Timestamp>| {
        time.map_or_else(String::new, |time| format!(" AND time {sign} '{}'", time.to_rfc3339()))
    };
    bound(">=", query.from) + &bound("<", query.until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(table: &str, files: &str) -> Query {
        Query { table: table.to_owned(), files: files.to_owned(), from: None, until: None }
    }

    #[test]
    fn nothing_is_left_to_be_filled_in() {
        let until = Some(Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
        let query = Query { until, ..query("audit.cloudtrail", "s3://b/*.gz") };
        for engine in Engine::ALL {
            let Sql { setup, uses, coverage } = sql(engine, &query).unwrap();
            for text in [&setup, &uses, &coverage] {
                assert!(
                    !text.contains("{{") && !text.contains("BIT(CAST") && !text.contains("MATCHES("),
                    "{text}"
                );
            }
            assert!(uses.contains("audit.cloudtrail") && uses.contains("time < '2026-11-01T00:00:00Z'"));
            assert_eq!(setup.is_empty(), engine == Engine::Athena);
        }
    }

    #[test]
    fn names_that_would_need_quoting_are_refused() {
        for table in ["", "a b", "a;b", "a.b.c.d", "a..b", "\"a\"", "a'"] {
            let refused = sql(Engine::DuckDb, &query(table, "x")).unwrap_err();
            assert_eq!(refused, SqlError::Table(table.to_owned()));
        }
    }

    #[test]
    fn locations_that_would_need_quoting_are_refused() {
        for files in ["a'b", "a\\b", "a`b", "a\nb"] {
            let refused = sql(Engine::DuckDb, &query("t", files)).unwrap_err();
            assert_eq!(refused, SqlError::Files(files.to_owned()));
        }
    }

    #[test]
    fn the_text_for_athena_is_this() {
        insta::assert_snapshot!(sql(Engine::Athena, &query("cloudtrail_logs", "")).unwrap().uses);
    }
}
