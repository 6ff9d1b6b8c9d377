//! Credentials in scripts: logins, exports, files written. Shell is not run here: commands are found by their words.

use super::Confidence;
use super::collect::within;
use super::group::{Sink, Strength};
use super::literal;
use super::registry::{kind_of, named_by, words};
use super::source::{Origin, Scopes, origins, referenced, references};
use super::table::{CommandRule, Needle, Part, table};
use crate::{Place, Platform, Scope, Text, Variable};

/// Bytes of a script that are looked at.
const LOOKED_AT: usize = 256 * 1024;
/// Commands and assignments of a script that are looked at.
const MATCHES: usize = 1_000;
/// Stands for what a command prints.
pub(super) const PRINTED: &str = "$(";

/// The sinks of one script. `all` are the job's scripts, where files may have been written before.
pub(super) fn read(
    platform: Platform,
    script: &Text,
    all: &[&Text],
    scopes: Scopes<'_>,
    step: usize,
    sinks: &mut Vec<Sink>,
) {
    let cut = script.as_str().len().min(LOOKED_AT);
    let Some(text) = script.as_str().get(..cut) else { return };
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for (kind, rule, at) in table().commands(text).take(MATCHES) {
        let (start, command) = command_at(text, at);
        if is_comment(text, at)
            || (rule.is == Needle::File && !is_written(text, at))
            || seen.contains(&(rule.needle.as_str(), start))
        {
            continue;
        }
        seen.push((rule.needle.as_str(), start));
        if !applies(rule, command) {
            continue;
        }
        let command = if rule.is == Needle::Host { user_info(text, at) } else { command };
        let every = origins(platform, command, scopes);
        let mut origins = referenced(platform, command, scopes);
        origins.retain(|origin| !matches!(origin, Origin::Stored(name) if is_setting(name)));
        if origins.is_empty() {
            origins = written_before(platform, command, all, scopes);
        }
        if origins.is_empty() && every.contains(&Origin::Made) {
            // A login with what a command before it printed, or with the platform's own token.
            continue;
        }
        if !origins.is_empty() && origins.iter().all(|origin| matches!(origin, Origin::Passed(_))) {
            // It is the caller's, and found where that passes it.
            continue;
        }
        if origins.is_empty() {
            match in_plain(rule, command) {
                Some(word) if literal::looks_secret(&word) => origins.push(Origin::Literal(word)),
                None if !rule.named && !is_mention(text, at, command) => {}
                // A dummy, or nothing at all.
                _ => continue,
            }
        }
        let kind = if rule.registry { kind_of(&named_by(command), kind) } else { kind };
        let confidence = if origins.is_empty() { Confidence::Inferred } else { Confidence::Certain };
        let origins = if origins.is_empty() { vec![Origin::Nothing] } else { origins };
        let part = if command.contains("aws_access_key_id") && !command.contains("aws_secret_access_key") {
            Part::Id
        } else {
            Part::Secret
        };
        sinks.push(Sink {
            kind,
            part,
            name: rule.needle.trim().to_owned(),
            origins,
            place: within(script, at),
            step: Some(step),
            confidence,
            strength: Strength::Rule,
            why: format!("the command `{}` takes it", rule.needle.trim()),
        });
    }
    assignments(platform, script, text, scopes, step, sinks);
    if let Some(at) = text.find("toJSON(secrets)").or_else(|| text.find("toJson(secrets)"))
        && let Some(kind) = table().index("all-secrets")
    {
        sinks.push(Sink {
            kind,
            part: Part::Secret,
            name: "toJSON(secrets)".to_owned(),
            origins: vec![Origin::All],
            place: within(script, at),
            step: Some(step),
            confidence: Confidence::Certain,
            strength: Strength::Rule,
            why: "all secrets are written into a script".to_owned(),
        });
    }
}

/// `NAME=value`: exported, before a command, or written to the job's environment.
fn assignments(
    platform: Platform,
    script: &Text,
    text: &str,
    scopes: Scopes<'_>,
    step: usize,
    sinks: &mut Vec<Sink>,
) {
    for (at, _) in text.match_indices('=').take(MATCHES) {
        let whole = text.get(..at).unwrap_or_default();
        let before = whole.trim_end_matches(' ');
        let start = before
            .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .map_or(0, |at| at.saturating_add(1));
        let name = before.get(start..).unwrap_or_default();
        let head = before.get(..start).unwrap_or_default();
        let upper = name.starts_with(|c: char| c.is_ascii_uppercase());
        let terraform = || head.trim_end_matches(['"', '\'', '=']).trim_end().ends_with("-var");
        if name.len() < 3 || !(upper || terraform()) {
            continue;
        }
        // An option such as `--password=`, or a comparison.
        let ahead = text.get(at.saturating_add(1)..).unwrap_or_default();
        // PowerShell's way, which may have spaces around.
        let spaced = head.len().checked_sub(5).and_then(|from| head.get(from..));
        let spaced = spaced.is_some_and(|word| word.eq_ignore_ascii_case("$env:"));
        if head.ends_with('-') || ahead.starts_with('=') || (before.len() < whole.len() && !spaced) {
            continue;
        }
        let ahead = if spaced { ahead.trim_start_matches(' ') } else { ahead };
        let Some((kind, part)) = table().variable(name).filter(|_| !is_comment(text, at)) else { continue };
        let value = value(ahead);
        let mut origins = referenced(platform, value, scopes);
        // `export X=$X` hands on what is there already.
        let mut named = references(platform, value);
        let itself = named.next().is_some_and(|only| only.name == name) && named.next().is_none();
        if origins.is_empty() && !value.contains('$') && literal::looks_secret(value) {
            origins.push(Origin::Literal(value.to_owned()));
        }
        if origins.is_empty() || (itself && platform == Platform::GitHubActions) {
            continue;
        }
        sinks.push(Sink {
            kind,
            part,
            name: name.to_owned(),
            origins,
            place: within(script, at),
            step: Some(step),
            confidence: Confidence::Certain,
            strength: Strength::Variable,
            why: "a variable that tools read".to_owned(),
        });
    }
}

/// What scripts assign, for the commands and pipes after them.
pub(super) fn assigned(scripts: &[&Text]) -> Vec<Variable> {
    let mut found = Vec::new();
    for script in scripts {
        for (number, line) in script.lines() {
            // Azure's way for a step to set a variable of the steps after it.
            if let Some((_, rest)) = line.split_once("task.setvariable variable=") {
                let name = rest.split([';', ']']).next().unwrap_or_default();
                let place = Place { line: number, ..script.place.clone() };
                let text = |value: &str| Text::plain(value, place.clone());
                found.push(Variable { name: text(name), value: text(PRINTED), scope: Scope::Job });
                continue;
            }
            let words = ["export ", "local ", "readonly ", "declare -x ", "declare "];
            let line = line.trim_start();
            let line = words.iter().find_map(|word| line.strip_prefix(word)).unwrap_or(line);
            let Some((name, rest)) = line.split_once('=') else { continue };
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_name {
                continue;
            }
            let place = Place { line: number, ..script.place.clone() };
            let text = |value: &str| Text::plain(value, place.clone());
            found.push(Variable { name: text(name), value: text(value(rest)), scope: Scope::Step });
        }
    }
    found
}

/// The value of an assignment: up to white space, or to the closing quote.
fn value(ahead: &str) -> &str {
    // What a command prints is made there, unless it only prints what it is given.
    let printed = ahead.trim_start_matches('"');
    if let Some(command) = printed.strip_prefix("$(").filter(|_| !is_macro(printed)) {
        let hands_on =
            ["echo ", "printf ", "cat <<<", "base64 "].iter().any(|word| command.starts_with(word));
        return if hands_on { ahead.lines().next().unwrap_or_default() } else { PRINTED };
    }
    for quote in ['"', '\''] {
        if let Some(rest) = ahead.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or_default();
        }
    }
    // Expressions have spaces inside.
    if ahead.starts_with("${{") {
        let end = ahead.find("}}").map_or(ahead.len(), |end| end.saturating_add(2));
        return ahead.get(..end).unwrap_or_default();
    }
    ahead
        .split(|c: char| c.is_whitespace() || matches!(c, ';' | '"' | '\'' | '&' | '|'))
        .next()
        .unwrap_or_default()
}

/// `$(NAME)`, which is a variable to Azure Pipelines; everywhere else it would be a command without arguments.
fn is_macro(text: &str) -> bool {
    let name = text.strip_prefix("$(").and_then(|rest| rest.split_once(')')).map(|(name, _)| name);
    name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.')))
}

/// The whole command around a byte, lines that go on and here-documents included, with where it starts.
fn command_at(text: &str, at: usize) -> (usize, &str) {
    let mut start = line_start(text, at);
    while start > 0 {
        let before = line_start(text, start.saturating_sub(1));
        let line = text.get(before..start).unwrap_or_default().trim_end();
        if !line.ends_with(['\\', '|']) {
            break;
        }
        start = before;
    }
    let mut end = line_end(text, at);
    while text.get(start..end).is_some_and(|so_far| so_far.trim_end().ends_with(['\\', '|', '`']))
        && end < text.len()
    {
        end = line_end(text, end.saturating_add(1));
    }
    let command = text.get(start..end).unwrap_or_default();
    if let Some((_, after)) = command.split_once("<<") {
        let word: String = after
            .trim_start_matches(['-', ' ', '\'', '"', '<'])
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let rest = text.get(end..).unwrap_or_default();
        let terminator = rest.lines().position(|line| !word.is_empty() && line.trim() == word);
        if let Some(lines) = terminator {
            let body: usize = rest.split_inclusive('\n').take(lines.saturating_add(1)).map(str::len).sum();
            end = end.saturating_add(body).min(text.len());
        }
    }
    (start, text.get(start..end).unwrap_or_default())
}

fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|text| text.rfind('\n')).map_or(0, |at| at.saturating_add(1))
}

fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |length| at.saturating_add(length))
}

fn is_comment(text: &str, at: usize) -> bool {
    let start = line_start(text, at);
    text.get(start..at).is_some_and(|line| line.trim_start().starts_with('#'))
}

fn applies(rule: &CommandRule, command: &str) -> bool {
    let lower = command.to_ascii_lowercase();
    let has = |word: &String| lower.contains(&word.to_ascii_lowercase());
    (rule.with.is_empty() || rule.with.iter().any(has)) && !rule.without.iter().any(has)
}

/// What is written in plain where a command takes its secret; not what stands for something else.
fn in_plain(rule: &CommandRule, command: &str) -> Option<String> {
    let words = words(command);
    let given = words.iter().zip(words.iter().skip(1)).find_map(|(word, next)| {
        let after = |one: &String| one.eq_ignore_ascii_case(word);
        rule.after.iter().any(after).then_some(next.as_str())
    });
    let joined = || {
        let mut options = words.iter().filter_map(|word| word.split_once('='));
        options.find(|(option, _)| rule.after.iter().any(|one| one == option)).map(|(_, value)| value)
    };
    let word = given.or_else(joined)?.trim_matches(['"', '\'']);
    let stands_for = word.is_empty()
        || word.starts_with('-')
        || word.contains(['$', '`', '%', '<', '{', '|', '/', '=', '@']);
    (!stands_for).then(|| word.to_owned())
}

/// Whether the words around a byte are spoken of, not run: looked for, printed, or asked for help about.
fn is_mention(text: &str, at: usize, command: &str) -> bool {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let quoted = ['"', '\''].iter().any(|quote| line.matches(*quote).count() % 2 == 1);
    let own = line.rsplit([';', '|', '&']).next().unwrap_or_default().trim_start();
    let speaks = ["echo", "printf", "grep", "egrep", "rg", "sed", "awk"];
    let spoken = quoted && own.split_whitespace().next().is_some_and(|word| speaks.contains(&word));
    spoken || command.split_whitespace().any(|word| word == "--help")
}

/// The user and password of the URL whose host begins at a byte: what lies between its `//` and that.
fn user_info(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let given = line.rsplit_once("://").map_or("", |(_, given)| given);
    // Expressions may have spaces inside; otherwise the URL is over by then.
    let bare = given.split("${{").enumerate().map(|(index, part)| match part.split_once("}}") {
        Some((_, after)) if index > 0 => after,
        _ => part,
    });
    let whole =
        bare.into_iter().all(|part| !part.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@')));
    if whole { given } else { "" }
}

/// Variables that commands name and that hold no secret.
fn is_setting(name: &str) -> bool {
    const SETTINGS: [&str; 13] = [
        "BASH_ENV",
        "HOME",
        "PATH",
        "PWD",
        "USER",
        "GITHUB_ENV",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "CI_REGISTRY",
        "CI_REGISTRY_USER",
        "GITHUB_WORKSPACE",
        "BITBUCKET_CLONE_DIR",
        "CI_PROJECT_DIR",
    ];
    const ENDINGS: [&str; 12] = [
        "_ACCOUNT_ID",
        "_CLIENT_ID",
        "_USER",
        "_USERNAME",
        "_REGION",
        "_ACCOUNT",
        "_PROJECT",
        "_REGISTRY",
        "_HOST",
        "_URL",
        "_TENANT",
        "_TENANT_ID",
    ];
    SETTINGS.contains(&name)
        || ENDINGS.iter().any(|ending| format!("_{}", name.to_ascii_uppercase()).ends_with(ending))
        || name.starts_with("vars.")
        || matches!(name, "U" | "A" | "T")
}

/// The secrets that went into a file which the command reads: `echo "$X" > key.json`.
fn written_before(platform: Platform, command: &str, all: &[&Text], scopes: Scopes<'_>) -> Vec<Origin> {
    let names = command.split(|c: char| c.is_whitespace() || matches!(c, '=' | '"' | '\'' | '<' | '(' | ')'));
    let names: Vec<&str> =
        names.filter(|word| word.len() > 3 && word.contains('.') && !word.starts_with('-')).collect();
    let mut found = Vec::new();
    for (_, line) in all.iter().flat_map(|script| script.lines()) {
        let Some((content, target)) = line.split_once('>') else { continue };
        if names.iter().any(|name| target.contains(name)) {
            found.extend(referenced(platform, content, scopes));
        }
    }
    found.retain(|origin| !matches!(origin, Origin::Stored(name) if is_setting(name)));
    found
}

/// Whether the word around a byte is the file that a command writes: after `>`, or `tee`.
fn is_written(text: &str, at: usize) -> bool {
    let line = text.get(line_start(text, at)..at).unwrap_or_default();
    let word = line.rfind(|c: char| c.is_whitespace() || c == '>').map_or(0, |at| at.saturating_add(1));
    let before = line.get(..word).unwrap_or_default().trim_end();
    before.ends_with('>') || before.ends_with("tee") || before.ends_with("tee -a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_all_of_its_lines() {
        let text = "x\naz login \\\n  --service-principal \\\n  -p $PW\ny\n";
        assert_eq!(
            command_at(text, text.find("az").unwrap()).1,
            "az login \\\n  --service-principal \\\n  -p $PW"
        );
        assert_eq!(command_at(text, text.find("-p").unwrap()).0, 2);
        let text = "cat > ~/.kube/config <<EOF\ntoken: $T\nEOF\nnext";
        assert_eq!(command_at(text, 0).1.trim_end(), "cat > ~/.kube/config <<EOF\ntoken: $T\nEOF");
        let text = "cat <<EOF\nwithout an end";
        assert_eq!(command_at(text, 0).1, "cat <<EOF");
    }

    #[test]
    fn files_are_written_by_redirections() {
        let written = |text: &str| is_written(text, text.find(".ssh").unwrap());
        for text in [
            "echo $K > ~/.ssh/id_rsa",
            "echo $K >~/.ssh/id_rsa",
            "x | tee ~/.ssh/id",
            "x | sudo tee -a ~/.ssh/id",
        ] {
            assert!(written(text), "{text}");
        }
        for text in ["echo 'export F=~/.ssh/id_rsa' >> $ENV", "chmod 600 ~/.ssh/id_rsa > log", "tees ~/.ssh"]
        {
            assert!(!written(text), "{text}");
        }
    }

    #[test]
    fn values_of_assignments() {
        for (ahead, wanted) in [
            ("\"a b\" c", "a b"),
            ("${{ secrets.X }}; y", "${{ secrets.X }}"),
            ("$X cmd", "$X"),
            ("", ""),
            ("$(vault write -field=token x)", PRINTED),
            ("\"$(cat token)\"", PRINTED),
            ("$(echo $KEY | base64 -d)", "$(echo $KEY | base64 -d)"),
            ("$(Macro) x", "$(Macro)"),
        ] {
            assert_eq!(value(ahead), wanted);
        }
    }
}
