//! `AssumeRoleWithWebIdentity`: a form in, XML out. Unsigned, as the token is the proof.

use std::time::Duration;

use daypass_claims::Timestamp;
use reqwest::Method;
use url::Url;
use url::form_urlencoded::Serializer;

use super::xml::Element;
use super::{Refusal, SessionName};
use crate::Secret;
use crate::credential::{AwsSession, account_of};
use crate::http::{Answer, Call};
use crate::text::quote;
use crate::token::CiToken;

/// The parameters of `AssumeRoleWithWebIdentity`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsQuery {
    /// The role, `arn:aws:iam::123456789012:role/deploy`.
    pub role_arn: String,
    /// The session's name; by default it names the platform's run.
    pub session_name: Option<SessionName>,
    /// How long the session shall last; the server's default otherwise, an hour for most roles.
    pub duration: Option<Duration>,
    /// A policy document that bounds the session, JSON.
    pub policy: Option<String>,
    /// ARNs of managed policies that bound the session.
    pub policy_arns: Vec<String>,
}

const VERSION: &str = "2011-06-15";

impl AwsQuery {
    pub(super) fn call(&self, endpoint: &Url, token: &CiToken) -> Call {
        let name = self.session_name.clone().unwrap_or_else(|| SessionName::of(token));
        let mut form = Serializer::new(String::new());
        form.append_pair("Action", "AssumeRoleWithWebIdentity")
            .append_pair("Version", VERSION)
            .append_pair("RoleArn", &self.role_arn)
            .append_pair("RoleSessionName", name.as_str())
            .append_pair("WebIdentityToken", token.secret().expose());
        for (place, arn) in self.policy_arns.iter().enumerate() {
            form.append_pair(&format!("PolicyArns.member.{}.arn", place + 1), arn);
        }
        if let Some(policy) = &self.policy {
            form.append_pair("Policy", policy);
        }
        if let Some(duration) = self.duration {
            form.append_pair("DurationSeconds", &duration.as_secs().to_string());
        }
        let mut call = Call::new(Method::POST, endpoint.clone());
        let content_type = "application/x-www-form-urlencoded; charset=utf-8";
        call.body = Some((content_type, Secret::new(form.finish())));
        call
    }
}

/// Reads the session out of a response.
pub(crate) fn session(body: &[u8]) -> Result<AwsSession, &'static str> {
    let document = Element::parse(body).map_err(|_| "it is not XML")?;
    if document.name() != "AssumeRoleWithWebIdentityResponse" {
        return Err("it is not the response to AssumeRoleWithWebIdentity");
    }
    let result = document.at(&["AssumeRoleWithWebIdentityResult"]).ok_or("it has no result")?;
    let credentials = result.at(&["Credentials"]).ok_or("it has no Credentials")?;
    let of = |name: &'static str, problem| credentials.text_at(&[name]).ok_or(problem);
    let expiration = of("Expiration", "it has no Expiration")?;
    let arn = result.text_at(&["AssumedRoleUser", "Arn"]);
    Ok(AwsSession {
        access_key_id: of("AccessKeyId", "it has no AccessKeyId")?.to_owned(),
        secret_access_key: Secret::new(of("SecretAccessKey", "it has no SecretAccessKey")?),
        session_token: Secret::new(of("SessionToken", "it has no SessionToken")?),
        expiration: Timestamp::parse(expiration).map_err(|_| "its Expiration is no time")?,
        account: arn.and_then(account_of),
        arn: arn.map(str::to_owned),
    })
}

/// Reads a refusal; `None` if it is none of this protocol.
pub(super) fn refusal(answer: &Answer) -> Option<Refusal> {
    let document = Element::parse(&answer.body).ok()?;
    let error = document.at(&["Error"]).filter(|_| document.name() == "ErrorResponse")?;
    let decision = document.text_at(&["RequestId"]).or_else(|| answer.header("x-amzn-requestid"));
    Some(Refusal {
        status: answer.status,
        code: quote(error.text_at(&["Code"])?),
        message: quote(error.text_at(&["Message"]).unwrap_or_default()),
        decision: decision.map(quote),
    })
}
