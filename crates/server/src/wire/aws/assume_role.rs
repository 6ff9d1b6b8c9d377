//! AssumeRole: a session of one role assumes another.

use std::collections::BTreeMap;

use axum::response::Response;
use daypass_exchange::SessionRequest;

use super::Call;
use super::error::{AwsError, of_refused};
use super::validate::{Violations, role_arn};
use super::web_identity::{credentials, session_policy};
use super::xml::Xml;
use crate::wire::Parameters;

pub(super) async fn call(call: Call<'_>) -> Result<Response, AwsError> {
    let first = call.session()?;
    let mut violations = Violations::default();
    let parameters = &call.parameters;
    let role = violations.required(parameters, "RoleArn", 20..=2_048);
    let session_name = violations.name(parameters, "RoleSessionName");
    let duration = violations.duration(parameters);
    let policy = session_policy(parameters, &mut violations);
    let external_id = violations.optional_of_class(parameters, "ExternalId", 2..=1_224, r"_+=,.@:\/-");
    let source_identity = violations.optional_name(parameters, "SourceIdentity");
    let tags = tags(parameters, &mut violations);
    let transitive = violations.list(parameters, "TransitiveTagKeys", &[""], 50);
    let transitive_tags = transitive.iter().flat_map(|member| member.values()).map(ToString::to_string);
    for name in ["SerialNumber", "TokenCode"] {
        if let Some(value) = parameters.get(name) {
            violations.push(name, value, "Member must be omitted: sessions have no MFA device");
        }
    }
    if parameters.under("ProvidedContexts.").next().is_some() {
        violations.push("ProvidedContexts", "", "Member must be omitted: no context is carried");
    }
    violations.finish()?;
    let wanted = SessionRequest {
        session_name,
        duration,
        tags,
        transitive_tags: transitive_tags.collect(),
        source_identity: source_identity.map(str::to_owned),
        external_id: external_id.map(str::to_owned),
        client: &call.client,
        received_at: call.app.exchange.clock().now(),
    };
    match call.app.exchange.assume_from_session(&first, role_arn(role)?, &wanted, &policy).await {
        Ok(admitted) => {
            let result = credentials(Xml::default(), &admitted)?;
            let result = result.optional("SourceIdentity", admitted.who.source_identity.as_deref());
            Ok(result.respond("AssumeRole", &admitted.decision.to_string()))
        }
        Err(refused) => Err(of_refused(&refused, "AssumeRole")),
    }
}

/// `Tags`, within AWS's limits. Their keys differ by more than case.
fn tags(parameters: &Parameters, violations: &mut Violations) -> BTreeMap<String, String> {
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    for member in violations.list(parameters, "Tags", &["Key", "Value"], 50) {
        let (Some(key), Some(value)) = (member.get("Key"), member.get("Value")) else {
            violations.push("Tags", "", "Member must have a Key and a Value each");
            continue;
        };
        violations.length("Tags", key, 1..=128);
        violations.length("Tags", value, 0..=256);
        if tags.keys().any(|known| known.eq_ignore_ascii_case(key)) {
            violations.push("Tags", key, "Member must have a Key of its own; case does not tell keys apart");
        }
        tags.insert((*key).to_owned(), (*value).to_owned());
    }
    tags
}
