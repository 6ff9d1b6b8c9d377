//! Where a value comes from, as its text tells.

use std::collections::BTreeSet;

use super::shell::PRINTED;
use crate::github::expression;
use crate::{Platform, Variable};

/// Where the value of a sink comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A secret or variable of the platform, by name.
    Stored(String),
    /// A stored one that the file does not name: `secrets[matrix.key]`.
    Indexed(String),
    /// All of them at once.
    All,
    /// Written in the file.
    Literal(String),
    /// What the caller of this file passes.
    Passed(String),
    /// Something on the platform that holds a credential: a service connection, a credentials id.
    Connection(String),
    /// A step or command made it at run time: not a stored credential as far as is seen.
    Made,
    /// Nothing, or something that holds no secret, such as a plain setting.
    Nothing,
}

impl Origin {
    /// The words in output. A literal is masked.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Stored(name) | Self::Passed(name) => name.clone(),
            Self::Indexed(name) => format!("{name} (by the matrix)"),
            Self::All => "every secret".to_owned(),
            Self::Literal(text) => super::literal::masked(text),
            Self::Connection(name) => format!("connection {name}"),
            Self::Made | Self::Nothing => String::new(),
        }
    }
}

/// Variables within a variable's value that are looked up, so that a few that name each other do not become many.
const WITHIN: usize = 6;

/// What a value's variables stand for, innermost scope first.
pub(super) type Scopes<'a> = &'a [&'a [Variable]];

/// Names of the platform's own short-lived tokens, which no one stores. Elsewhere somebody has stored what is called so.
fn is_own(platform: Platform, name: &str) -> bool {
    match platform {
        // GitHub does not mind letter case.
        Platform::GitHubActions => ["GITHUB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name)),
        Platform::GitLab => matches!(
            name,
            "CI_JOB_TOKEN" | "CI_REGISTRY_PASSWORD" | "CI_JOB_JWT" | "CI_JOB_JWT_V1" | "CI_JOB_JWT_V2"
        ),
        _ => false,
    }
}

/// The origins of a value.
pub(super) fn origins(platform: Platform, value: &str, scopes: Scopes<'_>) -> Vec<Origin> {
    let mut found = match platform {
        Platform::GitHubActions => github(value, scopes, 0),
        Platform::Jenkins => jenkins(value).into_iter().collect(),
        _ => Vec::new(),
    };
    let once: BTreeSet<Reference<'_>> = references(platform, value).collect();
    for reference in once {
        found.push(named(platform, reference, scopes, 0));
    }
    if found.is_empty() {
        let text = value.trim();
        found.push(if text.is_empty() { Origin::Nothing } else { Origin::Literal(text.to_owned()) });
    }
    found.sort();
    found.dedup();
    found
}

/// Every secret that a text reads, for scripts and the like: no literals.
pub(super) fn referenced(platform: Platform, text: &str, scopes: Scopes<'_>) -> Vec<Origin> {
    let stored = |origin: &Origin| !matches!(origin, Origin::Literal(_) | Origin::Nothing | Origin::Made);
    let mut found = origins(platform, text, scopes);
    found.retain(stored);
    found
}

fn github(value: &str, scopes: Scopes<'_>, depth: usize) -> Vec<Origin> {
    let mut found = Vec::new();
    let most = if depth == 0 { usize::MAX } else { WITHIN };
    for inner in expression::embedded(value).take(most) {
        let Some(parsed) = expression::parse(inner) else {
            // Not understood, but not for nothing: a secret goes in.
            let reads_secrets =
                inner.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "secrets");
            found.push(if reads_secrets { Origin::Indexed(inner.to_owned()) } else { Origin::Nothing });
            continue;
        };
        let before = found.len();
        for path in parsed.paths() {
            found.push(github_path(path, inner, scopes, depth));
        }
        if found.len() == before {
            found.push(Origin::Nothing);
        }
    }
    found
}

fn github_path(path: &str, written: &str, scopes: Scopes<'_>, depth: usize) -> Origin {
    let (context, name) = path.split_once('.').unwrap_or((path, ""));
    match context {
        "secrets" if name.is_empty() => Origin::All,
        "secrets" if name == "*" => Origin::Indexed(written.to_owned()),
        "secrets" if is_own(Platform::GitHubActions, name) => Origin::Made,
        "secrets" => Origin::Stored(path.to_owned()),
        "inputs" => Origin::Passed(path.to_owned()),
        "env" => {
            let variable = scopes.iter().copied().flatten().find(|variable| variable.name.as_str() == name);
            let value = variable.map(|variable| variable.value.as_str()).filter(|_| depth < 4);
            let mut found =
                value.map(|value| github(value, scopes, depth.saturating_add(1))).unwrap_or_default();
            match (value, found.pop()) {
                (_, Some(origin)) => origin,
                (Some(value), None) => Origin::Literal(value.to_owned()),
                (None, None) => Origin::Nothing,
            }
        }
        "steps" | "needs" | "github" | "job" => Origin::Made,
        // Variables of the repository are not secret: an id may lie there.
        "vars" => Origin::Stored(path.to_owned()),
        _ => Origin::Nothing,
    }
}

/// A variable that a text names: what the file gives it, else one that the platform stores.
fn named(platform: Platform, reference: Reference<'_>, scopes: Scopes<'_>, depth: usize) -> Origin {
    let name = reference.name;
    if is_own(platform, name) {
        return Origin::Made;
    }
    let find = |name: &str| {
        let mut all = scopes.iter().copied().flatten();
        all.find(|variable| variable.name.as_str() == name).filter(|_| depth < 4)
    };
    // Jenkins hands the two halves of a user name and password out under names of their own.
    let half = || name.strip_suffix("_PSW").filter(|_| platform == Platform::Jenkins);
    if let Some(variable) = find(name).or_else(|| find(half()?)) {
        let value = variable.value.as_str();
        if value == PRINTED {
            return Origin::Made;
        }
        let mut found = match platform {
            Platform::GitHubActions => github(value, scopes, depth.saturating_add(1)),
            Platform::Jenkins => jenkins(value).into_iter().collect(),
            _ => Vec::new(),
        };
        let others = references(platform, value).filter(|other| other.name != name).take(WITHIN);
        found.extend(others.map(|other| named(platform, other, scopes, depth.saturating_add(1))));
        return match found.into_iter().min() {
            Some(origin) => origin,
            None if references(platform, value).any(|one| one.name == name) => {
                Origin::Stored(name.to_owned())
            }
            None => Origin::Literal(value.to_owned()),
        };
    }
    match platform {
        // A shell variable there is none of the stored ones: those come through expressions or bindings only.
        Platform::GitHubActions | Platform::Jenkins => Origin::Nothing,
        _ if !reference.filled_in => Origin::Nothing,
        _ => Origin::Stored(name.to_owned()),
    }
}

/// `credentials('id')`.
fn jenkins(value: &str) -> Option<Origin> {
    let id = value.trim().strip_prefix("credentials")?.trim().trim_matches(['(', ')']).trim();
    let quoted = id.starts_with(['\'', '"']);
    quoted.then(|| Origin::Connection(id.trim_matches(['\'', '"']).to_owned()))
}

/// A variable that a text names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference<'t> {
    pub(super) name: &'t str,
    /// Whether the platform fills it in itself, secrets included: on Azure `$(X)` does, `$X` is the shell's.
    filled_in: bool,
}

/// The variables that a text names: `$X`, `${X}`, `$env:X` of PowerShell, and `$(X)` on Azure. Read as they are asked for:
/// texts may be long.
pub(super) fn references(platform: Platform, text: &str) -> impl Iterator<Item = Reference<'_>> {
    let azure = platform == Platform::AzurePipelines;
    text.match_indices('$').filter_map(move |(at, _)| {
        let after = text.get(at.saturating_add(1)..).unwrap_or_default();
        let is_macro = azure && after.starts_with('(');
        let after = after.strip_prefix("env:").unwrap_or(after);
        let after = after.strip_prefix(if is_macro { '(' } else { '{' }).unwrap_or(after);
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || (is_macro && matches!(c, '.' | '-'));
        let end = after.find(|c: char| !part(c)).unwrap_or(after.len());
        let (name, next) = (after.get(..end).unwrap_or_default(), after.get(end..).unwrap_or_default());
        // `$(command args)` is the shell's.
        let closed = !is_macro || next.starts_with(')');
        let named = closed && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        named.then_some(Reference { name, filled_in: is_macro || !azure })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Place, Scope, Text};

    fn variable(name: &str, value: &str) -> Variable {
        let place = Place::whole(&"f".into(), 0);
        let text = |value: &str| Text::plain(value, place.clone());
        Variable { name: text(name), value: text(value), scope: Scope::Job }
    }

    #[test]
    fn workflows_name_their_secrets_in_expressions() {
        let env =
            [variable("KEY", "${{ secrets.PROD }}"), variable("REGION", "eu"), variable("LOOP", "$LOOP")];
        let of = |text: &str| {
            let found = origins(Platform::GitHubActions, text, &[&env]);
            found.iter().map(|origin| format!("{origin:?}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("${{ secrets.A || secrets['B'] }}"), r#"Stored("secrets.A") Stored("secrets.B")"#);
        assert_eq!(
            of("${{ secrets[matrix.k] }}"),
            r#"Indexed("secrets[matrix.k]") Nothing"#.replace(" Nothing", "")
        );
        assert_eq!(of("${{ toJSON(secrets) }}"), "All");
        assert_eq!(of("${{ env.KEY }}"), r#"Stored("secrets.PROD")"#);
        assert_eq!(of("x $KEY"), r#"Stored("secrets.PROD")"#);
        assert_eq!(of("${{ secrets.GITHUB_TOKEN }}"), "Made");
        assert_eq!(of("${{ steps.x.outputs.y }}"), "Made");
        assert_eq!(of("plain"), r#"Literal("plain")"#);
        assert_eq!(of("$UNKNOWN"), "Nothing");
        assert_eq!(of("$LOOP"), r#"Stored("LOOP")"#);
    }

    #[test]
    fn other_platforms_name_variables() {
        let of = |platform: Platform, text: &str| {
            origins(platform, text, &[]).iter().map(Origin::shown).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of(Platform::GitLab, "$PROD_KEY"), "PROD_KEY");
        assert_eq!(of(Platform::AzurePipelines, "$(ARM_CLIENT_SECRET)"), "ARM_CLIENT_SECRET");
        assert_eq!(of(Platform::Jenkins, "credentials('aws-id')"), "connection aws-id");
        assert_eq!(of(Platform::GitLab, "$CI_JOB_TOKEN"), "");
    }
}
