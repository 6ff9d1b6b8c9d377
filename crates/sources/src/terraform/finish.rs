use daypass_trust::document::{Location, Member, Node, Source, Span, Value, parse_json};

use super::computed::{OWN_ACCOUNT, OWN_PROJECT};
use super::map::local;
use super::session::Session;
use super::value::{Part, Val, each_span, marked, parts, place, trace};
use crate::aws::UNKNOWN_ACCOUNT;
use crate::found::{Unresolved, excerpt};
use crate::gcp::UNKNOWN_PROJECT;

/// A document out of its configuration: in one file, without marks.
pub(super) struct Finished {
    pub(super) source: Source,
    pub(super) tree: Node,
}

impl Session<'_> {
    /// The tree of a policy that is given as JSON text. Spans still count through all files.
    pub(super) fn document(&self, value: &Val) -> Result<Node, String> {
        if let Some(tree) = &value.json {
            return Ok(tree.as_ref().clone());
        }
        let text = match &value.node.value {
            Value::String(text) if text.trim().is_empty() => return Err("the policy is empty".to_owned()),
            Value::String(text) => text,
            Value::Unresolved(why) => return Err(why.clone()),
            // Some modules take the document itself and encode it later.
            Value::Table(_) => return Ok(value.node.clone()),
            _ => return Err(format!("a policy is a text in JSON, this is {}", value.node.kind())),
        };
        let mut tree = parse_json(&Source::new("", text.as_str())).map_err(|problem| {
            self.why_marked(text).unwrap_or_else(|| format!("the policy is {}", problem.message))
        })?;
        match &value.text {
            Some(pieces) => each_span(&mut tree, &|span| trace(pieces, span).unwrap_or(value.node.span)),
            None => place(&mut tree, value.node.span),
        }
        Ok(tree)
    }

    /// Takes a tree out: its spans become those of the file that its root is in, its marks become unresolved values.
    pub(super) fn finish(&self, tree: &Node) -> Option<Finished> {
        let (source, base) = self.project.map.file(tree.span)?;
        let tree = self.finish_node(tree, tree.span, base);
        Some(Finished { source, tree })
    }

    fn finish_node(&self, node: &Node, above: Span, base: usize) -> Node {
        let here = if self.project.map.same_file(node.span, above) { node.span } else { above };
        let value = match &node.value {
            Value::String(text) if marked(text) => self.finish_text(text),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.finish_node(item, here, base)).collect())
            }
            Value::Table(members) => {
                Value::Table(members.iter().map(|member| self.finish_member(member, here, base)).collect())
            }
            value => value.clone(),
        };
        Node { span: local(here, base), value }
    }

    /// A name that is not wholly known makes the value unknown: nobody can tell what it is the value of.
    fn finish_member(&self, member: &Member, above: Span, base: usize) -> Member {
        let mut node = self.finish_node(&member.node, above, base);
        let name_span =
            if self.project.map.same_file(member.name_span, above) { member.name_span } else { above };
        let name = match self.why_marked(&member.name) {
            Some(why) => {
                node.value = Value::Unresolved(why);
                readable(&member.name)
            }
            None => member.name.clone(),
        };
        Member { name, name_span: local(name_span, base), node }
    }

    fn finish_text(&self, text: &str) -> Value {
        match self.stand_in(text) {
            Some(text) => Value::String(text),
            None => match self.why_marked(text) {
                Some(why) => Value::Unresolved(why),
                None => Value::String(readable(text)),
            },
        }
    }

    /// An account or a project that is not known stands in no way where it says only whose registration is meant.
    fn stand_in(&self, text: &str) -> Option<String> {
        let mut known = String::new();
        for part in parts(text) {
            let Part::Unknown(number) = part else {
                if let Part::Known(part) = part {
                    known.push_str(part);
                }
                continue;
            };
            let why = self.why(number)?;
            if known == "arn:" {
                known.push_str("aws");
            } else if known.starts_with("arn:") && known.ends_with(":iam::") {
                let rest = after(text, number);
                let provider = [":oidc-provider/", ":saml-provider/"].iter().any(|it| rest.starts_with(it));
                if !provider && why != OWN_ACCOUNT {
                    return None;
                }
                known.push_str(UNKNOWN_ACCOUNT);
            } else if known.ends_with("projects/")
                && (why == OWN_PROJECT
                    || after(text, number).starts_with("/locations/global/workloadIdentityPools/"))
            {
                known.push_str(UNKNOWN_PROJECT);
            } else {
                return None;
            }
        }
        Some(known)
    }

    /// A text for people, of a value that may not be known.
    pub(super) fn shown(&self, node: &Node) -> Option<String> {
        node.as_str().map(|text| match self.stand_in(text) {
            Some(text) => text,
            None => readable(text),
        })
    }

    /// Notes that something cannot be resolved.
    pub(super) fn unresolved(&self, span: Span, why: impl Into<String>) {
        let construct = excerpt(&self.project.map.text(span));
        self.unresolved_as(self.project.map.locate(span), construct, why);
    }

    /// Notes that something cannot be resolved, by a name for it.
    pub(super) fn unresolved_as(&self, location: Location, construct: String, why: impl Into<String>) {
        let why = why.into();
        self.found.borrow_mut().unresolved.push(Unresolved { location, construct, why });
    }
}

/// A text with `${...}` where it is not known, for people.
pub(super) fn readable(text: &str) -> String {
    let words = |part| match part {
        Part::Known(text) => text,
        Part::Unknown(_) => "${...}",
    };
    parts(text).into_iter().map(words).collect()
}

/// What follows the first mark of that number.
fn after(text: &str, number: usize) -> &str {
    text.split_once(&super::value::mark(number)).map_or("", |(_, rest)| rest)
}
