//! CloudTrail. Members and their meaning: "CloudTrail record contents" and "CloudTrail userIdentity element" of its user guide.

mod record;

use record::{Record, UserIdentity};
use serde_json::value::RawValue;

use super::{Sink, Source};
use crate::event::{Class, Cloud, Event, Identity, Instance, Issued, Like, Origin, Who};
use crate::input::{Envelope, Shape};
use crate::moment::Moment;
use crate::skip::Skip;

/// The service whose calls hand out sessions; the calls of all others are alike.
const STS: &str = "sts.amazonaws.com";

/// Records of CloudTrail.
pub(super) struct CloudTrail;

impl Shape for CloudTrail {
    type Record<'a> = Record<'a>;

    fn common<'a>(record: &Self::Record<'a>) -> Option<&'a str> {
        Some(record.caller()).filter(|caller| !caller.is_empty())
    }

    fn is_bare(record: &Record<'_>) -> bool {
        record.is_bare()
    }

    fn repeat<'a>(record: &mut Record<'a>, caller: &'a RawValue) {
        record.repeat(caller);
    }
}

impl Source for CloudTrail {
    const ENVELOPE: Envelope =
        Envelope { lists: &["Records", "Events"], before: &["NextToken", "ResponseMetadata"] };

    fn events(record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
        if let Some(detail) = record.detail() {
            return call(detail, sink);
        }
        if record.embedded().is_empty() {
            return call(record, sink);
        }
        let embedded = serde_json::from_str(record.embedded()).map_err(|_| Skip::Malformed)?;
        call(&embedded, sink)
    }
}

fn call(record: &Record<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
    if record.event_name.is_empty() && record.event_source.is_empty() {
        // Insights are in order, have no caller, and lie among the rest where a trail has both.
        if &*record.event_category == "Insight" {
            sink.aside();
            return Ok(());
        }
        return Err(Skip::Unknown);
    }
    let at = Moment::parse(&record.event_time).ok_or(Skip::Untimed)?;
    let (refused, data) = (!record.error_code.is_empty(), &*record.event_category == "Data");
    let like = (&*record.event_source != STS).then_some(Like {
        caller: record.caller(),
        user_agent: &record.user_agent,
        account: &record.recipient_account_id,
        region: &record.aws_region,
    });
    let instance = Instance { at, address: &record.address, refused, data };
    if like.is_some_and(|like| sink.again(&like, &instance)) {
        return Ok(());
    }
    let user = &record.user()?;
    let account = user.account_id.or(&record.recipient_account_id);
    let (who, origin) = caller(user, account);
    sink.event(&Event {
        cloud: Cloud::Aws,
        account: record.recipient_account_id.or(&user.account_id),
        region: &record.aws_region,
        at,
        address: &record.address,
        user_agent: &record.user_agent,
        refused,
        data,
        who,
        issued: issued(record, user, origin),
        like,
    })
}

/// Whose key a call was signed with, and what sessions that come of it have from it.
fn caller<'a>(user: &'a UserIdentity<'_>, account: &'a str) -> (Who<'a>, Option<Origin<'a>>) {
    let key: &str = &user.access_key_id;
    if key.is_empty() {
        return (Who::Nobody, None);
    }
    let context = &user.session_context;
    let role: &str = context.session_issuer.arn.or(&user.arn);
    if key.starts_with("ASIA") {
        let provider: &str = &context.web_id_federation_data.federated_provider;
        let class = if !provider.is_empty() {
            Class::Federated
        } else if matches!(&*user.kind, "IAMUser" | "Root" | "FederatedUser") {
            // GetSessionToken and GetFederationToken are for bearers of a stored key, and so are consoles of users.
            Class::Brokered
        } else if !context.ec2_role_delivery.is_empty() || is_instance(&user.arn) {
            Class::Instance
        } else {
            Class::Session
        };
        let hint = Identity { class, principal: role, issuer: provider, ..Identity::default() };
        (Who::Session { account, id: key, hint }, Some(Origin::Session { id: key, hint }))
    } else {
        let class = if &*user.kind == "Root" { Class::Root } else { Class::Static };
        let identity = Identity { class, credential: key, principal: role, ..Identity::default() };
        let origin =
            Origin::Known(Identity { class: Class::Brokered, credential: key, ..Identity::default() });
        (Who::Known { account, identity }, Some(origin))
    }
}

/// `arn:aws:sts::111122223333:assumed-role/NAME/i-0123456789abcdef0`: EC2 names sessions for the instance.
fn is_instance(arn: &str) -> bool {
    let id = arn.rsplit_once("/i-").map(|(_, id)| id);
    id.is_some_and(|id| {
        (8..=17).contains(&id.len()) && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// The session that came of a call of STS.
fn issued<'a>(
    record: &'a Record<'_>,
    user: &'a UserIdentity<'_>,
    origin: Option<Origin<'a>>,
) -> Option<Issued<'a>> {
    if &*record.event_source != STS {
        return None;
    }
    let role: &str = record.request().map_or("", |request| &request.role_arn);
    let federated = |class| {
        Origin::Known(Identity {
            class,
            issuer: &user.identity_provider,
            subject: &user.user_name,
            audience: if class == Class::Federated { audience(record, user) } else { "" },
            ..principal(role)
        })
    };
    let (origin, principal) = match &*record.event_name {
        "AssumeRoleWithWebIdentity" => (federated(Class::Federated), role),
        "AssumeRoleWithSAML" => (federated(Class::Saml), role),
        "AssumeRole" => (origin?, role),
        "GetSessionToken" | "GetFederationToken" => (origin?, &*user.arn),
        _ => return None,
    };
    let account = record.recipient_account_id.or(&user.account_id);
    let origin = match origin {
        Origin::Known(identity) => Origin::Known(Identity { principal, ..identity }),
        session @ Origin::Session { .. } => session,
    };
    let session = record.response().map_or("", |response| &response.credentials.access_key_id);
    Some(Issued { session, account, principal, origin })
}

fn principal(principal: &str) -> Identity<'_> {
    Identity { principal, ..Identity::default() }
}

/// The token's audience: in the response, or for a refusal in the principal id, which is `PROVIDER:AUDIENCE:SUBJECT`, and any of
/// the three may have colons.
fn audience<'a>(record: &'a Record<'_>, user: &'a UserIdentity<'_>) -> &'a str {
    let between = || {
        let rest = user.principal_id.strip_prefix(&*user.identity_provider)?.strip_prefix(':')?;
        rest.strip_suffix(&*user.user_name)?.strip_suffix(':')
    };
    match record.response().map_or("", |response| &response.audience) {
        "" => between().unwrap_or_default(),
        audience => audience,
    }
}
