//! The one HTTP client of the command line: bounded in time and size, and never through a proxy, because it speaks to
//! services on this machine.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};
use url::Host;

/// The largest answer that is read.
const LARGEST: usize = 64 * 1_024 * 1_024;

/// How long a connection may take to be made, and an answer to begin or to go on.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client.
pub(crate) fn client() -> anyhow::Result<Client> {
    builder().read_timeout(PATIENCE).build().context("no HTTP client could be made")
}

/// A client for an answer that goes on whenever something happens.
pub(crate) fn patient_client() -> anyhow::Result<Client> {
    builder().build().context("no HTTP client could be made")
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("daypass/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

/// The URL of a service that secrets are sent to: https, or http to this machine. Without a slash at its end.
pub(crate) fn base(text: &str) -> Result<String, String> {
    let example = "give one like http://127.0.0.1:8081";
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not an URL ({error}); {example}"))?;
    let local = match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if local => {}
        "http" => return Err(format!("`{text}` is plain HTTP to another machine; use https, or a tunnel")),
        _ => return Err(format!("`{text}` is not an URL of a service; {example}")),
    }
    Ok(text.trim_end_matches('/').to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_to_this_machine_or_over_tls() {
        for url in
            ["http://127.0.0.1:8081", "http://[::1]:1/", "http://localhost:1", "https://sts.example.com"]
        {
            assert_eq!(base(url).as_deref(), Ok(url.trim_end_matches('/')), "{url}");
        }
        for url in ["http://192.0.2.1:8081", "http://localhost.evil.example", "ftp://127.0.0.1", "8081", ""] {
            assert!(base(url).is_err(), "{url}");
        }
    }
}
