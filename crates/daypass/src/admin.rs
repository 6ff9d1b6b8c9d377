//! The admin listener of a running service, from the command line.

use anyhow::{Context, anyhow};
use camino::Utf8PathBuf;
use clap::Args;
use reqwest::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::{Failure, Result};
use crate::http;

/// The file in a data directory that says where the admin listener of the service on it listens.
pub(crate) const ADDRESS_FILE: &str = "admin-url";
/// The file in a data directory with the bootstrap token.
const TOKEN_FILE: &str = "admin-token";
/// Where `up` keeps its state unless told otherwise.
pub(crate) const DEFAULT_DATA: &str = ".daypass";

/// Which service, and by what right.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which service")]
pub(crate) struct Service {
    /// The data directory of the service, where its admin URL and token lie.
    #[arg(long, value_name = "DIR", env = "DAYPASS_DATA", hide_env_values = true, default_value = DEFAULT_DATA)]
    pub(crate) data: Utf8PathBuf,
    /// The URL of the admin listener, if it is not the one in the data directory.
    #[arg(long, value_name = "URL", env = "DAYPASS_ADMIN_URL", hide_env_values = true)]
    admin_url: Option<String>,
    /// A file with a token that is good for administration: the bootstrap token, or a CI job's.
    #[arg(long, value_name = "FILE", env = "DAYPASS_ADMIN_TOKEN_FILE", hide_env_values = true)]
    admin_token_file: Option<Utf8PathBuf>,
}

/// The admin interface of a service.
pub(crate) struct Admin {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Service {
    /// Finds address and token.
    pub(crate) fn admin(&self) -> Result<Admin> {
        let base = match &self.admin_url {
            Some(url) => {
                http::base(url).map_err(|message| Failure::usage(format!("--admin-url: {message}")))?
            }
            None => {
                let path = self.data.join(ADDRESS_FILE);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::usage(format!(
                        "cannot read `{path}`: {error}; name the service with --data DIR or --admin-url URL"
                    ))
                })?;
                text.trim().to_owned()
            }
        };
        let path = self.admin_token_file.clone().unwrap_or_else(|| self.data.join(TOKEN_FILE));
        let token = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the admin token `{path}`: {error}; name it with --admin-token-file"
            ))
        })?;
        Ok(Admin { client: http::client()?, base, token: token.trim().to_owned() })
    }
}

impl Admin {
    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.send(self.client.get(format!("{}{path}", self.base))).await
    }

    /// Has something done.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send(self.client.post(format!("{}{path}", self.base)).json(body)).await
    }

    /// Reads an answer that goes on, a line of JSON at a time, until the service ends it.
    pub(crate) async fn follow(&self, path: &str, mut each: impl FnMut(&Value) -> Result<()>) -> Result<()> {
        // However long nothing happens.
        let client = http::patient_client()?;
        let mut response = self.ask(client.get(format!("{}{path}", self.base))).await?;
        if !response.status().is_success() {
            let (status, text) = http::text(response).await?;
            return Err(refusal(status, &text));
        }
        let mut held = Vec::new();
        while let Some(chunk) = response.chunk().await.context("the answer broke off")? {
            held.extend_from_slice(&chunk);
            while let Some(end) = held.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = held.drain(..=end).collect();
                let line = serde_json::from_slice(&line);
                each(&line.context("the admin listener's answer is not understood")?)?;
            }
        }
        Ok(())
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
        let sent = request.bearer_auth(&self.token).send().await;
        Ok(sent.with_context(|| format!("the admin listener at {} cannot be reached", self.base))?)
    }

    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T> {
        let (status, text) = http::text(self.ask(request).await?).await?;
        if status.is_success() {
            return Ok(serde_json::from_str(&text).context("the admin listener's answer is not understood")?);
        }
        Err(refusal(status, &text))
    }
}

/// An answer that is none, in the service's own words.
fn refusal(status: StatusCode, text: &str) -> Failure {
    let why = serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|body| Some(body.get("error")?.as_str()?.to_owned()))
        .unwrap_or_else(|| format!("the admin listener answered {status}"));
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            Failure::refused(why)
        }
        StatusCode::BAD_REQUEST => Failure::Usage(why),
        _ => Failure::Failed(anyhow!(why)),
    }
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Admin({})", self.base)
    }
}
