//! What IAM says of single keys: `get-access-key-last-used` and `list-access-keys`, one answer or many.
//!
//! The first does not name the key that it was asked about. It is taken from an `AccessKeyId` that a script has added, or from the
//! file's name, as in `AKIAEXAMPLE000000000.json`.

use std::io::{self, Read};

use serde::Deserialize;

use super::Sink;
use crate::input::{Envelope, Limits, Records, Shape};
use crate::moment::Moment;
use crate::skip::Skip;
use crate::text::{Lenient, Text};
use crate::{KeyState, LastUsed};

struct Answers;

impl Shape for Answers {
    type Record<'a> = Answer<'a>;
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(borrow)]
    user_name: Text<'a>,
    #[serde(borrow)]
    access_key_id: Text<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow)]
    create_date: Text<'a>,
    #[serde(borrow)]
    access_key_last_used: Option<Lenient<Used<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Used<'a> {
    #[serde(borrow)]
    last_used_date: Text<'a>,
    #[serde(borrow)]
    service_name: Text<'a>,
}

const ENVELOPE: Envelope =
    Envelope { lists: &["AccessKeyMetadata", "Keys"], before: &["IsTruncated", "Marker"] };

pub(super) fn read(file: impl Read, name: &str, limits: Limits, sink: &mut dyn Sink) -> io::Result<()> {
    let stem = name.split('.').next().unwrap_or_default();
    let named = (stem.starts_with("AKIA") && stem.len() >= 16).then_some(stem);
    let mut records = Records::new(file, ENVELOPE, limits);
    records.each::<Answers>(&mut |offset, item| match item {
        Ok(answer) => match state(answer, named) {
            Some(state) => sink.key(state),
            None => sink.skip(Skip::Unknown, offset),
        },
        Err(skip) => sink.skip(skip, offset),
    })
}

fn state(answer: &Answer<'_>, named: Option<&str>) -> Option<KeyState> {
    let key = if answer.access_key_id.is_empty() { named? } else { &*answer.access_key_id };
    let last_used = match &answer.access_key_last_used {
        None => LastUsed::Unknown,
        // A key that was never used has no date, and `N/A` for its service.
        Some(used) if used.last_used_date.is_empty() && &*used.service_name == "N/A" => LastUsed::Never,
        Some(used) => {
            Moment::parse(&used.last_used_date).map_or(LastUsed::Unknown, |at| LastUsed::At(at.into()))
        }
    };
    if answer.access_key_last_used.is_none() && answer.status.is_empty() {
        return None;
    }
    Some(KeyState {
        account: String::new(),
        user: answer.user_name.to_string(),
        principal: String::new(),
        key: Some(key.to_owned()),
        active: match &*answer.status {
            "Active" => Some(true),
            "Inactive" => Some(false),
            _ => None,
        },
        created: Moment::parse(&answer.create_date).map(Into::into),
        last_used,
    })
}
