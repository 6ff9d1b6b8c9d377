//! Reading documents in the shape that the APIs of clouds show them.
//!
//! The same objects come out of JSON listings, Terraform and files of other languages: members may go by two names, `null`
//! is as good as absent, and any value can be one that its file leaves open.

use daypass_claims::{Audience, Issuer};
use daypass_issuers::catalogue;

use super::Located;
use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span, Value};
use crate::form::{Audiences, Clause, Condition, OtherPrincipal, Principals};

/// What compiling a document gathers besides the policy.
pub(super) struct Remarks<'a> {
    pub(super) source: &'a Source,
    pub(super) problems: Problems,
    pub(super) notes: Vec<Problem>,
}

impl<'a> Remarks<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        Self { source, problems: Problems::new(), notes: Vec::new() }
    }

    pub(super) fn problem(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(self.source, span, message).help(help));
    }

    pub(super) fn note(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.notes.push(Problem::new(self.source, span, message).help(help));
    }

    /// A note where a limit of the vendor's is exceeded; it does not change what the document means.
    pub(super) fn limit(&mut self, span: Span, what: &str, unit: &str, found: usize, most: usize) {
        if found > most {
            let message = format!("{what} has {found} {unit}, at most {most} are accepted");
            self.notes.push(Problem::new(self.source, span, message));
        }
    }
}

/// A text, unless its file leaves it open.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) span: Span,
    /// The text, or why it is not known.
    pub(super) value: Result<&'a str, &'a str>,
}

impl Text<'_> {
    /// The text with its place, if it is known.
    pub(super) fn located(&self) -> Option<Located<String>> {
        let text = self.value.ok()?;
        Some(Located { value: text.to_owned(), span: self.span })
    }
}

/// The members of an object.
pub(super) struct Object<'a> {
    fields: Fields<'a>,
}

impl<'a> Object<'a> {
    pub(super) fn of(node: &'a Node, what: &str, remarks: &mut Remarks<'a>) -> Option<Self> {
        Fields::of(remarks.source, node, what, &mut remarks.problems).map(|fields| Self { fields })
    }

    pub(super) const fn span(&self) -> Span {
        self.fields.span()
    }

    /// A member under any of its names; `null` counts as absent.
    pub(super) fn take(&mut self, names: &[&'static str], remarks: &mut Remarks<'a>) -> Option<&'a Member> {
        let mut found: Option<&'a Member> = None;
        for name in names {
            let Some(member) = self.fields.take(name) else { continue };
            if member.node.value == Value::Null {
                continue;
            }
            match found {
                None => found = Some(member),
                Some(first) => {
                    let message =
                        format!("`{}` and `{}` are two names of one member", first.name, member.name);
                    remarks.problem(member.name_span, message, "give one of them");
                }
            }
        }
        found
    }

    /// A member under the first of its names that is there; replies repeat it under names of earlier versions.
    pub(super) fn take_newest(&mut self, names: &[&'static str]) -> Option<&'a Member> {
        let found: Vec<&Member> = names.iter().filter_map(|name| self.fields.take(name)).collect();
        found.into_iter().find(|member| member.node.value != Value::Null)
    }

    /// A string member.
    pub(super) fn text(&mut self, names: &[&'static str], remarks: &mut Remarks<'a>) -> Option<Text<'a>> {
        let member = self.take(names, remarks)?;
        Some(text(&member.node, &member.name, remarks))
    }

    /// A member that is a list of strings, or one string.
    pub(super) fn texts(
        &mut self,
        names: &[&'static str],
        remarks: &mut Remarks<'a>,
    ) -> Option<Vec<Text<'a>>> {
        let member = self.take(names, remarks)?;
        Some(texts(member, remarks))
    }

    /// A member that is a list of strings, or one string of parts with commas in between; empty where there is none.
    pub(super) fn comma_separated(
        &mut self,
        names: &[&'static str],
        remarks: &mut Remarks<'a>,
    ) -> Vec<Text<'a>> {
        let Some(member) = self.take_newest(names) else { return Vec::new() };
        match member.node.as_str() {
            Some(parts) => {
                let parts = parts.split(',').map(str::trim).filter(|part| !part.is_empty());
                parts.map(|part| Text { span: member.node.span, value: Ok(part) }).collect()
            }
            None => texts(member, remarks),
        }
    }

    /// A boolean member; absent where its file leaves it open.
    pub(super) fn boolean(&mut self, names: &[&'static str], remarks: &mut Remarks<'a>) -> Option<bool> {
        let member = self.take(names, remarks)?;
        match &member.node.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            Value::Unresolved(_) => None,
            _ => {
                wrong(&member.node, &member.name, "true or false", remarks);
                None
            }
        }
    }

    /// Members that say nothing about who is admitted.
    pub(super) fn ignore(&mut self, names: &[&'static str]) {
        for name in names {
            self.fields.take(name);
        }
    }

    /// Reports what is left: what looks like a slip is a problem, anything else a note, because APIs grow members.
    pub(super) fn finish(self, remarks: &mut Remarks<'a>) {
        self.fields.finish_open(&mut remarks.problems, &mut remarks.notes);
    }
}

/// A string, or why it is not known. A value of another kind is a problem, and not known either.
pub(super) fn text<'a>(node: &'a Node, name: &str, remarks: &mut Remarks<'a>) -> Text<'a> {
    let value = match &node.value {
        Value::String(text) => Ok(text.as_str()),
        Value::Unresolved(why) => Err(why.as_str()),
        _ => {
            wrong(node, name, "a string", remarks);
            Err(node.kind())
        }
    };
    Text { span: node.span, value }
}

/// A list of strings, or one string.
fn texts<'a>(member: &'a Member, remarks: &mut Remarks<'a>) -> Vec<Text<'a>> {
    let items = member.node.as_array().unwrap_or(std::slice::from_ref(&member.node));
    items.iter().map(|item| text(item, &member.name, remarks)).collect()
}

/// Reports a value of the wrong kind.
pub(super) fn wrong(node: &Node, name: &str, expected: &str, remarks: &mut Remarks<'_>) {
    let message = format!("`{name}` must be {expected}, this is {}", node.kind());
    remarks.problems.push(Problem::new(remarks.source, node.span, message));
}

/// Whose tokens a provider takes: those whose `iss` is this text, byte for byte.
pub(super) fn issuer(text: Text<'_>, remarks: &mut Remarks<'_>) -> Principals {
    let url = match text.value {
        Ok(url) => url,
        Err(why) => return Principals { unknown: Some(why.to_owned()), ..Principals::nobody() },
    };
    let usual = usual_issuer(url);
    match Issuer::parse(url) {
        Ok(issuer) => {
            if let Some((usual, platform)) = usual {
                let message = format!("no token carries the issuer `{url}`: it is compared byte for byte");
                remarks.note(text.span, message, format!("tokens of {platform} carry `{usual}`"));
            }
            Principals::issuer(issuer)
        }
        Err(why) => {
            let help = usual.map_or_else(
                || "the issuer is compared byte for byte with `iss`".to_owned(),
                |(usual, platform)| format!("tokens of {platform} carry `{usual}`"),
            );
            remarks.note(text.span, format!("no token carries the issuer `{url}`: {why}"), help);
            Principals { others: vec![OtherPrincipal::Nobody(url.to_owned())], ..Principals::nobody() }
        }
    }
}

/// The issuer of a known platform that a text would be, were it not for blanks, a slash or letter case.
fn usual_issuer(url: &str) -> Option<(String, &'static str)> {
    let platform = |url: &str| {
        let issuer = Issuer::parse(url).ok()?;
        let found = catalogue().platforms_of(&issuer);
        found.first().filter(|one| one.form.pattern.names_host()).map(|one| one.platform.name.as_str())
    };
    if platform(url).is_some() {
        return None;
    }
    let trimmed = url.trim().trim_end_matches('/');
    [trimmed.to_owned(), trimmed.to_ascii_lowercase(), format!("https://{}", trimmed.to_ascii_lowercase())]
        .into_iter()
        .filter(|usual| usual != url)
        .find_map(|usual| platform(&usual).map(|name| (usual, name)))
}

/// The audiences of a registration, unstated where there are none, with a condition that stands in for those that are not known.
pub(super) fn audiences(
    texts: &[Text<'_>],
    accept: fn(Vec<Audience>) -> Audiences,
    remarks: &mut Remarks<'_>,
) -> (Audiences, Option<Condition>) {
    let mut known = Vec::new();
    for text in texts {
        match text.value.map(Audience::parse) {
            Ok(Ok(audience)) => known.push(audience),
            Ok(Err(why)) => remarks.problems.push(Problem::new(remarks.source, text.span, why.to_string())),
            Err(why) => {
                let body = Condition::Unknown(why.to_owned());
                let unknown = clause("audience", "an audience that is not known here", text.span, body);
                return (Audiences::Unstated, Some(unknown));
            }
        }
    }
    (if known.is_empty() { Audiences::Unstated } else { accept(known) }, None)
}

/// A condition with what it is called and asks for.
pub(super) fn clause(name: &str, wants: impl Into<String>, span: Span, body: Condition) -> Condition {
    Condition::Clause(Box::new(Clause { name: name.to_owned(), wants: wants.into(), span, body }))
}
