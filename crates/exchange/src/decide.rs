//! From a verified token to a decision.

use std::collections::BTreeMap;
use std::time::Duration;

use daypass_claims::{ClaimSet, ClaimValue};
use daypass_issuers::{Escapes, Platform, Template};
use daypass_token::VerifiedToken;
use daypass_trust::form::RequestKey;
use daypass_trust::{
    Caller, Context, ROLES_CLAIM, SOURCE_IDENTITY_CLAIM, TAGS_CLAIM, Truth, evaluate, outcome,
};

use crate::config::CredentialConfig;
use crate::refusal::{ParameterError, Refusal, SessionClaimsError};
use crate::request::{Client, Request, Wire};
use crate::role::Role;

/// That a role may be assumed, by whom and how. There is no other way to make one than `decide` and `decide_session`, from
/// a verified token or a proven session, and no credential without one.
#[derive(Debug)]
pub struct Decision<'r> {
    role: &'r Role,
    statement: String,
    session: Session,
}

/// What a session is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it is called.
    pub name: String,
    /// How long it lasts.
    pub duration: Duration,
    /// The source identity, where one was set.
    pub source_identity: Option<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Which of them are transitive.
    pub transitive_tags: Vec<String>,
    /// The scopes of the credential.
    pub scopes: Vec<String>,
    /// The issuer of the token that it all began with.
    pub issuer: String,
    /// The subject of that token.
    pub subject: String,
    /// The CI run, where the catalogue knows which claim says so.
    pub run: Option<String>,
    /// The repository, by id where there is one.
    pub repository: Option<String>,
}

impl<'r> Decision<'r> {
    /// The role that may be assumed.
    pub const fn role(&self) -> &'r Role {
        self.role
    }

    /// The statement that admitted.
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// The session to be made.
    pub const fn session(&self) -> &Session {
        &self.session
    }
}

/// Decides whether a verified token may assume a role.
pub(crate) fn decide<'r>(
    token: &VerifiedToken,
    platform: Option<&Platform>,
    role: &'r Role,
    request: &Request,
) -> Result<Decision<'r>, Refusal> {
    let claims = token.claims();
    if request.wire == Wire::AwsQuery {
        check_roles_claim(claims, role)?;
    }
    let (tags, transitive_tags) = session_tags(claims)?;
    let source_identity = source_identity(claims)?;
    let name = session_name(request, platform, claims)?;
    let context = context(token, role, request, &name);
    let policy = &role.config().policy;
    let (truth, admitting) = outcome(policy, claims, &context);
    match truth {
        Truth::True => {}
        Truth::False => return Err(Refusal::Denied(Box::new(evaluate(policy, claims, &context)))),
        Truth::Unknown => return Err(Refusal::Undecided(Box::new(evaluate(policy, claims, &context)))),
    }
    let duration = duration(request, role)?;
    check_session_policy(request)?;
    let scopes = scopes(request, role)?;
    let statement = admitting.and_then(|index| policy.statements.get(index));
    Ok(Decision {
        role,
        statement: statement.map(|statement| statement.label.clone()).unwrap_or_default(),
        session: Session {
            name,
            duration,
            source_identity,
            tags,
            transitive_tags,
            scopes,
            issuer: token.issuer().to_string(),
            subject: token.subject().to_string(),
            run: selected(platform.and_then(|platform| platform.selectors.run.as_ref()), claims),
            repository: selected(
                platform.and_then(|platform| platform.selectors.repository.as_ref()),
                claims,
            ),
        },
    })
}

/// What is asked of a role by a session of another one.
#[derive(Clone, Debug)]
pub struct SessionRequest<'a> {
    /// What the new session shall be called.
    pub session_name: &'a str,
    /// How long it shall last.
    pub duration: Option<Duration>,
    /// Session tags that are asked for.
    pub tags: BTreeMap<String, String>,
    /// Which of them shall be transitive.
    pub transitive_tags: Vec<String>,
    /// The source identity that is asked for.
    pub source_identity: Option<String>,
    /// An external id.
    pub external_id: Option<String>,
    /// Where it came from.
    pub client: &'a Client,
    /// When it came.
    pub received_at: daypass_claims::Timestamp,
}

/// The longest session that is assumed from another session, as in AWS's role chaining.
const LONGEST_CHAINED: Duration = Duration::from_secs(3_600);

/// Decides whether a session of one role may assume another. The new session never outlives the first.
pub(crate) fn decide_session<'r>(
    first: &crate::credential::ProvenSession,
    role: &'r Role,
    request: &SessionRequest<'_>,
) -> Result<Decision<'r>, Refusal> {
    check_session_name(request.session_name)?;
    let mut context =
        Context::new().complete().account(role.account()).time(request.received_at).caller(Caller::Session {
            account: role.account().to_owned(),
            role: first.role().to_owned(),
            role_arn: first.role_arn().to_owned(),
            session_arn: first.arn(),
        });
    context = with_client(context, request.client).with(RequestKey::SessionName, request.session_name);
    for (key, value) in &request.tags {
        context = context.with(RequestKey::Tag(key.clone()), value.as_str());
    }
    if !request.tags.is_empty() {
        context = context.with(RequestKey::TagKeys, request.tags.keys().cloned().collect::<Vec<_>>());
    }
    if !request.transitive_tags.is_empty() {
        context = context.with(RequestKey::TransitiveTagKeys, request.transitive_tags.clone());
    }
    // A source identity, once set, stays (AWS); asking for another one is refused by not being the first's.
    let source_identity = match (&first.session().source_identity, &request.source_identity) {
        (Some(set), Some(asked)) if set != asked => {
            return Err(Refusal::SessionClaims(SessionClaimsError::SourceIdentity));
        }
        (Some(set), _) => Some(set.clone()),
        (None, Some(asked)) => {
            context = context.with(RequestKey::SourceIdentity, asked.as_str());
            Some(asked.clone())
        }
        (None, None) => None,
    };
    if let Some(external_id) = &request.external_id {
        context = context.with(RequestKey::ExternalId, external_id.as_str());
    }
    let (policy, claims) = (&role.config().policy, ClaimSet::new());
    let (truth, admitting) = outcome(policy, &claims, &context);
    match truth {
        Truth::True => {}
        Truth::False => return Err(Refusal::Denied(Box::new(evaluate(policy, &claims, &context)))),
        Truth::Unknown => return Err(Refusal::Undecided(Box::new(evaluate(policy, &claims, &context)))),
    }
    let left = first.expires_at().since(request.received_at);
    let allowed = role.config().max_session.min(LONGEST_CHAINED);
    if let Some(asked) = request.duration
        && asked > allowed
    {
        return Err(Refusal::TooLong { asked, allowed });
    }
    let mut tags: BTreeMap<String, String> =
        first.session().transitive().map(|(k, v)| (k.clone(), v.clone())).collect();
    tags.extend(request.tags.clone());
    let mut transitive_tags = first.session().transitive_tags.clone();
    transitive_tags.extend(request.transitive_tags.clone());
    let statement = admitting.and_then(|index| policy.statements.get(index));
    Ok(Decision {
        role,
        statement: statement.map(|statement| statement.label.clone()).unwrap_or_default(),
        session: Session {
            name: request.session_name.to_owned(),
            duration: request.duration.unwrap_or(allowed).min(left),
            source_identity,
            tags,
            transitive_tags,
            ..first.session().clone()
        },
    })
}

impl Session {
    /// The tags that a session assumed from this one inherits.
    pub fn transitive(&self) -> impl Iterator<Item = (&String, &String)> {
        self.tags
            .iter()
            .filter(|(key, _)| self.transitive_tags.iter().any(|name| name.eq_ignore_ascii_case(key)))
    }
}

fn context(token: &VerifiedToken, role: &Role, request: &Request, session_name: &str) -> Context {
    let mut context = Context::new().complete().account(role.account()).issuer(token.issuer().clone());
    context.audience = Some(token.audience().clone());
    with_client(context, &request.client)
        .time(request.received_at)
        .with(RequestKey::SessionName, session_name)
}

fn with_client(context: Context, client: &Client) -> Context {
    let context = context.source_ip(client.address).with(RequestKey::SecureTransport, client.secure);
    match &client.user_agent {
        Some(agent) => context.with(RequestKey::UserAgent, agent.as_str()),
        None => context,
    }
}

/// `https://aws.amazon.com/roles`: an allow-list of role ARNs, compared literally, before any trust policy.
fn check_roles_claim(claims: &ClaimSet, role: &Role) -> Result<(), Refusal> {
    let malformed = || Refusal::SessionClaims(SessionClaimsError::Roles);
    let Some(value) = claims.get(ROLES_CLAIM) else { return Ok(()) };
    let listed = match value {
        ClaimValue::String(one) => vec![one.as_str()],
        ClaimValue::Array(items) => {
            items.iter().map(|item| item.as_str().ok_or_else(malformed)).collect::<Result<_, _>>()?
        }
        _ => return Err(malformed()),
    };
    if listed.contains(&role.arn()) { Ok(()) } else { Err(Refusal::NotInRoles) }
}

type Tags = (BTreeMap<String, String>, Vec<String>);

/// `https://aws.amazon.com/tags` = `{"principal_tags": {"K": ["V"]}, "transitive_tag_keys": ["K"]}` within AWS's limits.
fn session_tags(claims: &ClaimSet) -> Result<Tags, Refusal> {
    let refuse = |why| Refusal::SessionClaims(SessionClaimsError::Tags(why));
    let Some(value) = claims.get(TAGS_CLAIM) else { return Ok(Tags::default()) };
    let members = value.as_object().ok_or_else(|| refuse("must be an object"))?;
    let mut tags = BTreeMap::new();
    if let Some(principal) = members.get("principal_tags") {
        for (key, value) in
            principal.as_object().ok_or_else(|| refuse("must have `principal_tags` as an object"))?
        {
            let one = match value {
                ClaimValue::Array(items) => match items.as_slice() {
                    [ClaimValue::String(one)] => one,
                    _ => return Err(refuse("must hold each value in a list of one string")),
                },
                _ => return Err(refuse("must hold each value in a list of one string")),
            };
            if key.is_empty() || key.chars().count() > 128 || one.chars().count() > 256 {
                return Err(refuse("have keys of 1 to 128 and values of up to 256 characters"));
            }
            tags.insert(key.clone(), one.clone());
        }
    }
    if tags.len() > 50 {
        return Err(refuse("are more than 50"));
    }
    let transitive = match members.get("transitive_tag_keys") {
        None => Vec::new(),
        Some(value) => value
            .as_array()
            .and_then(|items| items.iter().map(|item| item.as_str().map(str::to_owned)).collect())
            .ok_or_else(|| refuse("must have `transitive_tag_keys` as a list of strings"))?,
    };
    Ok((tags, transitive))
}

fn source_identity(claims: &ClaimSet) -> Result<Option<String>, Refusal> {
    match claims.get(SOURCE_IDENTITY_CLAIM) {
        None => Ok(None),
        Some(ClaimValue::String(text)) if is_session_name(text) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::SessionClaims(SessionClaimsError::SourceIdentity)),
    }
}

/// The name that was asked for; else the CI run, so that a session leads back to its job.
fn session_name(
    request: &Request,
    platform: Option<&Platform>,
    claims: &ClaimSet,
) -> Result<String, Refusal> {
    if let Some(name) = &request.session_name {
        check_session_name(name)?;
        return Ok(name.clone());
    }
    let run =
        selected(platform.and_then(|platform| platform.selectors.run.as_ref()), claims).unwrap_or_default();
    let name: String = format!("run-{run}").chars().filter(|c| session_name_char(*c)).take(64).collect();
    Ok(name)
}

fn check_session_name(name: &str) -> Result<(), Refusal> {
    if is_session_name(name) { Ok(()) } else { Err(Refusal::Parameter(ParameterError::SessionName)) }
}

/// 2 to 64 of `[\w+=,.@-]`, as AWS has it for session names and source identities.
pub(crate) fn is_session_name(text: &str) -> bool {
    (2..=64).contains(&text.len()) && text.chars().all(session_name_char)
}

fn session_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

fn duration(request: &Request, role: &Role) -> Result<Duration, Refusal> {
    let allowed = role.config().max_session;
    let usual = Duration::from_secs(3_600).min(allowed);
    let Some(asked) = request.duration else { return Ok(usual) };
    let (least, most) = match request.wire {
        Wire::AwsQuery => (Duration::from_secs(900), crate::config::LONGEST_SESSION),
        Wire::TokenExchange => (Duration::from_secs(1), crate::config::LONGEST_SESSION),
    };
    if asked < least || asked > most {
        return Err(Refusal::Parameter(ParameterError::Duration { least, most }));
    }
    if asked > allowed {
        return Err(Refusal::TooLong { asked, allowed });
    }
    Ok(asked)
}

/// The scopes that the role gives, or those of them that were asked for.
fn scopes(request: &Request, role: &Role) -> Result<Vec<String>, Refusal> {
    let given: &[String] = match &role.config().credential {
        CredentialConfig::Jwt(jwt) => &jwt.scopes,
        CredentialConfig::AwsSession => &[],
    };
    let Some(asked) = &request.scope else { return Ok(given.to_vec()) };
    let asked: Vec<String> = asked.split_whitespace().map(str::to_owned).collect();
    match asked.iter().find(|scope| !given.contains(scope)) {
        Some(unknown) => Err(Refusal::Parameter(ParameterError::Scope(unknown.chars().take(64).collect()))),
        None => Ok(asked),
    }
}

/// The longest that inline and managed session policies may be together, in characters (AWS).
const SESSION_POLICY_LIMIT: usize = 2_048;

fn check_session_policy(request: &Request) -> Result<(), Refusal> {
    let policy = &request.session_policy;
    let document = policy.document.as_deref().unwrap_or_default();
    let length = document.chars().count().saturating_add(policy.arns.iter().map(String::len).sum());
    if length > SESSION_POLICY_LIMIT {
        let error = ParameterError::SessionPolicyLength { length, limit: SESSION_POLICY_LIMIT };
        return Err(Refusal::Parameter(error));
    }
    if policy.document.is_some() {
        let parsed = ClaimSet::from_json(document.as_bytes());
        let refuse = |why: String| Refusal::Parameter(ParameterError::SessionPolicy(why));
        let parsed = parsed.map_err(|error| refuse(error.to_string()))?;
        if !parsed.contains("Statement") {
            return Err(refuse("it has no `Statement`".to_owned()));
        }
    }
    Ok(())
}

/// What a selector of the catalogue says of a token.
fn selected(selector: Option<&Template>, claims: &ClaimSet) -> Option<String> {
    selector?.render(&Escapes::new(), |name| claims.get(name)).ok().filter(|text| !text.is_empty())
}
