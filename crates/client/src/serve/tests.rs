use axum::http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::BoxFuture;
use crate::credential::AwsSession;
use crate::exchange::{ExchangeError, Refusal};
use crate::federation::{ClientError, SessionSource};
use crate::http::{Call, HttpError};
use crate::testing::{CountingRandom, ManualClock, NoRandom, http, session};

struct Fixed(Result<AwsSession, ClientError>);

impl SessionSource for Fixed {
    fn session(&self) -> BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async { self.0.clone() })
    }
}

/// The URL and token of an endpoint that hands this out.
async fn serving(outcome: Result<AwsSession, ClientError>) -> (String, String) {
    let endpoint = ContainerEndpoint::bind(&CountingRandom::default()).await.unwrap();
    let (url, token) = (endpoint.url(), endpoint.token().expose().to_owned());
    let refresher = Refresher::new(Arc::new(Fixed(outcome)), Arc::new(ManualClock::new()));
    tokio::spawn(endpoint.serve(refresher));
    (url, token)
}

async fn ask(method: &str, url: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    let mut call = Call::new(method.parse().unwrap(), url.parse().unwrap());
    for (name, value) in headers {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        call.headers.insert(name, value.parse().unwrap());
    }
    let answer = http().send(&call, Duration::from_secs(10)).await.unwrap();
    (answer.status, answer.headers, String::from_utf8(answer.body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_client_that_knows_path_and_token_gets_the_session() {
    let (url, token) = serving(Ok(session())).await;
    let (status, headers, body) = ask("GET", &url, &[("authorization", &token)]).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(
        body,
        "{\"AccessKeyId\":\"ASIAIOSFODNN7EXAMPLE\",\
         \"SecretAccessKey\":\"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY\",\"Token\":\"dps1_AAAA+/==\",\
         \"Expiration\":\"2026-11-23T06:00:00Z\",\"AccountId\":\"123456789012\"}"
    );
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(ask("GET", &by_name, &[("authorization", &token)]).await.0, 200);
}

#[tokio::test]
async fn nobody_else_gets_it() {
    let (url, token) = serving(Ok(session())).await;
    let with_token = ("authorization", token.as_str());
    let elsewhere = format!("{}/x", url.rsplit_once('/').unwrap().0);
    let port = url.trim_start_matches("http://127.0.0.1:").split('/').next().unwrap();
    let foreign = format!("rebound.example:{port}");
    for (method, url, headers, status, code) in [
        ("GET", &url, vec![], 401, "Unauthorized"),
        ("GET", &url, vec![("authorization", "x")], 401, "Unauthorized"),
        ("GET", &url, vec![("authorization", &*format!("Bearer {token}"))], 401, "Unauthorized"),
        ("GET", &elsewhere, vec![with_token], 404, "NotFound"),
        ("POST", &url, vec![with_token], 405, "MethodNotAllowed"),
        ("HEAD", &url, vec![with_token], 405, ""),
        ("GET", &url, vec![with_token, ("host", &foreign)], 403, "ForeignHost"),
        ("GET", &url, vec![with_token, ("host", "127.0.0.1")], 403, "ForeignHost"),
        ("GET", &url, vec![with_token, ("origin", "http://localhost")], 403, "ForeignHost"),
    ] {
        let (answered, headers, body) = ask(method, url, &headers).await;
        assert_eq!(answered, status, "{method} {url} {headers:?}");
        assert!(!body.contains("ASIA") && !body.contains(&token), "{body}");
        assert_eq!(headers.contains_key("allow"), status == 405);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        assert_eq!(body["code"].as_str().unwrap_or_default(), code);
    }
}

#[tokio::test]
async fn an_error_is_told_as_sdks_expect_it() {
    let refusal = |status| {
        let refusal = Refusal {
            status,
            code: "AccessDenied".into(),
            message: "no".into(),
            decision: Some("0195-d".into()),
        };
        ClientError::Exchange(ExchangeError::Refused(refusal))
    };
    let unreachable = HttpError::Unreachable { host: "sts".into(), reason: "refused".into() };
    for (error, status, body) in [
        (
            refusal(403),
            403,
            r#"{"code":"AccessDenied","message":"refused with AccessDenied: no (decision 0195-d)"}"#,
        ),
        (
            refusal(503),
            503,
            r#"{"code":"AccessDenied","message":"refused with AccessDenied: no (decision 0195-d)"}"#,
        ),
        (
            ClientError::Exchange(ExchangeError::Http(unreachable)),
            503,
            r#"{"code":"NoCredential","message":"no credential: `sts` cannot be reached: refused"}"#,
        ),
    ] {
        let (url, token) = serving(Err(error)).await;
        let answer = ask("GET", &url, &[("authorization", &token)]).await;
        assert_eq!((answer.0, answer.2.as_str()), (status, body));
    }
}

#[tokio::test]
async fn a_request_without_host_or_with_an_endless_head_gets_nothing() {
    let (url, token) = serving(Ok(session())).await;
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    for request in [
        format!("GET /{path} HTTP/1.0\r\nAuthorization: {token}\r\n\r\n"),
        format!("GET /{path} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(2 * LARGEST_HEAD)),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        assert!(!answer.contains("ASIA") && !answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn path_and_token_are_random_and_not_printed() {
    let random = CountingRandom::default();
    let (one, other) =
        (ContainerEndpoint::bind(&random).await.unwrap(), ContainerEndpoint::bind(&random).await.unwrap());
    assert!(one.url().starts_with("http://127.0.0.1:"));
    assert_ne!(one.door.path, other.door.path);
    assert_ne!(one.token(), other.token());
    assert_eq!(one.token().expose().len(), 64);
    assert!(!format!("{one:?}").contains(one.token().expose()));
    let error = ContainerEndpoint::bind(&NoRandom).await.unwrap_err();
    assert_eq!(error, ServeError::Random(RandomError));
}
