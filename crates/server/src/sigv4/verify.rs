use std::time::Duration;

use daypass_claims::Timestamp;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;

use super::canonical::{Canonical, PathStyle, canonical_query};
use super::sign::split_query;
use super::{ALGORITHM, Scope, SignatureError, moment, sha256_hex, signature, string_to_sign};

/// A request as it came. Only its method and path are ever printed: there may be tokens in all the rest.
#[derive(Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as it stands in the request line.
    pub path: &'a str,
    /// The query as it stands in the request line.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a [u8],
}

/// What is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Names that the service goes by in `Host`, with port where it is not the scheme's own.
    pub hosts: &'a [String],
    /// The service that a scope must name.
    pub service: &'a str,
    /// Regions that a scope may name; empty for any.
    pub regions: &'a [String],
    /// How the path is made canonical.
    pub path_style: PathStyle,
    /// The longest that a presigned request may be good for.
    pub longest: Duration,
    /// The time now.
    pub now: Timestamp,
}

/// How far the clock of a signer may be off.
pub(super) const SKEW: Duration = Duration::from_secs(15 * 60);

/// A signature that has the right form, names us, and is of now. Whether it was made with the secret is still to be asked.
pub struct Signed {
    /// The access key id that it claims.
    pub access_key_id: String,
    /// The session token that goes with it, for temporary keys; it is signed too.
    pub session_token: Option<String>,
    scope: Scope,
    time: String,
    signature: String,
    canonical_request: String,
}

impl Signed {
    /// Reads the signature of a request, from its headers or its query, and checks everything but the secret.
    pub fn read(request: &SignedRequest<'_>, rules: &Rules<'_>) -> Result<Self, SignatureError> {
        let pairs: Vec<(&str, &str)> = split_query(request.query).collect();
        for (index, (name, _)) in pairs.iter().enumerate() {
            if pairs.iter().take(index).any(|(earlier, _)| earlier == name) {
                return Err(SignatureError::Duplicate(name.chars().take(64).collect()));
            }
        }
        let in_query = pairs.iter().any(|(name, _)| *name == "X-Amz-Signature");
        let claim = match (header(request, "authorization")?, in_query) {
            (Some(_), true) => return Err(SignatureError::Twice),
            (None, false) => return Err(SignatureError::Missing),
            (Some(value), false) => by_header(request, &value, rules)?,
            (None, true) => presigned(request, &pairs, rules)?,
        };
        // A signer writes a space as %20; a form reads a plus as one. Signed as a plus, it would be read as a space.
        if request.query.contains('+') {
            return Err(SignatureError::Plus);
        }
        let query = pairs.iter().copied().filter(|(name, _)| *name != "X-Amz-Signature");
        let body_hash = sha256_hex(request.body);
        let canonical = Canonical {
            method: request.method.as_str(),
            path: request.path,
            path_style: rules.path_style,
            query: canonical_query(query),
            headers: claim.headers,
            payload_hash: &body_hash,
        };
        Ok(Self {
            access_key_id: claim.access_key_id,
            session_token: claim.session_token,
            canonical_request: canonical.request(),
            scope: claim.scope,
            time: claim.time,
            signature: claim.signature,
        })
    }

    /// Whether the signature was made with `secret`.
    pub fn made_with(&self, secret: &str) -> bool {
        let expected =
            signature(secret, &self.scope, &string_to_sign(&self.time, &self.scope, &self.canonical_request));
        expected.as_bytes().ct_eq(self.signature.as_bytes()).into()
    }

    /// What was signed: one text for all the ways in which the request can be written.
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }
}

impl std::fmt::Debug for SignedRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signed")
            .field("access_key_id", &self.access_key_id)
            .field("scope", &self.scope)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

/// Lower-case names of signed headers with all their values, by name.
type Headers = Vec<(String, Vec<String>)>;

/// What a request says about its own signature, wherever it says it.
struct Claim {
    access_key_id: String,
    session_token: Option<String>,
    scope: Scope,
    time: String,
    headers: Headers,
    signature: String,
}

/// A signature in `Authorization`.
fn by_header(
    request: &SignedRequest<'_>,
    authorization: &str,
    rules: &Rules<'_>,
) -> Result<Claim, SignatureError> {
    let [credential, signed_headers, signature] = authorization_parts(authorization)?;
    let time = header(request, "x-amz-date")?.ok_or(SignatureError::Incomplete("no X-Amz-Date"))?;
    let session_token = header(request, "x-amz-security-token")?;
    if let Some(stated) = header(request, "x-amz-content-sha256")?
        && stated != sha256_hex(request.body)
    {
        return Err(SignatureError::Body);
    }
    let mut required = vec!["host", "x-amz-date"];
    required.extend(session_token.is_some().then_some("x-amz-security-token"));
    let headers = signed_headers_of(request, signed_headers, &required)?;
    let (access_key_id, scope) = scope(credential, rules)?;
    let signed_at = moment(&time, &scope)?;
    if signed_at + SKEW < rules.now {
        return Err(SignatureError::Expired { at: signed_at, now: rules.now });
    }
    not_of_the_future(signed_at, rules)?;
    check_host(&headers, rules)?;
    Ok(Claim { access_key_id, session_token, scope, time, headers, signature: signature.to_owned() })
}

/// `AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...`, in any order, each once.
fn authorization_parts(authorization: &str) -> Result<[&str; 3], SignatureError> {
    let rest = authorization
        .strip_prefix(ALGORITHM)
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or(SignatureError::Incomplete("the algorithm is not AWS4-HMAC-SHA256"))?;
    let names = ["Credential", "SignedHeaders", "Signature"];
    let mut found = [None; 3];
    for part in rest.split(',') {
        let (name, value) =
            part.trim().split_once('=').ok_or(SignatureError::Incomplete("Authorization is malformed"))?;
        let place = names.iter().zip(&mut found).find(|(known, _)| **known == name);
        let (_, place) = place.ok_or(SignatureError::Incomplete("Authorization has an unknown part"))?;
        if place.replace(value).is_some() {
            return Err(SignatureError::Duplicate(name.to_owned()));
        }
    }
    let [credential, signed_headers, signature] = found;
    Ok([
        credential.ok_or(SignatureError::Incomplete("no Credential"))?,
        signed_headers.ok_or(SignatureError::Incomplete("no SignedHeaders"))?,
        signature.ok_or(SignatureError::Incomplete("no Signature"))?,
    ])
}

/// A signature in the query.
fn presigned(
    request: &SignedRequest<'_>,
    pairs: &[(&str, &str)],
    rules: &Rules<'_>,
) -> Result<Claim, SignatureError> {
    let value = |name: &str| -> Option<String> {
        let (_, raw) = pairs.iter().find(|(pair, _)| *pair == name)?;
        Some(percent_decode_str(raw).decode_utf8_lossy().into_owned())
    };
    let need = |name: &'static str| value(name).ok_or(SignatureError::Absent(name));
    if need("X-Amz-Algorithm")? != ALGORITHM {
        return Err(SignatureError::Incomplete("the algorithm is not AWS4-HMAC-SHA256"));
    }
    let (access_key_id, scope) = scope(&need("X-Amz-Credential")?, rules)?;
    let time = need("X-Amz-Date")?;
    let signed_at = moment(&time, &scope)?;
    let seconds = need("X-Amz-Expires")?;
    let expires = seconds.parse().map(Duration::from_secs);
    let expires =
        expires.map_err(|_| SignatureError::Incomplete("X-Amz-Expires is not a number of seconds"))?;
    if expires > rules.longest {
        return Err(SignatureError::TooLong { asked: expires, longest: rules.longest });
    }
    if signed_at + expires <= rules.now {
        return Err(SignatureError::Ended { at: signed_at + expires, now: rules.now });
    }
    not_of_the_future(signed_at, rules)?;
    let headers = signed_headers_of(request, &need("X-Amz-SignedHeaders")?, &["host"])?;
    check_host(&headers, rules)?;
    let (session_token, signature) = (value("X-Amz-Security-Token"), need("X-Amz-Signature")?);
    Ok(Claim { access_key_id, session_token, scope, time, headers, signature })
}

fn not_of_the_future(signed_at: Timestamp, rules: &Rules<'_>) -> Result<(), SignatureError> {
    if signed_at > rules.now + SKEW {
        return Err(SignatureError::NotYetCurrent { at: signed_at, now: rules.now });
    }
    Ok(())
}

/// The one value of a header.
fn header(request: &SignedRequest<'_>, name: &str) -> Result<Option<String>, SignatureError> {
    let mut values = request.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text = value.to_str().map_err(|_| SignatureError::Incomplete("a header is not text"))?;
            Ok(Some(text.to_owned()))
        }
        (Some(_), Some(_)) => Err(SignatureError::Duplicate(name.to_owned())),
    }
}

/// The signed headers with their values. Those that make the signature mean something must be among them.
fn signed_headers_of(
    request: &SignedRequest<'_>,
    names: &str,
    required: &[&'static str],
) -> Result<Headers, SignatureError> {
    let names: Vec<&str> = names.split(';').collect();
    if let Some(missing) = required.iter().find(|name| !names.contains(*name)) {
        return Err(SignatureError::Unsigned(missing));
    }
    let mut headers = Vec::with_capacity(names.len());
    for name in names {
        let values: Result<Vec<String>, _> =
            request.headers.get_all(name).iter().map(|value| value.to_str().map(str::to_owned)).collect();
        let values = values.map_err(|_| SignatureError::Incomplete("a signed header is not text"))?;
        if values.is_empty() {
            return Err(SignatureError::Incomplete("a signed header is not in the request"));
        }
        headers.push((name.to_owned(), values));
    }
    headers.sort();
    Ok(headers)
}

fn check_host(headers: &Headers, rules: &Rules<'_>) -> Result<(), SignatureError> {
    let host = headers
        .iter()
        .find(|(name, _)| name == "host")
        .map(|(_, values)| values.join(","))
        .unwrap_or_default();
    if rules.hosts.iter().any(|known| known.eq_ignore_ascii_case(&host)) {
        return Ok(());
    }
    Err(SignatureError::Host(host.chars().take(255).collect()))
}

/// `ASIA.../20261123/eu-west-1/sts/aws4_request`
fn scope(credential: &str, rules: &Rules<'_>) -> Result<(String, Scope), SignatureError> {
    let parts: Vec<&str> = credential.split('/').collect();
    let [access_key_id, date, region, service, "aws4_request"] = parts.as_slice() else {
        return Err(SignatureError::Incomplete("the credential is not KEY/DATE/REGION/SERVICE/aws4_request"));
    };
    if *service != rules.service {
        let (found, wanted) = (service.chars().take(64).collect(), rules.service.to_owned());
        return Err(SignatureError::Service { found, wanted });
    }
    if !rules.regions.is_empty() && !rules.regions.iter().any(|known| known == region) {
        return Err(SignatureError::Region(region.chars().take(64).collect()));
    }
    let scope =
        Scope { date: (*date).to_owned(), region: (*region).to_owned(), service: (*service).to_owned() };
    Ok(((*access_key_id).to_owned(), scope))
}
