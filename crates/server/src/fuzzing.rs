//! Ways into the parsers of the wires for the targets in `fuzz/`; not part of the API.

use std::net::{IpAddr, Ipv4Addr};

use daypass_exchange::{Client, Request};
use http::{HeaderMap, HeaderValue, Uri, header};

use crate::wire::{Parameters, aws, token_exchange};

/// An error as its caller is told: code and description.
pub type Told = (&'static str, String);

/// The pairs of a form, decoded; what is wrong otherwise.
pub fn form(text: &str) -> Result<Vec<(String, String)>, String> {
    let form = Parameters::parse(text).map_err(|error| error.to_string())?;
    Ok(form.under("").map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Reads AssumeRoleWithWebIdentity.
pub fn web_identity(query: &str, body: &[u8]) -> Result<Request, Told> {
    let uri = Uri::try_from(format!("/?{query}")).unwrap_or_else(|_| Uri::from_static("/"));
    aws::read_only(&uri, &headers(), body, client())
}

/// Reads a token exchange.
pub fn token_exchange(body: &[u8]) -> Result<Request, Told> {
    token_exchange::read_only(&headers(), body, client())
}

fn headers() -> HeaderMap {
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    HeaderMap::from_iter([(header::CONTENT_TYPE, form)])
}

fn client() -> Client {
    Client { address: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: None, secure: false }
}
