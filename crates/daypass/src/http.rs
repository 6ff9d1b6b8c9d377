//! The one HTTP client of the command line: bounded in time and size, and never through a proxy, because it speaks to
//! services on this machine.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Client, Response, StatusCode};

/// The largest answer that is read.
const LARGEST: usize = 64 * 1_024 * 1_024;

/// A client.
pub(crate) fn client() -> anyhow::Result<Client> {
    Client::builder()
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("no HTTP client could be made")
}

/// Status and text of an answer.
pub(crate) async fn text(mut response: Response) -> anyhow::Result<(StatusCode, String)> {
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.context("the answer broke off")? {
        if body.len().saturating_add(chunk.len()) > LARGEST {
            return Err(anyhow!("the answer has more than {LARGEST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, String::from_utf8(body).context("the answer is no text")?))
}
