//! Federated identity credentials of Microsoft Entra: exact, and flexible (preview).
//!
//! A document is one credential, a list of them, or `{ "value": [...] }` as Microsoft Graph lists those of an application.
//! All credentials of an application (or managed identity) lead to the same identity, so the policy admits their union.
//!
//! | member | also | |
//! |---|---|---|
//! | `issuer` | | compared with `iss`, byte for byte |
//! | `subject` | | compared with `sub`, byte for byte and with letter case; no wildcard |
//! | `claimsMatchingExpression` | `claims_matching_expression` | instead of `subject`: `{ "value", "languageVersion" }`, or the text |
//! | `audiences` | `audience` | exactly one |
//! | `name` | `display_name` | the label of the statement |
//!
//! Members may stand in `properties`, as Azure Resource Manager shows them.
//!
//! Reference: Microsoft Learn, "Workload identity federation" and "Flexible federated identity credentials" (2026-08-14).

mod expression;

use crate::dialect::api::{Object, Remarks, Text, audiences, clause, issuer};
use crate::dialect::{CompileError, CompileOptions, Compiled, Dialect, Facts};
use crate::document::{Node, Source, Span};
use crate::form::{
    Atom, Audiences, ClaimPath, Condition, Effect, Permission, Permissions, Policy, Principals, Quantifier,
    Reading, Statement, Test, TokenIssuers,
};
use crate::literal::shown_text;

pub use expression::{Comparison, Operator, comparable};

/// How many credentials an application can have.
pub const MOST_CREDENTIALS: usize = 20;
/// How many characters an issuer, a subject or an audience can have.
pub const MOST_CHARACTERS: usize = 600;

/// What a credential compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// `sub` with this text.
    Subject(String),
    /// Several claims, by an expression.
    Expression(Vec<Comparison>),
    /// It is not known: the text is left open, or in a language that is not documented.
    Unknown(String),
}

/// One credential; the statement with the same index is what it admits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// What it compares.
    pub matching: Matching,
    /// Where the subject or the expression stands.
    pub span: Span,
    /// The audience, where it is known.
    pub audience: Option<String>,
}

/// Compiles a credential or a list of them.
pub fn compile(source: &Source, tree: &Node, options: &CompileOptions) -> Result<Compiled, CompileError> {
    let mut remarks = Remarks::new(source);
    let listed = tree.get("value").filter(|value| value.as_array().is_some()).unwrap_or(tree);
    let nodes = listed.as_array().unwrap_or(std::slice::from_ref(listed));
    remarks.limit(listed.span, "the application", "credentials", nodes.len(), MOST_CREDENTIALS);
    let mut statements = Vec::with_capacity(nodes.len());
    let mut credentials = Vec::with_capacity(nodes.len());
    for (index, node) in nodes.iter().enumerate() {
        if let Some((statement, credential)) = credential(index, node, options, &mut remarks) {
            statements.push(statement);
            credentials.push(credential);
        }
    }
    let Remarks { problems, notes, .. } = remarks;
    let policy = Policy { dialect: Dialect::Azure, statements, source: source.clone() };
    let facts = Facts::Azure(credentials);
    Ok(problems.into_result(Compiled { policy, notes, accepted_risks: Vec::new(), facts })?)
}

fn credential<'a>(
    index: usize,
    node: &'a Node,
    options: &CompileOptions,
    remarks: &mut Remarks<'a>,
) -> Option<(Statement, Credential)> {
    let default_label = format!("credential {}", index.saturating_add(1));
    if let Some(why) = node.unresolved() {
        let principals = Principals { unknown: Some(why.to_owned()), ..Principals::nobody() };
        let condition = Condition::Unknown(why.to_owned());
        let statement = statement(default_label, principals, Audiences::Unstated, condition, node.span);
        let matching = Matching::Unknown(why.to_owned());
        return Some((statement, Credential { matching, span: node.span, audience: None }));
    }
    let mut outer = Object::of(node, "a federated identity credential", remarks)?;
    let label = outer.text(&["name", "display_name"], remarks).and_then(|name| name.value.ok());
    let mut fields = match outer.take(&["properties"], remarks) {
        Some(member) => {
            outer.ignore(&IGNORED);
            outer.finish(remarks);
            Object::of(&member.node, "`properties`", remarks)?
        }
        None => outer,
    };
    let issuer_text = fields.text(&["issuer"], remarks);
    let subject = fields.text(&["subject"], remarks);
    let expression = fields.take(&["claimsMatchingExpression", "claims_matching_expression"], remarks);
    let named = fields.texts(&["audiences", "audience"], remarks);
    fields.ignore(&IGNORED);
    let span = fields.span();
    fields.finish(remarks);

    if issuer_text.is_none() {
        remarks.problem(span, "`issuer` is missing", "the URL that tokens carry in `iss`");
    }
    let principals = issuer(issuer_text?, remarks);
    let (audiences, unknown_audience) = audience(named.as_deref(), span, options, remarks)?;
    let known_issuer = match &principals.tokens {
        TokenIssuers::Exactly(issuers) => issuers.first().cloned(),
        TokenIssuers::None | TokenIssuers::Any => None,
    };
    let (matching, matching_span, mut conditions) = match (subject, expression) {
        (Some(subject), None) => exact(subject, remarks),
        (None, Some(member)) => expression::read(&member.node, known_issuer.as_ref(), remarks)?,
        (Some(_), Some(member)) => {
            let message = format!("`subject` and `{}` exclude each other", member.name);
            remarks.problem(
                member.name_span,
                message,
                "an exact credential has the one, a flexible one the other",
            );
            return None;
        }
        (None, None) => {
            remarks.problem(span, "`subject` is missing", "or give `claimsMatchingExpression`");
            return None;
        }
    };
    conditions.extend(unknown_audience);
    for text in issuer_text.iter().chain(&subject).chain(named.iter().flatten()) {
        let characters = text.value.map_or(0, |text| text.chars().count());
        remarks.limit(text.span, "the text", "characters", characters, MOST_CHARACTERS);
    }
    let audience = audiences.named().first().map(|audience| audience.as_str().to_owned());
    let label = label.map_or(default_label, str::to_owned);
    let statement = statement(label, principals, audiences, Condition::All(conditions), node.span);
    Some((statement, Credential { matching, span: matching_span, audience }))
}

/// Members of Graph, Resource Manager and Terraform that say nothing about who is admitted.
const IGNORED: [&str; 17] = [
    "@odata.context",
    "@odata.type",
    "application_id",
    "application_object_id",
    "description",
    "etag",
    "id",
    "location",
    "name",
    "parent_id",
    "resourceGroup",
    "resource_group_name",
    "systemData",
    "timeouts",
    "trustedIssuer",
    "type",
    "user_assigned_identity_id",
];

fn statement(
    label: String,
    principals: Principals,
    audiences: Audiences,
    condition: Condition,
    span: Span,
) -> Statement {
    Statement {
        label,
        effect: Effect::Allow,
        principals,
        permissions: Permissions::NONE.with(Permission::AssumeWithToken),
        audiences,
        condition,
        span,
    }
}

/// The one audience: the document's own, else what the caller knows about the registration.
fn audience(
    named: Option<&[Text<'_>]>,
    span: Span,
    options: &CompileOptions,
    remarks: &mut Remarks<'_>,
) -> Option<(Audiences, Option<Condition>)> {
    match (named, &options.audiences) {
        (Some([one]), _) => Some(audiences(std::slice::from_ref(one), Audiences::OneOf, remarks)),
        (Some(several), _) => {
            let message = format!("a credential has exactly one audience, this has {}", several.len());
            remarks.problem(span, message, "usually `api://AzureADTokenExchange`");
            None
        }
        (None, Some(known)) => Some((Audiences::OneOf(known.clone()), None)),
        (None, None) => {
            remarks.problem(span, "`audiences` is missing", "usually [\"api://AzureADTokenExchange\"]");
            None
        }
    }
}

fn exact(subject: Text<'_>, remarks: &mut Remarks<'_>) -> (Matching, Span, Vec<Condition>) {
    let (text, span) = match subject.value {
        Ok(text) => (text, subject.span),
        Err(why) => {
            let body = Condition::Unknown(why.to_owned());
            let condition = clause("subject", "a subject that is not known here", subject.span, body);
            return (Matching::Unknown(why.to_owned()), subject.span, vec![condition]);
        }
    };
    if text.contains(['*', '?']) {
        let message = "a subject is compared as it is: `*` and `?` stand for themselves";
        remarks.note(span, message, "patterns need a flexible credential (`claimsMatchingExpression`)");
    }
    if text != text.trim() {
        let message = "blanks around a subject count, and no platform writes any";
        remarks.note(span, message, format!("write {}", shown_text(text.trim())));
    }
    let body = compare("sub", Test::equals(text));
    (Matching::Subject(text.to_owned()), span, vec![clause("subject", shown_text(text), span, body)])
}

/// A test of a claim that must be a string.
fn compare(claim: &str, test: Test) -> Condition {
    Condition::Atom(Atom {
        variable: ClaimPath::claim(claim).into(),
        reading: Reading::Strict,
        quantifier: Quantifier::Scalar,
        test,
    })
}

#[cfg(test)]
mod tests;
