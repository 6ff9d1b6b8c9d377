//! What is not fetched: everything inside, everything without TLS, everything too large or too slow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse;
use daypass_claims::Timestamp;
use daypass_exchange::config::FetchConfig;
use daypass_exchange::keys::{Fetch, FetchTarget, Fetched};
use daypass_server::fetch::{Addresses, HttpFetch};
use daypass_store::BoxFuture;

use crate::site::{Site, endless, json, missing, redirect};

/// Names as the test has them.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Vec<IpAddr>>);

impl Names {
    pub(crate) fn of(names: &[(&str, &[&str])]) -> Arc<Self> {
        let parse = |(name, addresses): &(&str, &[&str])| {
            let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
            ((*name).to_owned(), addresses)
        };
        Arc::new(Self(names.iter().map(parse).collect()))
    }
}

impl Addresses for Names {
    fn of(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        let found = self.0.get(host).cloned();
        Box::pin(async move { found.ok_or_else(|| std::io::Error::other("no such name")) })
    }
}

pub(crate) fn target(url: &str, config: FetchConfig) -> FetchTarget {
    FetchTarget { url: url.to_owned(), config, deadline: Timestamp::from_secs(0) }
}

/// Fetches with these names; the error in words.
async fn fetch(names: &Arc<Names>, url: &str) -> Result<Fetched, String> {
    let fetcher = HttpFetch::with(Arc::clone(names) as Arc<dyn Addresses>);
    fetcher.fetch(target(url, FetchConfig::default())).await.map_err(|error| error.0)
}

#[tokio::test]
async fn a_document_is_fetched_from_a_loopback_issuer() {
    let site = Site::plain(|_| json("{}")).await;
    let fetched = fetch(&Names::of(&[]), &site.url("/keys")).await.unwrap();
    assert_eq!(
        (fetched.body.as_slice(), fetched.cache_control.as_deref()),
        (&b"{}"[..], Some("max-age=600"))
    );
    assert_eq!(site.asked(), ["/keys"]);
}

#[tokio::test]
async fn only_https_leaves_this_machine() {
    let names = Names::of(&[("ci.example.com", &["1.1.1.1"])]);
    for (url, scheme) in [
        ("http://ci.example.com/keys", "http"),
        ("http://1.1.1.1/keys", "http"),
        ("http://localhost.example.com/keys", "http"),
        ("ftp://ci.example.com/keys", "ftp"),
        ("file:///etc/passwd", "file"),
    ] {
        let error = fetch(&names, url).await.unwrap_err();
        assert!(error.starts_with(&format!("{scheme} is not fetched from ")), "{url}: {error}");
    }
    assert!(fetch(&names, "not an URL").await.unwrap_err().starts_with("`not an URL` is no URL"));
}

#[tokio::test]
async fn addresses_inside_are_not_connected_to() {
    let names = Names::of(&[]);
    for host in [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "0.0.0.0",
        "[::]",
        "[64:ff9b::a9fe:a9fe]",
        "[::ffff:127.0.0.1]",
        // Loopback in disguise: no loopback issuer to whoever compares the text.
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
    ] {
        let error = fetch(&names, &format!("https://{host}/keys")).await.unwrap_err();
        assert!(error.contains("is not connected to: "), "{host}: {error}");
    }
}

#[tokio::test]
async fn a_name_cannot_lead_inside() {
    let names = Names::of(&[
        ("inside.example.com", &["10.0.0.1"]),
        ("metadata.example.com", &["169.254.169.254"]),
        ("mapped.example.com", &["::ffff:10.0.0.1"]),
        ("loop.example.com", &["127.0.0.1"]),
        ("both.example.com", &["1.1.1.1", "192.168.0.1"]),
        ("localhost", &["127.0.0.1"]),
        ("localhost.", &["127.0.0.1"]),
    ]);
    for (host, why) in [
        ("inside.example.com", "10.0.0.1 is private (RFC 1918)"),
        ("metadata.example.com", "169.254.169.254 is link-local, where clouds keep their metadata"),
        ("mapped.example.com", "::ffff:10.0.0.1 is private (RFC 1918)"),
        ("loop.example.com", "127.0.0.1 is loopback"),
        ("both.example.com", "192.168.0.1 is private (RFC 1918)"),
        ("LOCALHOST", "127.0.0.1 is loopback"),
        ("localhost.", "127.0.0.1 is loopback"),
    ] {
        let error = fetch(&names, &format!("https://{host}/keys")).await.unwrap_err();
        assert!(error.ends_with(why), "{host}: {error}");
    }
    let empty = Names::of(&[("empty.example.com", &[])]);
    let error = fetch(&empty, "https://empty.example.com/keys").await.unwrap_err();
    assert!(error.ends_with("empty.example.com has no address"), "{error}");
    let error = fetch(&empty, "https://unknown.example.com/keys").await.unwrap_err();
    assert!(error.ends_with("no such name"), "{error}");
}

#[tokio::test]
async fn user_information_is_neither_sent_nor_shown() {
    let site = Site::plain(|_| json("{}")).await;
    let names = Names::of(&[("ci.example.com", &["1.1.1.1"])]);
    let port = site.address.port();
    for url in ["https://user:s3cret@ci.example.com/", &format!("http://s3cret@127.0.0.1:{port}/")] {
        let error = fetch(&names, url).await.unwrap_err();
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn redirects_stay_within_the_origin() {
    let other = Site::plain(|_| json("{\"other\": true}")).await;
    let (there, port) = (other.url("/keys"), other.address.port());
    let site = Site::plain(move |path| match path {
        "/near" => redirect("/keys"),
        "/keys" => json("{}"),
        "/port" => redirect(&there),
        "/name" => redirect(&format!("http://localhost:{port}/keys")),
        "/scheme" => redirect(&there.replace("http://", "https://")),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        "/file" => redirect("file:///etc/passwd"),
        "/round" => redirect("/round"),
        _ => missing(),
    })
    .await;
    let names = Names::of(&[("localhost", &["127.0.0.1"])]);
    assert_eq!(fetch(&names, &site.url("/near")).await.unwrap().body, b"{}");
    for path in ["/port", "/name", "/scheme", "/metadata"] {
        let error = fetch(&names, &site.url(path)).await.unwrap_err();
        assert!(error.contains("redirect to another origin"), "{path}: {error}");
    }
    let error = fetch(&names, &site.url("/file")).await.unwrap_err();
    assert!(
        error.ends_with("/file answered 302 Found"),
        "what is no web address is not even looked at: {error}"
    );
    let asked = site.asked().len();
    let error = fetch(&names, &site.url("/round")).await.unwrap_err();
    assert!(error.contains("too many redirects"), "{error}");
    assert_eq!(site.asked().len() - asked, 4, "the first and three redirects");
    assert_eq!(other.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_redirect_cannot_carry_a_user_name() {
    let site = Site::plain(|_| missing()).await;
    let address = site.address;
    site.answers(move |path| match path {
        "/user" => redirect(&format!("http://s3cret@{address}/keys")),
        _ => json("{}"),
    });
    let error = fetch(&Names::of(&[]), &site.url("/user")).await.unwrap_err();
    assert!(error.contains("another origin") && !error.contains("s3cret"), "{error}");
    assert_eq!(site.asked(), ["/user"]);
}

#[tokio::test]
async fn a_document_has_a_size() {
    const LARGEST: usize = 256 * 1_024;
    let site = Site::plain(|path| match path {
        "/largest" => json("x".repeat(LARGEST)),
        "/larger" => json("x".repeat(LARGEST + 1)),
        // Without a length, so that only counting helps.
        _ => {
            let huge = "x".repeat(LARGEST + 1);
            axum::body::Body::new(Unsized(huge.into())).into_response()
        }
    })
    .await;
    let names = Names::of(&[]);
    assert_eq!(fetch(&names, &site.url("/largest")).await.unwrap().body.len(), LARGEST);
    for path in ["/larger", "/unsized"] {
        let error = fetch(&names, &site.url(path)).await.unwrap_err();
        assert!(error.ends_with("answered with more than 262144 bytes"), "{error}");
    }
}

/// A body that does not say how long it is.
struct Unsized(bytes::Bytes);

impl hyper::body::Body for Unsized {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        let length = self.0.len().min(10_000);
        let next = self.0.split_to(length);
        std::task::Poll::Ready((!next.is_empty()).then(|| Ok(hyper::body::Frame::data(next))))
    }
}

#[tokio::test]
async fn a_document_has_a_time() {
    let site = Site::plain(|_| missing()).await;
    site.answers_at_the_gate(|_| json("{}"));
    let fetcher = HttpFetch::new().within(Duration::from_millis(200));
    let fetch = async |url: String| {
        fetcher.fetch(target(&url, FetchConfig::default())).await.map_err(|error| error.0)
    };
    let silent = fetch(site.url("/silent")).await.unwrap_err();
    assert!(silent.contains("timed out"), "{silent}");
    site.answers(|_| endless("{\"keys\": ["));
    let slow = fetch(site.url("/slow")).await.unwrap_err();
    assert!(slow.contains("timed out"), "{slow}");
}

#[tokio::test]
async fn only_success_is_an_answer_and_its_type_does_not_matter() {
    let site = Site::plain(|path| match path {
        "/plain" => ([("content-type", "text/plain")], "{}").into_response(),
        "/untyped" => axum::body::Body::from("{}").into_response(),
        "/broken" => (http::StatusCode::BAD_GATEWAY, "{}").into_response(),
        _ => missing(),
    })
    .await;
    let names = Names::of(&[]);
    assert_eq!(fetch(&names, &site.url("/plain")).await.unwrap().body, b"{}");
    assert_eq!(fetch(&names, &site.url("/untyped")).await.unwrap().body, b"{}");
    let error = fetch(&names, &site.url("/broken")).await.unwrap_err();
    assert!(error.ends_with("/broken answered 502 Bad Gateway"), "{error}");
    let error = fetch(&names, &site.url("/nothing")).await.unwrap_err();
    assert!(error.ends_with("/nothing answered 404 Not Found"), "{error}");
}
