//! `daypass revoke`.

use clap::{ArgGroup, Args};
use serde_json::{Value, json};

use crate::admin::Service;
use crate::failure::{Outcome, Result};
use crate::output::Output;
use crate::render::style;

/// Ends credentials before their time.
///
/// Every credential that was issued up to now and fits is refused by every replica within five seconds. Later ones are not
/// affected: change the role's trust for that. Only credentials that daypass itself verifies can be ended; a re-issued token
/// lives until it expires.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass revoke --role deploy-prod
  daypass revoke --run 5005 --issuer github
  daypass revoke --repository 2002 --issuer github
  daypass revoke --credential ASIA...")]
#[command(group(ArgGroup::new("which").required(true).args(["role", "run", "repository", "credential"])))]
pub(crate) struct Arguments {
    /// All sessions of a role.
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// All credentials of a CI run, by the id that its platform gives it.
    #[arg(long, value_name = "ID")]
    run: Option<String>,
    /// All credentials of a repository, by its id, or its name where the platform has no id.
    #[arg(long, value_name = "ID")]
    repository: Option<String>,
    /// One credential: its id, or its access key id.
    #[arg(long, value_name = "ID")]
    credential: Option<String>,
    /// Whose run or repository: an issuer of the configuration, by name or URL.
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    #[command(flatten)]
    service: Service,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> Result {
    let mut wish = serde_json::Map::new();
    let members = [
        ("role", arguments.role),
        ("run", arguments.run),
        ("repository", arguments.repository),
        ("credential", arguments.credential),
        ("issuer", arguments.issuer),
    ];
    for (name, value) in members {
        wish.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    let answer: Value = arguments.service.admin()?.post("/api/v1/revoke", &wish).await?;
    output.answer(&answer, |out| {
        let text = |member: &str| answer.get(member).and_then(Value::as_str).unwrap_or_default();
        writeln!(
            out,
            "revoked {}: whatever was issued before {} is refused",
            text("revoked"),
            text("not_before")
        )?;
        match answer.get("remark").and_then(Value::as_str) {
            Some(remark) => writeln!(out, "{}", style::unsure(remark)),
            None => Ok(()),
        }
    })?;
    Ok(Outcome::Fine)
}
