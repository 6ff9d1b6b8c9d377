//! The reference page `docs/reference/cli.md`, made from the command line's definition. `DAYPASS_UPDATE=1` writes it anew.

use std::fmt::Write;
use std::path::Path;

use clap::{Arg, Command, CommandFactory};

use crate::cli::Cli;

const HEAD: &str = "\
<!-- Made from crates/daypass/src by `DAYPASS_UPDATE=1 cargo test -p daypass reference`. Changes belong there. -->

# The command line

## Exit codes

| code | meaning |
|---|---|
| 0 | fine |
| 1 | the answer is no: refused, denied, findings, a log that does not verify |
| 2 | wrong arguments, or a file that does not say what it should |
| 3 | something failed: no connection, no disk, no permission |

`daypass run` exits with the code of the command that it ran, 128 and the signal's number if a signal ended it, 126 or 127 if
it could not be started.

## Streams

The answer goes to stdout, warnings, errors and logs to stderr. With `--json` the answer is one JSON document on one line; each
command's shape is a JSON Schema in `docs/schemas`. What a command could not do is `{\"error\": ...}`, of the shape
[error](../schemas/error.json). Secrets are on stdout only, and only where they are what was asked for.

Log lines are chosen by `-v`, `-q` or the variable `DAYPASS_LOG` (such as `info,daypass_server=debug`). Colours are left out
where stdout is no terminal, and where `NO_COLOR` is set.
";

/// Commands and the schemas of their answers, where those are not called like the command alone.
const MORE_SCHEMAS: [(&str, &str); 3] = [
    ("daypass-explain", "explain-decision"),
    ("daypass-man", "man-directory"),
    ("daypass-audit-export", "audit-export-line"),
];

#[test]
fn the_reference_page_is_up_to_date() {
    let path = docs().join("reference/cli.md");
    let page = page();
    if std::env::var_os("DAYPASS_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).position(|(old, new)| old != new);
    assert!(
        written == page,
        "docs/reference/cli.md is out of date from line {}: DAYPASS_UPDATE=1 cargo test -p daypass reference",
        differs.map_or(written.lines().count(), |line| line + 1)
    );
}

#[test]
fn every_argument_says_what_it_is_about() {
    fn check(command: &Command) {
        assert!(command.get_about().is_some(), "{command}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{command}: {argument}");
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

fn docs() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let mut command = Cli::command();
    command.build();
    page.push_str("\n## Options of every command\n\n");
    for argument in command.get_arguments().filter(|argument| argument.is_global_set()) {
        item(&mut page, argument);
    }
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        section(&mut page, command);
    }
    page
}

fn section(page: &mut String, command: &Command) {
    if command.has_subcommands() {
        let below = command.get_subcommands().filter(|command| command.get_name() != "help");
        below.for_each(|command| section(page, command));
        return;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    writeln!(page, "\n## {}\n", name.replace('-', " ")).unwrap();
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string);
    writeln!(page, "{}\n", about.unwrap_or_default()).unwrap();
    let usage = command.clone().render_usage().to_string();
    writeln!(page, "```text\n{}\n```", usage.trim_start_matches("Usage: ").trim()).unwrap();
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| !argument.is_global_set() && argument.get_id() != "help")
        .collect();
    if !own.is_empty() {
        page.push('\n');
        for argument in own {
            item(page, argument);
        }
    }
    if let Some(more) = command.get_after_long_help() {
        writeln!(page, "\n```text\n{}\n```", more.to_string().trim()).unwrap();
    }
    let first = name.trim_start_matches("daypass-").to_owned();
    let more =
        MORE_SCHEMAS.iter().filter(|(command, _)| *command == name).map(|(_, schema)| (*schema).to_owned());
    let schemas = std::iter::once(first).chain(more);
    let links: Vec<String> = schemas
        .filter(|schema| docs().join(format!("schemas/{schema}.json")).exists())
        .map(|schema| format!("[{schema}](../schemas/{schema}.json)"))
        .collect();
    if !links.is_empty() {
        writeln!(page, "\nWith `--json`: {}.", links.join(", ")).unwrap();
    }
}

/// An argument as a list item.
fn item(page: &mut String, argument: &Arg) {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> =
        argument.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let values = if argument.get_action().takes_values() { values.join(" ") } else { String::new() };
    let mut names: Vec<String> = argument.get_short().map(|short| format!("-{short}")).into_iter().collect();
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let shown = format!("{} {values}", names.join(", "));
    let mut facts = Vec::new();
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|value| value.display().to_string()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        facts.push(format!("default `{}`", defaults.join(" ")));
    }
    facts.extend(argument.get_env().map(|name| format!("variable `{}`", name.display())));
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
    writeln!(page, "* `{}`: {}{facts}", shown.trim(), help.trim().trim_end_matches('.')).unwrap();
    if !argument.is_hide_possible_values_set() && argument.get_action().takes_values() {
        for value in argument.get_possible_values() {
            if let Some(help) = value.get_help() {
                writeln!(page, "  * `{}`: {help}", value.get_name()).unwrap();
            }
        }
    }
}
