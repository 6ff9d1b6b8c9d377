use daypass_claims::Timestamp;

use super::canonical::{Canonical, PathStyle, canonical_query, uri_encode};
use super::{ALGORITHM, Scope, sha256_hex, signature, string_to_sign};

/// Who signs, and when.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The access key id.
    pub access_key_id: &'a str,
    /// The secret.
    pub secret_access_key: &'a str,
    /// The session token, for temporary keys.
    pub session_token: Option<&'a str>,
    /// The region of the scope.
    pub region: &'a str,
    /// The service of the scope.
    pub service: &'a str,
    /// The time of the signature.
    pub at: Timestamp,
    /// How the path is made canonical.
    pub path_style: PathStyle,
    /// Whether the hash of the body is sent as a signed header.
    pub sign_body: bool,
}

impl std::fmt::Debug for Signer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

impl Signer<'_> {
    fn scope(&self) -> Scope {
        Scope {
            date: self.at.to_iso_basic().chars().take(8).collect(),
            region: self.region.to_owned(),
            service: self.service.to_owned(),
        }
    }
}

/// Signs a request in its headers and returns the headers to add. `headers` are those of the request, `Host` among them.
pub fn sign_header(
    signer: &Signer<'_>,
    method: &str,
    path: &str,
    query: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Vec<(String, String)> {
    let time = signer.at.to_iso_basic();
    let hash = sha256_hex(body);
    let mut added = vec![("X-Amz-Date".to_owned(), time.clone())];
    added.extend(signer.session_token.map(|token| ("X-Amz-Security-Token".to_owned(), token.to_owned())));
    if signer.sign_body {
        added.push(("X-Amz-Content-Sha256".to_owned(), hash.clone()));
    }
    let canonical = Canonical {
        method,
        path,
        path_style: signer.path_style,
        query: canonical_query(split_query(query)),
        headers: grouped(headers.iter().chain(&added)),
        payload_hash: &hash,
    };
    let scope = signer.scope();
    let signature =
        signature(signer.secret_access_key, &scope, &string_to_sign(&time, &scope, &canonical.request()));
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        signer.access_key_id,
        scope.text(),
        canonical.signed_headers()
    );
    added.push(("Authorization".to_owned(), authorization));
    added
}

/// Signs a request in its query (a presigned URL) and returns the whole query.
pub fn sign_query(
    signer: &Signer<'_>,
    method: &str,
    path: &str,
    query: &str,
    headers: &[(String, String)],
    body: &[u8],
    expires_secs: u64,
) -> String {
    let time = signer.at.to_iso_basic();
    let scope = signer.scope();
    let headers = grouped(headers.iter());
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let credential = uri_encode(&format!("{}/{}", signer.access_key_id, scope.text()));
    let mut parameters = vec![
        format!("X-Amz-Algorithm={ALGORITHM}"),
        format!("X-Amz-Credential={credential}"),
        format!("X-Amz-Date={time}"),
        format!("X-Amz-Expires={expires_secs}"),
        format!("X-Amz-SignedHeaders={}", uri_encode(&names)),
    ];
    parameters
        .extend(signer.session_token.map(|token| format!("X-Amz-Security-Token={}", uri_encode(token))));
    if !query.is_empty() {
        parameters.insert(0, query.to_owned());
    }
    let unsigned = parameters.join("&");
    let hash = sha256_hex(body);
    let canonical = Canonical {
        method,
        path,
        path_style: signer.path_style,
        query: canonical_query(split_query(&unsigned)),
        headers,
        payload_hash: &hash,
    };
    let signature =
        signature(signer.secret_access_key, &scope, &string_to_sign(&time, &scope, &canonical.request()));
    format!("{unsigned}&X-Amz-Signature={signature}")
}

/// The raw pairs of a query.
pub(super) fn split_query(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Headers by lower-case name, in the order of the names; values in the order of the request.
fn grouped<'h>(headers: impl Iterator<Item = &'h (String, String)>) -> Vec<(String, Vec<String>)> {
    let mut grouped: std::collections::BTreeMap<String, Vec<String>> = std::collections::BTreeMap::new();
    for (name, value) in headers {
        grouped.entry(name.to_ascii_lowercase()).or_default().push(value.clone());
    }
    grouped.into_iter().collect()
}
