//! The exports, told apart by what is in them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_claims::Timestamp;
use daypass_trust::document::Location;
use serde_json::{Map, Value};

use super::{Key, ListingError, Listings, Secret};
use crate::Platform;

pub(super) fn read(listings: &mut Listings, file: &str, bytes: &[u8]) -> Result<(), ListingError> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    let source = Source { file: Arc::from(file), text };
    if text.starts_with("user,arn,") {
        return source.credential_report(text, listings);
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(ListingError::Unknown(source.top()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| ListingError::Json {
        at: Location { file: Arc::clone(&source.file), line: error.line(), column: error.column() },
        what: if error.is_eof() { "it ends too early" } else { "it is malformed" }.to_owned(),
    })?;
    source.json(&value, listings)
}

struct Source<'t> {
    file: Arc<str>,
    text: &'t str,
}

impl Source<'_> {
    fn at(&self, line: usize, column: usize) -> Location {
        Location { file: Arc::clone(&self.file), line, column }
    }

    fn top(&self) -> Location {
        self.at(1, 1)
    }

    /// Where a name stands in the text.
    fn place_of(&self, name: &str) -> Location {
        let Some(at) = self.text.find(&format!("\"{name}\"")) else { return self.top() };
        let before = self.text.get(..at).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        self.at(before.matches('\n').count().saturating_add(1), column.saturating_add(1))
    }

    fn json(&self, value: &Value, listings: &mut Listings) -> Result<(), ListingError> {
        match value {
            Value::Array(entries) => {
                let gitlab = entries.iter().any(|entry| entry.get("key").is_some());
                let (platform, member) =
                    if gitlab { (Platform::GitLab, "key") } else { (Platform::GitHubActions, "name") };
                self.secrets(platform, member, entries, listings)
            }
            Value::Object(members) => self.object(members, listings),
            _ => Err(ListingError::Unknown(self.top())),
        }
    }

    fn object(&self, members: &Map<String, Value>, listings: &mut Listings) -> Result<(), ListingError> {
        let list = |name: &str| members.get(name).and_then(Value::as_array);
        if let Some(secrets) = list("secrets") {
            return self.secrets(Platform::GitHubActions, "name", secrets, listings);
        }
        if let Some(items) = list("items") {
            let context = items.iter().any(|item| item.get("variable").is_some());
            let member = if context { "variable" } else { "name" };
            return self.secrets(Platform::CircleCi, member, items, listings);
        }
        if let Some(users) = list("UserDetailList") {
            let groups = list("GroupDetailList").map(Vec::as_slice).unwrap_or_default();
            self::users(users, groups, listings);
            return Ok(());
        }
        let Some(content) = members.get("Content").and_then(Value::as_str) else {
            return Err(ListingError::Unknown(self.top()));
        };
        let wrong = || ListingError::Content(self.place_of("Content"));
        let report = STANDARD.decode(content).map_err(|_| wrong())?;
        let report = String::from_utf8(report).map_err(|_| wrong())?;
        self.credential_report(&report, listings)
    }

    fn secrets(
        &self,
        platform: Platform,
        member: &'static str,
        entries: &[Value],
        listings: &mut Listings,
    ) -> Result<(), ListingError> {
        for (index, entry) in entries.iter().enumerate() {
            let Some(name) = entry.get(member).and_then(Value::as_str) else {
                return Err(ListingError::Nameless { at: self.top(), index, member });
            };
            let dates = ["updatedAt", "updated_at", "created_at"];
            let set = dates.iter().find_map(|date| entry.get(date)?.as_str());
            listings.secrets.push(Secret {
                platform,
                name: name.to_owned(),
                set: set.and_then(|date| Timestamp::parse(date).ok()),
                at: self.place_of(name),
            });
        }
        Ok(())
    }

    /// The CSV of `aws iam get-credential-report`: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.
    fn credential_report(&self, report: &str, listings: &mut Listings) -> Result<(), ListingError> {
        let mut reader = csv::Reader::from_reader(report.as_bytes());
        let heads = reader.headers().map_err(|_| ListingError::Line(self.top()))?.clone();
        let column = |column: &'static str| {
            let found = heads.iter().position(|head| head == column);
            found.ok_or_else(|| ListingError::Column { at: self.top(), column })
        };
        let user = column("user")?;
        let keys = [
            ("access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date"),
            ("access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date"),
        ];
        for (index, record) in reader.records().enumerate() {
            let line = index.saturating_add(2);
            let record = record.map_err(|_| ListingError::Line(self.at(line, 1)))?;
            let field = |at: usize| record.get(at).unwrap_or_default();
            for (active, made, used) in keys {
                if field(column(active)?) == "true" {
                    listings.keys.push(Key {
                        user: field(user).to_owned(),
                        made: Timestamp::parse(field(column(made)?)).ok(),
                        used: Timestamp::parse(field(column(used)?)).ok(),
                    });
                }
            }
        }
        Ok(())
    }
}

/// `get-account-authorization-details`: what each user may do, by the names of the policies.
fn users(users: &[Value], groups: &[Value], listings: &mut Listings) {
    for user in users {
        let Some(name) = user.get("UserName").and_then(Value::as_str) else { continue };
        let mut policies = policies(user, "UserPolicyList");
        for group in texts(user.get("GroupList")) {
            let named = |one: &&Value| one.get("GroupName").and_then(Value::as_str) == Some(group);
            policies.extend(
                groups
                    .iter()
                    .find(named)
                    .map(|one| self::policies(one, "GroupPolicyList"))
                    .unwrap_or_default(),
            );
        }
        policies.sort();
        policies.dedup();
        listings.policies.insert(name.to_owned(), policies);
    }
}

/// The names of a user's or group's own and attached policies.
fn policies(of: &Value, own: &str) -> Vec<String> {
    let named = |list: &str| of.get(list).and_then(Value::as_array).into_iter().flatten();
    named(own)
        .chain(named("AttachedManagedPolicies"))
        .filter_map(|policy| policy.get("PolicyName")?.as_str())
        .map(str::to_owned)
        .collect()
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
