//! Cloud Audit Logs: `LogEntry` with `AuditLog` (cloud.google.com/logging/docs/reference/audit, and the examples for workload
//! identity under iam/docs/audit-logging).

use serde::Deserialize;

use super::{Sink, Source};
use crate::event::{Class, Cloud, Event, Identity, Issued, Origin, Who};
use crate::input::{Envelope, Shape};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::text::{First, Lenient, Text};

/// Entries of Google Cloud's audit logs.
pub(super) struct Gcp;

impl Shape for Gcp {
    type Record<'a> = Entry<'a>;
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    proto_payload: Lenient<Payload<'a>>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    log_name: Text<'a>,
    #[serde(borrow)]
    resource: Lenient<Resource<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow)]
    service_name: Text<'a>,
    #[serde(borrow)]
    method_name: Text<'a>,
    #[serde(borrow)]
    resource_name: Text<'a>,
    #[serde(borrow)]
    authentication_info: Lenient<Authentication<'a>>,
    #[serde(borrow)]
    request_metadata: Lenient<RequestMetadata<'a>>,
    #[serde(borrow)]
    request: Lenient<Request<'a>>,
    #[serde(borrow)]
    metadata: Lenient<Metadata<'a>>,
    status: Lenient<Status>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Authentication<'a> {
    #[serde(borrow)]
    principal_email: Text<'a>,
    #[serde(borrow)]
    principal_subject: Text<'a>,
    #[serde(borrow)]
    service_account_key_name: Text<'a>,
    #[serde(borrow)]
    service_account_delegation_info: First<Delegation<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Delegation<'a> {
    #[serde(borrow)]
    principal_subject: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RequestMetadata<'a> {
    #[serde(borrow)]
    caller_ip: Text<'a>,
    #[serde(borrow)]
    caller_supplied_user_agent: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    audience: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    mapped_principal: Text<'a>,
}

/// `google.rpc.Status`: 0, or no code at all, is success.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Status {
    code: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resource<'a> {
    #[serde(borrow)]
    labels: Lenient<Labels<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Labels<'a> {
    #[serde(borrow)]
    project_id: Text<'a>,
    #[serde(borrow)]
    location: Text<'a>,
}

impl Source for Gcp {
    const ENVELOPE: Envelope = Envelope { lists: &["entries"], before: &["nextPageToken"] };

    fn events(entry: &Entry<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
        let payload = &entry.proto_payload.0;
        if payload.service_name.is_empty() {
            // Other logs lie in the same export.
            if entry.log_name.is_empty() || entry.log_name.contains("cloudaudit.googleapis.com") {
                return Err(Skip::Unknown);
            }
            sink.aside();
            return Ok(());
        }
        let at = Moment::parse(&entry.timestamp).ok_or(Skip::Untimed)?;
        let project = entry.log_name.strip_prefix("projects/").and_then(|rest| rest.split('/').next());
        let account = entry.resource.labels.project_id.or(project.unwrap_or_default());
        let issued = exchange(payload, account);
        let who = if issued.is_some() { Who::Nobody } else { caller(payload, account) };
        sink.event(&Event {
            like: None,
            cloud: Cloud::Gcp,
            account,
            region: &entry.resource.labels.location,
            at,
            address: &payload.request_metadata.caller_ip,
            user_agent: &payload.request_metadata.caller_supplied_user_agent,
            refused: payload.status.code != 0,
            data: entry.log_name.ends_with("data_access"),
            who,
            issued,
        })
    }
}

/// The exchange of a workload's token: what it yields has no id, but every call made with it names the principal.
fn exchange<'a>(payload: &'a Payload<'_>, account: &'a str) -> Option<Issued<'a>> {
    if &*payload.service_name != "sts.googleapis.com" || !payload.method_name.ends_with("ExchangeToken") {
        return None;
    }
    let mapped = pool_principal(&payload.metadata.mapped_principal);
    let (pool, subject) = mapped.unwrap_or((
        payload.resource_name.split("/providers/").next().unwrap_or_default(),
        &payload.authentication_info.principal_subject,
    ));
    let identity = Identity {
        class: Class::Federated,
        issuer: pool,
        subject,
        audience: &payload.request.audience,
        ..Identity::default()
    };
    Some(Issued { session: "", account, principal: "", origin: Origin::Known(identity) })
}

fn caller<'a>(payload: &'a Payload<'_>, account: &'a str) -> Who<'a> {
    let caller = &payload.authentication_info.0;
    let email: &str = &caller.principal_email;
    let identity = Identity { principal: email, ..Identity::default() };
    let delegate: &str = &caller.service_account_delegation_info.0.principal_subject;
    let identity = if let Some((_, key)) = caller.service_account_key_name.rsplit_once("/keys/") {
        Identity { class: Class::Static, credential: key, ..identity }
    } else if let Some((issuer, subject)) =
        pool_principal(delegate).or_else(|| pool_principal(&caller.principal_subject))
    {
        Identity { class: Class::Federated, issuer, subject, ..identity }
    } else if email.is_empty() {
        return Who::Nobody;
    } else if email.ends_with(".gserviceaccount.com") {
        // Attached to a machine, or impersonated by who knows whom.
        Identity { class: Class::Session, ..identity }
    } else {
        Identity { class: Class::Human, ..identity }
    };
    Who::Known { account, identity }
}

/// Pool and subject of `principal://iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL/subject/S`.
fn pool_principal(principal: &str) -> Option<(&str, &str)> {
    principal.strip_prefix("principal://iam.googleapis.com/")?.split_once("/subject/")
}
