use std::time::Duration;

use daypass_claims::Timestamp;
use http::{HeaderMap, Method};
use subtle::ConstantTimeEq;

use super::canonical::{Canonical, PathStyle, canonical_query};
use super::sign::split_query;
use super::{ALGORITHM, Scope, sha256_hex, signature, string_to_sign};

/// A request as it came.
#[derive(Clone, Copy, Debug)]
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
    /// Names that the service goes by in `Host`, lower case, with port where it is not the scheme's own.
    pub hosts: &'a [String],
    /// Regions that a scope may name; empty for any.
    pub regions: &'a [String],
    /// The time now.
    pub now: Timestamp,
}

/// How far the clock of a signer may be off.
const SKEW: Duration = Duration::from_secs(15 * 60);
/// The longest that a presigned URL may be good for.
const LONGEST: u64 = 900;

/// A signature that has the right form, names us, and is of now. Whether it was made with the secret is still to be asked.
#[derive(Debug)]
pub struct Signed {
    /// The access key id that it claims.
    pub access_key_id: String,
    /// The session token that goes with it.
    pub session_token: String,
    /// Until when it is good, for presigned URLs.
    pub good_until: Timestamp,
    scope: Scope,
    time: String,
    signature: String,
    canonical_request: String,
}

/// Why a signature is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Nothing was signed.
    #[error("the request is not signed")]
    Missing,
    /// Not of the documented form.
    #[error("the signature is incomplete: {0}")]
    Incomplete(&'static str),
    /// Keys that are not temporary; daypass issues none.
    #[error("the access key id is not one that was issued here")]
    NotTemporary,
    /// For another service.
    #[error("the credential is scoped to service `{0}`, this is `sts`")]
    Service(String),
    /// For a region that is not accepted.
    #[error("the credential is scoped to region `{0}`, which is not accepted here")]
    Region(String),
    /// For another host.
    #[error("the request is signed for host `{0}`, which is not this service")]
    Host(String),
    /// Too old, or of the future.
    #[error("the signature is of {signed_at}, it is now {now}")]
    Time {
        /// When it was made.
        signed_at: String,
        /// The time now.
        now: String,
    },
    /// A presigned URL past its end, or one that asks for too long.
    #[error("the presigned request is no longer good, or asks for more than 900 seconds")]
    Expires,
    /// The body is not the one that was signed.
    #[error("the body does not have the hash that was signed")]
    Body,
    /// One query parameter twice: two readers might take different ones.
    #[error("the query parameter `{0}` is there twice")]
    Duplicate(String),
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
        if pairs.iter().any(|(name, _)| *name == "X-Amz-Signature") {
            return presigned(request, &pairs, rules);
        }
        match request.headers.get(http::header::AUTHORIZATION) {
            Some(value) => {
                let value =
                    value.to_str().map_err(|_| SignatureError::Incomplete("Authorization is not text"))?;
                by_header(request, &pairs, value, rules)
            }
            None => Err(SignatureError::Missing),
        }
    }

    /// Whether the signature was made with `secret`.
    pub fn made_with(&self, secret: &str) -> bool {
        let expected =
            signature(secret, &self.scope, &string_to_sign(&self.time, &self.scope, &self.canonical_request));
        expected.as_bytes().ct_eq(self.signature.as_bytes()).into()
    }
}

fn by_header(
    request: &SignedRequest<'_>,
    pairs: &[(&str, &str)],
    authorization: &str,
    rules: &Rules<'_>,
) -> Result<Signed, SignatureError> {
    let rest = authorization
        .strip_prefix(ALGORITHM)
        .ok_or(SignatureError::Incomplete("the algorithm is not AWS4-HMAC-SHA256"))?;
    let part = |name: &str| {
        rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
    };
    let credential = part("Credential").ok_or(SignatureError::Incomplete("no Credential"))?;
    let signed_headers = part("SignedHeaders").ok_or(SignatureError::Incomplete("no SignedHeaders"))?;
    let signature = part("Signature").ok_or(SignatureError::Incomplete("no Signature"))?;
    let time = header(request, "x-amz-date")?.ok_or(SignatureError::Incomplete("no X-Amz-Date"))?;
    let session_token = header(request, "x-amz-security-token")?.ok_or(SignatureError::NotTemporary)?;
    let body_hash = sha256_hex(request.body);
    if let Some(stated) = header(request, "x-amz-content-sha256")?
        && stated != body_hash
    {
        return Err(SignatureError::Body);
    }
    let headers = signed(request, &signed_headers, &["host", "x-amz-date", "x-amz-security-token"])?;
    let (access_key_id, scope) = scope(&credential, rules)?;
    let signed_at = moment(&time, &scope)?;
    let (earliest, latest) = (rules.now - SKEW, rules.now + SKEW);
    if signed_at < earliest || signed_at > latest {
        return Err(SignatureError::Time { signed_at: signed_at.to_rfc3339(), now: rules.now.to_rfc3339() });
    }
    check_host(&headers, rules)?;
    let canonical = Canonical {
        method: request.method.as_str(),
        path: request.path,
        path_style: PathStyle::Normalised,
        query: canonical_query(pairs.iter().copied()),
        headers,
        payload_hash: &body_hash,
    };
    Ok(Signed {
        access_key_id,
        session_token,
        good_until: signed_at + SKEW,
        scope,
        time,
        signature,
        canonical_request: canonical.request(),
    })
}

fn presigned(
    request: &SignedRequest<'_>,
    pairs: &[(&str, &str)],
    rules: &Rules<'_>,
) -> Result<Signed, SignatureError> {
    let value = |name: &str| -> Option<String> {
        let (_, raw) = pairs.iter().find(|(pair, _)| *pair == name)?;
        Some(percent_encoding::percent_decode_str(raw).decode_utf8_lossy().into_owned())
    };
    let need = |name: &'static str| value(name).ok_or(SignatureError::Incomplete(name));
    if need("X-Amz-Algorithm")? != ALGORITHM {
        return Err(SignatureError::Incomplete("the algorithm is not AWS4-HMAC-SHA256"));
    }
    let (access_key_id, scope) = scope(&need("X-Amz-Credential")?, rules)?;
    let time = need("X-Amz-Date")?;
    let signed_at = moment(&time, &scope)?;
    let expires: u64 = need("X-Amz-Expires")?.parse().map_err(|_| SignatureError::Expires)?;
    let good_until = signed_at + Duration::from_secs(expires);
    if expires > LONGEST || rules.now >= good_until {
        return Err(SignatureError::Expires);
    }
    if signed_at > rules.now + SKEW {
        return Err(SignatureError::Time { signed_at: signed_at.to_rfc3339(), now: rules.now.to_rfc3339() });
    }
    let session_token = value("X-Amz-Security-Token").ok_or(SignatureError::NotTemporary)?;
    let headers = signed(request, &need("X-Amz-SignedHeaders")?, &["host"])?;
    check_host(&headers, rules)?;
    let body_hash = sha256_hex(request.body);
    let unsigned = pairs.iter().copied().filter(|(name, _)| *name != "X-Amz-Signature");
    let canonical = Canonical {
        method: request.method.as_str(),
        path: request.path,
        path_style: PathStyle::Normalised,
        query: canonical_query(unsigned),
        headers,
        payload_hash: &body_hash,
    };
    Ok(Signed {
        access_key_id,
        session_token,
        good_until,
        scope,
        time,
        signature: need("X-Amz-Signature")?,
        canonical_request: canonical.request(),
    })
}

fn header(request: &SignedRequest<'_>, name: &str) -> Result<Option<String>, SignatureError> {
    let mut values = request.headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let text =
                value.to_str().map_err(|_| SignatureError::Incomplete("a signed header is not text"))?;
            Ok(Some(text.to_owned()))
        }
        (Some(_), Some(_)) => Err(SignatureError::Duplicate(name.to_owned())),
    }
}

/// The signed headers with their values. Those that make the signature mean something must be among them.
fn signed(
    request: &SignedRequest<'_>,
    names: &str,
    required: &[&str],
) -> Result<Vec<(String, Vec<String>)>, SignatureError> {
    let names: Vec<&str> = names.split(';').collect();
    if let Some(missing) = required.iter().find(|name| !names.contains(*name)) {
        return Err(SignatureError::Incomplete(match *missing {
            "host" => "Host is not signed",
            "x-amz-date" => "X-Amz-Date is not signed",
            _ => "X-Amz-Security-Token is not signed",
        }));
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

fn check_host(headers: &[(String, Vec<String>)], rules: &Rules<'_>) -> Result<(), SignatureError> {
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
    if *service != "sts" {
        return Err(SignatureError::Service(service.chars().take(64).collect()));
    }
    if !rules.regions.is_empty() && !rules.regions.iter().any(|known| known == region) {
        return Err(SignatureError::Region(region.chars().take(64).collect()));
    }
    let scope =
        Scope { date: (*date).to_owned(), region: (*region).to_owned(), service: (*service).to_owned() };
    Ok(((*access_key_id).to_owned(), scope))
}

/// `20261123T050000Z`, of the day that the scope names.
fn moment(time: &str, scope: &Scope) -> Result<Timestamp, SignatureError> {
    let malformed = || SignatureError::Incomplete("X-Amz-Date is not like 20261123T050000Z");
    let (date, clock) = time.split_once('T').ok_or_else(malformed)?;
    if date != scope.date {
        return Err(SignatureError::Incomplete("X-Amz-Date is not of the credential's day"));
    }
    let part = |text: &str, range: std::ops::Range<usize>| text.get(range).map(str::to_owned);
    let extended = (|| {
        Some(format!(
            "{}-{}-{}T{}:{}:{}Z",
            part(date, 0..4)?,
            part(date, 4..6)?,
            part(date, 6..8)?,
            part(clock, 0..2)?,
            part(clock, 2..4)?,
            part(clock, 4..6)?
        ))
    })();
    if time.len() != 16 || !clock.ends_with('Z') {
        return Err(malformed());
    }
    Timestamp::parse(&extended.ok_or_else(malformed)?).map_err(|_| malformed())
}
