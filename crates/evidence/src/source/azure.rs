//! Sign-ins of applications to Microsoft Entra: `AADServicePrincipalSignInLogs` and `AADManagedIdentitySignInLogs` of Azure
//! Monitor (as rows, or as diagnostic settings export them, under `properties`), and `signIn` of Microsoft Graph.

use serde::Deserialize;

use super::{Sink, Source};
use crate::event::{Class, Cloud, Event, Identity, Who};
use crate::input::{Envelope, Shape};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::text::{Lenient, Text};

/// Sign-ins of Microsoft Entra.
pub(super) struct Azure;

impl Shape for Azure {
    type Record<'a> = Exported<'a>;
}

/// What diagnostic settings wrap a sign-in in; its members stand here where nothing is wrapped.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Exported<'a> {
    #[serde(borrow, alias = "TimeGenerated", alias = "createdDateTime")]
    time: Text<'a>,
    #[serde(borrow, alias = "Category", alias = "Type")]
    category: Text<'a>,
    #[serde(borrow, alias = "AADTenantId", alias = "TenantId", alias = "homeTenantId")]
    tenant_id: Text<'a>,
    #[serde(borrow, alias = "IPAddress", alias = "callerIpAddress")]
    ip_address: Text<'a>,
    #[serde(borrow, alias = "Location")]
    location: Text<'a>,
    #[serde(borrow, alias = "ResultType")]
    result_type: Text<'a>,
    #[serde(borrow)]
    properties: Lenient<SignIn<'a>>,
    #[serde(borrow, alias = "AppId")]
    app_id: Text<'a>,
    #[serde(borrow, alias = "ServicePrincipalCredentialKeyId")]
    service_principal_credential_key_id: Text<'a>,
    #[serde(borrow, alias = "ServicePrincipalCredentialThumbprint")]
    service_principal_credential_thumbprint: Text<'a>,
    #[serde(borrow, alias = "FederatedCredentialId")]
    federated_credential_id: Text<'a>,
    #[serde(borrow)]
    client_credential_type: Text<'a>,
    #[serde(borrow, alias = "UserAgent")]
    user_agent: Text<'a>,
    status: Lenient<Status>,
    #[serde(borrow)]
    user_id: Text<'a>,
    #[serde(borrow, alias = "UserPrincipalName")]
    user_principal_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SignIn<'a> {
    #[serde(borrow)]
    created_date_time: Text<'a>,
    #[serde(borrow)]
    app_id: Text<'a>,
    #[serde(borrow)]
    service_principal_credential_key_id: Text<'a>,
    #[serde(borrow)]
    service_principal_credential_thumbprint: Text<'a>,
    #[serde(borrow)]
    federated_credential_id: Text<'a>,
    #[serde(borrow)]
    client_credential_type: Text<'a>,
    #[serde(borrow)]
    ip_address: Text<'a>,
    #[serde(borrow)]
    user_agent: Text<'a>,
    status: Lenient<Status>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    error_code: i64,
}

impl Source for Azure {
    const ENVELOPE: Envelope = Envelope {
        lists: &["records", "value"],
        before: &["@odata.context", "@odata.count", "@odata.nextLink"],
    };

    fn events(record: &Exported<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
        let inner = &record.properties.0;
        let app = record.app_id.or(&inner.app_id);
        if app.is_empty() {
            // Other categories lie in the same export.
            if record.category.is_empty() {
                return Err(Skip::Unknown);
            }
            sink.aside();
            return Ok(());
        }
        let at = Moment::parse(inner.created_date_time.or(&record.time)).ok_or(Skip::Untimed)?;
        let failed = record.status.error_code != 0
            || inner.status.error_code != 0
            || !matches!(&*record.result_type, "" | "0");
        let identity = Identity { principal: app, ..credential(record) };
        sink.event(&Event {
            like: None,
            cloud: Cloud::Azure,
            account: &record.tenant_id,
            region: log_of(identity.class),
            at,
            address: inner.ip_address.or(&record.ip_address),
            user_agent: inner.user_agent.or(&record.user_agent),
            refused: failed,
            data: false,
            who: Who::Known { account: &record.tenant_id, identity },
            issued: None,
        })
    }
}

/// Applications sign in into a log of their own, which an export has only if it was told to. Those of the others say nothing of it.
const fn log_of(class: Class) -> &'static str {
    match class {
        Class::Human => "people",
        Class::Instance => "managed-identities",
        _ => "",
    }
}

/// What was signed in with. The kind is named by Graph only; elsewhere it is told by which id is there.
fn credential<'a>(record: &'a Exported<'_>) -> Identity<'a> {
    let inner = &record.properties.0;
    let federated = record.federated_credential_id.or(&inner.federated_credential_id);
    let key = record.service_principal_credential_key_id.or(&inner.service_principal_credential_key_id);
    let thumbprint =
        record.service_principal_credential_thumbprint.or(&inner.service_principal_credential_thumbprint);
    let kind = record.client_credential_type.or(&inner.client_credential_type);
    let class = |class| Identity { class, ..Identity::default() };
    match kind {
        "managedIdentity" => class(Class::Instance),
        "federatedIdentityCredential" => Identity { subject: federated, ..class(Class::Federated) },
        _ if !federated.is_empty() => Identity { subject: federated, ..class(Class::Federated) },
        _ if record.category.contains("ManagedIdentity") => class(Class::Instance),
        _ if !key.is_empty() => Identity { credential: key, ..class(Class::Static) },
        _ if !thumbprint.is_empty() => Identity { credential: thumbprint, ..class(Class::Static) },
        "clientSecret" | "certificate" => class(Class::Static),
        _ if !record.user_id.is_empty() || !record.user_principal_name.is_empty() => class(Class::Human),
        _ => class(Class::Session),
    }
}
