//! Audit devices of Vault and OpenBao, in JSON (developer.hashicorp.com/vault/docs/audit). Accessors are hashed by default, with
//! one key for each device, so they are the same throughout a log.

use serde::Deserialize;

use super::{Sink, Source};
use crate::event::{Class, Cloud, Event, Identity, Issued, Origin, Who};
use crate::input::{Envelope, Shape};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::text::{Lenient, Text};

/// Entries of an audit device.
pub(super) struct Vault;

impl Shape for Vault {
    type Record<'a> = Entry<'a>;
}

/// A token that is older than this when it is used, and whose login no log shows, is one that somebody has stored.
const OLD: i64 = 86_400;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry<'a> {
    #[serde(borrow)]
    time: Text<'a>,
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow)]
    auth: Lenient<Auth<'a>>,
    #[serde(borrow)]
    request: Lenient<Request<'a>>,
    #[serde(borrow)]
    response: Lenient<Response<'a>>,
    #[serde(borrow)]
    error: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Auth<'a> {
    #[serde(borrow)]
    accessor: Text<'a>,
    #[serde(borrow)]
    display_name: Text<'a>,
    #[serde(borrow)]
    metadata: Lenient<Metadata<'a>>,
    #[serde(borrow)]
    token_issue_time: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata<'a> {
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    role_name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Request<'a> {
    #[serde(borrow)]
    path: Text<'a>,
    #[serde(borrow)]
    mount_type: Text<'a>,
    #[serde(borrow)]
    remote_address: Text<'a>,
    #[serde(borrow)]
    namespace: Lenient<Namespace<'a>>,
    #[serde(borrow)]
    headers: Lenient<Headers<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Namespace<'a> {
    #[serde(borrow)]
    path: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Headers<'a> {
    #[serde(borrow, rename = "user-agent")]
    user_agent: Values<'a>,
}

/// A header's values, of which the first counts.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
struct Values<'a>(#[serde(borrow)] Vec<Text<'a>>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Response<'a> {
    #[serde(borrow)]
    auth: Lenient<Auth<'a>>,
}

impl Source for Vault {
    const ENVELOPE: Envelope = Envelope { lists: &[], before: &[] };

    fn events(entry: &Entry<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
        if !matches!(&*entry.kind, "request" | "response") || entry.request.path.is_empty() {
            return Err(Skip::Unknown);
        }
        // Every request has a response, which says more; counting both would count twice.
        if &*entry.kind == "request" {
            sink.aside();
            return Ok(());
        }
        let at = Moment::parse(&entry.time).ok_or(Skip::Untimed)?;
        let namespace: &str = &entry.request.namespace.path;
        let who = caller(entry, namespace, at);
        sink.event(&Event {
            like: None,
            cloud: Cloud::Vault,
            account: namespace,
            region: "",
            at,
            address: &entry.request.remote_address,
            user_agent: entry.request.headers.user_agent.0.first().map_or("", |text| text),
            refused: !entry.error.is_empty(),
            // Every request is on record, whatever it is about.
            data: true,
            issued: login(entry, namespace, &who),
            who,
        })
    }
}

/// Whose token a request came with. A login has none: what its response shows under `auth` is what came of it.
fn caller<'a>(entry: &'a Entry<'_>, account: &'a str, at: Moment) -> Who<'a> {
    let auth = &entry.auth.0;
    if auth.accessor.is_empty() || is_login(&entry.request) {
        return Who::Nobody;
    }
    let old = Moment::parse(&auth.token_issue_time).is_some_and(|issued| at.secs() - issued.secs() > OLD);
    let class = if old { Class::Static } else { Class::Session };
    let credential: &str = if old { &auth.accessor } else { "" };
    let hint = Identity { class, credential, principal: &auth.display_name, ..Identity::default() };
    Who::Session { account, id: &auth.accessor, hint }
}

/// The token that came of a login, or of another token.
fn login<'a>(entry: &'a Entry<'_>, account: &'a str, who: &Who<'a>) -> Option<Issued<'a>> {
    let request = &entry.request.0;
    let auth = &entry.response.auth.0;
    let session: &str = &auth.accessor;
    let mount = request.path.strip_prefix("auth/").and_then(|path| path.split_once("/login"));
    let (mount, principal) = (mount.map_or("", |(mount, _)| mount), &*auth.display_name);
    let role = auth.metadata.role.or(&auth.metadata.role_name);
    let identity = |class, credential| {
        Origin::Known(Identity { class, credential, principal, issuer: mount, subject: role, audience: "" })
    };
    let origin = if is_login(request) {
        match &*request.mount_type {
            "jwt" | "oidc" | "kubernetes" => identity(Class::Federated, ""),
            // A secret id, a password and the like are stored somewhere.
            "approle" => identity(Class::Brokered, role),
            "userpass" | "ldap" | "radius" | "okta" | "github" => identity(Class::Human, ""),
            "aws" | "azure" | "gcp" | "alicloud" | "oci" => identity(Class::Instance, ""),
            _ => identity(Class::Session, ""),
        }
    } else if request.path.starts_with("auth/token/create") && !session.is_empty() {
        match who {
            Who::Session { id, hint, .. } => Origin::Session { id, hint: *hint },
            _ => return None,
        }
    } else {
        return None;
    };
    Some(Issued { session, account, principal, origin })
}

fn is_login(request: &Request<'_>) -> bool {
    let path = request.path.strip_prefix("auth/").and_then(|path| path.split_once('/'));
    path.is_some_and(|(_, call)| call == "login" || call.starts_with("login/"))
}
