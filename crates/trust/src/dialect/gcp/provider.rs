//! One provider of a pool: whose tokens, for which audience, mapped to what.

use daypass_claims::Audience;

use super::cel::{self, Attributes};
use super::{LONGEST_CONDITION, LONGEST_MAPPING, MOST_ATTRIBUTES};
use crate::dialect::api::{Object, Remarks, Text, audiences, clause, issuer, text, wrong};
use crate::dialect::{CompileOptions, Located};
use crate::document::{Node, Span};
use crate::form::{Audiences, Condition, JoinPart, Principals};

/// A provider as the document shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name: the resource, or its last part.
    pub name: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// The URL that tokens carry in `iss`, where it is known.
    pub issuer: Option<Located<String>>,
    /// `allowedAudiences`, as far as they are known.
    pub audiences: Vec<Located<String>>,
    /// Whether it is disabled or deleted: then it exchanges no token.
    pub disabled: bool,
    /// What attributes are mapped to, in the order of the document.
    pub mapping: Vec<Mapping>,
    /// The attribute condition, where there is one and it is known.
    pub condition: Option<Located<String>>,
    /// Where the keys are pinned (`jwksJson`): the issuer's own are not fetched.
    pub pinned_keys: Option<Span>,
}

/// What one attribute is mapped to.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// `google.subject`, `attribute.repository`, ...
    pub attribute: String,
    /// The expression, where it is known.
    pub expression: Option<String>,
    /// The texts and claims that the attribute is joined of, where it is nothing else.
    pub parts: Option<Vec<JoinPart>>,
    /// Where the expression stands.
    pub span: Span,
}

/// What the statements of a provider have in common.
pub(super) struct Compiled {
    pub(super) principals: Principals,
    pub(super) audiences: Audiences,
    pub(super) attributes: Attributes,
    /// The condition and what else every token must meet.
    pub(super) conditions: Vec<Condition>,
    /// That `google.subject` is there, which a binding may ask for more exactly.
    pub(super) subject: Option<Condition>,
}

/// Reads a provider.
pub(super) fn read<'a>(
    node: &'a Node,
    options: &CompileOptions,
    remarks: &mut Remarks<'a>,
) -> Option<(Provider, Compiled)> {
    if let Some(why) = node.unresolved() {
        return Some(unknown(why, node.span));
    }
    let mut fields = Object::of(node, "a provider", remarks)?;
    let names = ["name", "workloadIdentityPoolProviderId", "workload_identity_pool_provider_id"];
    let name = names
        .map(|name| fields.text(&[name], remarks))
        .into_iter()
        .flatten()
        .find_map(|name| name.value.ok());
    let mapping = fields.take(&["attributeMapping", "attribute_mapping"], remarks);
    let condition = fields.text(&["attributeCondition", "attribute_condition"], remarks);
    let state = fields.text(&["state"], remarks);
    let disabled = fields.boolean(&["disabled"], remarks);
    let oidc = fields.take(&["oidc"], remarks);
    let other_kind =
        ["aws", "saml", "x509"].map(|kind| fields.take(&[kind], remarks)).into_iter().flatten().next();
    let mut inner = match oidc {
        Some(member) => {
            // Terraform writes a block, which is a list of one.
            let node = member.node.as_array().and_then(<[Node]>::first).unwrap_or(&member.node);
            if let Some(why) = node.unresolved() {
                return Some(unknown(why, node.span));
            }
            Some(Object::of(node, "`oidc`", remarks)?)
        }
        None => None,
    };
    let place = inner.as_mut().unwrap_or(&mut fields);
    let issuer_text = place.text(&["issuerUri", "issuer_uri", "issuer"], remarks);
    let allowed = place.texts(&["allowedAudiences", "allowed_audiences"], remarks).unwrap_or_default();
    let pinned = place.take(&["jwksJson", "jwks_json"], remarks);
    if let Some(mut inner) = inner {
        inner.ignore(&["discoveryUri", "discovery_uri"]);
        inner.finish(remarks);
    }
    fields.ignore(&["bindings"]);
    fields.ignore(&IGNORED);
    let span = fields.span();
    fields.finish(remarks);

    let principals = match (issuer_text, other_kind, &options.issuer) {
        (Some(text), ..) => issuer(text, remarks),
        (None, Some(member), _) => {
            let message = format!("a provider of kind `{}` exchanges no OpenID Connect tokens", member.name);
            remarks.note(member.name_span, message, "it admits no CI job by its token");
            Principals::nobody()
        }
        (None, None, Some(issuer)) => Principals::issuer(issuer.clone()),
        (None, None, None) => {
            remarks.problem(span, "`issuerUri` is missing", "the URL that tokens carry in `iss`");
            return None;
        }
    };
    let mut conditions = Vec::new();
    let (audiences, unknown_audience) = addressed(&allowed, name, options, remarks);
    conditions.extend(unknown_audience);
    let (mappings, attributes) = mapping.map(|member| mapped(&member.node, remarks)).unwrap_or_default();
    let disabled = disabled == Some(true) || state.is_some_and(|state| state.value == Ok("DELETED"));
    if disabled {
        conditions.push(clause(
            "state",
            "a provider that is neither disabled nor deleted",
            span,
            Condition::FALSE,
        ));
    }
    let condition = condition.filter(|condition| condition.value.map(str::trim) != Ok(""));
    if let Some(condition) = condition {
        let length = condition.value.map_or(0, |text| text.chars().count());
        remarks.limit(condition.span, "the attribute condition", "characters", length, LONGEST_CONDITION);
        conditions.extend(cel::condition(condition, &attributes, remarks));
    }
    let subject = attributes.get("google.subject").map(|value| {
        let place =
            mappings.iter().find(|one| one.attribute == "google.subject").map_or(span, |one| one.span);
        let body = value.test(|value| cel::Logic::of(cel::is_text(value))).yes;
        clause("google.subject", "a string", place, body)
    });
    if subject.is_none() && other_kind.is_none() {
        let message = "`google.subject` is not mapped, and Google creates no such provider";
        remarks.note(span, message, "for example \"google.subject\": \"assertion.sub\"");
    }
    let provider = Provider {
        name: name.map(str::to_owned),
        span,
        issuer: issuer_text.as_ref().and_then(Text::located),
        audiences: allowed.iter().filter_map(Text::located).collect(),
        disabled,
        mapping: mappings,
        condition: condition.as_ref().and_then(Text::located),
        pinned_keys: pinned.map(|member| member.name_span),
    };
    Some((provider, Compiled { principals, audiences, attributes, conditions, subject }))
}

/// Members that say nothing about who is admitted.
const IGNORED: [&str; 12] = [
    "actorProviders",
    "actor_providers",
    "description",
    "displayName",
    "display_name",
    "etag",
    "expireTime",
    "id",
    "project",
    "timeouts",
    "workloadIdentityPoolId",
    "workload_identity_pool_id",
];

/// A provider of which nothing is known.
fn unknown(why: &str, span: Span) -> (Provider, Compiled) {
    let provider = Provider {
        name: None,
        span,
        issuer: None,
        audiences: Vec::new(),
        disabled: false,
        mapping: Vec::new(),
        condition: None,
        pinned_keys: None,
    };
    let compiled = Compiled {
        principals: Principals { unknown: Some(why.to_owned()), ..Principals::nobody() },
        audiences: Audiences::Unstated,
        attributes: Attributes::default(),
        conditions: vec![Condition::Unknown(why.to_owned())],
        subject: None,
    };
    (provider, compiled)
}

/// The accepted audiences; where none are listed, the provider's own resource name with or without `https:`.
fn addressed(
    allowed: &[Text<'_>],
    name: Option<&str>,
    options: &CompileOptions,
    remarks: &mut Remarks<'_>,
) -> (Audiences, Option<Condition>) {
    if !allowed.is_empty() {
        return audiences(allowed, Audiences::OneOf, remarks);
    }
    if let Some(known) = &options.audiences {
        return (Audiences::OneOf(known.clone()), None);
    }
    // In audiences the project is a number; a name of it says nothing about that.
    let has_number = |name: &&str| {
        let mut parts = name.split('/');
        let (projects, project) = (parts.next(), parts.next().unwrap_or_default());
        projects == Some("projects")
            && !project.is_empty()
            && project.bytes().all(|byte| byte.is_ascii_digit())
    };
    let own = name.filter(has_number).map(|name| {
        ["", "https:"].map(|scheme| Audience::parse(&format!("{scheme}//iam.googleapis.com/{name}")))
    });
    let own: Vec<Audience> = own.into_iter().flatten().flatten().collect();
    if own.is_empty() { (Audiences::Unstated, None) } else { (Audiences::OneOf(own), None) }
}

/// Reads `attributeMapping`.
fn mapped<'a>(node: &'a Node, remarks: &mut Remarks<'a>) -> (Vec<Mapping>, Attributes) {
    let mut mappings = Vec::new();
    let mut attributes = Attributes::default();
    if let Some(why) = node.unresolved() {
        attributes.leave_open(why);
        return (mappings, attributes);
    }
    let Some(members) = node.as_table() else {
        wrong(node, "attributeMapping", "a table", remarks);
        return (mappings, attributes);
    };
    remarks.limit(node.span, "the mapping", "attributes", members.len(), MOST_ATTRIBUTES.saturating_add(2));
    for member in members {
        if mappings.iter().any(|earlier: &Mapping| earlier.attribute == member.name) {
            let message = format!("duplicate member `{}`", member.name);
            remarks.problem(member.name_span, message, "readers disagree about which one counts");
        }
        if !is_attribute(&member.name) {
            let message = format!("Google maps no attribute `{}`", member.name);
            let help = "google.subject, google.groups, or attribute.NAME with up to 100 of a-z, 0-9 and _";
            remarks.note(member.name_span, message, help);
        }
        let text = text(&member.node, &member.name, remarks);
        let length = text.value.map_or(0, |text| text.chars().count());
        remarks.limit(text.span, "the mapping's expression", "characters", length, LONGEST_MAPPING);
        let Some(value) = cel::mapping(text, remarks) else { continue };
        mappings.push(Mapping {
            attribute: member.name.clone(),
            expression: text.value.ok().map(str::to_owned),
            parts: value.parts(),
            span: text.span,
        });
        attributes.insert(&member.name, value);
    }
    (mappings, attributes)
}

fn is_attribute(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match name.strip_prefix("attribute.") {
        Some(own) => !own.is_empty() && own.len() <= 100 && own.chars().all(allowed),
        None => matches!(name, "google.subject" | "google.groups"),
    }
}
