//! AssumeRole: a session of one role assumes another.

use std::collections::BTreeMap;

use axum::response::Response;
use daypass_exchange::SessionRequest;

use super::Call;
use super::error::{AwsError, of_refused};
use super::validate::Violations;
use super::web_identity::{credentials, session_policy};
use super::xml::Xml;

pub(super) async fn call(call: Call<'_>) -> Result<Response, AwsError> {
    let first = call.session()?;
    let mut violations = Violations::default();
    let parameters = &call.parameters;
    let role = violations.required(parameters, "RoleArn", 20..=2_048);
    let session_name = violations.name(parameters, "RoleSessionName");
    let duration = violations.duration(parameters);
    let policy = session_policy(parameters, &mut violations);
    let external_id = violations.optional(parameters, "ExternalId", 2..=1_224);
    let source_identity = violations.optional_name(parameters, "SourceIdentity");
    let tags = tags(parameters, &mut violations);
    let transitive = parameters.members("TransitiveTagKeys", "");
    for unsupported in ["SerialNumber", "TokenCode"] {
        if let Some(value) = parameters.get(unsupported) {
            violations.push(unsupported, value, "Member must be omitted: sessions have no MFA device");
        }
    }
    violations.finish()?;
    let wanted = SessionRequest {
        session_name,
        duration,
        tags,
        transitive_tags: transitive.into_iter().map(str::to_owned).collect(),
        source_identity: source_identity.map(str::to_owned),
        external_id: external_id.map(str::to_owned),
        client: &call.client,
        received_at: call.app.exchange.clock().now(),
    };
    match call.app.exchange.assume_from_session(&first, role, &wanted, &policy).await {
        Ok(admitted) => {
            let result = credentials(Xml::default(), &admitted)?;
            let result = result.optional("SourceIdentity", admitted.who.source_identity.as_deref());
            Ok(result.respond("AssumeRole", &admitted.decision.to_string()))
        }
        Err(refused) => Err(of_refused(&refused, "AssumeRole")),
    }
}

fn tags(parameters: &crate::wire::Parameters, violations: &mut Violations) -> BTreeMap<String, String> {
    let keys = parameters.members("Tags", "Key");
    let values = parameters.members("Tags", "Value");
    if keys.len() > 50 {
        violations.push("Tags", "", "Member must have length less than or equal to 50");
    }
    if keys.len() != values.len() {
        violations.push("Tags", "", "Member must have a Key and a Value each");
    }
    for (key, value) in keys.iter().zip(&values) {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            violations.push(
                "Tags",
                key,
                "Member must have a Key of 1 to 128 and a Value of up to 256 characters",
            );
        }
    }
    keys.into_iter().zip(values).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
