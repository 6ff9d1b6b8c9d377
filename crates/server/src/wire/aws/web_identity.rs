//! AssumeRoleWithWebIdentity: a CI job's token becomes a session. Unsigned: the token is the proof.

use axum::response::Response;
use daypass_claims::Timestamp;
use daypass_exchange::credential::Secret;
use daypass_exchange::{Admitted, Client, Request, SessionPolicy, SubjectToken, Wire};

use super::Call;
use super::error::{AwsError, of_refused};
use super::validate::{Violations, role_arn};
use super::xml::Xml;
use crate::wire::Parameters;

pub(super) async fn call(call: Call<'_>) -> Result<Response, AwsError> {
    let request = read(&call.parameters, call.client, call.app.exchange.clock().now())?;
    match call.app.exchange.exchange(request).await {
        Ok(admitted) => {
            let account = &call.app.exchange.config().account_id;
            let host = admitted.who.issuer.split_once("://").map_or("", |(_, host)| host);
            let provider = format!("arn:aws:iam::{account}:oidc-provider/{host}");
            // AWS's model has subjects of up to 255 characters; a longer one is left out rather than cut.
            let subject = Some(admitted.who.subject.as_str()).filter(|subject| subject.len() <= 255);
            let result = Xml::default()
                .optional("SubjectFromWebIdentityToken", subject)
                .text("Audience", &admitted.who.audience);
            let result = credentials(result, &admitted)?.text("Provider", &provider);
            let result = result.optional("SourceIdentity", admitted.who.source_identity.as_deref());
            Ok(result.respond("AssumeRoleWithWebIdentity", &admitted.decision.to_string()))
        }
        Err(refused) => Err(of_refused(&refused, "AssumeRoleWithWebIdentity")),
    }
}

/// What is asked, if all of it is as AWS would have it.
pub(super) fn read(
    parameters: &Parameters,
    client: Client,
    received_at: Timestamp,
) -> Result<Request, AwsError> {
    let mut violations = Violations::default();
    let role = violations.required(parameters, "RoleArn", 20..=2_048);
    let session_name = violations.name(parameters, "RoleSessionName").to_owned();
    let token = violations.required(parameters, "WebIdentityToken", 4..=20_000).to_owned();
    let duration = violations.duration(parameters);
    let session_policy = session_policy(parameters, &mut violations);
    if let Some(provider) = parameters.get("ProviderId") {
        violations.push("ProviderId", provider, "Member must be omitted for OpenID Connect ID tokens");
    }
    violations.finish()?;
    Ok(Request {
        wire: Wire::AwsQuery,
        role: role_arn(role)?.to_owned(),
        token: SubjectToken::new(token),
        duration,
        session_name: Some(session_name),
        session_policy,
        scope: None,
        client,
        received_at,
    })
}

/// `Policy` and `PolicyArns`, within AWS's limits.
pub(super) fn session_policy(parameters: &Parameters, violations: &mut Violations) -> SessionPolicy {
    let members = violations.list(parameters, "PolicyArns", &["arn"], 10);
    let arns: Vec<String> =
        members.iter().flat_map(|member| member.values()).map(ToString::to_string).collect();
    for arn in &arns {
        violations.length("PolicyArns", arn, 20..=2_048);
    }
    SessionPolicy { document: parameters.get("Policy").map(str::to_owned), arns }
}

/// `AssumedRoleUser` and `Credentials`.
pub(super) fn credentials(result: Xml, admitted: &Admitted) -> Result<Xml, AwsError> {
    let Secret::AwsSession { access_key_id, secret_access_key, session_token } = admitted.credential.secret()
    else {
        return Err(AwsError::sender("ValidationError", "The role does not issue AWS credentials."));
    };
    let user =
        Xml::default().text("Arn", &admitted.who.arn).text("AssumedRoleId", &admitted.who.assumed_role_id);
    let credentials = Xml::default()
        .text("SessionToken", session_token)
        .text("SecretAccessKey", secret_access_key)
        .text("Expiration", &admitted.credential.expires_at().to_rfc3339())
        .text("AccessKeyId", access_key_id);
    Ok(result.group("AssumedRoleUser", &user).group("Credentials", &credentials))
}
