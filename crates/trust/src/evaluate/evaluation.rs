use std::fmt;

use serde::Serialize;

use super::{Evaluator, nearest};
use crate::context::Caller;
use crate::document::Location;
use crate::evaluate::atom::Found;
use crate::form::{
    Audiences, Condition, Effect, OtherPrincipal, Permission, Principals, Statement, TokenIssuers, Variable,
};
use crate::truth::Truth;

/// What a policy says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Admitted.
    Allow,
    /// Refused.
    Deny,
    /// Nobody can say; treated as refused wherever it matters.
    Unknown,
}

impl From<Truth> for Outcome {
    fn from(truth: Truth) -> Self {
        match truth {
            Truth::True => Self::Allow,
            Truth::False => Self::Deny,
            Truth::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Unknown => "unknown",
        })
    }
}

/// A decision with its explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    /// The decision.
    pub outcome: Outcome,
    /// Why, in a sentence or a few.
    pub reasons: Vec<String>,
    /// For a denial, the smallest set of conditions whose change would admit the request.
    pub nearest_miss: Vec<Miss>,
    /// Every statement, with every condition.
    pub statements: Vec<StatementTrace>,
}

/// One condition that stood in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// The statement it belongs to.
    pub statement: String,
    /// The condition, as its author wrote it.
    pub condition: String,
    /// What the request holds.
    pub seen: String,
    /// What the statement asks for.
    pub wanted: String,
    /// Why no request can ever pass it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
    /// Where it stands.
    pub location: Location,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} is {}, wanted {}", self.statement, self.condition, self.seen, self.wanted)?;
        match &self.impossible {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}

/// One statement, evaluated.
#[derive(Clone, Debug, Serialize)]
pub struct StatementTrace {
    /// How it is called.
    pub label: String,
    /// `allow` or `deny`.
    pub effect: Effect,
    /// What it permits or forbids, as actions.
    pub actions: Vec<&'static str>,
    /// Whether it matches the request.
    pub result: Truth,
    /// Its parts: principal, audience, conditions.
    pub checks: Vec<Trace>,
    /// Where it stands.
    pub location: Location,
}

/// What kind of node a trace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TraceKind {
    /// Who asks.
    Principal,
    /// Whom the token is addressed to.
    Audience,
    /// A condition as its author wrote it.
    Condition,
    /// All of the children.
    All,
    /// At least one of the children.
    Any,
    /// Not the child.
    Not,
}

/// One node of the explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// What kind of node it is.
    pub kind: TraceKind,
    /// What it is called; empty for groups.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// pass, fail or unknown.
    pub result: Truth,
    /// What the request holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// What is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// Why the result is unknown, or why it can never be another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The parts of a group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Trace>,
}

impl Trace {
    fn group(kind: TraceKind, result: Truth, children: Vec<Self>) -> Self {
        Self {
            kind,
            name: String::new(),
            result,
            seen: None,
            wanted: None,
            note: None,
            location: None,
            children,
        }
    }

    fn unknowns(&self, notes: &mut Vec<String>) {
        if self.result == Truth::Unknown {
            let new = self.note.as_ref().filter(|note| !notes.contains(note)).cloned();
            notes.extend(new);
            self.children.iter().for_each(|child| child.unknowns(notes));
        }
    }
}

impl Evaluator<'_> {
    pub(super) fn explain(&self) -> Evaluation {
        let statements: Vec<StatementTrace> =
            self.policy.statements.iter().map(|statement| self.trace_statement(statement)).collect();
        let required = self.required();
        let result = Truth::all(required.iter().map(|permission| self.permitted(permission).0));
        let reasons = required.iter().filter_map(|permission| self.reason(permission)).collect();
        let nearest_miss = if result.is_true() { Vec::new() } else { nearest::find(self) };
        Evaluation { outcome: result.into(), reasons, nearest_miss, statements }
    }

    /// Why one permission is given, refused or unknown. Nothing to say about a given permission other than the main one.
    fn reason(&self, permission: Permission) -> Option<String> {
        let (truth, by) = self.permitted(permission);
        let action = permission.action();
        let about = |effect| {
            let statements = self.policy.statements.iter();
            statements.filter(move |it| it.effect == effect && it.permissions.contains(permission))
        };
        let labels = |wanted: Truth, effect| -> Vec<&str> {
            about(effect).filter(|it| self.matches(it) == wanted).map(|it| it.label.as_str()).collect()
        };
        let forbidding = labels(Truth::True, Effect::Deny);
        match truth {
            Truth::True if permission == self.main_permission() => {
                let label =
                    by.and_then(|index| self.policy.statements.get(index)).map(|it| it.label.as_str());
                Some(format!("{} admits", label.unwrap_or("a statement")))
            }
            Truth::True => None,
            Truth::False if !forbidding.is_empty() => {
                Some(format!("{} forbids {action}", forbidding.join(", ")))
            }
            Truth::False if about(Effect::Allow).next().is_none() => {
                Some(format!("no statement permits {action}"))
            }
            Truth::False => Some(format!("no statement that permits {action} matches")),
            Truth::Unknown => {
                let mut unknown = labels(Truth::Unknown, Effect::Allow);
                unknown.extend(labels(Truth::Unknown, Effect::Deny));
                let statements = about(Effect::Allow).chain(about(Effect::Deny));
                let why: Vec<String> = statements
                    .filter(|it| self.matches(it) == Truth::Unknown)
                    .flat_map(|it| self.unknowns(it))
                    .collect();
                Some(format!("whether {} matches is unknown: {}", unknown.join(", "), why.join("; ")))
            }
        }
    }

    /// Why a statement's match is unknown, each reason once.
    fn unknowns(&self, statement: &Statement) -> Vec<String> {
        let mut notes = Vec::new();
        self.trace_statement(statement).checks.iter().for_each(|check| check.unknowns(&mut notes));
        notes
    }

    fn trace_statement(&self, statement: &Statement) -> StatementTrace {
        let mut checks = vec![self.trace_principal(&statement.principals)];
        if statement.audiences != Audiences::Unstated {
            checks.push(self.trace_audience(&statement.audiences));
        }
        match &statement.condition {
            Condition::All(parts) => checks.extend(parts.iter().map(|part| self.trace(part))),
            other => checks.push(self.trace(other)),
        }
        StatementTrace {
            label: statement.label.clone(),
            effect: statement.effect,
            actions: statement.permissions.iter().map(Permission::action).collect(),
            result: self.matches(statement),
            checks,
            location: self.policy.source.at(statement.span),
        }
    }

    fn trace_principal(&self, principals: &Principals) -> Trace {
        Trace {
            name: "principal".to_owned(),
            seen: Some(self.seen_principal()),
            wanted: Some(wanted_principals(principals)),
            note: principals.unknown.clone(),
            ..Trace::group(TraceKind::Principal, self.principal(principals), Vec::new())
        }
    }

    fn trace_audience(&self, audiences: &Audiences) -> Trace {
        let result = self.addressed(audiences);
        Trace {
            name: "audience".to_owned(),
            seen: Some(self.seen_audience()),
            wanted: Some(wanted_audiences(audiences)),
            note: (result == Truth::Unknown).then(|| "the token names several audiences".to_owned()),
            ..Trace::group(TraceKind::Audience, result, Vec::new())
        }
    }

    fn trace(&self, condition: &Condition) -> Trace {
        let result = self.truth(condition);
        let group = |kind, parts: &[Condition]| {
            Trace::group(kind, result, parts.iter().map(|part| self.trace(part)).collect())
        };
        match condition {
            Condition::All(parts) => group(TraceKind::All, parts),
            Condition::Any(parts) => group(TraceKind::Any, parts),
            Condition::Not(inner) => group(TraceKind::Not, std::slice::from_ref(inner)),
            Condition::Clause(clause) => Trace {
                name: clause.name.clone(),
                seen: Some(self.seen(&clause.body)),
                wanted: Some(clause.wants.clone()),
                note: self.note(&clause.body),
                location: Some(self.policy.source.at(clause.span)),
                ..Trace::group(TraceKind::Condition, result, Vec::new())
            },
            Condition::Atom(atom) => Trace {
                name: atom.variable.to_string(),
                seen: Some(self.seen(condition)),
                note: self.note(condition),
                ..Trace::group(TraceKind::Condition, result, Vec::new())
            },
            Condition::Unknown(why) => {
                Trace { note: Some(why.clone()), ..Trace::group(TraceKind::Condition, result, Vec::new()) }
            }
        }
    }

    pub(super) fn seen_principal(&self) -> String {
        match &self.context.caller {
            Caller::Token => match self.issuer() {
                Some(issuer) => format!("a token of {issuer}"),
                None => "a token whose issuer is not given".to_owned(),
            },
            Caller::Session { session_arn, .. } => session_arn.clone(),
        }
    }

    pub(super) fn seen_audience(&self) -> String {
        match &self.context.audience {
            Some(audience) => quoted(audience.as_str()),
            None => self.claims.get("aud").map_or_else(|| "absent".to_owned(), shown),
        }
    }

    /// The values of the variables that a condition looks at.
    pub(super) fn seen(&self, condition: &Condition) -> String {
        let mut variables: Vec<&Variable> = Vec::new();
        for atom in condition.atoms() {
            if !variables.contains(&&atom.variable) {
                variables.push(&atom.variable);
            }
        }
        let values: Vec<String> = variables.iter().map(|variable| self.seen_variable(variable)).collect();
        match (variables.as_slice(), values.as_slice()) {
            ([_], [one]) => one.clone(),
            _ => {
                let named =
                    variables.iter().zip(&values).map(|(variable, value)| format!("{variable} = {value}"));
                named.collect::<Vec<_>>().join(", ")
            }
        }
    }

    fn seen_variable(&self, variable: &Variable) -> String {
        match self.find(variable) {
            Found::Absent => "absent".to_owned(),
            Found::Value(value) | Found::Perhaps(value, _) => shown(&value),
            Found::Unknown(_) => "not given".to_owned(),
        }
    }

    /// Why a condition is unknown, or why it can never change.
    fn note(&self, condition: &Condition) -> Option<String> {
        if let Condition::Unknown(why) = condition {
            return Some(why.clone());
        }
        let unknown = condition.atoms().into_iter().find_map(|atom| self.atom(atom).why);
        unknown.or_else(|| first_unknown(condition)).or_else(|| impossible(condition))
    }
}

fn first_unknown(condition: &Condition) -> Option<String> {
    match condition {
        Condition::Unknown(why) => Some(why.clone()),
        Condition::All(parts) | Condition::Any(parts) => parts.iter().find_map(first_unknown),
        Condition::Not(inner) => first_unknown(inner),
        Condition::Clause(clause) => first_unknown(&clause.body),
        Condition::Atom(_) => None,
    }
}

/// Why the variable of a condition is always absent.
pub(super) fn impossible(condition: &Condition) -> Option<String> {
    condition.atoms().into_iter().find_map(|atom| match &atom.variable {
        Variable::Never { why, .. } => Some(why.clone()),
        Variable::Claim(_) | Variable::Request(_) | Variable::Unverified { .. } | Variable::Joined(_) => None,
    })
}

pub(super) fn wanted_principals(principals: &Principals) -> String {
    let mut wanted: Vec<String> = match &principals.tokens {
        TokenIssuers::None => Vec::new(),
        TokenIssuers::Any => vec!["a token of any issuer".to_owned()],
        TokenIssuers::Exactly(issuers) => {
            issuers.iter().map(|issuer| format!("a token of {issuer}")).collect()
        }
    };
    wanted.extend(principals.others.iter().map(|other| match other {
        OtherPrincipal::Anyone => "anyone".to_owned(),
        OtherPrincipal::Account(account) => format!("account {account}"),
        OtherPrincipal::Role(arn) | OtherPrincipal::Session(arn) | OtherPrincipal::User(arn) => arn.clone(),
        OtherPrincipal::DaypassRole(name) => format!("a session of role {name}"),
        OtherPrincipal::Service(name) => format!("service {name}"),
        OtherPrincipal::Saml(arn) => arn.clone(),
        OtherPrincipal::Deleted(id) => format!("the deleted principal {id}"),
        OtherPrincipal::Nobody(text) => format!("`{text}`, which is nobody"),
    }));
    if wanted.is_empty() { "nobody".to_owned() } else { wanted.join(" or ") }
}

pub(super) fn wanted_audiences(audiences: &Audiences) -> String {
    match audiences {
        Audiences::Unstated => "any".to_owned(),
        Audiences::OneOf(accepted) | Audiences::Includes(accepted) => {
            accepted.iter().map(|audience| quoted(audience.as_str())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn quoted(text: &str) -> String {
    crate::literal::shown_text(text)
}

fn shown(found: &daypass_claims::ClaimValue) -> String {
    let text = found.to_string();
    if text.chars().count() > 300 {
        let short: String = text.chars().take(300).collect();
        return format!("{short}...");
    }
    text
}
