//! `credential = { kind = "..." }`: what a role issues.

use daypass_claims::{Algorithm, Audience, ClaimName};
use daypass_issuers::Template;
use daypass_trust::document::{Fields, Node, Problem, Source, Span, Value};

use super::load::Loader;

/// What a role issues.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialConfig {
    /// An access key, secret and session token that daypass itself verifies.
    AwsSession,
    /// A re-issued token that anybody verifies with the published keys.
    Jwt(Box<JwtConfig>),
}

/// What a re-issued token says.
#[derive(Clone, Debug, PartialEq)]
pub struct JwtConfig {
    /// Whom it is addressed to.
    pub audience: Vec<Audience>,
    /// Its subject, from the claims of the token it is issued for.
    pub subject: Template,
    /// Its other claims.
    pub claims: Vec<(ClaimName, ClaimTemplate)>,
    /// AWS session tags, from claims.
    pub tags: Vec<(String, Template)>,
    /// Which of the tags are transitive.
    pub transitive_tags: Vec<String>,
    /// The scopes that it carries, unless the request narrows them.
    pub scopes: Vec<String>,
    /// The algorithm it is signed with; `None` for the service's default.
    pub algorithm: Option<Algorithm>,
    /// Whether it is an access token (`at+jwt`, RFC 9068) rather than an ID token.
    pub access_token: bool,
}

/// What a claim of a re-issued token is made from.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTemplate {
    /// The value of a claim as it is, of whatever type; absent where that is absent.
    Copy(ClaimName),
    /// Text with claims filled in.
    Text(Template),
    /// A fixed value.
    Fixed(daypass_claims::ClaimValue),
}

/// Claims that the service sets itself.
const RESERVED: [&str; 10] = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "cnf", "act", "scope"];

/// The kinds of credentials, by name.
pub(crate) const KINDS: [&str; 2] = ["aws-session", "jwt"];

pub(super) fn read(loader: &mut Loader<'_>, source: &Source, node: &Node) -> Option<CredentialConfig> {
    let mut fields = Fields::of(source, node, "`credential`", &mut loader.problems)?;
    let (kind, span) = fields.required_string("kind", "\"aws-session\" or \"jwt\"", &mut loader.problems)?;
    match kind {
        "aws-session" => {
            fields.finish(&mut loader.problems);
            Some(CredentialConfig::AwsSession)
        }
        "jwt" => jwt(loader, source, fields).map(|jwt| CredentialConfig::Jwt(Box::new(jwt))),
        other => {
            let problem = Problem::new(source, span, format!("no kind of credential is called `{other}`"));
            loader.problems.push(problem.help(format!("known: {}", KINDS.join(", "))));
            None
        }
    }
}

fn jwt(loader: &mut Loader<'_>, source: &Source, mut fields: Fields<'_>) -> Option<JwtConfig> {
    let audience = audience(loader, source, &mut fields);
    let subject = fields
        .required_string(
            "subject",
            "a template over claims, for example \"repo:{repository_id}:{environment}\"",
            &mut loader.problems,
        )
        .and_then(|(text, span)| template(loader, source, text, span));
    let claims = fields.take("claims").map(|member| claims(loader, source, &member.node));
    let tags = fields.take("tags").map(|member| tags(loader, source, &member.node));
    let transitive = fields.strings("transitive_tags", &mut loader.problems).unwrap_or_default();
    let scopes = fields.strings("scopes", &mut loader.problems).unwrap_or_default();
    let algorithm =
        fields.string("algorithm", &mut loader.problems).and_then(|(name, span)| match name.parse() {
            Ok(algorithm @ (Algorithm::ES256 | Algorithm::EdDSA | Algorithm::RS256)) => Some(algorithm),
            _ => {
                let problem = Problem::new(source, span, format!("tokens cannot be signed with `{name}`"));
                loader.problems.push(problem.help("ES256 (default), EdDSA, RS256"));
                None
            }
        });
    let access_token = fields.boolean("access_token", &mut loader.problems).unwrap_or(false);
    fields.finish(&mut loader.problems);
    let (claims, tags) =
        (claims.unwrap_or_else(|| Some(Vec::new())), tags.unwrap_or_else(|| Some(Vec::new())));
    Some(JwtConfig {
        audience: audience?,
        subject: subject?,
        claims: claims?,
        tags: tags?,
        transitive_tags: transitive.into_iter().map(|(tag, _)| tag.to_owned()).collect(),
        scopes: scopes.into_iter().map(|(scope, _)| scope.to_owned()).collect(),
        algorithm,
        access_token,
    })
}

fn audience(loader: &mut Loader<'_>, source: &Source, fields: &mut Fields<'_>) -> Option<Vec<Audience>> {
    let Some(texts) = fields.strings("audience", &mut loader.problems).filter(|texts| !texts.is_empty())
    else {
        let problem = Problem::new(source, fields.span(), "`audience` is missing");
        loader.problems.push(problem.help("whom the re-issued token is addressed to"));
        return None;
    };
    let mut audiences = Vec::with_capacity(texts.len());
    for (text, span) in texts {
        match Audience::parse(text) {
            Ok(audience) => audiences.push(audience),
            Err(why) => {
                loader.problems.push(Problem::new(source, span, why.to_string()));
                return None;
            }
        }
    }
    Some(audiences)
}

fn template(loader: &mut Loader<'_>, source: &Source, text: &str, span: Span) -> Option<Template> {
    match Template::parse(text) {
        Ok(template) => Some(template),
        Err(why) => {
            loader.problems.push(Problem::new(source, span, why.to_string()));
            None
        }
    }
}

fn claims(loader: &mut Loader<'_>, source: &Source, node: &Node) -> Option<Vec<(ClaimName, ClaimTemplate)>> {
    let mut fields = Fields::of(source, node, "`credential.claims`", &mut loader.problems)?;
    let mut claims = Vec::new();
    for member in fields.rest() {
        if RESERVED.contains(&member.name.as_str()) || member.name == daypass_trust::TAGS_CLAIM {
            let problem =
                Problem::new(source, member.name_span, format!("`{}` is set by the service", member.name));
            loader.problems.push(problem);
            return None;
        }
        claims.push((ClaimName::from(member.name.as_str()), claim(loader, source, &member.node)?));
    }
    Some(claims)
}

fn claim(loader: &mut Loader<'_>, source: &Source, node: &Node) -> Option<ClaimTemplate> {
    Some(match &node.value {
        Value::Bool(value) => ClaimTemplate::Fixed((*value).into()),
        Value::Number(text) if text.parse::<i64>().is_ok() => {
            ClaimTemplate::Fixed(text.parse::<i64>().unwrap_or_default().into())
        }
        Value::String(text) => {
            let template = template(loader, source, text, node.span)?;
            match template.pieces() {
                [] => ClaimTemplate::Fixed("".into()),
                [daypass_issuers::Piece::Literal(literal)] => ClaimTemplate::Fixed(literal.as_str().into()),
                [daypass_issuers::Piece::Slot(slot)] if slot.filter.is_none() => {
                    ClaimTemplate::Copy(slot.name.clone())
                }
                _ => ClaimTemplate::Text(template),
            }
        }
        _ => {
            let message = format!(
                "a claim is made from a string, a whole number or a boolean, this is {}",
                node.kind()
            );
            loader.problems.push(Problem::new(source, node.span, message));
            return None;
        }
    })
}

/// Session tags within AWS's limits: at most 50, keys up to 128 characters.
fn tags(loader: &mut Loader<'_>, source: &Source, node: &Node) -> Option<Vec<(String, Template)>> {
    let mut fields = Fields::of(source, node, "`credential.tags`", &mut loader.problems)?;
    let mut tags = Vec::new();
    for member in fields.rest() {
        if member.name.is_empty() || member.name.chars().count() > 128 {
            loader.problems.push(Problem::new(source, member.name_span, "a tag key has 1 to 128 characters"));
            return None;
        }
        let Some(text) = member.node.as_str() else {
            loader.problems.push(Problem::new(source, member.node.span, "a tag is a template, a string"));
            return None;
        };
        tags.push((member.name.clone(), template(loader, source, text, member.node.span)?));
    }
    if tags.len() > 50 {
        loader.problems.push(Problem::new(
            source,
            node.span,
            format!("{} tags; AWS takes at most 50", tags.len()),
        ));
        return None;
    }
    Some(tags)
}
