//! TLS by file.

use http::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::Authority;
use crate::tools::{HandClock, Plan, World, form, key};

fn encrypted() -> Plan {
    Plan { tls: Some(Authority::new()), ..Plan::default() }
}

const IDENTITY: [(&str, &str); 1] = [("Action", "GetCallerIdentity")];

#[tokio::test]
async fn everything_works_over_http_2() {
    let world = World::with(encrypted()).await;
    let keys = world.session().await;
    let (headers, body) = world.sign(&world.signer(&keys), &form(&IDENTITY));
    let mut request = world.http.post(format!("{}/", world.url));
    // The client says `:authority`, which is what was signed as `Host`.
    for (name, value) in headers.iter().filter(|(name, _)| name != "Host") {
        request = request.header(name, value);
    }
    let response = request.body(body).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    assert!(response.text().await.unwrap().contains("assumed-role/deploy/run-1"));
    assert_eq!(world.exchange(&world.token(&[]), &[]).await.status, 200);
    let discovery = world.get("/.well-known/openid-configuration").await.json();
    assert!(discovery["issuer"].as_str().unwrap().starts_with("https://127.0.0.1:"));
}

#[tokio::test]
async fn and_over_http_1() {
    let authority = Authority::new();
    let http = reqwest::Client::builder()
        .no_proxy()
        .tls_backend_preconfigured(crate::tools::tls(authority.roots(), &[b"http/1.1"]))
        .build()
        .unwrap();
    let world = World::with(Plan { tls: Some(authority), ..Plan::default() }).await;
    let response = http.get(format!("{}/healthz", world.url)).send().await.unwrap();
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_11, 200));
    let world = World { http, ..world };
    let keys = world.session().await;
    assert_eq!(world.signed(&keys, &IDENTITY).await.status, 200);
}

#[tokio::test]
async fn whoever_speaks_plainly_gets_no_answer_and_harms_nobody() {
    let world = World::with(encrypted()).await;
    let mut stream = TcpStream::connect(world.service.public()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // A reset is as good as an end.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(world.get("/healthz").await.status, 200);
}

/// Why a service does not start with these files.
async fn refused(cert: &str, private: &str) -> String {
    let directory = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let (cert_file, key_file) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    std::fs::write(&cert_file, cert).unwrap();
    std::fs::write(&key_file, private).unwrap();
    let top = format!("tls = {{ cert = \"{}\", key = \"{}\" }}", cert_file.display(), key_file.display());
    let plan = Plan { top, ..Plan::default() };
    let key = std::sync::Arc::new(key());
    let started = World::start(plan, std::sync::Arc::clone(&directory), HandClock::new(), key).await;
    started.err().unwrap().to_string().replace(&directory.path().display().to_string(), "DIR")
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let (certificate, private) = authority.certify("127.0.0.1");
    let (certificate, private) = (certificate.pem(), private.serialize_pem());
    assert_eq!(
        refused("", &private).await,
        "cannot read the certificate chain `DIR/cert.pem`: it holds no certificate"
    );
    let cut = refused("-----BEGIN CERTIFICATE-----\n", &private).await;
    assert!(
        cut.starts_with("cannot read the certificate chain `DIR/cert.pem`: missing section end"),
        "{cut}"
    );
    assert_eq!(refused(&certificate, "").await, "cannot read the private key `DIR/key.pem`: no items found");
    let (_, other) = authority.certify("127.0.0.1");
    assert_eq!(
        refused(&certificate, &other.serialize_pem()).await,
        "the certificate and the key cannot be used: keys may not be consistent: KeyMismatch"
    );
}
