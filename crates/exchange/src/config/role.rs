//! `[[role]]`: what a token can be exchanged for, and under which trust.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use daypass_trust::dialect::{Compiled, native};
use daypass_trust::document::{Fields, Member, Node, Problem, Source, Span};
use daypass_trust::{CompileOptions, Dialect, compile, detect};

use super::load::Loader;
use super::{CredentialConfig, LONGEST_SESSION, RoleConfig, credential};

/// Reads role tables into `roles`.
pub(super) fn read_tables(
    loader: &mut Loader<'_>,
    source: &Source,
    node: &Node,
    options: &CompileOptions,
    roles: &mut Vec<RoleConfig>,
) {
    for node in node.as_array().unwrap_or(std::slice::from_ref(node)) {
        roles.extend(read(loader, source, node, options));
    }
}

/// Role names and ARNs are unique over all files.
pub(super) fn check_names(loader: &mut Loader<'_>, source: &Source, roles: &[RoleConfig]) {
    let mut first: HashMap<String, &RoleConfig> = HashMap::with_capacity(roles.len());
    for role in roles {
        match first.entry(role.name.to_ascii_lowercase()) {
            Entry::Vacant(entry) => {
                entry.insert(role);
            }
            Entry::Occupied(entry) => {
                let mut problem =
                    Problem::new(source, Span::default(), format!("role `{}` is defined twice", role.name));
                problem.location = role.location.clone();
                loader.problems.push(problem.help(format!("first at {}", entry.get().location)));
            }
        }
    }
}

fn read(
    loader: &mut Loader<'_>,
    source: &Source,
    node: &Node,
    options: &CompileOptions,
) -> Option<RoleConfig> {
    let mut fields = Fields::of(source, node, "a role", &mut loader.problems)?;
    let name = name(loader, source, &mut fields);
    let path = path(loader, source, &mut fields);
    let environment = fields.string("environment", &mut loader.problems).map(|(text, _)| text.to_owned());
    let max_session =
        fields.duration("max_session", Duration::from_secs(60)..=LONGEST_SESSION, &mut loader.problems);
    let max_uses = fields.integer("max_uses", 1..=10_000, &mut loader.problems);
    let retry_window =
        fields.duration("retry_window", Duration::ZERO..=Duration::from_secs(600), &mut loader.problems);
    let credential = match fields.take("credential") {
        Some(member) => credential::read(loader, source, &member.node),
        None => Some(CredentialConfig::AwsSession),
    };
    let compiled = trust(loader, source, &mut fields, environment.as_deref(), options);
    fields.finish(&mut loader.problems);
    let compiled = compiled?;
    loader.warnings.extend(compiled.notes);
    Some(RoleConfig {
        name: name?,
        path: path?,
        environment,
        max_session: max_session.unwrap_or(Duration::from_secs(3_600)),
        max_uses: max_uses.and_then(|uses| u32::try_from(uses).ok()),
        retry_window: retry_window.unwrap_or(Duration::from_secs(60)),
        credential: credential?,
        policy: compiled.policy,
        accepted_risks: compiled
            .accepted_risks
            .iter()
            .map(|it| format!("{} until {}: {}", it.risk, it.until, it.reason))
            .collect(),
        refused: None,
        location: source.at(node.span),
    })
}

/// Role names as in IAM: up to 64 of letters, digits and `_+=,.@-`.
fn name(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<String> {
    let (name, span) = fields.required_string("name", "the name of the role", &mut loader.problems)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        let problem = Problem::new(source, span, format!("`{name}` cannot be the name of a role"));
        loader.problems.push(problem.help("1 to 64 letters, digits and _+=,.@-"));
        return None;
    }
    Some(name.to_owned())
}

/// Role paths as in IAM: from `/` to `/`, printable ASCII.
fn path(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<String> {
    let Some((path, span)) = fields.string("path", &mut loader.problems) else { return Some("/".to_owned()) };
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || !path.ends_with('/') || path.len() > 512 || !printable || path.contains("//")
    {
        let problem = Problem::new(source, span, format!("`{path}` cannot be the path of a role"));
        loader.problems.push(problem.help("it begins and ends with `/`, for example /ci/"));
        return None;
    }
    Some(path.to_owned())
}

fn trust(
    loader: &mut Loader<'_>,
    source: &Source,
    fields: &mut Fields<'_>,
    environment: Option<&str>,
    options: &CompileOptions,
) -> Option<Compiled> {
    let native = fields.take("trust");
    let document = fields.string("trust_policy", &mut loader.problems);
    let dialect = fields.string("dialect", &mut loader.problems);
    let options = CompileOptions { environment: environment.map(str::to_owned), ..options.clone() };
    match (native, document) {
        (Some(member), None) => native_trust(loader, source, member, &options),
        (None, Some((path, span))) => {
            let file = loader.read(source, span, path)?;
            let dialect = match dialect {
                Some((name, span)) => {
                    name.parse().map_err(|why| Problem::new(source, span, format!("{why}")))
                }
                None => detect(&file),
            };
            let dialect: Dialect = match dialect {
                Ok(dialect) => dialect,
                Err(problem) => {
                    loader.problems.push(problem);
                    return None;
                }
            };
            report(loader, compile(dialect, &file, &options))
        }
        (Some(member), Some(_)) => {
            let problem = Problem::new(
                source,
                member.name_span,
                "give either [[role.trust]] or `trust_policy`, not both",
            );
            loader.problems.push(problem);
            None
        }
        (None, None) => {
            let problem = Problem::new(source, fields.span(), "the role has no trust");
            loader
                .problems
                .push(problem.help("write [[role.trust]], or `trust_policy` with the path of a document"));
            None
        }
    }
}

fn native_trust(
    loader: &mut Loader<'_>,
    source: &Source,
    member: &Member,
    options: &CompileOptions,
) -> Option<Compiled> {
    report(loader, native::compile_statements(source, &member.node, options))
}

fn report(
    loader: &mut Loader<'_>,
    result: Result<Compiled, daypass_trust::CompileError>,
) -> Option<Compiled> {
    match result {
        Ok(compiled) => Some(compiled),
        Err(error) => {
            error.problems.into_iter().for_each(|problem| loader.problems.push(problem));
            None
        }
    }
}
