use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use daypass_claims::Timestamp;
use daypass_token::TokenDigest;
use zeroize::Zeroizing;

/// The protocol that a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wire {
    /// The AWS Query protocol of STS.
    AwsQuery,
    /// OAuth 2.0 token exchange (RFC 8693).
    TokenExchange,
}

impl Wire {
    /// The name in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwsQuery => "aws-query",
            Self::TokenExchange => "token-exchange",
        }
    }

    /// How often one token may be used where a role does not say. The AWS SDKs present one token file per process and on
    /// every refresh; OAuth clients present a token once.
    pub const fn default_max_uses(self) -> u32 {
        match self {
            Self::AwsQuery => 32,
            Self::TokenExchange => 1,
        }
    }
}

/// The token of a request, as it was presented. Never printed.
#[derive(Clone)]
pub struct SubjectToken(Zeroizing<String>);

impl SubjectToken {
    /// Takes a token; one line end behind it is not part of it, because SDKs send token files as they are.
    pub fn new(text: String) -> Self {
        let mut text = Zeroizing::new(text);
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        Self(text)
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SubjectToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectToken({} bytes)", self.0.len())
    }
}

/// Where a request came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The caller's address, behind trusted proxies.
    pub address: IpAddr,
    /// The `User-Agent`, shortened.
    pub user_agent: Option<String>,
    /// Whether it came over TLS, to us or to a trusted proxy.
    pub secure: bool,
}

/// A policy that a caller asks its own session to be bounded by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionPolicy {
    /// An inline document, JSON.
    pub document: Option<String>,
    /// ARNs of managed policies.
    pub arns: Vec<String>,
}

/// The wish to exchange a token for a credential, whatever wire it came on.
#[derive(Clone, Debug)]
pub struct Request {
    /// The wire.
    pub wire: Wire,
    /// The role: a name or an ARN.
    pub role: String,
    /// The token.
    pub token: SubjectToken,
    /// How long the credential shall last.
    pub duration: Option<Duration>,
    /// What the session shall be called.
    pub session_name: Option<String>,
    /// A policy that bounds the session.
    pub session_policy: SessionPolicy,
    /// Scopes asked for (OAuth).
    pub scope: Option<String>,
    /// Where it came from.
    pub client: Client,
    /// When it came.
    pub received_at: Timestamp,
}

impl Request {
    /// The hash of everything that was asked, with `token` for the token: equal requests are retries of one another.
    pub(crate) fn fingerprint(&self, token: &TokenDigest) -> [u8; 32] {
        let mut hash = Context::new(&SHA256);
        hash.update(token.as_bytes());
        let duration = self.duration.map(|duration| duration.as_secs().to_string());
        let parts = [
            Some("daypass-request-v2"),
            Some(self.wire.as_str()),
            Some(self.role.as_str()),
            duration.as_deref(),
            self.session_name.as_deref(),
            self.session_policy.document.as_deref(),
            self.scope.as_deref(),
        ];
        let arns = self.session_policy.arns.iter().map(|arn| Some(arn.as_str()));
        for part in parts.into_iter().chain(arns) {
            // Absent and empty are different, and no two sequences of parts share an encoding.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            hash.update(&length.to_be_bytes());
            hash.update(part.unwrap_or_default().as_bytes());
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.finish().as_ref());
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::request;

    #[test]
    fn one_line_end_is_not_part_of_the_token() {
        let token = |text: &str| SubjectToken::new(text.to_owned()).expose().to_owned();
        assert_eq!(token("a.b.c\n"), "a.b.c");
        assert_eq!(token("a.b.c\r\n"), "a.b.c");
        assert_eq!(token("a.b.c\n\n"), "a.b.c\n");
        assert_eq!(token(" a.b.c"), " a.b.c");
        assert_eq!(token("a.b.c\r"), "a.b.c\r");
    }

    #[test]
    fn the_token_is_never_printed() {
        let printed = format!("{:?}", request("deploy", "secret.secret.secret"));
        assert!(!printed.contains("secret"), "{printed}");
    }

    #[test]
    fn every_parameter_is_in_the_fingerprint() {
        let fingerprint = |request: &Request| request.fingerprint(&TokenDigest::of(request.token.expose()));
        let base = request("deploy", "a.b.c");
        let mut others: Vec<Request> = (0..8).map(|_| base.clone()).collect();
        others[0].wire = Wire::AwsQuery;
        others[1].role = "deploy2".into();
        others[2].token = SubjectToken::new("a.b.d".into());
        others[3].duration = Some(Duration::from_secs(900));
        others[4].session_name = Some(String::new());
        others[5].session_policy.document = Some("{}".into());
        others[6].scope = Some("x".into());
        others[7].session_policy.arns = vec!["arn".into()];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(fingerprint(&base), fingerprint(other), "{index}");
        }
        let mut elsewhere = base.clone();
        elsewhere.received_at = Timestamp::from_millis(1);
        elsewhere.client.address = "192.0.2.1".parse().unwrap();
        assert_eq!(
            fingerprint(&base),
            fingerprint(&elsewhere),
            "a retry may come later and from another address"
        );
    }
}
