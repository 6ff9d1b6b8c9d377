use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;

use super::*;
use crate::credential::AwsSession;
use crate::http::HttpError;
use crate::testing::{NOW, Server, ci_token, listen, session, tools};

const RESPONSE: &str = r#"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>repo:acme/app:ref:refs/heads/main</SubjectFromWebIdentityToken>
    <Audience>sts.amazonaws.com</Audience>
    <AssumedRoleUser>
      <Arn>arn:aws:sts::123456789012:assumed-role/deploy/run-7</Arn>
      <AssumedRoleId>AROACLKWSDQRAOEXAMPLE:run-7</AssumedRoleId>
    </AssumedRoleUser>
    <Credentials>
      <SessionToken>dps1_AAAA+/==</SessionToken>
      <SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>
      <Expiration>2026-11-23T06:00:00Z</Expiration>
      <AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
  <ResponseMetadata><RequestId>11111111-2222-3333-4444-555555555555</RequestId></ResponseMetadata>
</AssumeRoleWithWebIdentityResponse>"#;

fn aws_error(status: u16, code: &str, message: &str) -> Response {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>0195-d</RequestId></ErrorResponse>"
    );
    (StatusCode::from_u16(status).unwrap(), body).into_response()
}

fn oauth_error(status: u16, body: serde_json::Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn aws() -> Wire {
    Wire::AwsQuery(AwsQuery {
        role_arn: "arn:aws:iam::123456789012:role/deploy".into(),
        ..AwsQuery::default()
    })
}

fn oauth() -> Wire {
    Wire::TokenExchange(TokenExchange { audience: vec!["deploy".into()], ..TokenExchange::default() })
}

/// A server that gives one answer after the other, the last one for ever, and counts them.
async fn answering(answers: Vec<fn() -> Response>) -> (Server, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let answer = async move || {
        let place = count.fetch_add(1, Ordering::SeqCst) as usize;
        answers[place.min(answers.len() - 1)]()
    };
    (listen(Router::new().fallback(any(answer))).await, asked)
}

async fn exchanged(server: &str, wire: Wire) -> Result<Credential, ExchangeError> {
    Exchange::new(server, wire).unwrap().exchange(&ci_token(), &tools()).await
}

/// The error after these answers, and how many there were.
async fn refused(wire: Wire, answers: Vec<fn() -> Response>) -> (ExchangeError, u32) {
    let (server, asked) = answering(answers).await;
    let error = exchanged(&server.url("/"), wire).await.unwrap_err();
    (error, asked.load(Ordering::SeqCst))
}

#[tokio::test]
async fn the_aws_wire_sends_a_form_and_reads_a_session() {
    let app = Router::new().fallback(any(async |method: Method, headers: HeaderMap, body: String| {
        assert_eq!(method, Method::POST);
        assert_eq!(headers[CONTENT_TYPE], "application/x-www-form-urlencoded; charset=utf-8");
        assert!(!headers.contains_key("authorization"));
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let token = ci_token().secret().expose().to_owned();
        let expected = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", "arn:aws:iam::123456789012:role/deploy"),
            ("RoleSessionName", "run-7"),
            ("WebIdentityToken", &token),
            ("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
            ("PolicyArns.member.2.arn", "arn:aws:iam::123456789012:policy/p"),
            ("Policy", "{\"Version\":\"2012-10-17\"}"),
            ("DurationSeconds", "900"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        RESPONSE
    }));
    let server = listen(app).await;
    let wire = Wire::AwsQuery(AwsQuery {
        role_arn: "arn:aws:iam::123456789012:role/deploy".into(),
        session_name: Some(SessionName::parse("run-7").unwrap()),
        duration: Some(Duration::from_secs(900)),
        policy: Some("{\"Version\":\"2012-10-17\"}".into()),
        policy_arns: vec![
            "arn:aws:iam::aws:policy/ReadOnlyAccess".into(),
            "arn:aws:iam::123456789012:policy/p".into(),
        ],
    });
    let credential = exchanged(&server.url(""), wire).await.unwrap();
    assert_eq!(credential, Credential::AwsSession(session()));
    assert_eq!(credential.expires_at(), Some(NOW + Duration::from_secs(3_600)));
}

#[tokio::test]
async fn the_oauth_wire_sends_a_form_and_reads_a_token() {
    let app = Router::new().route(
        "/token",
        any(async |method: Method, headers: HeaderMap, body: String| {
            assert_eq!(method, Method::POST);
            assert_eq!(headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
            assert_eq!(headers[ACCEPT], "application/json");
            let token = ci_token().secret().expose().to_owned();
            assert_eq!(
                body,
                format!(
                    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token={token}\
                     &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&audience=deploy\
                     &resource=https%3A%2F%2Fapi.example%2F&scope=a+b\
                     &requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt\
                     &session_name=run-7&duration_seconds=900"
                )
            );
            axum::Json(json!({
                "access_token": "a.b.c",
                "issued_token_type": "urn:ietf:params:oauth:token-type:jwt",
                "token_type": "Bearer",
                "expires_in": 600,
                "scope": "a",
            }))
        }),
    );
    let server = listen(app).await;
    let wire = Wire::TokenExchange(TokenExchange {
        audience: vec!["deploy".into()],
        resource: vec!["https://api.example/".into()],
        scope: Some("a b".into()),
        requested_token_type: Some("urn:ietf:params:oauth:token-type:jwt".into()),
        session_name: Some(SessionName::parse("run-7").unwrap()),
        duration: Some(Duration::from_secs(900)),
    });
    let Credential::Token(token) = exchanged(&server.url(""), wire).await.unwrap() else { panic!("a token") };
    assert_eq!(token.access_token.expose(), "a.b.c");
    assert_eq!(token.expires_at, Some(NOW + Duration::from_secs(600)));
    assert_eq!((token.token_type.as_str(), token.scope.as_deref()), ("Bearer", Some("a")));
}

#[tokio::test]
async fn the_oauth_wire_can_give_a_session() {
    let (server, _) = answering(vec![|| {
        axum::Json(json!({
            "access_token": "dps1_AAAA+/==",
            "issued_token_type": "urn:daypass:params:oauth:token-type:aws-session",
            "token_type": "N_A",
            "expires_in": 3600,
            "aws_credentials": {
                "Version": 1,
                "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
                "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY",
                "SessionToken": "dps1_AAAA+/==",
                "Expiration": "2026-11-23T06:00:00Z",
                "AccountId": "123456789012",
            },
        }))
        .into_response()
    }])
    .await;
    let credential = exchanged(&server.url(""), oauth()).await.unwrap();
    assert_eq!(credential, Credential::AwsSession(AwsSession { arn: None, ..session() }));
}

#[test]
fn a_path_is_the_wires_own_unless_given() {
    let endpoint = |server, wire| Exchange::new(server, wire).unwrap().endpoint().to_string();
    assert_eq!(endpoint("https://sts.example.com", aws()), "https://sts.example.com/");
    assert_eq!(endpoint("https://sts.example.com", oauth()), "https://sts.example.com/token");
    assert_eq!(endpoint("https://sts.example.com/oauth/x", oauth()), "https://sts.example.com/oauth/x");
}

#[test]
fn what_is_no_server_is_refused() {
    for (server, expected) in [
        ("sts.example.com", EndpointError::Url),
        ("ftp://sts.example.com", EndpointError::Url),
        ("https://", EndpointError::Url),
        ("https://me:secret@sts.example.com", EndpointError::UserInfo),
        ("https://sts.example.com/?x", EndpointError::QueryOrFragment),
        ("https://sts.example.com/#x", EndpointError::QueryOrFragment),
    ] {
        let error = Exchange::new(server, aws()).unwrap_err();
        assert_eq!(error, expected, "{server}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words_and_not_asked_for_again() {
    let denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
    for (answer, expected) in [
        (
            (|| aws_error(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))
                as fn() -> Response,
            format!("refused with AccessDenied: {denied} (decision 0195-d)"),
        ),
        (
            || aws_error(400, "ExpiredTokenException", "Token expired: &lt;now&gt;\n::stop-commands::x"),
            "refused with ExpiredTokenException: Token expired: <now> ::stop-commands::x (decision 0195-d)"
                .to_owned(),
        ),
        (
            || aws_error(403, "AccessDenied", "no (decision 0195-d: `ref` does not fit)"),
            "refused with AccessDenied: no (decision 0195-d: `ref` does not fit)".to_owned(),
        ),
        (
            || aws_error(400, "InvalidIdentityToken", ""),
            "refused with InvalidIdentityToken (decision 0195-d)".to_owned(),
        ),
    ] {
        let (error, asked) = refused(aws(), vec![answer]).await;
        assert_eq!((error.to_string(), asked), (expected, 1));
        assert!(error.refusal().is_some());
    }
    let (error, asked) = refused(
        oauth(),
        vec![|| {
            oauth_error(
                400,
                json!({"error": "invalid_request", "error_description": "no", "decision": "0195-e"}),
            )
        }],
    )
    .await;
    assert_eq!(
        (error.to_string().as_str(), asked),
        ("refused with invalid_request: no (decision 0195-e)", 1)
    );
    let target: fn() -> Response = || {
        let headers = [("x-request-id", "r-1")];
        (StatusCode::BAD_REQUEST, headers, axum::Json(json!({"error": "invalid_target"}))).into_response()
    };
    let (error, asked) = refused(oauth(), vec![target]).await;
    assert_eq!((error.to_string().as_str(), asked), ("refused with invalid_target (decision r-1)", 1));
}

#[tokio::test]
async fn what_can_pass_is_tried_again() {
    for answer in [
        (|| aws_error(400, "IDPCommunicationError", "fetching keys")) as fn() -> Response,
        || aws_error(400, "Throttling", "Rate exceeded"),
        || aws_error(503, "ServiceUnavailable", "later"),
        || StatusCode::TOO_MANY_REQUESTS.into_response(),
        || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "deploying").into_response(),
        || StatusCode::BAD_GATEWAY.into_response(),
    ] {
        let (server, asked) = answering(vec![answer, answer, || RESPONSE.into_response()]).await;
        assert!(exchanged(&server.url("/"), aws()).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }
    let (server, asked) = answering(vec![
        || oauth_error(503, json!({"error": "temporarily_unavailable"})),
        || oauth_error(400, json!({"error": "temporarily_unavailable"})),
        || {
            oauth_error(
                200,
                json!({"access_token": "a.b.c", "issued_token_type": "urn:x", "token_type": "Bearer"}),
            )
        },
    ])
    .await;
    let credential = exchanged(&server.url("/"), oauth()).await.unwrap();
    assert_eq!(credential.expires_at(), None);
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refusal_after_a_retry_ends_the_retries() {
    let (error, asked) = refused(
        aws(),
        vec![|| StatusCode::BAD_GATEWAY.into_response(), || aws_error(403, "AccessDenied", "no")],
    )
    .await;
    assert_eq!((error.refusal().unwrap().code.as_str(), asked), ("AccessDenied", 2));
}

#[tokio::test]
async fn retries_end() {
    let (error, asked) = refused(aws(), vec![|| aws_error(400, "IDPCommunicationError", "down")]).await;
    let expected = "gave up after 3 tries: refused with IDPCommunicationError: down (decision 0195-d)";
    assert_eq!((error.to_string().as_str(), asked), (expected, 3));
    assert_eq!(error.refusal().unwrap().code, "IDPCommunicationError");

    let (error, asked) =
        refused(aws(), vec![|| (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "3600")]).into_response()])
            .await;
    assert!(error.to_string().starts_with("gave up after 1 try: "), "{error}");
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    let url = listen(Router::new()).await.shut().await;
    let error = exchanged(&url, aws()).await.unwrap_err();
    let ExchangeError::GaveUp { tries: 3, last } = error else { panic!("{error}") };
    assert!(matches!(*last, ExchangeError::Http(HttpError::Unreachable { .. })), "{last}");
    assert!(last.refusal().is_none());
}

#[tokio::test]
async fn a_token_does_not_go_over_plain_http() {
    let error = exchanged("http://sts.example.com", aws()).await.unwrap_err();
    assert_eq!(error, ExchangeError::Http(HttpError::PlainHttp { host: "sts.example.com".into() }));
}

#[tokio::test]
async fn another_protocols_error_is_quoted() {
    let page: fn() -> Response =
        || (StatusCode::FORBIDDEN, "<html><body>Blocked by\n policy</body></html>").into_response();
    for wire in [aws(), oauth()] {
        let (error, asked) = refused(wire, vec![page]).await;
        let ExchangeError::Unintelligible { status: 403, said, .. } = error else { panic!("{error}") };
        assert_eq!((said.as_str(), asked), ("<html><body>Blocked by policy</body></html>", 1));
    }
    let (error, _) = refused(aws(), vec![|| StatusCode::FORBIDDEN.into_response()]).await;
    assert!(error.to_string().ends_with("without the protocol's error"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_credential_is_refused_without_showing_it() {
    for (cut, problem) in [
        ("<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId>", "it has no AccessKeyId"),
        (
            "<SecretAccessKey>wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY</SecretAccessKey>",
            "it has no SecretAccessKey",
        ),
        ("<SessionToken>dps1_AAAA+/==</SessionToken>", "it has no SessionToken"),
        ("<Expiration>2026-11-23T06:00:00Z</Expiration>", "it has no Expiration"),
        ("2026-11-23T06:00:00", "its Expiration is no time"),
        ("xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">", "it is not XML"),
    ] {
        let body = RESPONSE.replacen(cut, "", 1);
        assert_eq!(aws_query::session(body.as_bytes()), Err(problem));
    }
    let other = RESPONSE.replace("AssumeRoleWithWebIdentityResponse", "GetCallerIdentityResponse");
    let problem = "it is not the response to AssumeRoleWithWebIdentity";
    assert_eq!(aws_query::session(other.as_bytes()), Err(problem));
    assert_eq!(aws_query::session(b"<AssumeRoleWithWebIdentityResponse/>"), Err("it has no result"));
    let empty = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult/></AssumeRoleWithWebIdentityResponse>";
    assert_eq!(aws_query::session(empty.as_bytes()), Err("it has no Credentials"));

    let bad = token_exchange::credential(b"{\"access_token\":\"hush\"}", NOW).unwrap_err();
    assert!(bad.starts_with("it is not JSON with") && !bad.contains("hush"));
    let bad = r#"{"access_token":"","issued_token_type":"x","token_type":"N_A"}"#;
    assert_eq!(token_exchange::credential(bad.as_bytes(), NOW), Err("its access_token is empty"));

    let session = r#"{"access_token":"x","issued_token_type":"urn:daypass:params:oauth:token-type:aws-session",
        "token_type":"N_A""#;
    let without = format!("{session}}}");
    assert_eq!(token_exchange::credential(without.as_bytes(), NOW), Err("it has no aws_credentials"));
    let keys = r#"{"AccessKeyId":"A","SecretAccessKey":"s","SessionToken":"t","Expiration":"soon"}"#;
    let timeless = format!("{session},\"aws_credentials\":{keys}}}");
    assert_eq!(token_exchange::credential(timeless.as_bytes(), NOW), Err("its Expiration is no time"));

    let (error, asked) = refused(aws(), vec![|| "<html>welcome</html>".into_response()]).await;
    assert!(matches!(error, ExchangeError::Malformed { .. }), "{error}");
    assert_eq!(asked, 1);
}
