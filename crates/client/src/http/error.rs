use std::error::Error;
use std::time::Duration;

/// Why a request had no answer. Nothing here shows more of an URL than its host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The program has not chosen its cryptography.
    #[error("no rustls crypto provider is installed in this process")]
    NoProvider,
    /// A proxy variable holds something else. The text may hold a password and is not shown.
    #[error("`{variable}` does not hold the URL of a proxy, like http://proxy.example:3128")]
    Proxy {
        /// The variable.
        variable: &'static str,
    },
    /// The extra certificates cannot be read.
    #[error("the extra CA certificates are not PEM certificates")]
    ExtraRoots,
    /// The system's certificates cannot be read, or the like.
    #[error("no HTTPS client can be set up: {0}")]
    Setup(String),
    /// Neither `https` nor `http`.
    #[error("`{scheme}` is not a scheme for requests, https is")]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// Plain text to another machine.
    #[error("`{host}` is to be reached over http, where anyone on the way could use the token; use https")]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// A value that cannot stand in a header. It is not shown.
    #[error("the value for the header `{name}` holds characters that no header holds")]
    Header {
        /// The header.
        name: String,
    },
    /// No connection.
    #[error("`{host}` cannot be reached: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// What the system says.
        reason: String,
    },
    /// The server's certificate, or its TLS, is not acceptable.
    #[error("`{host}` is not trusted: {reason}")]
    Untrusted {
        /// The host.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No answer in time.
    #[error("`{host}` did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// The host.
        host: String,
        /// How long it had.
        after: Duration,
    },
    /// The connection broke before the answer was complete, or the answer is not HTTP.
    #[error("`{host}` broke off: {reason}")]
    Broken {
        /// The host.
        host: String,
        /// What the library says.
        reason: String,
    },
    /// The answer is too large to be what was asked for.
    #[error("`{host}` answers with more than {limit} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The most that is read.
        limit: usize,
    },
}

impl HttpError {
    /// Whether the same request can succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Timeout { .. } | Self::Broken { .. })
    }

    pub(super) fn from_reqwest(error: reqwest::Error, host: &str, after: Duration) -> Self {
        let host = host.to_owned();
        let (timeout, connect) = (error.is_timeout(), error.is_connect());
        let error = error.without_url();
        if let Some(reason) = tls_reason(&error) {
            return Self::Untrusted { host, reason };
        }
        let reason = root_cause(&error);
        match (timeout, connect) {
            (true, _) => Self::Timeout { host, after },
            (false, true) => Self::Unreachable { host, reason },
            (false, false) => Self::Broken { host, reason },
        }
    }
}

/// What rustls objects to, if it is rustls that does. It comes wrapped in I/O errors, which hide what they wrap from
/// `source`.
fn tls_reason(error: &reqwest::Error) -> Option<String> {
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(tls.to_string());
        }
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    None
}

/// The innermost cause: the outer ones only say that something failed.
pub(super) fn root_cause(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost.to_string()
}
