//! What strangers do to connections: nothing, a little at a time, too much, nonsense.

use std::sync::Arc;
use std::time::Duration;

use daypass_server::Bounds;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::site::Authority;
use crate::tools::{Plan, World, form};

/// Bounds that a test can wait for, one connection at a time.
const TIGHT: Bounds = Bounds {
    head: Duration::from_millis(300),
    idle: Duration::from_millis(600),
    body: Duration::from_millis(300),
    answer: Duration::from_millis(300),
    connections: 1,
    grace: Duration::from_secs(25),
};

async fn tight(tls: Option<Authority>) -> World {
    World::with(Plan { bounds: TIGHT, tls, ..Plan::default() }).await
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.service.public()).await.unwrap()
}

/// Everything until the other end closes. A reset is an end, too.
async fn until_the_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Sends these bytes and reads until the end.
async fn talk(world: &World, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = connect(world).await;
    stream.write_all(bytes.as_ref()).await.unwrap();
    until_the_end(&mut stream).await
}

fn status(answer: &str) -> &str {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or(answer)
}

#[tokio::test]
async fn whoever_sends_nothing_is_given_up_and_makes_room() {
    let world = tight(None).await;
    let mut silent = connect(&world).await;
    // The only place is taken; this waits until it is free, and no longer.
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(until_the_end(&mut silent).await, "");
}

#[tokio::test]
async fn a_request_that_does_not_get_on_is_given_up() {
    let world = tight(None).await;
    for beginning in ["G", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "PRI * HTTP/2.0\r\n"] {
        let answer = talk(&world, beginning).await;
        assert!(answer.is_empty() || status(&answer).starts_with('4'), "{beginning}: {answer}");
    }
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_client_that_has_been_answered_may_not_stay_for_ever() {
    let world = tight(None).await;
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let answer = until_the_end(&mut stream).await;
    assert_eq!(status(&answer), "200");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

/// A proxy keeps connections for a minute, to use them again: longer than a head may take.
#[tokio::test]
async fn a_client_that_has_been_answered_may_be_idle_for_longer_than_a_head_may_take() {
    let bounds = Bounds { head: Duration::from_millis(50), idle: Duration::from_secs(600), ..TIGHT };
    for tls in [None, Some(Authority::new())] {
        let connector = tls.as_ref().map(|authority| crate::tools::tls(authority.roots(), &[b"http/1.1"]));
        let world = World::with(Plan { bounds, tls, ..Plan::default() }).await;
        let stream = connect(&world).await;
        match connector {
            None => ask_twice(stream, bounds.head * 6).await,
            Some(tls) => {
                let name = ServerName::try_from("127.0.0.1").unwrap();
                let stream = TlsConnector::from(Arc::new(tls)).connect(name, stream).await.unwrap();
                ask_twice(stream, bounds.head * 6).await;
            }
        }
    }
}

/// Asks, is silent for a while, asks again and then begins a third request without ending it.
async fn ask_twice(mut stream: impl AsyncRead + AsyncWrite + Unpin, silent: Duration) {
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for _ in 0..2 {
        stream.write_all(ask).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok\n") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "it hung up");
        }
        tokio::time::sleep(silent).await;
    }
    stream.write_all(b"GET / HT").await.unwrap();
    assert_eq!(until_the_end(&mut stream).await, "", "a head that does not get on is not idleness");
}

#[tokio::test]
async fn whoever_asks_and_never_reads_is_given_up_and_makes_room() {
    for tls in [None, Some(Authority::new())] {
        let connector = tls.as_ref().map(|authority| crate::tools::tls(authority.roots(), &[b"http/1.1"]));
        let world = tight(tls).await;
        let socket = TcpSocket::new_v4().unwrap();
        // Little fits on the way, so that it is soon full.
        socket.set_recv_buffer_size(4_096).unwrap();
        let stream = socket.connect(world.service.public()).await.unwrap();
        let asking = tokio::spawn(async move {
            match connector {
                None => ask_for_ever(stream).await,
                Some(tls) => {
                    let name = ServerName::try_from("127.0.0.1").unwrap();
                    ask_for_ever(TlsConnector::from(Arc::new(tls)).connect(name, stream).await.unwrap())
                        .await;
                }
            }
        });
        assert_eq!(world.get("/healthz").await.status, 200);
        asking.await.unwrap();
    }
}

/// Sends requests until the other end has had enough of it.
async fn ask_for_ever(mut stream: impl AsyncWrite + Unpin) {
    let requests = "GET /.well-known/openid-configuration HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    while stream.write_all(requests.as_bytes()).await.is_ok() {}
}

/// A slow loris: the head is always about to be complete, and never is.
#[tokio::test]
async fn a_head_that_grows_by_a_line_now_and_then_is_given_up() {
    let world = tight(None).await;
    let mut stream = connect(&world).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let dripping = tokio::spawn(async move {
        let mut interval = tokio::time::interval(TIGHT.head / 10);
        while stream.write_all(b"X: y\r\n").await.is_ok() {
            interval.tick().await;
        }
    });
    assert_eq!(world.get("/healthz").await.status, 200);
    dripping.await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_an_error_of_the_wire() {
    let world = tight(None).await;
    let head = |path: &str, more: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n{more}\r\n\r\nAction=Get"
        )
    };
    let aws = talk(&world, head("/", "Content-Length: 100")).await;
    assert_eq!(status(&aws), "408");
    assert!(aws.contains("<Code>RequestTimeout</Code>"), "{aws}");
    let oauth = talk(&world, head("/token", "Content-Length: 100")).await;
    assert_eq!(status(&oauth), "408");
    assert!(oauth.contains("\"error\":\"invalid_request\""), "{oauth}");
    let chunked =
        talk(&world, head("/", "Transfer-Encoding: chunked").replace("Action", "6\r\nAction\r\n")).await;
    assert!(["400", "408"].contains(&status(&chunked)), "{chunked}");
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_no_request() {
    let world = World::new().await;
    let before = world.records(1_000).await.len();
    let token = world.token(&[]);
    let body = form(&[
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", crate::tools::DEPLOY),
        ("RoleSessionName", "run-1"),
        ("WebIdentityToken", &token),
    ]);
    let mut stream = connect(&world).await;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len() + 10
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let answer = until_the_end(&mut stream).await;
    assert!(!answer.contains("AccessKeyId"), "{answer}");
    assert_eq!(world.records(1_000).await.len(), before);
}

#[tokio::test]
async fn a_handshake_that_does_not_get_on_is_given_up() {
    let world = tight(Some(Authority::new())).await;
    let mut silent = connect(&world).await;
    assert_eq!(world.get("/healthz").await.status, 200);
    assert_eq!(until_the_end(&mut silent).await, "");
    let mut slow = connect(&world).await;
    slow.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer).await;
    assert_eq!(world.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn an_encrypted_client_that_asks_for_nothing_is_given_up() {
    for protocol in [&b"h2"[..], b"http/1.1"] {
        let authority = Authority::new();
        let connector = TlsConnector::from(Arc::new(crate::tools::tls(authority.roots(), &[protocol])));
        let world = tight(Some(authority)).await;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let mut stream = connector.connect(name, connect(&world).await).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        let mut answer = Vec::new();
        // HTTP/2 servers speak first; what they say is no answer to anything.
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(world.get("/healthz").await.status, 200);
    }
}

#[tokio::test]
async fn requests_may_follow_without_waiting_and_are_answered_in_order() {
    let world = World::new().await;
    let answer = talk(
        &world,
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    let statuses: Vec<&str> = answer.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)).collect();
    assert_eq!(statuses, ["200", "404", "200"], "{answer}");
}

#[tokio::test]
async fn a_chunked_form_is_a_form() {
    let world = World::new().await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let answer = talk(&world, format!("{head}7\r\nAction=\r\n11\r\nGetCallerIdentity\r\n0\r\n\r\n")).await;
    assert!(answer.contains("<Code>MissingAuthenticationToken</Code>"), "{answer}");
}

#[tokio::test]
async fn what_two_readers_might_read_differently_is_not_read() {
    let world = World::new().await;
    let post = |headers: &str, body: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n{headers}\r\n\r\n{body}"
        )
    };
    for (name, request) in [
        ("two lengths", post("Content-Length: 5\r\nContent-Length: 6", "Action")),
        ("a list of lengths", post("Content-Length: 5, 6", "Action")),
        ("a negative length", post("Content-Length: -1", "")),
        ("a signed length", post("Content-Length: +6", "Action")),
        (
            "an encoding that does not end in chunked",
            post("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ),
        ("a chunk without a size", post("Transfer-Encoding: chunked\r\nConnection: close", "x\r\n\r\n")),
        ("a space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n".to_owned()),
        ("a folded header", "GET / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n".to_owned()),
        ("no request", "HELLO\r\n\r\n".to_owned()),
        ("another protocol", "GET / HTTP/3.0\r\n\r\n".to_owned()),
        ("a NUL", "GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n".to_owned()),
    ] {
        let answer = talk(&world, request).await;
        assert!(answer.is_empty() || status(&answer).starts_with('4'), "{name}: {answer}");
    }
    // Both at once: chunks win, the length is not used, and the connection does not go on (RFC 9112 section 6.3).
    let both = post("Content-Length: 3\r\nTransfer-Encoding: chunked", "6\r\nAction\r\n0\r\n\r\n");
    let answer =
        talk(&world, format!("{both}GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    assert!(status(&answer).starts_with('4'), "{answer}");
    assert!(!answer.contains("\r\n\r\nok\n"), "nothing is smuggled: {answer}");
}

#[tokio::test]
async fn heads_have_a_size() {
    let world = World::new().await;
    let head =
        |header: String| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
    // Session tokens make large headers; those are fine.
    let large = head(format!("X-Amz-Security-Token: {}\r\n", "x".repeat(20_000)));
    assert_eq!(status(&talk(&world, large).await), "200");
    let larger = head(format!("X-Large: {}\r\n", "x".repeat(66_000)));
    assert_eq!(status(&talk(&world, larger).await), "431");
    let many = head((0..200).map(|n| format!("X-{n}: y\r\n")).collect());
    assert_eq!(status(&talk(&world, many).await), "431");
    let target = format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(70_000));
    let long = talk(&world, target).await;
    assert!(["414", "431"].contains(&status(&long)), "{long}");
}
