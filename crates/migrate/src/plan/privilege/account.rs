//! What `aws iam get-account-authorization-details` says about users and roles.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use super::glob::covers;

/// The principals of an account with what they may do.
#[derive(Clone, Debug, Default)]
pub struct Account {
    principals: BTreeMap<String, Permissions>,
}

/// What a principal may do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Permissions {
    /// The ARNs of managed policies, its groups' included.
    pub managed: BTreeSet<String>,
    /// Inline policies by name, its groups' included.
    pub inline: BTreeMap<String, Value>,
    statements: Vec<Statement>,
    /// Why the statements are not all there is to it.
    pub unknown: BTreeSet<String>,
}

/// Why an account's details are not read.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// It is no JSON of that form.
    #[error("{file}:{}:{}: these are no account authorization details: {source}", .source.line(), .source.column())]
    Form {
        /// The file.
        file: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A policy's document is no JSON.
    #[error("{file}: the document of policy `{policy}` is not JSON: {source}")]
    Document {
        /// The file.
        file: String,
        /// Which policy.
        policy: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A policy's document has a statement that is none.
    #[error("{file}: policy `{policy}` has a statement without `Effect`, `Action` or `Resource`")]
    Statement {
        /// The file.
        file: String,
        /// Which policy.
        policy: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    allow: bool,
    /// In lower case: IAM does not look at their letter case.
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
    condition: Option<String>,
    /// `NotAction` or `NotResource`.
    negated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Details {
    user_detail_list: Vec<Principal>,
    group_detail_list: Vec<Principal>,
    role_detail_list: Vec<Principal>,
    policies: Vec<Managed>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Principal {
    arn: String,
    group_name: String,
    #[serde(alias = "UserPolicyList", alias = "GroupPolicyList")]
    role_policy_list: Vec<Inline>,
    attached_managed_policies: Vec<Attached>,
    group_list: Vec<String>,
    permissions_boundary: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inline {
    policy_name: String,
    policy_document: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Managed {
    arn: String,
    #[serde(default)]
    policy_version_list: Vec<Version>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    document: Value,
    #[serde(default)]
    is_default_version: bool,
}

/// Actions with which a principal can give itself whatever it lacks, where no resource bounds them.
const ESCALATION: [&str; 10] = [
    "iam:attachuserpolicy",
    "iam:attachrolepolicy",
    "iam:attachgrouppolicy",
    "iam:putuserpolicy",
    "iam:putrolepolicy",
    "iam:putgrouppolicy",
    "iam:createpolicyversion",
    "iam:setdefaultpolicyversion",
    "iam:addusertogroup",
    "iam:updateassumerolepolicy",
];

impl Account {
    /// Reads the JSON that `aws iam get-account-authorization-details` prints.
    pub fn parse(file: &str, text: &str) -> Result<Self, AccountError> {
        let details: Details = serde_json::from_str(text)
            .map_err(|source| AccountError::Form { file: file.to_owned(), source })?;
        let mut managed: BTreeMap<&str, Vec<Statement>> = BTreeMap::new();
        for policy in &details.policies {
            let default = policy.policy_version_list.iter().find(|version| version.is_default_version);
            if let Some(version) = default {
                let (_, statements) = document(file, &policy.arn, &version.document)?;
                managed.insert(&policy.arn, statements);
            }
        }
        let mut principals = BTreeMap::new();
        for principal in details.user_detail_list.iter().chain(&details.role_detail_list) {
            let mut permissions = Permissions::default();
            permissions.add(file, principal, &managed)?;
            for name in &principal.group_list {
                match details.group_detail_list.iter().find(|group| group.group_name == *name) {
                    Some(group) => permissions.add(file, group, &managed)?,
                    None => {
                        permissions.unknown.insert(format!("group `{name}` is not in the details"));
                    }
                }
            }
            permissions.statements.sort();
            permissions.statements.dedup();
            principals.insert(principal.arn.clone(), permissions);
        }
        Ok(Self { principals })
    }

    /// A principal by its ARN, or by its name where only one has it.
    pub fn find(&self, name: &str) -> Option<(&str, &Permissions)> {
        if let Some((arn, permissions)) = self.principals.get_key_value(name) {
            return Some((arn, permissions));
        }
        let mut found = self.principals.iter().filter(|(arn, _)| short(arn) == name);
        match (found.next(), found.next()) {
            (Some((arn, permissions)), None) => Some((arn, permissions)),
            _ => None,
        }
    }
}

/// The last name of an ARN: `ci` of `arn:aws:iam::111122223333:user/bots/ci`.
pub(crate) fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl Permissions {
    fn add(
        &mut self,
        file: &str,
        principal: &Principal,
        managed: &BTreeMap<&str, Vec<Statement>>,
    ) -> Result<(), AccountError> {
        for policy in &principal.role_policy_list {
            let (value, statements) = document(file, &policy.policy_name, &policy.policy_document)?;
            self.inline.insert(policy.policy_name.clone(), value);
            self.statements.extend(statements);
        }
        for policy in &principal.attached_managed_policies {
            match managed.get(policy.policy_arn.as_str()) {
                Some(statements) => self.statements.extend(statements.iter().cloned()),
                None => {
                    self.unknown
                        .insert(format!("the document of `{}` is not in the details", policy.policy_arn));
                }
            }
            self.managed.insert(policy.policy_arn.clone());
        }
        if principal.permissions_boundary.is_some() {
            self.unknown.insert("a permissions boundary takes some of it away".to_owned());
        }
        Ok(())
    }

    /// Whether everything can be done, or nothing stops the holder from getting there.
    pub fn is_admin(&self) -> bool {
        let unbounded = |statement: &&Statement| {
            statement.allow && statement.condition.is_none() && statement.resources.contains("*")
        };
        let by_arn = self.managed.iter().any(|arn| short(arn) == "AdministratorAccess");
        by_arn
            || self.statements.iter().filter(unbounded).any(|statement| {
                let named = |action: &str| statement.actions.iter().any(|it| covers(it, action));
                if statement.negated {
                    // `NotAction` allows all but what it names.
                    ESCALATION.iter().any(|action| !named(action))
                } else {
                    ESCALATION.iter().any(|action| named(action))
                }
            })
    }

    /// The actions that are allowed, as the policies have them but in lower case.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        let allowed = self.statements.iter().filter(|it| it.allow && !it.negated);
        allowed.flat_map(|it| &it.actions).map(String::as_str)
    }

    /// Whether all that the others allow is allowed here. Where something is denied, negated or not at hand, only equal
    /// statements are known to be.
    pub fn cover(&self, other: &Self) -> bool {
        let plain =
            |it: &Self| it.unknown.is_empty() && it.statements.iter().all(|one| one.allow && !one.negated);
        if !plain(self) || !plain(other) {
            return (&self.statements, &self.unknown, &self.managed)
                == (&other.statements, &other.unknown, &other.managed);
        }
        other.statements.iter().all(|narrow| {
            narrow.actions.iter().all(|action| {
                narrow.resources.iter().all(|resource| {
                    self.statements.iter().any(|wide| {
                        (wide.condition.is_none() || wide.condition == narrow.condition)
                            && wide.actions.iter().any(|it| covers(it, action))
                            && wide.resources.iter().any(|it| covers(it, resource))
                    })
                })
            })
        })
    }
}

/// A policy's document, which the API shows URL-encoded, the command line as JSON.
fn document(file: &str, policy: &str, value: &Value) -> Result<(Value, Vec<Statement>), AccountError> {
    let value = match value.as_str() {
        Some(text) => {
            let text = percent_decode_str(text).decode_utf8_lossy();
            serde_json::from_str(&text).map_err(|source| AccountError::Document {
                file: file.to_owned(),
                policy: policy.to_owned(),
                source,
            })?
        }
        None => value.clone(),
    };
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    let statements = value.get("Statement").map(&list).unwrap_or_default();
    let read = statements.iter().map(|statement| {
        let texts = |name: &str| -> Option<BTreeSet<String>> {
            list(statement.get(name)?).iter().map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let lower = |set: BTreeSet<String>| set.iter().map(|it| it.to_lowercase()).collect();
        Some(Statement {
            allow: statement.get("Effect")?.as_str()? == "Allow",
            actions: lower(texts("Action").or_else(|| texts("NotAction"))?),
            resources: texts("Resource").or_else(|| texts("NotResource"))?,
            condition: statement.get("Condition").map(ToString::to_string),
            negated: ["NotAction", "NotResource"].iter().any(|name| statement.get(name).is_some()),
        })
    });
    let statements: Option<Vec<Statement>> = read.collect();
    let refusal = || AccountError::Statement { file: file.to_owned(), policy: policy.to_owned() };
    Ok((value.clone(), statements.ok_or_else(refusal)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(policies: &str) -> Account {
        let text = format!(
            r#"{{"UserDetailList": [{policies}], "GroupDetailList": [{{"GroupName": "ops", "Arn": "arn:aws:iam::1:group/ops",
                "AttachedManagedPolicies": [{{"PolicyName": "A", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}}]}}]}}"#
        );
        Account::parse("details.json", &text).unwrap()
    }

    fn user(name: &str, statement: &str) -> String {
        format!(
            r#"{{"Arn": "arn:aws:iam::1:user/bots/{name}", "UserPolicyList":
                [{{"PolicyName": "p", "PolicyDocument": {{"Statement": {statement}}}}}]}}"#
        )
    }

    fn cover(wide: &str, narrow: &str) -> bool {
        let account = account(&[user("a", wide), user("b", narrow)].join(","));
        account.find("a").unwrap().1.cover(account.find("b").unwrap().1)
    }

    const PUT: &str = r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::acme/*"}"#;
    const ALL: &str = r#"{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}"#;

    #[test]
    fn permissions_nest_by_action_and_resource() {
        assert!(cover(ALL, PUT) && !cover(PUT, ALL) && cover(PUT, PUT));
        let other = PUT.replace("acme", "globex");
        assert!(!cover(PUT, &other));
        let bound = PUT.replace(
            "\"Resource\"",
            "\"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"true\"}}, \"Resource\"",
        );
        assert!(cover(PUT, &bound) && !cover(&bound, PUT));
        let denied = format!("[{ALL}, {}]", PUT.replace("Allow", "Deny"));
        assert!(!cover(&denied, PUT), "what a denial leaves is not worked out");
        assert!(cover(&denied, &denied));
    }

    #[test]
    fn whoever_can_grant_is_an_administrator() {
        let admin = |statement: &str| account(&user("a", statement)).find("a").unwrap().1.is_admin();
        assert!(!admin(ALL));
        for action in ["*", "iam:*", "iam:PutUserPolicy"] {
            assert!(
                admin(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#)),
                "{action}"
            );
        }
        assert!(admin(r#"{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}"#));
        assert!(!admin(r#"{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}"#));
        assert!(!admin(r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#));
        let member = account(r#"{"Arn": "arn:aws:iam::1:user/x", "GroupList": ["ops"]}"#);
        assert!(member.find("arn:aws:iam::1:user/x").unwrap().1.is_admin());
    }

    #[test]
    fn what_is_not_at_hand_is_said() {
        let found = account(
            r#"{"Arn": "arn:aws:iam::1:user/x", "GroupList": ["gone"], "PermissionsBoundary": {},
                "AttachedManagedPolicies": [{"PolicyName": "P", "PolicyArn": "arn:aws:iam::1:policy/P"}]}"#,
        );
        let unknown = &found.find("x").unwrap().1.unknown;
        assert_eq!(unknown.len(), 3, "{unknown:?}");
    }

    #[test]
    fn documents_come_url_encoded_too() {
        let encoded = r#"{"Arn": "arn:aws:iam::1:user/x", "UserPolicyList": [{"PolicyName": "p",
            "PolicyDocument": "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AGet%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"}]}"#;
        let found = account(encoded);
        assert_eq!(found.find("x").unwrap().1.actions().collect::<Vec<_>>(), ["s3:get*"]);
    }

    #[test]
    fn details_that_are_none_are_refused() {
        let refusal = |text: &str| Account::parse("d.json", text).unwrap_err().to_string();
        assert!(refusal("[").starts_with("d.json:1:1: these are no account authorization details"));
        let policy = |document: &str| {
            format!(
                r#"{{"UserDetailList": [{{"Arn": "a", "UserPolicyList": [{{"PolicyName": "p", "PolicyDocument": {document}}}]}}]}}"#
            )
        };
        assert!(refusal(&policy("\"x\"")).starts_with("d.json: the document of policy `p` is not JSON"));
        assert_eq!(
            refusal(&policy(r#"{"Statement": {"Effect": "Allow"}}"#)),
            "d.json: policy `p` has a statement without `Effect`, `Action` or `Resource`"
        );
    }

    #[test]
    fn a_name_that_two_have_is_no_name() {
        let two = account(r#"{"Arn": "arn:aws:iam::1:user/x"}, {"Arn": "arn:aws:iam::1:user/bots/x"}"#);
        assert!(two.find("x").is_none() && two.find("arn:aws:iam::1:user/x").is_some());
    }
}
