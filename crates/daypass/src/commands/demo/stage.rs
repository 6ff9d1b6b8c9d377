//! What the demo plays on: an exchange and development platforms on free ports, in a directory that goes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use camino::Utf8Path;
use daypass_claims::{Clock, Timestamp};
use daypass_devissuer::{DevIssuer, IssuerMode, MintRequest};
use daypass_exchange::config::{self, Config, ExplainToCaller};
use daypass_exchange::record::{Record, RecordKind};
use daypass_server::sigv4::{PathStyle, Signer, sign_header};
use daypass_server::{Sockets, SystemClock};
use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded;

use crate::commands::up::Rehearsal;
use crate::failure::{Failure, Result};
use crate::{example, http};

/// The name that sessions of the demo have.
pub(super) const SESSION: &str = "demo";

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The time, by the clock that everything on the stage goes by.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

/// The stage.
pub(super) struct Stage {
    rehearsal: Rehearsal,
    client: reqwest::Client,
    directory: TempDir,
}

/// What came back for a token.
pub(super) enum Answer {
    /// Keys of a session.
    Session(Keys),
    /// A token of ours.
    Token(String),
    /// A refusal: its reason as it is on record, and what the caller was told.
    Refused {
        /// The reason's code, and for a refusal by trust which conditions stood in the way.
        reason: String,
        /// What the wire said: its code, and its words.
        told: String,
    },
}

/// Keys of a session.
pub(super) struct Keys {
    pub(super) access_key_id: String,
    secret_access_key: String,
    session_token: String,
    pub(super) expires_at: String,
}

impl Stage {
    pub(super) async fn set() -> Result<Self> {
        let directory = tempfile::tempdir().context("no temporary directory")?;
        let path =
            Utf8Path::from_path(directory.path()).context("the temporary directory has no Unicode name")?;
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sockets = Sockets::bind(anywhere, anywhere).await?;
        let config = configuration(path)?;
        let clock = Arc::new(SystemClock);
        let rehearsal = Rehearsal::start(config, sockets, anywhere, IssuerMode::True, clock).await?;
        Ok(Self { rehearsal, client: http::client()?, directory })
    }

    pub(super) async fn clear(self) -> Result<()> {
        self.rehearsal.stop().await?;
        Ok(self.directory.close()?)
    }

    pub(super) fn directory(&self) -> Result<&Utf8Path> {
        Ok(Utf8Path::from_path(self.directory.path())
            .context("the temporary directory has no Unicode name")?)
    }

    pub(super) const fn issuer(&self) -> &DevIssuer {
        self.rehearsal.issuer()
    }

    pub(super) fn config(&self) -> &Config {
        self.rehearsal.config()
    }

    pub(super) fn exchange(&self) -> &Arc<daypass_exchange::Exchange> {
        self.rehearsal.exchange()
    }

    pub(super) fn arn(&self, role: &str) -> String {
        format!("arn:aws:iam::{}:role/{role}", self.config().account_id)
    }

    /// Mints a token.
    pub(super) async fn mint(&self, request: MintRequest) -> Result<String> {
        let issuer = self.issuer().clone();
        // Keys may have to be made, which takes a moment.
        Ok(tokio::task::spawn_blocking(move || issuer.mint(&request)).await??.token)
    }

    /// Gets a document.
    pub(super) async fn get(&self, url: &str) -> Result<Value> {
        let response =
            self.client.get(url).send().await.with_context(|| format!("{url} cannot be reached"))?;
        let (status, text) = http::text(response).await?;
        if !status.is_success() {
            return Err(anyhow!("{url} answered {status}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// `AssumeRoleWithWebIdentity`.
    pub(super) async fn assume(&self, role: &str, token: &str, seconds: Option<u32>) -> Result<Answer> {
        let (arn, seconds) = (self.arn(role), seconds.map(|seconds| seconds.to_string()));
        let mut form = vec![
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &arn),
            ("RoleSessionName", SESSION),
            ("WebIdentityToken", token),
        ];
        form.extend(seconds.as_deref().map(|seconds| ("DurationSeconds", seconds)));
        let (succeeded, text) = self.post("/", &form).await?;
        let member = |name: &str| element(&text, name).unwrap_or_default();
        if !succeeded {
            let told = format!("{}: {}", member("Code"), member("Message"));
            return self.refused(told).await;
        }
        Ok(Answer::Session(Keys {
            access_key_id: member("AccessKeyId"),
            secret_access_key: member("SecretAccessKey"),
            session_token: member("SessionToken"),
            expires_at: member("Expiration"),
        }))
    }

    /// RFC 8693.
    pub(super) async fn exchange_token(
        &self,
        role: &str,
        token: &str,
        scope: Option<&str>,
    ) -> Result<Answer> {
        let mut form = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ("subject_token", token),
            ("audience", role),
        ];
        form.extend(scope.map(|scope| ("session_name", scope)));
        let (succeeded, text) = self.post("/token", &form).await?;
        let answer: Value = serde_json::from_str(&text)?;
        let member =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        if !succeeded {
            let told = format!("{}: {}", member("/error"), member("/error_description"));
            return self.refused(told).await;
        }
        if answer.get("aws_credentials").is_none() {
            return Ok(Answer::Token(member("/access_token")));
        }
        Ok(Answer::Session(Keys {
            access_key_id: member("/aws_credentials/AccessKeyId"),
            secret_access_key: member("/aws_credentials/SecretAccessKey"),
            session_token: member("/aws_credentials/SessionToken"),
            expires_at: member("/aws_credentials/Expiration"),
        }))
    }

    /// `GetCallerIdentity`, signed with the keys: who they say we are.
    pub(super) async fn who_am_i(&self, keys: &Keys) -> Result<String> {
        let url = &self.config().public_url;
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host).to_owned();
        let body = "Action=GetCallerIdentity&Version=2011-06-15";
        let form = ("Content-Type".to_owned(), FORM.to_owned());
        let signer = Signer {
            access_key_id: &keys.access_key_id,
            secret_access_key: &keys.secret_access_key,
            session_token: Some(&keys.session_token),
            region: "us-east-1",
            service: "sts",
            at: now(),
            path_style: PathStyle::Normalised,
            sign_body: false,
        };
        let signed = [("Host".to_owned(), host), form.clone()];
        let mut request = self.client.post(format!("{url}/")).body(body).header(form.0, form.1);
        for (name, value) in sign_header(&signer, "POST", "/", "", &signed, body.as_bytes()) {
            request = request.header(name, value);
        }
        let (status, text) = http::text(request.send().await?).await?;
        element(&text, "Arn").ok_or_else(|| anyhow!("GetCallerIdentity answered {status}: {text}").into())
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<(bool, String)> {
        let url = format!("{}{path}", self.config().public_url);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(url).body(body).header("Content-Type", FORM);
        let response = request.send().await.context("the exchange cannot be reached")?;
        let (status, text) = http::text(response).await?;
        Ok((status.is_success(), text))
    }

    /// The reason of the newest decision: what the operator sees, whatever the caller was told.
    async fn refused(&self, told: String) -> Result<Answer> {
        let newest = self.exchange().store().latest(1).await?;
        let body = newest.first().and_then(|record| record.body.as_ref()).context("nothing is on record")?;
        match Record::from_body(body)?.kind {
            RecordKind::Exchange(record) => {
                let mut reason = record.reason.unwrap_or_default();
                let misses = record.explanation.as_ref().and_then(|it| it.get("nearest_miss")?.as_array());
                let conditions: Vec<&str> =
                    misses.into_iter().flatten().filter_map(|miss| miss.get("condition")?.as_str()).collect();
                if !conditions.is_empty() {
                    reason = format!("{reason} by {}", conditions.join(", "));
                }
                Ok(Answer::Refused { reason, told })
            }
            _ => Err(anyhow!("the newest record is about no exchange").into()),
        }
    }
}

fn configuration(directory: &Utf8Path) -> Result<Config> {
    let loaded =
        config::load(Utf8Path::new(example::NAME), &example::Embedded, &|_: &str| None, SystemClock.now())
            .map_err(|error| Failure::input(error.problems, error.sources))?;
    let mut config = loaded.config;
    config.keep_in(directory.as_str());
    config.explain_to_caller = ExplainToCaller::Full;
    Ok(config)
}

/// The text of an element of an answer of ours, which has no attributes and nothing nested in it.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(
        text.replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
