use axum::Router;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::routing::get;

use super::*;
use crate::testing::{env, http, listen, no_env, provider};

const LONG: Duration = Duration::from_secs(10);

fn call(url: &str) -> Call {
    Call::new(Method::GET, Url::parse(url).unwrap())
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_its_status() {
    let app =
        Router::new().route("/", get(async || (axum::http::StatusCode::IM_A_TEAPOT, "short and stout")));
    let server = listen(app).await;
    let answer = http().send(&call(&server.url("/")), LONG).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (418, b"short and stout".as_slice()));
    assert!(!answer.is_success() && !answer.is_transient());
    assert_eq!(format!("{answer:?}"), "Answer(418, 15 bytes)");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let app = Router::new()
        .route("/", get(async || (axum::http::StatusCode::FOUND, [(LOCATION, "/elsewhere")]).into_response()))
        .route("/elsewhere", get(async || "caught"));
    let server = listen(app).await;
    let answer = http().send(&call(&server.url("/")), LONG).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.header("location"), Some("/elsewhere"));
}

#[tokio::test]
async fn a_huge_answer_is_cut_off() {
    let app = Router::new().route("/", get(async || "x".repeat(LARGEST_ANSWER + 1)));
    let server = listen(app).await;
    let error = http().send(&call(&server.url("/")), LONG).await.unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { limit: LARGEST_ANSWER, .. }), "{error}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up_on() {
    let app = Router::new().route("/", get(std::future::pending::<()>));
    let server = listen(app).await;
    let error = http().send(&call(&server.url("/")), Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
    assert!(error.is_transient());
    assert!(error.to_string().ends_with("did not answer within 0.02 s"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_by_its_host_only() {
    let closed = listen(Router::new()).await.shut().await;
    let error = http().send(&call(&format!("{closed}/path?secret=x")), LONG).await.unwrap_err();
    assert!(matches!(error, HttpError::Unreachable { .. }), "{error}");
    assert!(error.is_transient() && !error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_broken() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let error = http().send(&call(&format!("http://{address}/")), LONG).await.unwrap_err();
    assert!(matches!(error, HttpError::Broken { .. }), "{error}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let error = http().send(&call("http://sts.example.com/"), LONG).await.unwrap_err();
    assert_eq!(error, HttpError::PlainHttp { host: "sts.example.com".into() });
    let error = http().send(&call("http://127.0.0.1.example.com/"), LONG).await.unwrap_err();
    assert_eq!(error, HttpError::PlainHttp { host: "127.0.0.1.example.com".into() });
    let error = http().send(&call("ftp://sts.example.com/"), LONG).await.unwrap_err();
    assert_eq!(error, HttpError::Scheme { scheme: "ftp".into() });

    let check = |http: &Http, call: &Call| http.check_scheme(call, &call.host());
    for url in ["http://localhost:8080/", "http://127.9.9.9/", "http://[::1]/", "https://sts.example.com/"] {
        assert_eq!(check(&http(), &call(url)), Ok(()), "{url}");
    }
    let mut metadata = call("http://metadata/identity");
    metadata.well_known = true;
    assert_eq!(check(&http(), &metadata), Ok(()));
    provider();
    let careless = HttpOptions { plain_http_anywhere: true, ..HttpOptions::default() };
    let careless = Http::new(careless, &no_env).unwrap();
    assert_eq!(check(&careless, &call("http://sts.example.com/")), Ok(()));
}

#[tokio::test]
async fn a_certificate_of_nobody_we_know_is_not_worth_another_try() {
    let (url, _) = crate::testing::listen_with_tls().await;
    let error = http().send(&call(&url), LONG).await.unwrap_err();
    assert!(matches!(error, HttpError::Untrusted { .. }), "{error:?}");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn extra_roots_are_trusted() {
    let (url, pem) = crate::testing::listen_with_tls().await;
    let options = HttpOptions { extra_roots: Some(pem.into_bytes()), ..HttpOptions::default() };
    let answer = Http::new(options, &no_env).unwrap().send(&call(&url), LONG).await.unwrap();
    assert_eq!(answer.body.as_slice(), b"over tls");

    let options = HttpOptions { extra_roots: Some(b"no certificate".to_vec()), ..HttpOptions::default() };
    let error = Http::new(options, &no_env).unwrap().send(&call(&url), LONG).await.unwrap_err();
    assert_eq!(error, HttpError::ExtraRoots);
}

#[tokio::test]
async fn https_goes_through_the_proxy_and_http_does_not() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://user:password@{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 64];
        stream.readable().await.unwrap();
        let length = stream.try_read(&mut head).unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let variables = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "inside.example")];
    let http = Http::new(HttpOptions::default(), &env(&variables)).unwrap();

    let server = listen(Router::new().route("/", get(async || "direct"))).await;
    assert_eq!(http.send(&call(&server.url("/")), LONG).await.unwrap().body.as_slice(), b"direct");
    let error = http.send(&call("https://sts.example.com/"), LONG).await.unwrap_err();
    assert!(error.is_transient() && !error.to_string().contains("password"), "{error}");
    assert!(seen.await.unwrap().starts_with("CONNECT sts.example.com:443 "));
    assert!(!format!("{http:?}").contains("password"));
}

#[test]
fn a_proxy_variable_that_holds_no_url_is_refused_without_showing_it() {
    provider();
    let error = Http::new(HttpOptions::default(), &env(&[("https_proxy", "http://user:secret@proxy:port")]))
        .unwrap_err();
    assert_eq!(error, HttpError::Proxy { variable: "https_proxy" });
    assert!(!error.to_string().contains("secret"));
    assert!(Http::new(HttpOptions::default(), &env(&[("HTTPS_PROXY", ""), ("NO_PROXY", "x")])).is_ok());
}

#[test]
fn a_header_that_would_split_the_request_is_refused_without_showing_it() {
    let mut call = call("https://sts.example.com/");
    let error = call.secret_header(reqwest::header::AUTHORIZATION, "secret\r\nX: y").unwrap_err();
    assert_eq!(error, HttpError::Header { name: "authorization".into() });
    assert_eq!(format!("{call:?}"), "Call(GET sts.example.com)");
}
