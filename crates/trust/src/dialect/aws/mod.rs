//! IAM role trust policies, exactly: grammar, operators, absence, policy variables.
//!
//! Reference: IAM User Guide, "Policies and permissions" (grammar, policy elements, multi-valued conditions, policy
//! variables, quotas); which condition keys AWS fills for which issuer is the dated table of the issuer catalogue.

mod action;
mod condition;
mod key;
mod principal;
mod text;

use crate::dialect::{CompileError, CompileOptions, Compiled, Dialect, Facts};
use crate::document::{Fields, Node, Problem, Problems, Source, Span, Value};
use crate::form::{Audiences, Effect, Permission, Policy, Statement};

/// The default quota for the length of a role trust policy, white space not counted; 4,096 on request.
pub const LENGTH_QUOTA: usize = 2_048;

/// The languages of policy documents: what `${...}` means depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Policy variables are literal text; also what a document without `Version` is.
    V2008,
    /// Policy variables are resolved.
    V2012,
}

/// What the parts of a statement are compiled with.
struct Scope<'a> {
    source: &'a Source,
    version: Version,
}

/// Compiles a role trust policy.
pub fn compile(source: &Source, tree: &Node, options: &CompileOptions) -> Result<Compiled, CompileError> {
    let mut problems = Problems::new();
    let mut notes = Vec::new();
    let mut statements = Vec::new();
    if let Some(mut fields) = Fields::of(source, tree, "a trust policy", &mut problems) {
        let version = version(source, &mut fields, &mut problems);
        fields.string("Id", &mut problems);
        let scope = Scope { source, version };
        if let Some(member) =
            fields.require("Statement", "a trust policy has at least one statement", &mut problems)
        {
            let items = member.node.as_array().unwrap_or(std::slice::from_ref(&member.node));
            if items.is_empty() {
                problems.push(Problem::new(source, member.node.span, "`Statement` is empty"));
            }
            for (index, item) in items.iter().enumerate() {
                statements.extend(statement(&scope, index, item, options, &mut problems, &mut notes));
            }
        }
        fields.finish(&mut problems);
    }
    check_text(source, tree, &mut problems, &mut notes);
    let policy = Policy { dialect: Dialect::Aws, statements, source: source.clone() };
    Ok(problems.into_result(Compiled { policy, notes, accepted_risks: Vec::new(), facts: Facts::None })?)
}

fn version(source: &Source, fields: &mut Fields<'_>, problems: &mut Problems) -> Version {
    match fields.string("Version", problems) {
        Some(("2012-10-17", _)) => Version::V2012,
        Some(("2008-10-17", _)) | None => Version::V2008,
        Some((other, span)) => {
            let message = format!("`Version` must be \"2012-10-17\" or \"2008-10-17\", this is `{other}`");
            problems.push(Problem::new(source, span, message));
            Version::V2012
        }
    }
}

fn statement(
    scope: &Scope<'_>,
    index: usize,
    node: &Node,
    options: &CompileOptions,
    problems: &mut Problems,
    notes: &mut Vec<Problem>,
) -> Option<Statement> {
    let source = scope.source;
    let mut fields = Fields::of(source, node, "a statement", problems)?;
    let sid = fields.string("Sid", problems);
    if let Some((sid, span)) = sid
        && !sid.chars().all(|c| c.is_ascii_alphanumeric())
    {
        problems.push(Problem::new(source, span, "`Sid` may hold letters and digits only"));
    }
    let effect = match fields.required_string("Effect", "\"Allow\" or \"Deny\"", problems) {
        Some(("Allow", _)) => Some(Effect::Allow),
        Some(("Deny", _)) => Some(Effect::Deny),
        Some((other, span)) => {
            let message = format!("`Effect` must be \"Allow\" or \"Deny\", this is `{other}`");
            problems.push(Problem::new(source, span, message));
            None
        }
        None => None,
    };
    for name in ["Resource", "NotResource"] {
        if let Some(member) = fields.take(name) {
            let problem = Problem::new(source, member.name_span, format!("a trust policy has no `{name}`"));
            problems.push(problem.help("the role itself is the resource"));
        }
    }
    let principals = match (fields.take("Principal"), fields.take("NotPrincipal")) {
        (Some(member), None) => principal::read(source, &member.node, problems),
        (None, Some(member)) => Some(principal::negated(source, member, notes)),
        (Some(_), Some(member)) => {
            problems.push(Problem::new(
                source,
                member.name_span,
                "`Principal` and `NotPrincipal` exclude each other",
            ));
            None
        }
        (None, None) => {
            let problem = Problem::new(source, node.span, "`Principal` is missing");
            problems.push(problem.help("a trust policy says in every statement whom it is about"));
            None
        }
    };
    let permissions = match (fields.take("Action"), fields.take("NotAction")) {
        (Some(member), None) => action::read(source, &member.node, problems),
        (None, Some(member)) => action::read(source, &member.node, problems).map(|named| {
            Permission::ALL.into_iter().filter(|permission| !named.contains(*permission)).collect()
        }),
        (Some(_), Some(member)) => {
            problems.push(Problem::new(
                source,
                member.name_span,
                "`Action` and `NotAction` exclude each other",
            ));
            None
        }
        (None, None) => {
            problems.push(Problem::new(source, node.span, "`Action` is missing"));
            None
        }
    };
    let condition = condition::read(scope, fields.take("Condition"), principals.as_ref(), problems, notes);
    fields.finish(problems);
    Some(Statement {
        label: sid
            .map_or_else(|| format!("statement {}", index.saturating_add(1)), |(sid, _)| sid.to_owned()),
        effect: effect?,
        principals: principals?,
        permissions: permissions?,
        audiences: options.audiences.clone().map_or(Audiences::Unstated, Audiences::OneOf),
        condition: condition?,
        span: node.span,
    })
}

/// A string or a list of strings, as AWS allows nearly everywhere.
fn strings<'n>(
    source: &Source,
    node: &'n Node,
    what: &str,
    problems: &mut Problems,
) -> Option<Vec<(&'n str, Span)>> {
    let items = match &node.value {
        Value::Array(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        problems.push(Problem::new(source, node.span, format!("{what} is an empty list")));
        return None;
    }
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match item.as_str() {
            Some(text) => texts.push((text, item.span)),
            None => {
                let message =
                    format!("{what} must be a string or a list of strings, this is {}", item.kind());
                problems.push(Problem::new(source, item.span, message));
                return None;
            }
        }
    }
    Some(texts)
}

/// Characters and length of the document as a whole.
fn check_text(source: &Source, tree: &Node, problems: &mut Problems, notes: &mut Vec<Problem>) {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}');
    let strings = tree.strings();
    let refused = strings.iter().find_map(|(text, span)| Some((text.chars().find(|c| !allowed(*c))?, *span)));
    if let Some((c, span)) = refused {
        let message = format!("IAM does not store the character U+{:04X}", u32::from(c));
        problems.push(
            Problem::new(source, span, message).help("a policy holds U+0020 to U+00FF, tabs and line ends"),
        );
    }
    let length = tree.json_length();
    if length > LENGTH_QUOTA {
        let message = format!("the policy has {length} characters, the default quota is {LENGTH_QUOTA}");
        notes.push(
            Problem::new(source, tree.span, message)
                .help("white space is not counted; AWS raises it to 4,096 on request"),
        );
    }
}

#[cfg(test)]
mod tests;
