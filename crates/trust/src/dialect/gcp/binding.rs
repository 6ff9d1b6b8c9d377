//! Members of IAM bindings: `principal://...` and `principalSet://...`.

use super::cel::{Attributes, Logic, Simple, Value, equal, is_among};
use crate::dialect::Located;
use crate::dialect::api::{Object, Remarks, Text, clause, text, wrong};
use crate::document::{Node, Span, Value as Json};
use crate::form::Condition;
use crate::literal::shown_text;

/// One member of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Whom it names.
    pub member: Member,
    /// The member as it was written, or why it is not known.
    pub text: Located<Result<String, String>>,
    /// The role that it is given, where the document says.
    pub role: Option<String>,
    /// The pool that it names, as `projects/.../workloadIdentityPools/POOL`.
    pub pool: Option<String>,
    /// Whether the binding holds under a condition of IAM's own, which is not modelled.
    pub conditional: bool,
}

/// Whom a member of a binding names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `principal://.../subject/S`: who is mapped to this `google.subject`.
    Subject(String),
    /// `principalSet://.../group/G`: who has this among `google.groups`.
    Group(String),
    /// `principalSet://.../attribute.NAME/VALUE`: who is mapped to this value.
    Attribute {
        /// The attribute, without `attribute.`.
        name: String,
        /// Its value.
        value: String,
    },
    /// `principalSet://.../*`: everybody in the pool.
    Everyone,
    /// It is not known whom.
    Unknown(String),
}

/// Reads `bindings`: members alone, or bindings as IAM shows them.
pub(super) fn read<'a>(node: &'a Node, remarks: &mut Remarks<'a>) -> Vec<Binding> {
    let items = node.as_array().unwrap_or(std::slice::from_ref(node));
    let mut bindings = Vec::new();
    for item in items {
        match &item.value {
            Json::Table(_) => {
                let Some(mut fields) = Object::of(item, "a binding", remarks) else { continue };
                let role = fields.text(&["role"], remarks).and_then(|role| role.value.ok());
                let members = fields.texts(&["members", "member"], remarks);
                let conditional = fields.take(&["condition"], remarks).is_some();
                fields.ignore(&["etag", "id", "project", "service_account_id"]);
                let span = fields.span();
                fields.finish(remarks);
                if members.is_none() {
                    remarks.problem(span, "`members` is missing", "principal://... or principalSet://...");
                }
                for member in members.into_iter().flatten() {
                    bindings.extend(binding(member, role, conditional, remarks));
                }
            }
            Json::String(_) | Json::Unresolved(_) => {
                let member = text(item, "bindings", remarks);
                bindings.extend(binding(member, None, false, remarks));
            }
            _ => wrong(item, "bindings", "a list of members or of bindings", remarks),
        }
    }
    bindings
}

fn binding(
    text: Text<'_>,
    role: Option<&str>,
    conditional: bool,
    remarks: &mut Remarks<'_>,
) -> Option<Binding> {
    let (pool, member) = match text.value {
        Err(why) => (None, Member::Unknown(why.to_owned())),
        Ok(written) => {
            let (pool, member) = member(written, text.span, remarks)?;
            (Some(pool.to_owned()), member)
        }
    };
    let value = text.value.map(str::to_owned).map_err(str::to_owned);
    let text = Located { value, span: text.span };
    Some(Binding { member, text, role: role.map(str::to_owned), pool, conditional })
}

/// The pool and whom of it a member names; `None` if it names nobody in a pool, which is noted.
fn member<'t>(written: &'t str, span: Span, remarks: &mut Remarks<'_>) -> Option<(&'t str, Member)> {
    const ONE: &str = "principal://iam.googleapis.com/";
    const SET: &str = "principalSet://iam.googleapis.com/";
    let (rest, is_set) = match (written.strip_prefix(ONE), written.strip_prefix(SET)) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => {
            let kind = written.split(':').next().unwrap_or_default();
            let message = format!("a member of kind `{kind}` is not about the tokens of a pool");
            remarks.note(span, message, "it is not looked at");
            return None;
        }
    };
    let parsed = pool(rest).and_then(|(pool, rest)| {
        let member = match (is_set, rest.split_once('/')) {
            (false, Some(("subject", subject))) => Member::Subject(subject.to_owned()),
            (true, Some(("group", group))) => Member::Group(group.to_owned()),
            (true, Some((name, value))) => {
                let name = name.strip_prefix("attribute.")?.to_owned();
                Member::Attribute { name, value: value.to_owned() }
            }
            (true, None) if rest == "*" => Member::Everyone,
            _ => return None,
        };
        Some((pool, member))
    });
    if parsed.is_none() {
        let help = "principal://iam.googleapis.com/POOL/subject/S, or principalSet://iam.googleapis.com/POOL/ with \
                    group/G, attribute.NAME/VALUE or *; POOL is projects/NUMBER/locations/global/workloadIdentityPools/ID";
        remarks.note(span, format!("the member `{written}` names nobody"), help);
    }
    if let Some((_, Member::Subject(value) | Member::Group(value) | Member::Attribute { value, .. })) =
        &parsed
        && value.contains('*')
    {
        remarks.note(
            span,
            "`*` stands for itself: members are compared as they are",
            "only a whole pool is named with `*`",
        );
    }
    parsed
}

/// `projects/P/locations/L/workloadIdentityPools/ID`, and what comes after it.
fn pool(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.splitn(7, '/');
    let (projects, project, locations) = (parts.next()?, parts.next()?, parts.next()?);
    let (location, pools, pool) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = parts.next()?;
    let named = [project, location, pool].iter().all(|part| !part.is_empty());
    if (projects, locations, pools) != ("projects", "locations", "workloadIdentityPools") || !named {
        return None;
    }
    text.len().checked_sub(rest.len())?.checked_sub(1).and_then(|end| Some((text.get(..end)?, rest)))
}

impl Binding {
    /// Whether the binding can be about a pool: project numbers and names stand for each other, so only ids tell.
    pub(super) fn is_about(&self, pool: Option<&str>) -> bool {
        let id = |pool: &str| pool.rsplit('/').next().map(str::to_owned);
        let number = |pool: &str| {
            let project = pool.split('/').nth(1)?;
            project.bytes().all(|byte| byte.is_ascii_digit()).then(|| project.to_owned())
        };
        let (Some(own), Some(pool)) = (&self.pool, pool) else { return true };
        let numbers_differ = matches!((number(own), number(pool)), (Some(own), Some(other)) if own != other);
        id(own) == id(pool) && !numbers_differ
    }

    /// What the binding asks of the attributes that a provider maps.
    pub(super) fn clauses(&self, attributes: &Attributes) -> Vec<Condition> {
        let span = self.text.span;
        let named = |name: &str, value: Option<&Value>, test: &dyn Fn(&Simple) -> Logic, wants: &str| {
            let body = value.map_or(Condition::FALSE, |value| value.test(test).yes);
            clause(name, wants, span, body)
        };
        let equals = |value: &str| {
            let wanted = Simple::Text(value.to_owned());
            move |found: &Simple| equal(found, &wanted)
        };
        let mut clauses = Vec::new();
        match &self.member {
            Member::Everyone => {}
            Member::Unknown(why) => {
                let body = Condition::Unknown(why.clone());
                clauses.push(clause("member", "a member that is not known here", span, body));
            }
            Member::Subject(subject) => {
                let too_long = subject.len() > super::LONGEST_SUBJECT;
                let value = attributes.get("google.subject").filter(|_| !too_long);
                let wants = if too_long {
                    let (bytes, most) = (subject.len(), super::LONGEST_SUBJECT);
                    format!("{}: {bytes} bytes, of which a subject has at most {most}", shown_text(subject))
                } else {
                    shown_text(subject)
                };
                clauses.push(named("google.subject", value, &equals(subject), &wants));
            }
            Member::Group(group) => {
                let value = attributes.get("google.groups");
                let wanted = Simple::Text(group.clone());
                let among = move |found: &Simple| is_among(&wanted, found);
                clauses.push(named(
                    "google.groups",
                    value,
                    &among,
                    &format!("a list with {}", shown_text(group)),
                ));
            }
            Member::Attribute { name, value } => {
                let name = format!("attribute.{name}");
                clauses.push(named(&name, attributes.get(&name), &equals(value), &shown_text(value)));
            }
        }
        if self.conditional {
            let why = "conditions of IAM on a binding are not modelled".to_owned();
            clauses.push(clause(
                "condition of the binding",
                "something that is not modelled",
                span,
                Condition::Unknown(why),
            ));
        }
        clauses
    }
}
