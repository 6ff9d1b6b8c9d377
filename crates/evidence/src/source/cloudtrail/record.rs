//! The members of a record that matter, read in one pass.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::STS;
use crate::skip::Skip;
use crate::text::{Lenient, Text};

/// A record. Who made the call is left as it stands until it is asked for: most often it is somebody who was met before.
#[derive(Debug, Default)]
pub(in crate::source) struct Record<'a> {
    user_identity: Option<&'a RawValue>,
    pub(super) event_time: Text<'a>,
    pub(super) event_source: Text<'a>,
    pub(super) event_name: Text<'a>,
    pub(super) aws_region: Text<'a>,
    pub(super) address: Text<'a>,
    pub(super) user_agent: Text<'a>,
    pub(super) error_code: Text<'a>,
    pub(super) recipient_account_id: Text<'a>,
    pub(super) event_category: Text<'a>,
    rare: Option<Box<Rare<'a>>>,
}

/// What few records have, or are asked for: it is apart because records are moved about.
#[derive(Debug, Default)]
struct Rare<'a> {
    request_parameters: Lenient<Request<'a>>,
    response_elements: Lenient<Response<'a>>,
    /// EventBridge: the record within its event.
    detail: Option<Record<'a>>,
    /// `lookup-events`: the record as a string.
    embedded: Text<'a>,
}

/// The names of members.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Member {
    UserIdentity,
    EventTime,
    EventSource,
    EventName,
    AwsRegion,
    #[serde(rename = "sourceIPAddress")]
    Address,
    UserAgent,
    ErrorCode,
    RequestParameters,
    ResponseElements,
    RecipientAccountId,
    EventCategory,
    Detail,
    #[serde(rename = "CloudTrailEvent")]
    Embedded,
    #[serde(other)]
    Other,
}

impl<'a> Record<'a> {
    /// The text of `userIdentity`; empty where there is none.
    pub(super) fn caller(&self) -> &'a str {
        self.user_identity.map_or("", RawValue::get)
    }

    /// Whether it says nothing but who made the call.
    pub(super) fn is_bare(&self) -> bool {
        let Self { user_identity: _, event_time, event_source, event_name, aws_region, .. } = self;
        let Self { address, user_agent, error_code, recipient_account_id, event_category, rare, .. } = self;
        let texts = [
            event_time,
            event_source,
            event_name,
            aws_region,
            address,
            user_agent,
            error_code,
            recipient_account_id,
            event_category,
        ];
        texts.iter().all(|text| text.is_empty()) && rare.is_none()
    }

    /// Gives it the caller of an earlier one.
    pub(super) const fn repeat(&mut self, caller: &'a RawValue) {
        self.user_identity = Some(caller);
    }

    /// What it says.
    pub(super) fn user(&self) -> Result<UserIdentity<'a>, Skip> {
        let Some(raw) = self.user_identity else { return Ok(UserIdentity::default()) };
        serde_json::from_str::<Lenient<_>>(raw.get()).map(|user| user.0).map_err(|_| Skip::Unknown)
    }

    /// The record within an event of EventBridge.
    pub(super) fn detail(&self) -> Option<&Self> {
        self.rare.as_ref()?.detail.as_ref()
    }

    /// The text of a record within what `lookup-events` says.
    pub(super) fn embedded(&self) -> &str {
        self.rare.as_ref().map_or("", |rare| &rare.embedded)
    }

    /// What the call was made with; of no use but for calls that hand out sessions.
    pub(super) fn request(&self) -> Option<&Request<'a>> {
        Some(&self.rare.as_ref()?.request_parameters.0)
    }

    /// What came of the call, likewise.
    pub(super) fn response(&self) -> Option<&Response<'a>> {
        Some(&self.rare.as_ref()?.response_elements.0)
    }

    fn rare(&mut self) -> &mut Rare<'a> {
        self.rare.get_or_insert_default()
    }

    /// Whether the parameters are to be read: not if it is known that the call handed out no session.
    fn may_issue(&self) -> bool {
        self.event_source.is_empty() || &*self.event_source == STS
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Record<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Record<'de>, A::Error> {
        let mut record = Record::default();
        while let Some(member) = members.next_key()? {
            match member {
                Member::UserIdentity => record.user_identity = Some(members.next_value()?),
                Member::EventTime => record.event_time = members.next_value()?,
                Member::EventSource => record.event_source = members.next_value()?,
                Member::EventName => record.event_name = members.next_value()?,
                Member::AwsRegion => record.aws_region = members.next_value()?,
                Member::Address => record.address = members.next_value()?,
                Member::UserAgent => record.user_agent = members.next_value()?,
                Member::ErrorCode => record.error_code = members.next_value()?,
                Member::RequestParameters if record.may_issue() => {
                    record.rare().request_parameters = members.next_value()?;
                }
                Member::ResponseElements if record.may_issue() => {
                    record.rare().response_elements = members.next_value()?;
                }
                Member::RecipientAccountId => record.recipient_account_id = members.next_value()?,
                Member::EventCategory => record.event_category = members.next_value()?,
                Member::Detail => record.rare().detail = members.next_value()?,
                Member::Embedded => record.rare().embedded = members.next_value()?,
                Member::RequestParameters | Member::ResponseElements | Member::Other => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(record)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct UserIdentity<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) principal_id: Text<'a>,
    #[serde(borrow)]
    pub(super) arn: Text<'a>,
    #[serde(borrow)]
    pub(super) account_id: Text<'a>,
    #[serde(borrow)]
    pub(super) access_key_id: Text<'a>,
    #[serde(borrow)]
    pub(super) user_name: Text<'a>,
    #[serde(borrow)]
    pub(super) identity_provider: Text<'a>,
    #[serde(borrow)]
    pub(super) session_context: Lenient<SessionContext<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SessionContext<'a> {
    #[serde(borrow)]
    pub(super) session_issuer: Lenient<SessionIssuer<'a>>,
    #[serde(borrow)]
    pub(super) web_id_federation_data: Lenient<WebIdFederationData<'a>>,
    #[serde(borrow)]
    pub(super) ec2_role_delivery: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SessionIssuer<'a> {
    #[serde(borrow)]
    pub(super) arn: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct WebIdFederationData<'a> {
    #[serde(borrow)]
    pub(super) federated_provider: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) role_arn: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) credentials: Lenient<Credentials<'a>>,
    #[serde(borrow)]
    pub(super) audience: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Credentials<'a> {
    #[serde(borrow)]
    pub(super) access_key_id: Text<'a>,
}
