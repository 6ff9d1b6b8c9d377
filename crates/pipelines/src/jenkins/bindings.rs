//! What binds credentials in a Jenkinsfile: `withCredentials` and the calls that take a credentials id.

use daypass_trust::document::Span;

use crate::braces::{Source, strings};
use crate::{Scope, Text, Variable};

/// The named arguments of a call: `credentialsId: 'x', variable: 'Y'`; of a list its first item.
pub(super) fn named(source: &Source<'_>, span: Span) -> Vec<Variable> {
    let mut found = Vec::new();
    for value in strings(source, span) {
        let before = source.text.get(span.start..value.place.span.start).unwrap_or_default().trim_end();
        let before = before.strip_suffix('[').unwrap_or(before).trim_end();
        let Some(before) = before.strip_suffix(':') else { continue };
        let before = before.trim_end();
        let start =
            before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at.saturating_add(1));
        let name = before.get(start..).unwrap_or_default();
        let from = span.start.saturating_add(start);
        let place = source.place(Span::new(from, from.saturating_add(name.len())));
        found.push(Variable { name: Text::plain(name, place), value, scope: Scope::Step });
    }
    found
}

/// The bindings of `withCredentials([kind(...), [$class: 'X', ...]])`, each with its arguments.
pub(super) fn bindings(source: &Source<'_>, span: Span) -> Vec<(Text, Vec<Variable>)> {
    let mut found: Vec<(Text, Vec<Variable>)> = Vec::new();
    let head = source.slice(span);
    // Each binding has one `credentialsId`; it ends where the next one begins.
    let is_id = |variable: &Variable| variable.name.as_str() == "credentialsId";
    let mut current: Vec<Variable> = Vec::new();
    let flush = |current: &mut Vec<Variable>, found: &mut Vec<(Text, Vec<Variable>)>| {
        let Some(first) = current.first() else { return };
        let at = first.name.place.span.start.saturating_sub(span.start);
        let before =
            head.get(..at).unwrap_or_default().trim_end().trim_end_matches(['(', '[', '$']).trim_end();
        let start =
            before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at.saturating_add(1));
        let word = before.get(start..).unwrap_or_default();
        let class = current.iter().find(|one| one.name.as_str() == "class").map(|one| one.value.clone());
        let from = span.start.saturating_add(start);
        let kind = Text::plain(word, source.place(Span::new(from, from.saturating_add(word.len()))));
        found.push((class.unwrap_or(kind), std::mem::take(current)));
    };
    for argument in named(source, span) {
        let starts_anew = {
            let at = argument.name.place.span.start.saturating_sub(span.start);
            let before = head.get(..at).unwrap_or_default().trim_end();
            before.ends_with(['(', '[']) || before.ends_with('$')
        };
        if starts_anew && current.iter().any(is_id) {
            flush(&mut current, &mut found);
        }
        current.push(argument);
    }
    flush(&mut current, &mut found);
    found
}

/// The credentials id of a call that takes it without a name: `docker.withRegistry('https://...', 'id')`, `sshagent(['id'])`,
/// `azureServicePrincipal('id')`.
pub(super) fn positional(source: &Source<'_>, span: Span) -> Option<(Text, Vec<Variable>)> {
    let head = source.slice(span);
    let (word, index) = [
        ("docker.withRegistry", 1),
        ("sshagent", 0),
        ("azureServicePrincipal", 0),
        ("withDockerRegistry", 0),
    ]
    .into_iter()
    .find(|(word, _)| head.contains(&format!("{word}(")) || head.contains(&format!("{word} ")))?;
    let at = span.start.saturating_add(head.find(word)?);
    let place = source.place(Span::new(at, at.saturating_add(word.len())));
    let mut given = strings(source, Span::new(at, span.end)).into_iter();
    let argument = |name: &str, value: Text| Variable {
        name: Text::plain(name, value.place.clone()),
        value,
        scope: Scope::Step,
    };
    let url = if index == 1 { Some(argument("url", given.next()?)) } else { None };
    let id = argument("credentialsId", given.next()?);
    Some((Text::plain(word, place), std::iter::once(id).chain(url).collect()))
}

/// The variables that a binding sets for the commands inside it. User names are no secrets.
pub(super) fn bound(kind: &str, inputs: &[Variable]) -> Vec<Variable> {
    let Some(id) = inputs.iter().find(|input| input.name.as_str() == "credentialsId") else {
        return Vec::new();
    };
    let sets = |input: &&Variable| {
        let name = input.name.as_str();
        name.ends_with("ariable") && name != "usernameVariable"
    };
    let value = Text { value: format!("credentials('{}')", id.value).into(), ..id.value.clone() };
    let bind =
        |input: &Variable| Variable { name: input.value.clone(), value: value.clone(), scope: Scope::Step };
    let mut all: Vec<Variable> = inputs.iter().filter(sets).map(bind).collect();
    if kind == "azureServicePrincipal"
        && !inputs.iter().any(|input| input.name.as_str() == "clientSecretVariable")
    {
        // Its own name for the secret where none is given.
        let name = Text::plain("AZURE_CLIENT_SECRET", id.value.place.clone());
        all.push(Variable { name, value, scope: Scope::Step });
    }
    all
}
