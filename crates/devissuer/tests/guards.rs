//! Who is turned away: browsers, other hosts, other machines.

use daypass_devissuer::{DevIssuer, IssuerMode, NoStore, ServeError, StartError};
use reqwest::Method;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::common::{GITHUB, Server, github, options};

/// Every kind of path that there is.
const PATHS: [(&str, Method); 9] = [
    ("/mint", Method::POST),
    ("/job", Method::POST),
    ("/control", Method::GET),
    ("/control/rotate", Method::POST),
    ("/control/remove-key", Method::POST),
    ("/control/skew", Method::POST),
    ("/control/outage", Method::POST),
    ("/github-actions/idtoken?job=1", Method::GET),
    ("/github-actions/.well-known/jwks", Method::GET),
];

async fn refusal(server: &Server, method: Method, path: &str, header: (&str, &str)) -> (u16, Value) {
    let request = server.http.request(method, server.url(path)).header(header.0, header.1);
    let response = request.json(&github()).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn every_path_refuses_a_foreign_host() {
    let server = Server::start(IssuerMode::True).await;
    for (path, method) in PATHS {
        for host in ["rebound.evil.example", "127.0.0.1:1", "localhost"] {
            let (status, body) = refusal(&server, method.clone(), path, ("host", host)).await;
            assert_eq!((status, body["error"].as_str()), (403, Some("host-foreign")), "{path} {host}");
        }
    }
    assert!(server.dev.status().issuers.is_empty(), "nothing was done");
    server.stop().await;
}

#[tokio::test]
async fn every_path_refuses_a_web_page() {
    let server = Server::start(IssuerMode::True).await;
    let own = server.dev.url().to_owned();
    for (path, method) in PATHS {
        for origin in ["https://evil.example", "null", own.as_str()] {
            let (status, body) = refusal(&server, method.clone(), path, ("origin", origin)).await;
            assert_eq!((status, body["error"].as_str()), (403, Some("origin-present")), "{path} {origin}");
        }
    }
    // What a browser asks before it lets a page send JSON.
    let (status, _) = refusal(&server, Method::OPTIONS, "/mint", ("origin", "https://evil.example")).await;
    assert_eq!(status, 403);
    assert!(server.dev.status().issuers.is_empty(), "nothing was done");
    server.stop().await;
}

#[tokio::test]
async fn its_own_names_are_let_in() {
    let server = Server::start(IssuerMode::True).await;
    let port = server.dev.address().port();
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        let request = server.http.post(server.url("/mint")).header("host", host).json(&github());
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    server.stop().await;
}

#[tokio::test]
async fn what_a_form_can_send_is_not_read() {
    let server = Server::start(IssuerMode::True).await;
    for content_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    {
        let request = server.http.post(server.url("/mint")).header("content-type", content_type);
        let response = request.body(r#"{"platform":"github-actions"}"#).send().await.unwrap();
        assert_eq!(response.status(), 415, "{content_type}");
    }
    server.stop().await;
}

#[test]
fn it_is_for_loopback_addresses_only() {
    let start = |address: &str| {
        DevIssuer::new(address.parse().unwrap(), options(IssuerMode::True, Box::new(NoStore)))
    };
    for address in ["127.0.0.1:8090", "127.9.9.9:8090", "[::1]:8090"] {
        assert!(start(address).is_ok(), "{address}");
    }
    for address in
        ["0.0.0.0:8090", "[::]:8090", "10.0.0.1:8090", "[::ffff:127.0.0.1]:8090", "203.0.113.7:8090"]
    {
        let error = start(address).unwrap_err();
        assert!(matches!(error, StartError::NotLoopback(_)), "{address}");
        assert!(error.to_string().ends_with("only on loopback"), "{error}");
    }
}

#[tokio::test]
async fn it_serves_where_it_was_made_for() {
    let wide = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = wide.local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}").parse().unwrap();
    let dev = DevIssuer::new(address, options(IssuerMode::True, Box::new(NoStore))).unwrap();
    let error = dev.serve(wide, std::future::ready(())).await.unwrap_err();
    assert!(matches!(error, ServeError::OtherListener { expected, .. } if expected == address), "{error}");
}

#[tokio::test]
async fn what_is_no_document_is_not_found() {
    let server = Server::start(IssuerMode::True).await;
    for path in ["/", "/github-actions", "/nowhere/.well-known/openid-configuration", "/control/other"] {
        let (status, body) = server.get(&server.url(path)).await;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((status, body["error"].as_str()), (404, Some("not-found")), "{path}");
    }
    let (status, body) = server.get(&server.url("/mint")).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, body["error"].as_str()), (405, Some("method-not-allowed")));
    let jwks = server.dev.jwks_url(&daypass_claims::Issuer::parse(GITHUB).unwrap()).unwrap();
    assert_eq!(server.http.post(jwks).send().await.unwrap().status(), 404);
    server.stop().await;
}
