//! The canonical request: one text for all the ways in which the same request can be written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but letters, digits and `-_.~` (RFC 3986 unreserved).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a path is made canonical. S3 signs it as it is; every other service removes dot segments first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathStyle {
    /// Dot segments and doubled slashes are removed.
    Normalised,
    /// The path is signed as it is.
    AsIs,
}

/// The parts of a request that are signed. Only its method and path are ever printed.
#[derive(Clone)]
pub struct Canonical<'a> {
    /// `GET`, `POST`
    pub method: &'a str,
    /// The path as it stands in the request line.
    pub path: &'a str,
    /// How the path is made canonical.
    pub path_style: PathStyle,
    /// The query, canonical.
    pub query: String,
    /// The signed headers: lower-case name and all values, by name.
    pub headers: Vec<(String, Vec<String>)>,
    /// The hash of the body in hex, or what stands in its place.
    pub payload_hash: &'a str,
}

impl std::fmt::Debug for Canonical<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Canonical")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Canonical<'_> {
    /// The canonical request.
    pub fn request(&self) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, values)| {
                let values: Vec<String> = values.iter().map(|value| collapse(value)).collect();
                format!("{name}:{}\n", values.join(","))
            })
            .collect();
        format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            self.method,
            self.path(),
            self.query,
            self.signed_headers(),
            self.payload_hash
        )
    }

    /// The names of the signed headers, joined by semicolons.
    pub fn signed_headers(&self) -> String {
        self.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";")
    }

    fn path(&self) -> String {
        let path = match self.path_style {
            PathStyle::AsIs => self.path.to_owned(),
            PathStyle::Normalised => normalise(self.path),
        };
        let segments: Vec<String> = path.split('/').map(uri_encode).collect();
        let path = segments.join("/");
        if path.is_empty() { "/".to_owned() } else { path }
    }
}

/// Removes `.`, `..` and empty segments; a trailing slash stays.
fn normalise(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let trailing = path.ends_with('/') && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if trailing { "/" } else { "" })
}

/// White space around a header value goes, and inside it becomes one space.
fn collapse(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// RFC 3986 percent-encoding of everything but unreserved characters.
pub fn uri_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The query as it is signed: pairs of the raw query decoded, encoded again in one way, sorted by name, then value.
pub fn canonical_query<'q>(pairs: impl Iterator<Item = (&'q str, &'q str)>) -> String {
    let encode_again =
        |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), RESERVED).to_string();
    let mut pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (encode_again(name), encode_again(value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}
