//! RFC 8693: a form in, JSON out.

use std::time::Duration;

use daypass_claims::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Refusal, SessionName};
use crate::Secret;
use crate::credential::{AccessToken, AwsSession, Credential};
use crate::http::{Answer, Call};
use crate::text::quote;
use crate::token::CiToken;

/// The parameters of a token exchange (RFC 8693 section 2.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenExchange {
    /// Whom the issued token is for: at daypass the role, by name or ARN.
    pub audience: Vec<String>,
    /// The same by URI.
    pub resource: Vec<String>,
    /// What it shall be good for.
    pub scope: Option<String>,
    /// What kind of token is wanted, an URI; the server's choice otherwise.
    pub requested_token_type: Option<String>,
    /// What the session shall be called: daypass's own parameter; the server's choice otherwise.
    pub session_name: Option<SessionName>,
    /// How long the credential shall last: daypass's own parameter; the server's default otherwise.
    pub duration: Option<Duration>,
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// What daypass calls AWS keys on this wire. They are no access token, so they come in a member of their own.
const AWS_SESSION: &str = "urn:daypass:params:oauth:token-type:aws-session";

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    issued_token_type: String,
    token_type: String,
    expires_in: Option<u64>,
    scope: Option<String>,
    aws_credentials: Option<AwsCredentials>,
}

/// The shape of `credential_process`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AwsCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: String,
    account_id: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
    decision: Option<String>,
}

impl TokenExchange {
    pub(super) fn call(&self, endpoint: &Url, token: &CiToken) -> Call {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", GRANT_TYPE)
            .append_pair("subject_token", token.secret().expose())
            .append_pair("subject_token_type", ID_TOKEN);
        for audience in &self.audience {
            form.append_pair("audience", audience);
        }
        for resource in &self.resource {
            form.append_pair("resource", resource);
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        if let Some(kind) = &self.requested_token_type {
            form.append_pair("requested_token_type", kind);
        }
        if let Some(name) = &self.session_name {
            form.append_pair("session_name", name.as_str());
        }
        if let Some(duration) = self.duration {
            form.append_pair("duration_seconds", &duration.as_secs().to_string());
        }
        let mut call = Call::new(Method::POST, endpoint.clone());
        call.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        call.body = Some(("application/x-www-form-urlencoded", Secret::new(form.finish())));
        call
    }
}

/// Reads the credential out of a response.
pub(crate) fn credential(body: &[u8], now: Timestamp) -> Result<Credential, &'static str> {
    let issued: Issued = serde_json::from_slice(body)
        .map_err(|_| "it is not JSON with access_token, issued_token_type and token_type")?;
    if issued.issued_token_type == AWS_SESSION {
        let credentials = issued.aws_credentials.ok_or("it has no aws_credentials")?;
        return session(credentials).map(Credential::AwsSession);
    }
    if issued.access_token.is_empty() {
        return Err("its access_token is empty");
    }
    Ok(Credential::Token(AccessToken {
        access_token: Secret::new(issued.access_token),
        token_type: issued.token_type,
        issued_token_type: issued.issued_token_type,
        scope: issued.scope,
        expires_at: issued.expires_in.map(|seconds| now + Duration::from_secs(seconds)),
    }))
}

fn session(credentials: AwsCredentials) -> Result<AwsSession, &'static str> {
    Ok(AwsSession {
        access_key_id: credentials.access_key_id,
        secret_access_key: Secret::new(credentials.secret_access_key),
        session_token: Secret::new(credentials.session_token),
        expiration: Timestamp::parse(&credentials.expiration).map_err(|_| "its Expiration is no time")?,
        account: credentials.account_id,
        arn: None,
    })
}

/// Reads a refusal (RFC 6749 section 5.2); `None` if it is none of this protocol.
pub(super) fn refusal(answer: &Answer) -> Option<Refusal> {
    let refused: Refused = serde_json::from_slice(&answer.body).ok()?;
    let decision = refused.decision.or_else(|| answer.header("x-request-id").map(str::to_owned));
    Some(Refusal {
        status: answer.status,
        code: quote(&refused.error),
        message: quote(&refused.error_description),
        decision: decision.as_deref().map(quote),
    })
}
