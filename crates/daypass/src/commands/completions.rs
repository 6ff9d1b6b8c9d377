use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde_json::json;

use crate::cli::Cli;
use crate::failure::{Outcome, Result};
use crate::output::Output;

/// Writes a completion script for a shell.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  daypass completions bash > ~/.local/share/bash-completion/completions/daypass
  daypass completions zsh > ~/.zfunc/_daypass
  daypass completions fish > ~/.config/fish/completions/daypass.fish")]
pub(crate) struct Arguments {
    /// Which shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, output: &Output) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "daypass", &mut script);
    let script = String::from_utf8(script)?;
    if output.is_json() {
        let answer = json!({ "shell": arguments.shell.to_string(), "script": script });
        output.answer(&answer, |_| Ok(()))?;
    } else {
        output.raw(&script)?;
    }
    Ok(Outcome::Fine)
}
