//! Every reason for which a signature is not accepted, with nothing else wrong.

use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_server::sigv4::{
    PathStyle, Rules, SignatureError, Signed, SignedRequest, Signer, sign_header, sign_query,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const SECRET: &str = "0123456789abcdef0123456789abcdef01234567";

fn signer() -> Signer<'static> {
    Signer {
        access_key_id: "ASIAIOSFODNN7EXAMPLE",
        secret_access_key: SECRET,
        session_token: Some("token"),
        region: "eu-west-1",
        service: "sts",
        at: NOW,
        path_style: PathStyle::Normalised,
        sign_body: false,
    }
}

fn host() -> Vec<(String, String)> {
    vec![("Host".to_owned(), "sts.example.com".to_owned())]
}

/// The headers of a signed request, to be changed.
fn header_signed(signer: &Signer<'_>) -> Vec<(String, String)> {
    let mut headers = host();
    headers.extend(sign_header(signer, "POST", "/", "", &headers, b"Action=GetCallerIdentity"));
    headers
}

fn query_signed(signer: &Signer<'_>, seconds: u64) -> String {
    sign_query(signer, "GET", "/", "Action=GetCallerIdentity", &host(), b"", seconds)
}

fn map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn read(
    method: &Method,
    query: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Signed, SignatureError> {
    let (hosts, regions) = (["sts.example.com".to_owned()], ["eu-west-1".to_owned(), "us-east-1".to_owned()]);
    let rules = Rules {
        hosts: &hosts,
        service: "sts",
        regions: &regions,
        path_style: PathStyle::Normalised,
        longest: Duration::from_secs(900),
        now: NOW,
    };
    Signed::read(&SignedRequest { method, path: "/", query, headers: &map(headers), body }, &rules)
}

fn by_header(headers: &[(String, String)]) -> Result<Signed, SignatureError> {
    read(&Method::POST, "", headers, b"Action=GetCallerIdentity")
}

fn by_query(query: &str) -> Result<Signed, SignatureError> {
    read(&Method::GET, query, &host(), b"")
}

fn header_error(change: impl FnOnce(&mut Vec<(String, String)>)) -> SignatureError {
    let mut headers = header_signed(&signer());
    change(&mut headers);
    by_header(&headers).unwrap_err()
}

fn set(headers: &mut [(String, String)], name: &str, change: impl FnOnce(&str) -> String) {
    let value = &mut headers.iter_mut().find(|(known, _)| known == name).unwrap().1;
    *value = change(value);
}

fn without(headers: &mut Vec<(String, String)>, name: &str) {
    headers.retain(|(known, _)| known != name);
}

#[test]
fn what_is_signed_is_accepted() {
    assert!(by_header(&header_signed(&signer())).unwrap().made_with(SECRET));
    let with_hash = Signer { sign_body: true, ..signer() };
    assert!(by_header(&header_signed(&with_hash)).unwrap().made_with(SECRET));
    assert!(by_query(&query_signed(&signer(), 900)).unwrap().made_with(SECRET));
    let signed = by_query(&query_signed(&Signer { session_token: None, ..signer() }, 60)).unwrap();
    assert_eq!(signed.session_token, None, "whether a session is wanted is for the caller to say");
}

#[test]
fn another_secret_is_noticed() {
    assert!(!by_header(&header_signed(&signer())).unwrap().made_with("another"));
    assert!(!by_query(&query_signed(&signer(), 60)).unwrap().made_with("another"));
}

#[test]
fn an_unsigned_request_is_missing_its_signature() {
    assert_eq!(by_header(&host()).unwrap_err(), SignatureError::Missing);
}

#[test]
fn one_signature_is_enough() {
    let query = query_signed(&signer(), 60);
    let error = read(&Method::POST, &query, &header_signed(&signer()), b"").unwrap_err();
    assert_eq!(error, SignatureError::Twice);
}

#[test]
fn an_authorization_is_of_one_form() {
    let authorization = |change: &dyn Fn(&str) -> String| {
        header_error(|headers| set(headers, "Authorization", |value| change(value)))
    };
    let incomplete = SignatureError::Incomplete;
    let algorithm = incomplete("the algorithm is not AWS4-HMAC-SHA256");
    assert_eq!(authorization(&|it| it.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")), algorithm);
    assert_eq!(authorization(&|it| it.replace("SHA256 ", "SHA256x ")), algorithm);
    assert_eq!(authorization(&|_| "Bearer abc".to_owned()), algorithm);
    assert_eq!(
        authorization(&|it| it.replace("Signature=", "Sig=")),
        incomplete("Authorization has an unknown part")
    );
    assert_eq!(
        authorization(&|it| it.replace("Credential=", "Credential")),
        incomplete("Authorization is malformed")
    );
    let keep = |it: &str, kept: [usize; 2]| {
        let (algorithm, rest) = it.split_once(' ').unwrap();
        let parts: Vec<&str> = rest.split(", ").collect();
        format!("{algorithm} {}, {}", parts[kept[0]], parts[kept[1]])
    };
    assert_eq!(authorization(&|it| keep(it, [1, 2])), incomplete("no Credential"));
    assert_eq!(authorization(&|it| keep(it, [0, 2])), incomplete("no SignedHeaders"));
    assert_eq!(authorization(&|it| keep(it, [0, 1])), incomplete("no Signature"));
    let twice = SignatureError::Duplicate("Signature".to_owned());
    assert_eq!(authorization(&|it| format!("{it}, Signature=00")), twice);
    let scope = incomplete("the credential is not KEY/DATE/REGION/SERVICE/aws4_request");
    assert_eq!(authorization(&|it| it.replace("/aws4_request", "/aws5_request")), scope);
    assert_eq!(authorization(&|it| it.replace("/sts/", "/")), scope);
}

#[test]
fn a_date_is_needed_and_is_that_of_the_scope() {
    let incomplete = SignatureError::Incomplete;
    assert_eq!(header_error(|headers| without(headers, "X-Amz-Date")), incomplete("no X-Amz-Date"));
    let date = |text: &str| header_error(|headers| set(headers, "X-Amz-Date", |_| text.to_owned()));
    let malformed = incomplete("X-Amz-Date is not like 20261123T050000Z");
    for text in
        ["", "20260921", "2026-09-21T14:13:20Z", "20260921T141320", "20260921T1413201", "20260921T146320Z"]
    {
        assert_eq!(date(text), malformed, "{text}");
    }
    assert_eq!(date("20260922T141320Z"), incomplete("X-Amz-Date is not of the credential's day"));
}

#[test]
fn a_clock_may_be_a_quarter_of_an_hour_off() {
    let minutes = |minutes: i64| Timestamp::from_secs(NOW.as_secs() + minutes * 60);
    let by = |at: Timestamp| by_header(&header_signed(&Signer { at, ..signer() }));
    assert!(by(minutes(15)).is_ok() && by(minutes(-15)).is_ok());
    let (past, future) = (minutes(-15) - Duration::from_secs(1), minutes(15) + Duration::from_secs(1));
    assert_eq!(by(past).unwrap_err(), SignatureError::Expired { at: past, now: NOW });
    assert_eq!(by(future).unwrap_err(), SignatureError::NotYetCurrent { at: future, now: NOW });
    assert_eq!(
        by(past).unwrap_err().to_string(),
        "signature expired: 20260921T135819Z is now earlier than 20260921T135820Z (20260921T141320Z - 15m)"
    );
    assert_eq!(
        by(future).unwrap_err().to_string(),
        "signature not yet current: 20260921T142821Z is still later than 20260921T142820Z (20260921T141320Z + 15m)"
    );
    let future = query_signed(&Signer { at: future, ..signer() }, 60);
    assert!(matches!(by_query(&future).unwrap_err(), SignatureError::NotYetCurrent { .. }));
}

#[test]
fn a_scope_names_us() {
    let by = |signer: Signer<'_>| by_header(&header_signed(&signer)).unwrap_err();
    let service = SignatureError::Service { found: "s3".to_owned(), wanted: "sts".to_owned() };
    assert_eq!(by(Signer { service: "s3", ..signer() }), service);
    assert_eq!(by(Signer { region: "mars-1", ..signer() }), SignatureError::Region("mars-1".to_owned()));
    assert_eq!(by_query(&query_signed(&Signer { service: "s3", ..signer() }, 60)).unwrap_err(), service);
}

#[test]
fn what_makes_a_signature_ours_is_signed() {
    let unsigned = |name: &str| {
        header_error(|headers| {
            set(headers, "Authorization", |value| value.replace(&format!("{name};"), ""));
        })
    };
    assert_eq!(unsigned("host"), SignatureError::Unsigned("host"));
    assert_eq!(unsigned("x-amz-date"), SignatureError::Unsigned("x-amz-date"));
    let token = header_error(|headers| {
        set(headers, "Authorization", |value| value.replace(";x-amz-security-token", ""));
    });
    assert_eq!(token, SignatureError::Unsigned("x-amz-security-token"));
    let query = query_signed(&signer(), 60).replace("SignedHeaders=host", "SignedHeaders=accept");
    assert_eq!(by_query(&query).unwrap_err(), SignatureError::Unsigned("host"));
    let absent = header_error(|headers| {
        set(headers, "Authorization", |value| value.replace("=host;", "=accept;host;"));
    });
    assert_eq!(absent, SignatureError::Incomplete("a signed header is not in the request"));
    let binary = header_error(|headers| {
        set(headers, "Authorization", |value| value.replace("=host;", "=accept;host;"));
        headers.push(("Accept".to_owned(), "ä".to_owned()));
    });
    assert_eq!(binary, SignatureError::Incomplete("a signed header is not text"));
}

#[test]
fn the_host_is_one_of_ours() {
    let evil = vec![("Host".to_owned(), "sts.evil.example".to_owned())];
    let mut headers = evil.clone();
    headers.extend(sign_header(&signer(), "POST", "/", "", &evil, b""));
    let error = read(&Method::POST, "", &headers, b"").unwrap_err();
    assert_eq!(error, SignatureError::Host("sts.evil.example".to_owned()));
    let twice = header_error(|headers| headers.push(("Host".to_owned(), "sts.evil.example".to_owned())));
    assert_eq!(twice, SignatureError::Host("sts.example.com,sts.evil.example".to_owned()));
    let upper = vec![("Host".to_owned(), "STS.example.com".to_owned())];
    let query = sign_query(&signer(), "GET", "/", "", &upper, b"", 60);
    assert!(read(&Method::GET, &query, &upper, b"").is_ok(), "names of hosts know no case");
}

#[test]
fn headers_that_are_there_once_are() {
    for name in ["X-Amz-Date", "X-Amz-Security-Token", "Authorization"] {
        let error = header_error(|headers| {
            let (_, value) = headers.iter().find(|(known, _)| known == name).unwrap().clone();
            headers.push((name.to_owned(), value));
        });
        assert_eq!(error, SignatureError::Duplicate(name.to_ascii_lowercase()));
    }
}

#[test]
fn a_body_has_the_hash_that_was_signed() {
    let headers = header_signed(&Signer { sign_body: true, ..signer() });
    assert_eq!(read(&Method::POST, "", &headers, b"other").unwrap_err(), SignatureError::Body);
    let unsigned = header_error(|headers| {
        headers.push(("X-Amz-Content-Sha256".to_owned(), "UNSIGNED-PAYLOAD".to_owned()));
    });
    assert_eq!(unsigned, SignatureError::Body);
    let silent = read(&Method::POST, "", &header_signed(&signer()), b"other").unwrap();
    assert!(!silent.made_with(SECRET));
}

#[test]
fn a_presigned_request_says_everything() {
    let query = query_signed(&signer(), 60);
    let names = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"];
    for name in names {
        let without: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with(name)).collect();
        assert_eq!(by_query(&without.join("&")).unwrap_err(), SignatureError::Absent(name));
    }
    let other = query.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512");
    let algorithm = SignatureError::Incomplete("the algorithm is not AWS4-HMAC-SHA256");
    assert_eq!(by_query(&other).unwrap_err(), algorithm);
    let other = query.replace("Expires=60", "Expires=soon");
    let number = SignatureError::Incomplete("X-Amz-Expires is not a number of seconds");
    assert_eq!(by_query(&other).unwrap_err(), number);
    let twice = SignatureError::Duplicate("Action".to_owned());
    assert_eq!(by_query(&format!("{query}&Action=x")).unwrap_err(), twice);
}

#[test]
fn a_presigned_request_is_good_for_a_while() {
    let longest = Duration::from_secs(900);
    for seconds in [901, 3_600, 7 * 86_400, 7 * 86_400 + 1, u64::MAX] {
        let error = by_query(&query_signed(&signer(), seconds)).unwrap_err();
        assert_eq!(error, SignatureError::TooLong { asked: Duration::from_secs(seconds), longest });
    }
    let at = NOW - Duration::from_secs(60);
    assert!(by_query(&query_signed(&Signer { at, ..signer() }, 61)).is_ok());
    let ended = by_query(&query_signed(&Signer { at, ..signer() }, 60)).unwrap_err();
    assert_eq!(ended, SignatureError::Ended { at: NOW, now: NOW });
    let zero = by_query(&query_signed(&signer(), 0)).unwrap_err();
    assert_eq!(zero, SignatureError::Ended { at: NOW, now: NOW });
}

#[test]
fn a_plus_sign_means_one_thing() {
    let query = sign_query(&signer(), "GET", "/", "RoleSessionName=a+b", &host(), b"", 60);
    assert_eq!(by_query(&query).unwrap_err(), SignatureError::Plus);
    let query = sign_query(&signer(), "GET", "/", "RoleSessionName=a%2Bb", &host(), b"", 60);
    assert!(by_query(&query).unwrap().made_with(SECRET));
    assert_eq!(by_query(&query.replace("%2B", "+")).unwrap_err(), SignatureError::Plus);
}

#[test]
fn nothing_is_printed_with_its_secrets() {
    let (headers, method) = (header_signed(&signer()), Method::POST);
    let map = map(&headers);
    let request =
        SignedRequest { method: &method, path: "/", query: "a=token", headers: &map, body: b"token" };
    let signed = by_header(&headers).unwrap();
    let printed = format!("{:?} {signed:?} {request:?}", signer());
    assert!(printed.contains("ASIAIOSFODNN7EXAMPLE") && printed.contains("POST"), "{printed}");
    assert!(
        !printed.contains(SECRET) && !printed.contains("token\"") && !printed.contains(":token"),
        "{printed}"
    );
    assert!(!printed.contains("116, 111, 107, 101, 110"), "{printed}");
}

proptest! {
    #[test]
    fn whatever_is_signed_is_accepted_and_nothing_panics(
        name in "[A-Za-z]{1,8}", value in "\\PC{0,20}", body in "\\PC{0,40}", garbage in "\\PC{0,80}"
    ) {
        let query = format!("{name}={}", daypass_server::sigv4::uri_encode(&value));
        let mut headers = host();
        headers.extend(sign_header(&signer(), "POST", "/", &query, &host(), body.as_bytes()));
        prop_assert!(read(&Method::POST, &query, &headers, body.as_bytes()).unwrap().made_with(SECRET));
        let presigned = sign_query(&signer(), "GET", "/", &query, &host(), b"", 60);
        prop_assert!(by_query(&presigned).unwrap().made_with(SECRET));
        let _ = by_query(&garbage);
        let _ = by_query(&format!("X-Amz-Signature={garbage}"));
        set(&mut headers, "Authorization", |_| format!("AWS4-HMAC-SHA256 {garbage}"));
        if headers.iter().all(|(_, value)| HeaderValue::from_str(value).is_ok()) {
            let _ = by_header(&headers);
        }
    }
}
