//! What a plan asks of audit logs: whether its credentials are still used, and which sessions are meant to be.

use daypass_evidence::{Expected, Stored};
use serde_json::Value;

use crate::generate::{Format, GeneratedRole, generate};
use crate::plan::{Planned, Role, State};
use crate::{Cloud, Plan, Survey};

/// The credentials that are to go, by their ids where the plan has them, or else by whose they are.
pub fn stored(plan: &Plan) -> Vec<Stored> {
    let going = plan.credentials.iter().filter(|it| !matches!(it.state, State::Retired | State::Kept));
    going.filter_map(stored_one).collect()
}

/// A credential of a cloud whose logs can be read; neither its id nor whose it is may be known, and then nothing can be told of it.
fn stored_one(credential: &Planned) -> Option<Stored> {
    Some(Stored {
        name: credential.id.clone(),
        cloud: daypass_evidence::Cloud::parse(&credential.cloud)?,
        credential: credential.key.clone().unwrap_or_default(),
        account: String::new(),
        principal: credential.principal.clone().unwrap_or_default(),
    })
}

/// The sessions that the plan's roles are for. What a role's trust asks of subjects is taken from the trust itself; where that
/// cannot be generated yet, or its cloud logs no subject, any subject is meant.
pub fn expected(plan: &Plan, survey: &Survey) -> Vec<Expected> {
    let mut expected = Vec::new();
    for cloud in Cloud::ALL.into_iter().filter(|it| plan.roles.iter().any(|role| role.cloud == *it)) {
        let generated = generate(plan, survey, None, cloud, Format::Document);
        for outcome in &generated.roles {
            let Some(role) = plan.role(&outcome.role) else { continue };
            expected.extend(of_role(role, outcome));
        }
    }
    expected
}

fn of_role(role: &Role, outcome: &GeneratedRole) -> Vec<Expected> {
    let session = |name: &str, subject: String| Expected {
        principal: principal(role, name),
        issuer: "*".to_owned(),
        subject,
    };
    let mut all = Vec::new();
    for trust in &outcome.trusts {
        let subjects = if role.cloud == Cloud::Aws { subjects(&trust.document) } else { Vec::new() };
        all.extend(subjects.into_iter().map(|subject| session(&trust.name, subject)));
    }
    if all.is_empty() {
        all.push(session(&role.name, "*".to_owned()));
    }
    all
}

/// What a session of a role acts as, by the cloud's logs.
fn principal(role: &Role, name: &str) -> String {
    let target = |key: &str| role.target.get(key).cloned();
    match role.cloud {
        Cloud::Aws => {
            format!("arn:aws:iam::{}:role/{name}", target("account").unwrap_or_else(|| "*".to_owned()))
        }
        Cloud::Gcp => target("service_account").unwrap_or_else(|| format!("{name}@*")),
        Cloud::Azure => target("client_id").unwrap_or_else(|| "*".to_owned()),
        Cloud::Vault | Cloud::Daypass => name.to_owned(),
    }
}

/// What a role trust policy of AWS asks `sub` to be. `*` means the same there; for `?`, which is one character, `*` stands.
fn subjects(document: &str) -> Vec<String> {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return Vec::new() };
    let statements =
        document.get("Statement").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let tests = statements.iter().filter_map(|it| it.get("Condition")?.as_object()).flatten();
    let of_sub = tests.filter(|(operator, _)| operator.contains("String") && !operator.contains("Not"));
    let keys = of_sub.filter_map(|(_, keys)| keys.as_object()).flatten();
    let values = keys.filter(|(key, _)| key.ends_with(":sub")).map(|(_, value)| value);
    let texts = values.flat_map(|value| match value {
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    });
    texts.map(|text| text.replace('?', "*")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_those_that_the_trust_names() {
        let document = r#"{"Statement": [{"Condition": {
            "StringEquals": {"host:aud": "x", "host:sub": ["repo:a/b:environment:p"]},
            "StringLike": {"host:sub": "repo:a/b:ref:refs/tags/v?"},
            "StringNotLike": {"host:sub": "repo:a/c:*"}
        }}]}"#;
        assert_eq!(subjects(document), ["repo:a/b:environment:p", "repo:a/b:ref:refs/tags/v*"]);
        assert!(subjects("[]").is_empty());
    }
}
