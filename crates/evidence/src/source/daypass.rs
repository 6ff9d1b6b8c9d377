//! The record of daypass itself, as `daypass audit export` writes it: a line for each entry, with its body as a string.

use serde::Deserialize;

use super::{Sink, Source};
use crate::event::{Class, Cloud, Event, Identity, Issued, Origin, Who};
use crate::input::{Envelope, Shape};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::text::{Lenient, Text};

/// Lines of an exported log.
pub(super) struct Daypass;

impl Shape for Daypass {
    type Record<'a> = Line<'a>;
}

/// One of these is there; a bare body counts as well.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    entry: Option<Entry<'a>>,
    key: Option<serde::de::IgnoredAny>,
    checkpoint: Option<serde::de::IgnoredAny>,
    #[serde(borrow, flatten)]
    body: Body<'a>,
}

#[derive(Debug, Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    body: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body<'a> {
    #[serde(borrow)]
    kind: Text<'a>,
    #[serde(borrow)]
    time: Text<'a>,
    #[serde(borrow)]
    outcome: Text<'a>,
    #[serde(borrow)]
    issuer: Text<'a>,
    #[serde(borrow)]
    subject: Text<'a>,
    #[serde(borrow)]
    claims: Lenient<Claims<'a>>,
    #[serde(borrow)]
    from_session: Text<'a>,
    #[serde(borrow)]
    role: Text<'a>,
    #[serde(borrow)]
    credential: Lenient<Credential<'a>>,
    #[serde(borrow)]
    client: Text<'a>,
    #[serde(borrow)]
    user_agent: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims<'a> {
    #[serde(borrow)]
    aud: Audience<'a>,
}

/// `aud`: a string, or a list of which the first is taken.
#[derive(Debug, Default)]
struct Audience<'a>(Text<'a>);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Credential<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    access_key_id: Text<'a>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Audience<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<'a> {
            Many(#[serde(borrow)] Vec<Text<'a>>),
            One(#[serde(borrow)] Text<'a>),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Many(list) => list.into_iter().next().unwrap_or_default(),
            Either::One(text) => text,
        }))
    }
}

impl Source for Daypass {
    const ENVELOPE: Envelope = Envelope { lists: &[], before: &[] };

    fn events(line: &Line<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
        match &line.entry {
            // Past its retention a body is gone: that is a loss, and the log says so itself.
            Some(entry) if entry.body.is_empty() => Err(Skip::Unknown),
            Some(entry) => {
                let body = serde_json::from_str(&entry.body).map_err(|_| Skip::Malformed)?;
                record(&body, sink)
            }
            None if line.key.is_some() || line.checkpoint.is_some() => {
                sink.aside();
                Ok(())
            }
            None => record(&line.body, sink),
        }
    }
}

fn record(body: &Body<'_>, sink: &mut dyn Sink) -> Result<(), Skip> {
    match &*body.kind {
        "exchange" => {}
        "genesis" | "summary" | "admin" => {
            sink.aside();
            return Ok(());
        }
        _ => return Err(Skip::Unknown),
    }
    let at = Moment::parse(&body.time).ok_or(Skip::Untimed)?;
    let identity = Identity {
        class: Class::Federated,
        credential: "",
        principal: &body.role,
        issuer: &body.issuer,
        subject: &body.subject,
        audience: &body.claims.aud.0,
    };
    let session = &*body.from_session;
    let hint = Identity { class: Class::Session, principal: "", ..Identity::default() };
    let (who, origin) = if session.is_empty() {
        (Who::Nobody, Origin::Known(identity))
    } else {
        (Who::Session { account: "", id: session, hint }, Origin::Session { id: session, hint })
    };
    let credential = &body.credential.0;
    sink.event(&Event {
        like: None,
        cloud: Cloud::Daypass,
        account: "",
        region: "",
        at,
        address: &body.client,
        user_agent: &body.user_agent,
        refused: &*body.outcome != "admitted",
        // Every exchange is on record.
        data: true,
        who,
        issued: Some(Issued {
            session: credential.access_key_id.or(&credential.id),
            account: "",
            principal: &body.role,
            origin,
        }),
    })
}
