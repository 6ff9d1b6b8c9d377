//! Signatures of requests, in headers and in queries.

use std::sync::LazyLock;
use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_server::sigv4::{PathStyle, Rules, SignatureError, Signed, SignedRequest, Signer, sign_header};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::check::{kept_secret, readable};

const HOST: &str = "sts.example.com";

static RULES: LazyLock<Rules<'static>> = LazyLock::new(|| Rules {
    hosts: vec![HOST.to_owned()].leak(),
    service: "sts",
    regions: &[],
    path_style: PathStyle::Normalised,
    longest: Duration::from_mins(15),
    // The moment of the seeds.
    now: Timestamp::parse("2026-11-23T05:00:00Z").expect("a constant"),
});

/// A request as text: query, path, header lines, an empty line, the body.
struct Written<'a> {
    query: &'a str,
    path: &'a str,
    headers: Vec<(String, String)>,
    body: &'a str,
}

impl<'a> Written<'a> {
    fn read(text: &'a str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let query = lines.next().unwrap_or_default();
        let path = lines.next().unwrap_or("/");
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Self { query, path, headers, body }
    }

    fn request<'r>(&'r self, headers: &'r HeaderMap) -> SignedRequest<'r> {
        let (path, query, body) = (self.path, self.query, self.body.as_bytes());
        SignedRequest { method: &Method::POST, path, query, headers, body }
    }
}

fn header_map(headers: &[(String, String)]) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
    }
    Some(map)
}

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let written = Written::read(text);
    match read(&written) {
        None => return,
        Some(Ok(signed)) => {
            assert!(!signed.made_with("a secret that signed nothing"));
            assert!(signed.canonical_request().starts_with("POST\n/"));
            if let Some(token) = &signed.session_token {
                kept_secret(token, text, told);
            }
        }
        Some(Err(error)) => readable(&error.to_string()),
    }
    let session = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("x-amz-security-token");
    for (_, token) in written.headers.iter().filter(session) {
        kept_secret(token, text, told);
    }
    signed_and_read(&written);
}

/// Reads the request as one to this service; nothing if it cannot be one of HTTP.
fn read(written: &Written<'_>) -> Option<Result<Signed, SignatureError>> {
    let headers = header_map(&written.headers)?;
    Some(Signed::read(&written.request(&headers), &RULES))
}

/// What is shown of a request, good or bad.
fn told(text: &str) -> String {
    match read(&Written::read(text)) {
        Some(Ok(signed)) => format!("{signed:?}"),
        Some(Err(error)) => format!("{error} {error:?}"),
        None => String::new(),
    }
}

/// A request that was signed with a secret was made with that secret and with no other.
fn signed_and_read(written: &Written<'_>) {
    let added = ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "host"];
    let mut headers = written.headers.clone();
    headers.retain(|(name, _)| !added.iter().any(|added| name.eq_ignore_ascii_case(added)));
    headers.push(("host".to_owned(), HOST.to_owned()));
    let signer = Signer {
        access_key_id: "ASIAEXAMPLE",
        secret_access_key: "one secret",
        session_token: Some("one session"),
        region: "eu-west-1",
        service: "sts",
        at: RULES.now,
        path_style: PathStyle::Normalised,
        sign_body: true,
    };
    let body = written.body.as_bytes();
    headers.extend(sign_header(&signer, "POST", written.path, written.query, &headers, body));
    let Some(headers) = header_map(&headers) else { return };
    let request = written.request(&headers);
    // Not every request can be signed: a query with a plus or a parameter twice is refused.
    if let Ok(signed) = Signed::read(&request, &RULES) {
        assert!(signed.made_with("one secret"), "{}", signed.canonical_request());
        assert!(!signed.made_with("another secret"));
        let altered = [body, b"x"].concat();
        let altered = SignedRequest { body: &altered, ..request };
        assert!(Signed::read(&altered, &RULES).is_err(), "another body has another hash");
    }
}
