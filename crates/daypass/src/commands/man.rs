use camino::Utf8PathBuf;
use clap::{Args, CommandFactory};
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{Outcome, Result};
use crate::output::Output;

/// Writes manual pages.
///
/// Without a directory, the page of `daypass` itself goes to stdout.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass man | man -l -
  daypass man --directory /usr/local/share/man/man1")]
pub(crate) struct Arguments {
    /// Write the pages of all commands into this directory.
    #[arg(long, value_name = "DIR")]
    directory: Option<Utf8PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let mut command = Cli::command();
    // Names like `daypass-audit-verify` are given to subcommands when the tree is built.
    command.build();
    let Some(directory) = &arguments.directory else {
        let page = page(&command)?;
        if output.is_json() {
            output.answer(&json!({ "page": page }), |_| Ok(()))?;
        } else {
            output.raw(&page)?;
        }
        return Ok(Outcome::Fine);
    };
    std::fs::create_dir_all(directory)?;
    let mut written: Vec<String> = Vec::new();
    write_pages(&command, directory, &mut written)?;
    output.answer(&json!({ "pages": written }), |out| {
        written.iter().try_for_each(|path| writeln!(out, "{path}"))
    })?;
    Ok(Outcome::Fine)
}

fn write_pages(
    command: &clap::Command,
    directory: &camino::Utf8Path,
    written: &mut Vec<String>,
) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = directory.join(format!("{name}.1"));
    std::fs::write(&path, page(command)?)?;
    written.push(path.into_string());
    command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .try_for_each(|command| write_pages(command, directory, written))
}

fn page(command: &clap::Command) -> Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
