//! RFC 8693: a form in, JSON out.

use std::time::Duration;

use daypass_claims::Timestamp;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

use super::Refusal;
use crate::Secret;
use crate::credential::AccessToken;
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
}

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    issued_token_type: String,
    token_type: String,
    expires_in: Option<u64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
    #[serde(default)]
    error_description: String,
    decision_id: Option<String>,
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
        let mut call = Call::new(Method::POST, endpoint.clone());
        call.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        call.body = Some(("application/x-www-form-urlencoded", Secret::new(form.finish())));
        call
    }
}

/// Reads the token out of a response.
pub(super) fn token(body: &[u8], now: Timestamp) -> Result<AccessToken, &'static str> {
    let issued: Issued = serde_json::from_slice(body)
        .map_err(|_| "it is not JSON with access_token, issued_token_type and token_type")?;
    if issued.access_token.is_empty() {
        return Err("its access_token is empty");
    }
    Ok(AccessToken {
        access_token: Secret::new(issued.access_token),
        token_type: issued.token_type,
        issued_token_type: issued.issued_token_type,
        scope: issued.scope,
        expires_at: issued.expires_in.map(|seconds| now + Duration::from_secs(seconds)),
    })
}

/// Reads a refusal (RFC 6749 section 5.2); `None` if it is none of this protocol.
pub(super) fn refusal(answer: &Answer) -> Option<Refusal> {
    let refused: Refused = serde_json::from_slice(&answer.body).ok()?;
    let decision = refused.decision_id.or_else(|| answer.header("x-request-id").map(str::to_owned));
    Some(Refusal {
        status: answer.status,
        code: quote(&refused.error),
        message: quote(&refused.error_description),
        decision: decision.as_deref().map(quote),
    })
}
