//! Token services: one HTTP request, described by the catalogue.

use std::path::PathBuf;
use std::time::Duration;

use daypass_issuers::{AudienceParameter, HttpRequest, Method, Platform, UrlSource};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::azure_devops::wants_service_connection;
use super::{CiToken, Origin, TokenError, TokenRequest};
use crate::http::{Answer, Call, HttpError};
use crate::retry::Failed;
use crate::text::{quote, quote_bytes};
use crate::{Env, Secret, Tools};

/// A request to a token service, ready to be made.
#[derive(Clone, Debug)]
pub(super) struct Service {
    call: Call,
    /// The member of the JSON answer; `None` where the answer is the token.
    answer: Option<String>,
}

impl Service {
    /// Fills the catalogue's request in.
    pub(super) fn new(
        http: &HttpRequest,
        platform: &Platform,
        request: &TokenRequest,
        setup: &str,
        env: Env<'_>,
    ) -> Result<Self, TokenError> {
        let set = |variable: &String| {
            env(variable).filter(|value| !value.is_empty()).ok_or_else(|| TokenError::NotSet {
                platform: platform.name.clone(),
                variables: vec![variable.clone()],
                setup: setup.to_owned(),
            })
        };
        let (text, from) = match &http.url {
            UrlSource::Env(variable) => (set(variable)?, variable.as_str()),
            UrlSource::Fixed(url) => (url.clone(), url.as_str()),
        };
        let bad_url = || TokenError::BadUrl { from: from.to_owned() };
        let mut url = Url::parse(&text).map_err(|_| bad_url())?;
        if !url.has_host() {
            return Err(bad_url());
        }
        add_query(&mut url, http, platform, request)?;

        let method = match http.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut call = Call::new(method, url);
        call.well_known = matches!(http.url, UrlSource::Fixed(_));
        call.socket = http.socket.as_ref().map(PathBuf::from);
        for header in &http.headers {
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            let bad_header = || HttpError::Header { name: name.to_owned() };
            let value = HeaderValue::try_from(value.trim()).map_err(|_| bad_header())?;
            call.headers.insert(HeaderName::try_from(name).map_err(|_| bad_header())?, value);
        }
        if let Some(variable) = &http.bearer_env {
            call.secret_header(AUTHORIZATION, &format!("Bearer {}", set(variable)?))?;
        }
        if let (Some(AudienceParameter::Body(member)), Some(audience)) = (&http.audience, &request.audience) {
            let body = serde_json::json!({ member: audience.as_str() }).to_string();
            call.body = Some(("application/json", Secret::new(body)));
        }
        Ok(Self { call, answer: http.answer.clone() })
    }

    /// Asks, and asks again where that can help.
    pub(super) async fn ask(&self, tools: &Tools) -> Result<CiToken, TokenError> {
        let asked = tools.retry.run(&*tools.random, |left| self.ask_once(tools, left)).await;
        let text = asked.map_err(|(error, _)| error)?;
        CiToken::parse(&text, Origin::Service(self.call.host()))
    }

    async fn ask_once(&self, tools: &Tools, left: Duration) -> Result<String, Failed<TokenError>> {
        let sent = tools.http.send(&self.call, left).await;
        let answer = sent.map_err(|error| {
            let is_transient = error.is_transient();
            Failed::new(TokenError::Http(error), is_transient, None)
        })?;
        if answer.is_success() {
            return self.read(&answer).map_err(Failed::ForGood);
        }
        let refused =
            TokenError::Refused { host: self.call.host(), status: answer.status, said: said(&answer) };
        Err(Failed::new(refused, answer.is_transient(), answer.retry_after(tools.clock.now())))
    }

    fn read(&self, answer: &Answer) -> Result<String, TokenError> {
        let Some(member) = &self.answer else {
            return Ok(String::from_utf8_lossy(&answer.body).into_owned());
        };
        member_of(&answer.body, member)
            .ok_or_else(|| TokenError::Answer { host: self.call.host(), member: member.clone() })
    }
}

/// The text that a member of a JSON object holds.
pub(super) fn member_of(json: &[u8], member: &str) -> Option<String> {
    let json: Value = serde_json::from_slice(json).ok()?;
    json.get(member)?.as_str().map(str::to_owned)
}

/// Adds the catalogue's parameters and the audience, behind what the URL already has.
fn add_query(
    url: &mut Url,
    http: &HttpRequest,
    platform: &Platform,
    request: &TokenRequest,
) -> Result<(), TokenError> {
    for pair in &http.query {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = match &request.service_connection {
            Some(id) if wants_service_connection(name, value) => id.as_str(),
            None if wants_service_connection(name, value) => {
                return Err(TokenError::ServiceConnectionRequired { platform: platform.name.clone() });
            }
            _ => value,
        };
        url.query_pairs_mut().append_pair(name, value);
    }
    if let (Some(AudienceParameter::Query(name)), Some(audience)) = (&http.audience, &request.audience) {
        url.query_pairs_mut().append_pair(name, audience.as_str());
    }
    Ok(())
}

/// What a service says about its refusal: the message of a JSON answer, else the text.
fn said(answer: &Answer) -> String {
    let message = ["message", "error_description", "detail", "error"]
        .into_iter()
        .find_map(|member| member_of(&answer.body, member));
    message.map_or_else(|| quote_bytes(&answer.body), |message| quote(&message))
}
