use daypass_claims::{Audience, ClaimSet, ClaimValue, Issuer, Number};

use crate::context::Context;
use crate::dialect::{CompileError, Dialect};
use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span, Value, parse_json, parse_toml};
use crate::evaluate::Outcome;
use crate::form::RequestKey;

/// A file of cases.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// The cases, each complete.
    pub cases: Vec<Case>,
}

/// One expectation.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// The policy it is about.
    pub policy: PolicyRef,
    /// The policy's dialect, where the file says.
    pub dialect: Option<Dialect>,
    /// What the provider registration accepts, where the file says.
    pub audiences: Option<Vec<Audience>>,
    /// The claims to decide on.
    pub claims: ClaimSet,
    /// The facts of the request.
    pub context: Context,
    /// The expected decision.
    pub expect: Outcome,
}

/// Where the policy of a case is.
#[derive(Clone, Debug)]
pub enum PolicyRef {
    /// In a file, relative to the test file.
    File(String),
    /// In the test file itself.
    Document(Source),
}

/// What a file says for all its cases, and a case may override.
#[derive(Clone, Default)]
struct Shared {
    policy: Option<PolicyRef>,
    dialect: Option<Dialect>,
    issuer: Option<Issuer>,
    audiences: Option<Vec<Audience>>,
}

/// Reads a test file, TOML or JSON by its content.
pub fn parse(source: &Source) -> Result<TestFile, CompileError> {
    let looks_like_json = source.text().trim_start().starts_with('{');
    let tree = if looks_like_json { parse_json(source)? } else { parse_toml(source)? };
    let mut problems = Problems::new();
    let mut cases = Vec::new();
    if let Some(mut fields) = Fields::of(source, &tree, "a test file", &mut problems) {
        let shared = shared(source, &mut fields, Shared::default(), &mut problems);
        let lists: Vec<&Member> =
            ["case", "cases"].into_iter().filter_map(|name| fields.take(name)).collect();
        for member in &lists {
            for node in member.node.as_array().unwrap_or(std::slice::from_ref(&member.node)) {
                cases.extend(case(source, node, &shared, &mut problems));
            }
        }
        if lists.is_empty() {
            let problem = Problem::new(source, tree.span, "the file has no cases");
            problems.push(problem.help("write [[case]] with name, claims and expect"));
        }
        fields.finish(&mut problems);
    }
    Ok(problems.into_result(TestFile { cases })?)
}

fn shared(source: &Source, fields: &mut Fields<'_>, from: Shared, problems: &mut Problems) -> Shared {
    let mut shared = from;
    // JSON files write `"policy": null` where every case brings its own.
    if let Some(member) = fields.take("policy") {
        match &member.node.value {
            Value::String(path) => shared.policy = Some(PolicyRef::File(path.clone())),
            Value::Null => {}
            _ => problems.push(Problem::new(source, member.node.span, "`policy` must be the path of a file")),
        }
    }
    if let Some(member) = fields.take("document") {
        shared.policy = document(source, &member.node, problems).or(shared.policy);
    }
    if let Some((name, span)) = optional_string(source, fields, "dialect", problems) {
        match name.parse() {
            Ok(dialect) => shared.dialect = Some(dialect),
            Err(why) => problems.push(Problem::new(source, span, format!("{why}"))),
        }
    }
    if let Some((url, span)) = optional_string(source, fields, "issuer", problems) {
        match Issuer::parse(url) {
            Ok(issuer) => shared.issuer = Some(issuer),
            Err(why) => problems.push(Problem::new(source, span, why.to_string())),
        }
    }
    if let Some(member) = fields.take("audiences") {
        match &member.node.value {
            Value::Null => shared.audiences = None,
            _ => shared.audiences = audiences(source, &member.node, problems),
        }
    }
    shared
}

/// A string member; `null` counts as absent.
fn optional_string<'a>(
    source: &Source,
    fields: &mut Fields<'a>,
    name: &'static str,
    problems: &mut Problems,
) -> Option<(&'a str, Span)> {
    let node = &fields.take(name)?.node;
    match &node.value {
        Value::String(text) => Some((text, node.span)),
        Value::Null => None,
        _ => {
            let message = format!("`{name}` must be a string, this is {}", node.kind());
            problems.push(Problem::new(source, node.span, message));
            None
        }
    }
}

fn audiences(source: &Source, node: &Node, problems: &mut Problems) -> Option<Vec<Audience>> {
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    let read = |item: &Node| Audience::parse(item.as_str().unwrap_or_default());
    match items.iter().map(read).collect::<Result<Vec<_>, _>>() {
        Ok(audiences) => Some(audiences),
        Err(why) => {
            problems.push(Problem::new(
                source,
                node.span,
                format!("`audiences` must be a list of strings: {why}"),
            ));
            None
        }
    }
}

/// An inline document: text, or in JSON files also the document itself.
fn document(source: &Source, node: &Node, problems: &mut Problems) -> Option<PolicyRef> {
    let name = format!("{} (document on line {})", source.name(), source.at(node.span).line);
    match &node.value {
        Value::String(text) => Some(PolicyRef::Document(Source::new(name, text.as_str()))),
        Value::Table(_) if source.text().trim_start().starts_with('{') => {
            Some(PolicyRef::Document(Source::new(name, source.slice(node.span))))
        }
        Value::Null => None,
        _ => {
            let message = format!("`document` must be the text of a policy, this is {}", node.kind());
            problems.push(Problem::new(source, node.span, message));
            None
        }
    }
}

fn case(source: &Source, node: &Node, shared_by_all: &Shared, problems: &mut Problems) -> Option<Case> {
    let mut fields = Fields::of(source, node, "a case", problems)?;
    let name = fields.required_string("name", "what the case is about", problems);
    let own = shared(source, &mut fields, shared_by_all.clone(), problems);
    let claims = fields.require("claims", "the claims of the token", problems);
    let expect = fields.required_string("expect", "allow, deny or unknown", problems);
    let given = fields.take("context");
    fields.finish(problems);
    let claims = claims.and_then(|member| claim_set(source, &member.node, problems));
    let expect = match expect? {
        ("allow", _) => Outcome::Allow,
        ("deny", _) => Outcome::Deny,
        ("unknown", _) => Outcome::Unknown,
        (other, span) => {
            let message = format!("`expect` must be allow, deny or unknown, this is `{other}`");
            problems.push(Problem::new(source, span, message));
            return None;
        }
    };
    let policy = own.policy.or_else(|| {
        let problem = Problem::new(source, node.span, "the case has no policy");
        problems.push(problem.help("give `policy` or `document`, in the case or for the whole file"));
        None
    })?;
    let mut context = Context::new();
    context.issuer = own.issuer;
    if let Some(member) = given {
        context = with_facts(source, &member.node, context, problems)?;
    }
    let ((name, _), claims) = (name?, claims?);
    let (dialect, audiences) = (own.dialect, own.audiences);
    Some(Case { name: name.to_owned(), policy, dialect, audiences, claims, context, expect })
}

/// A table of claims as a claim set.
fn claim_set(source: &Source, node: &Node, problems: &mut Problems) -> Option<ClaimSet> {
    let mut fields = Fields::of(source, node, "`claims`", problems)?;
    let mut claims = ClaimSet::new();
    for member in fields.rest() {
        claims.insert(member.name.as_str(), claim_value(source, &member.node, problems)?);
    }
    Some(claims)
}

/// A located value as the value of a claim.
fn claim_value(source: &Source, node: &Node, problems: &mut Problems) -> Option<ClaimValue> {
    Some(match &node.value {
        Value::Null => ClaimValue::Null,
        Value::Bool(value) => ClaimValue::Bool(*value),
        Value::String(text) => ClaimValue::String(text.clone()),
        Value::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(integer), _) => ClaimValue::from(integer),
            (_, Ok(float)) if float.is_finite() => ClaimValue::Number(Number::Float(float)),
            _ => {
                problems.push(Problem::new(
                    source,
                    node.span,
                    format!("`{text}` is not a number that a token can hold"),
                ));
                return None;
            }
        },
        Value::Datetime(_) => {
            let problem = Problem::new(source, node.span, "a token holds no dates");
            problems.push(problem.help("write the string or the seconds since 1970 that the issuer writes"));
            return None;
        }
        Value::Array(items) => ClaimValue::Array(
            items.iter().map(|item| claim_value(source, item, problems)).collect::<Option<_>>()?,
        ),
        Value::Table(members) => ClaimValue::Object(
            members
                .iter()
                .map(|member| Some((member.name.clone(), claim_value(source, &member.node, problems)?)))
                .collect::<Option<_>>()?,
        ),
        // Neither JSON nor TOML leaves anything open.
        Value::Unresolved(why) => {
            problems.push(Problem::new(source, node.span, why.clone()));
            return None;
        }
    })
}

fn with_facts(source: &Source, node: &Node, context: Context, problems: &mut Problems) -> Option<Context> {
    let mut fields = Fields::of(source, node, "`context`", problems)?;
    let mut context = context;
    for member in fields.rest() {
        let value = claim_value(source, &member.node, problems)?;
        context = context.with(RequestKey::from_name(&member.name), value);
    }
    Some(context)
}
