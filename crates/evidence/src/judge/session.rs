//! Sessions against what was planned.

use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::Timestamp;
use serde::{Deserialize, Serialize};

use super::Question;
use crate::event::{Class, Cloud};
use crate::table::UseRow;

/// A session that is meant to be. `*` stands for any text, as in `repo:acme/shop:ref:refs/tags/*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The role, service account or application, as in [`UseRow::principal`].
    pub principal: String,
    /// The issuer, as in [`UseRow::issuer`].
    pub issuer: String,
    /// The subject.
    pub subject: String,
}

/// What is known of a workload's sessions with one role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFinding {
    /// Where they are good.
    pub cloud: Cloud,
    /// The account.
    pub account: String,
    /// What they came of.
    pub class: Class,
    /// What they act as.
    pub principal: String,
    /// Who vouched for the workload.
    pub issuer: String,
    /// The workload.
    pub subject: String,
    /// The token's audience.
    pub audience: String,
    /// Sessions that were issued.
    pub issued: u64,
    /// Of these, on the days from cut-over on.
    pub issued_since: u64,
    /// Calls that were made with them.
    pub uses: u64,
    /// Attempts, or calls, that were refused.
    pub refused: u64,
    /// Days with any of these.
    pub days: u64,
    /// The first.
    #[serde(with = "crate::rfc3339")]
    pub first: Timestamp,
    /// The last.
    #[serde(with = "crate::rfc3339")]
    pub last: Timestamp,
    /// Whether it was planned.
    pub expectation: Expectation,
}

/// Whether a session was planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expectation {
    /// It was.
    Expected,
    /// The role was planned, for other workloads.
    UnknownSubject,
    /// The workload was planned, with other roles: by way of one, as a rule.
    UnknownRole,
    /// Neither was planned.
    Unknown,
    /// The role was planned for workloads, and something else used it.
    NotFederated,
    /// The role was planned, and the logs do not show for which workload the session was issued.
    SubjectUnseen,
    /// Nothing was said to be planned.
    NotAsked,
}

impl Expectation {
    /// In words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Expected => "planned",
            Self::UnknownSubject => "the role is planned for other workloads",
            Self::UnknownRole => "the workload is planned with other roles",
            Self::Unknown => "neither role nor workload is planned",
            Self::NotFederated => "the role is planned for workloads, and this is none",
            Self::SubjectUnseen => "the role is planned, and the logs do not show for whom",
            Self::NotAsked => "",
        }
    }

    /// Whether somebody should look at it.
    pub const fn is_surprise(self) -> bool {
        matches!(self, Self::UnknownSubject | Self::Unknown | Self::NotFederated)
    }
}

/// Cloud, account, class, principal, issuer, subject, audience.
type Key = (Cloud, String, Class, String, String, String, String);

/// Sessions, by whose they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions(BTreeMap<Key, (SessionFinding, BTreeSet<String>)>);

impl Sessions {
    pub(super) fn add(&mut self, row: &UseRow, question: &Question) {
        let expectation = expectation(row, &question.expected);
        if row.class != Class::Federated && expectation != Expectation::NotFederated {
            return;
        }
        let UseRow { cloud, account, class, principal, issuer, subject, audience, .. } = row.clone();
        let key = (cloud, account, class, principal, issuer, subject, audience);
        let (finding, days) = self.0.entry(key).or_insert_with_key(|key| {
            let (cloud, account, class, principal, issuer, subject, audience) = key.clone();
            let finding = SessionFinding {
                cloud,
                account,
                class,
                principal,
                issuer,
                subject,
                audience,
                issued: 0,
                issued_since: 0,
                uses: 0,
                refused: 0,
                days: 0,
                first: row.first,
                last: row.last,
                expectation,
            };
            (finding, BTreeSet::new())
        });
        finding.issued = finding.issued.saturating_add(row.issued);
        if row.first >= question.cut_over {
            finding.issued_since = finding.issued_since.saturating_add(row.issued);
        }
        finding.uses = finding.uses.saturating_add(row.uses);
        finding.refused = finding.refused.saturating_add(row.refused);
        finding.first = finding.first.min(row.first);
        finding.last = finding.last.max(row.last);
        days.insert(row.day.clone());
        finding.days = u64::try_from(days.len()).unwrap_or(u64::MAX);
    }

    pub(super) fn finish(self) -> Vec<SessionFinding> {
        self.0.into_values().map(|(finding, _)| finding).collect()
    }
}

fn expectation(row: &UseRow, expected: &[Expected]) -> Expectation {
    let role = |it: &&Expected| matches(&it.principal, &row.principal);
    let workload = |it: &Expected| matches(&it.issuer, &row.issuer) && matches(&it.subject, &row.subject);
    let planned = expected.iter().any(|it| role(&it));
    if row.class != Class::Federated {
        return if planned { Expectation::NotFederated } else { Expectation::NotAsked };
    }
    if expected.is_empty() {
        Expectation::NotAsked
    } else if expected.iter().filter(role).any(workload) {
        Expectation::Expected
    } else if planned && row.subject.is_empty() {
        Expectation::SubjectUnseen
    } else if planned {
        Expectation::UnknownSubject
    } else if expected.iter().any(|it| it.subject != "*" && workload(it)) {
        // Where any subject is meant, none is known by it.
        Expectation::UnknownRole
    } else {
        Expectation::Unknown
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text) in
            [("a", "a"), ("*", ""), ("a*", "a"), ("a*c", "abbc"), ("*b*", "abc"), ("a*b*c", "axbxc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "ab"), ("", "a"), ("a*a", "a"), ("a*b*c", "acb"), ("*b", "ba")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_role_for_any_workload_makes_none_known_elsewhere() {
        let expected = |principal: &str, subject: &str| Expected {
            principal: principal.to_owned(),
            issuer: "*".to_owned(),
            subject: subject.to_owned(),
        };
        let row: UseRow = serde_json::from_value(serde_json::json!({
            "cloud": "aws", "account": "1", "class": "federated", "credential": "", "principal": "publish",
            "issuer": "i", "subject": "s", "audience": "", "agent": "", "system": "", "day": "2026-10-01",
            "address": "", "addresses": 0, "hours": 1, "minutes": 1, "issued": 1, "uses": 0, "refused": 0,
            "first": "2026-10-01T00:00:00Z", "last": "2026-10-01T00:00:00Z",
        }))
        .unwrap();
        assert_eq!(expectation(&row, &[expected("vault", "*")]), Expectation::Unknown);
        assert_eq!(expectation(&row, &[expected("deploy", "s")]), Expectation::UnknownRole);
        assert_eq!(expectation(&row, &[expected("publish", "*")]), Expectation::Expected);
    }

    proptest! {
        #[test]
        fn a_pattern_made_of_a_text_fits_it(parts in prop::collection::vec("[ab]{0,3}", 1..5), between in "[ab*]{0,3}") {
            prop_assert!(matches(&parts.join("*"), &parts.join(&between.replace('*', "a"))));
        }
    }
}
