//! AWS's own signing test-suite (awslabs/aws-c-auth): every case, signed in the headers and in the query, written and read.
//! Found in `$DAYPASS_VECTORS` or `../shared/vectors` beside the checkout; skipped with a note where absent, unless
//! `DAYPASS_REQUIRE_VECTORS=1`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_server::sigv4::{
    PathStyle, Rules, SignatureError, Signed, SignedRequest, Signer, sign_header, sign_query,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;

#[derive(Deserialize)]
struct Context {
    credentials: Credentials,
    region: String,
    service: String,
    timestamp: String,
    normalize: bool,
    sign_body: bool,
    #[serde(default)]
    omit_session_token: bool,
    expiration_in_seconds: u64,
}

#[derive(Deserialize)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

/// A request as it stands in a file.
struct Request {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut lines = head.lines();
        // The target itself may hold spaces.
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let target = rest.strip_suffix(" HTTP/1.1").unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            match line.split_once(':') {
                // A line that begins with white space belongs to the one before.
                _ if line.starts_with(' ') => {
                    headers.last_mut().unwrap().1.push_str(&format!(" {}", line.trim()));
                }
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => panic!("not a header: {line}"),
            }
        }
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.to_owned(),
        }
    }

    fn headers(&self) -> HeaderMap {
        let parse = |(name, value): &(String, String)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value.trim()).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.iter().map(parse) {
            headers.append(name, value);
        }
        headers
    }
}

struct Case {
    folder: PathBuf,
    name: String,
    context: Context,
    at: Timestamp,
}

impl Case {
    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).unwrap().trim_end().to_owned()
    }

    fn request(&self, file: &str) -> Request {
        Request::read(&self.folder.join(file))
    }

    fn path_style(&self) -> PathStyle {
        if self.context.normalize { PathStyle::Normalised } else { PathStyle::AsIs }
    }

    fn signer(&self) -> Signer<'_> {
        Signer {
            access_key_id: &self.context.credentials.access_key_id,
            secret_access_key: &self.context.credentials.secret_access_key,
            session_token: self
                .context
                .credentials
                .token
                .as_deref()
                .filter(|_| !self.context.omit_session_token),
            region: &self.context.region,
            service: &self.context.service,
            at: self.at,
            path_style: self.path_style(),
            sign_body: self.context.sign_body,
        }
    }

    /// What a verifier makes of a signed request.
    fn verify(&self, request: &Request) -> Result<Signed, SignatureError> {
        let regions = [self.context.region.clone()];
        let rules = Rules {
            hosts: &["example.amazonaws.com".to_owned()],
            service: &self.context.service,
            regions: &regions,
            path_style: self.path_style(),
            longest: Duration::from_secs(self.context.expiration_in_seconds),
            now: self.at,
        };
        let (method, headers): (Method, _) = (request.method.parse().unwrap(), request.headers());
        let (path, query, body) = (request.path.as_str(), request.query.as_str(), request.body.as_bytes());
        Signed::read(&SignedRequest { method: &method, path, query, headers: &headers, body }, &rules)
    }
}

fn cases() -> Option<Vec<Case>> {
    let root = std::env::var_os("DAYPASS_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
        PathBuf::from,
    );
    let folder = root.join("aws-sigv4/tests/aws-signing-test-suite/v4");
    if !folder.is_dir() {
        let insisted = std::env::var_os("DAYPASS_REQUIRE_VECTORS").is_some_and(|value| value == "1");
        assert!(!insisted, "no test vectors at {}", folder.display());
        println!("skipped: no test vectors at {}", folder.display());
        return None;
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |folder: PathBuf| {
        let context: Context =
            serde_json::from_slice(&std::fs::read(folder.join("context.json")).unwrap()).unwrap();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let at = Timestamp::parse(&context.timestamp).unwrap();
        Case { folder, name, context, at }
    };
    let cases: Vec<Case> = folders.into_iter().map(read).collect();
    assert_eq!(cases.len(), 38);
    Some(cases)
}

#[test]
fn requests_are_signed_in_their_headers_as_aws_signs_them() {
    for case in cases().unwrap_or_default() {
        let request = case.request("request.txt");
        let Request { method, path, query, headers, body } = &request;
        let added = sign_header(&case.signer(), method, path, query, headers, body.as_bytes());
        let authorization = &added.iter().find(|(name, _)| name == "Authorization").unwrap().1;
        let (_, signature) = authorization.split_once("Signature=").unwrap();
        assert_eq!(signature, case.text("header-signature.txt"), "{}", case.name);
        let theirs = case.request("header-signed-request.txt");
        let theirs = theirs.headers.iter().find(|(name, _)| name == "Authorization").unwrap();
        assert_eq!(authorization, &theirs.1, "{}", case.name);
    }
}

#[test]
fn requests_are_signed_in_their_query_as_aws_signs_them() {
    for case in cases().unwrap_or_default() {
        let request = case.request("request.txt");
        let Request { method, path, query, headers, body } = &request;
        let seconds = case.context.expiration_in_seconds;
        let signed = sign_query(&case.signer(), method, path, query, headers, body.as_bytes(), seconds);
        let (_, signature) = signed.split_once("X-Amz-Signature=").unwrap();
        assert_eq!(signature, case.text("query-signature.txt"), "{}", case.name);
    }
}

#[test]
fn what_aws_signed_is_read_in_the_same_way_and_proves_the_secret() {
    for case in cases().unwrap_or_default() {
        for form in ["header", "query"] {
            let request = case.request(&format!("{form}-signed-request.txt"));
            let read = case.verify(&request);
            let secret = &case.context.credentials.secret_access_key;
            if case.context.omit_session_token {
                // The one case that is refused by policy: a token that is not signed could be exchanged for another.
                match form {
                    "header" => {
                        assert_eq!(read.unwrap_err(), SignatureError::Unsigned("x-amz-security-token"));
                    }
                    _ => assert!(!read.unwrap().made_with(secret)),
                }
                continue;
            }
            let signed = read.unwrap_or_else(|error| panic!("{} {form}: {error}", case.name));
            let canonical = case.text(&format!("{form}-canonical-request.txt"));
            assert_eq!(signed.canonical_request(), canonical, "{} {form}", case.name);
            assert_eq!(signed.access_key_id, "AKIDEXAMPLE");
            assert_eq!(signed.session_token, case.context.credentials.token);
            assert!(signed.made_with(secret), "{} {form}", case.name);
            assert!(!signed.made_with("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX"), "{} {form}", case.name);
        }
    }
}

#[test]
fn nothing_that_was_signed_can_be_changed() {
    let Some(cases) = cases() else { return };
    let case = cases.iter().find(|case| case.name == "post-x-www-form-urlencoded-parameters").unwrap();
    let made = |change: &dyn Fn(&mut Request)| {
        let mut request = case.request("header-signed-request.txt");
        change(&mut request);
        case.verify(&request).map(|signed| signed.made_with(&case.context.credentials.secret_access_key))
    };
    assert_eq!(made(&|_| {}), Ok(true));
    assert_eq!(made(&|request| request.method = "PUT".to_owned()), Ok(false));
    assert_eq!(made(&|request| request.path = "/other".to_owned()), Ok(false));
    assert_eq!(made(&|request| request.query = "a=b".to_owned()), Ok(false));
    assert_eq!(made(&|request| request.headers[0].1 = "text/plain".to_owned()), Ok(false));
    assert_eq!(made(&|request| request.body.push('x')), Err(SignatureError::Body));
    let unstated = |request: &mut Request| {
        request.headers.retain(|(name, _)| name != "x-amz-content-sha256");
        for (_, value) in &mut request.headers {
            *value = value.replace("x-amz-content-sha256;", "");
        }
        request.body.push('x');
    };
    assert_eq!(made(&unstated), Ok(false), "the body is hashed whether or not its hash is stated");
}
