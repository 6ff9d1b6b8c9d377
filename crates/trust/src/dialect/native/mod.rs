//! daypass's own form: closed by construction, and refused where it is not.
//!
//! ```toml
//! [[role.trust]]
//! issuer = "github"                                  # a configured issuer, an issuer URL, or a catalogue id
//! audience = "https://sts.example.com"
//! claims.repository_id = "2002"                      # exact by default
//! claims.repository_owner_id = "1001"
//! claims.environment = { one_of = ["production"] }   # none_of, glob, has, has_only, present
//! ```

mod claim;
mod issuers;
mod risk;

use daypass_claims::Audience;

pub use issuers::{Issuers, KnownIssuer};
pub use risk::{AcceptedRisk, Risk};

use crate::dialect::{CompileError, CompileOptions, Compiled, Dialect, Facts};
use crate::document::{Fields, Node, Problem, Problems, Source, Span};
use crate::form::{
    Audiences, Clause, Condition, Effect, OtherPrincipal, Permission, Permissions, Policy, Principals,
    Statement,
};

/// Compiles a document that holds one role's trust: `[[trust]]` at the top, or one `[[role]]` with `[[role.trust]]`.
pub fn compile(source: &Source, tree: &Node, options: &CompileOptions) -> Result<Compiled, CompileError> {
    let mut options = options.clone();
    let trust = match (tree.get("trust"), tree.get("role").and_then(Node::as_array)) {
        (Some(trust), None) => trust,
        (None, Some([role])) => {
            if let Some(environment) = role.get("environment").and_then(Node::as_str) {
                options.environment.get_or_insert_with(|| environment.to_owned());
            }
            let missing = || Problem::new(source, role.span, "the role has no [[role.trust]]");
            role.get("trust").ok_or_else(missing)?
        }
        (None, Some(roles)) => {
            let message = format!("the document holds {} roles; a policy is the trust of one", roles.len());
            return Err(Problem::new(source, tree.span, message).into());
        }
        (Some(_), Some(_)) => {
            return Err(Problem::new(source, tree.span, "give either [[trust]] or [[role]], not both").into());
        }
        (None, None) => {
            let problem = Problem::new(source, tree.span, "the document holds no trust");
            return Err(problem.help("write [[trust]], or [[role]] with [[role.trust]]").into());
        }
    };
    compile_statements(source, trust, &options)
}

/// Compiles the `trust` member of a role: a list of tables.
pub fn compile_statements(
    source: &Source,
    trust: &Node,
    options: &CompileOptions,
) -> Result<Compiled, CompileError> {
    let mut problems = Problems::new();
    let mut compiled = Compiled {
        policy: Policy { dialect: Dialect::Daypass, statements: Vec::new(), source: source.clone() },
        notes: Vec::new(),
        accepted_risks: Vec::new(),
        facts: Facts::None,
    };
    match trust.as_array() {
        Some([]) | None => {
            let problem = Problem::new(source, trust.span, "`trust` must be a list of at least one table");
            problems.push(problem.help("write [[role.trust]]"));
        }
        Some(items) => {
            for (index, item) in items.iter().enumerate() {
                if let Some(statement) = statement(source, index, item, options, &mut compiled, &mut problems)
                {
                    compiled.policy.statements.push(statement);
                }
            }
        }
    }
    Ok(problems.into_result(compiled)?)
}

fn statement(
    source: &Source,
    index: usize,
    node: &Node,
    options: &CompileOptions,
    compiled: &mut Compiled,
    problems: &mut Problems,
) -> Option<Statement> {
    let mut fields = Fields::of(source, node, "a trust statement", problems)?;
    let label = fields
        .string("name", problems)
        .map_or_else(|| format!("trust {}", index.saturating_add(1)), |(name, _)| name.to_owned());
    if let Some((role, _)) = fields.string("from_role", problems) {
        return Some(from_role(source, role, label, node.span, fields, problems));
    }
    let known = issuer(source, &mut fields, options, problems);
    let audiences = audiences(source, &mut fields, problems);
    let claims = fields.take("claims");
    let session_tags = fields.boolean("session_tags", problems).unwrap_or(false);
    let source_identity = fields.boolean("source_identity", problems).unwrap_or(false);
    let accepted = risk::accepted(source, fields.take("accept_risk"), problems);
    fields.finish(problems);
    let known = known?;
    let tests = match claims {
        Some(member) => claim::read(source, member, known.platform, problems, &mut compiled.notes)?,
        None => Vec::new(),
    };
    let statement = risk::Statement {
        span: node.span,
        has_audience: audiences.as_ref().is_none_or(|audiences| !audiences.is_empty()),
        issuer: &known,
        tests: &tests,
        environment: options.environment.as_deref(),
    };
    compiled.accepted_risks.extend(risk::check(
        source,
        &statement,
        &accepted,
        options.now,
        problems,
        &mut compiled.notes,
    ));
    let clauses = tests.into_iter().map(|test| {
        Condition::Clause(Box::new(Clause {
            name: format!("claims.{}", test.claim),
            wants: test.wants,
            span: test.span,
            body: test.condition,
        }))
    });
    let permissions: [(bool, Permission); 3] = [
        (true, Permission::AssumeWithToken),
        (session_tags, Permission::TagSession),
        (source_identity, Permission::SetSourceIdentity),
    ];
    Some(Statement {
        label,
        effect: Effect::Allow,
        principals: Principals::issuer(known.issuer.clone()),
        permissions: permissions
            .into_iter()
            .filter(|(given, _)| *given)
            .map(|(_, permission)| permission)
            .collect(),
        audiences: match audiences? {
            audiences if audiences.is_empty() => Audiences::Unstated,
            audiences => Audiences::OneOf(audiences),
        },
        condition: Condition::All(clauses.collect()),
        span: node.span,
    })
}

/// A statement about the sessions of another daypass role.
fn from_role(
    source: &Source,
    role: &str,
    label: String,
    span: Span,
    mut fields: Fields<'_>,
    problems: &mut Problems,
) -> Statement {
    for name in ["issuer", "audience", "claims", "accept_risk"] {
        if let Some(member) = fields.take(name) {
            let problem =
                Problem::new(source, member.name_span, format!("`{name}` does not go with `from_role`"));
            problems.push(
                problem
                    .help("a session of another role presents no token; give the two their own statements"),
            );
        }
    }
    let session_tags = fields.boolean("session_tags", problems).unwrap_or(false);
    fields.finish(problems);
    let permissions = Permissions::NONE.with(Permission::AssumeFromSession);
    Statement {
        label,
        effect: Effect::Allow,
        principals: Principals {
            others: vec![OtherPrincipal::DaypassRole(role.to_owned())],
            ..Principals::nobody()
        },
        permissions: if session_tags { permissions.with(Permission::TagSession) } else { permissions },
        audiences: Audiences::Unstated,
        condition: Condition::TRUE,
        span,
    }
}

fn issuer(
    source: &Source,
    fields: &mut Fields<'_>,
    options: &CompileOptions,
    problems: &mut Problems,
) -> Option<KnownIssuer> {
    let what = "the name of a configured issuer, an issuer URL, or the id of a platform";
    let (text, span) = fields.required_string("issuer", what, problems)?;
    options.issuers.resolve(text).or_else(|| {
        let problem = Problem::new(source, span, format!("no issuer is called `{text}`"));
        problems.push(problem.help(options.issuers.suggestion(text)));
        None
    })
}

/// The audiences; an empty list where the statement has none, which is a risk of its own.
fn audiences(source: &Source, fields: &mut Fields<'_>, problems: &mut Problems) -> Option<Vec<Audience>> {
    let Some(texts) = fields.strings("audience", problems) else { return Some(Vec::new()) };
    let mut audiences = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        match Audience::parse(text) {
            Ok(audience) => audiences.push(audience),
            Err(why) => {
                problems.push(Problem::new(source, span, why.to_string()));
                return None;
            }
        }
    }
    Some(audiences)
}

#[cfg(test)]
mod tests;
