//! A job's side of both wires: what it asks for, and what it makes of the answer.

use std::fmt;
use std::time::Duration;

use daypass_claims::{ClaimValue, Clock};
use daypass_server::SystemClock;
use daypass_server::sigv4::{PathStyle, Signer, sign_header, uri_encode};
use daypass_token::UnverifiedToken;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use crate::platform::Job;

/// How long an answer is waited for. Whoever has not answered by then hangs, and that is a failure of the test.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a connection is kept to be used again: a client's part is to let go of it before the service does.
const IDLE: Duration = Duration::from_secs(30);

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The protocol that a request goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Aws,
    OAuth,
}

impl Wire {
    pub(crate) const BOTH: [Self; 2] = [Self::Aws, Self::OAuth];
}

/// One exact request; the same one again is a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) wire: Wire,
    pub(crate) role: &'static str,
    pub(crate) session: String,
    pub(crate) job: Job,
}

impl Ask {
    /// The role that each wire's jobs usually ask for: keys by the AWS wire, a re-issued token by OAuth.
    pub(crate) fn usual(wire: Wire, job: Job) -> Self {
        let role = match wire {
            Wire::Aws => "deploy",
            Wire::OAuth => "api",
        };
        Self { wire, role, session: "first".to_owned(), job }
    }

    /// The same token with another request, which is another use.
    pub(crate) fn under(&self, session: impl Into<String>) -> Self {
        Self { session: session.into(), ..self.clone() }
    }

    fn path(&self) -> &'static str {
        match self.wire {
            Wire::Aws => "/",
            Wire::OAuth => "/token",
        }
    }

    fn form(&self) -> String {
        let arn = format!("arn:aws:iam::123456789012:role/{}", self.role);
        match self.wire {
            Wire::Aws => form(&[
                ("Action", "AssumeRoleWithWebIdentity"),
                ("Version", "2011-06-15"),
                ("RoleArn", &arn),
                ("RoleSessionName", &self.session),
                ("WebIdentityToken", &self.job.token),
            ]),
            Wire::OAuth => form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
                ("audience", self.role),
                ("session_name", &self.session),
                ("subject_token", &self.job.token),
            ]),
        }
    }
}

fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={}", uri_encode(value))).collect();
    pairs.join("&")
}

/// What a client holds after an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    Session { access_key_id: String, secret: String, token: String },
    Jwt { token: String },
}

impl Credential {
    /// The id of a re-issued token, which is that of the decision that first issued it.
    pub(crate) fn jwt_id(&self) -> Option<String> {
        let Self::Jwt { token } = self else { return None };
        match UnverifiedToken::parse(token).unwrap().unverified_claims().get("jti") {
            Some(ClaimValue::String(id)) => Some(id.clone()),
            other => panic!("a token without an id: {other:?}"),
        }
    }

    /// The id of the key that a re-issued token is signed with.
    pub(crate) fn key_id(&self) -> Option<String> {
        let Self::Jwt { token } = self else { return None };
        UnverifiedToken::parse(token).unwrap().key_id().map(ToString::to_string)
    }
}

/// What a service said no with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) wire: Wire,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// In seconds.
    pub(crate) retry_after: Option<u64>,
}

impl Refusal {
    /// Whether it says, in its wire's own words, that the same request may succeed later: what SDKs and OAuth libraries
    /// retry by themselves.
    pub(crate) fn is_for_now(&self) -> bool {
        let code = match self.wire {
            Wire::Aws => "Throttling",
            Wire::OAuth => "temporarily_unavailable",
        };
        self.status == 503 && self.code == code && self.retry_after.is_some_and(|seconds| seconds > 0)
    }

    /// Whether it says that the token has no use left.
    pub(crate) fn is_of_a_used_token(&self) -> bool {
        let (status, code) = match self.wire {
            Wire::Aws => (403, "AccessDenied"),
            Wire::OAuth => (400, "invalid_request"),
        };
        (self.status, self.code.as_str()) == (status, code) && self.message.contains("used already")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wire, status, code, message, .. } = self;
        write!(f, "{wire:?} {status} {code}: {message}")
    }
}

/// What became of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A credential. Of the AWS wire, the id of the decision comes with it.
    Issued {
        credential: Credential,
        decision: Option<String>,
    },
    Refused(Refusal),
    /// The connection ended without an answer.
    Lost(String),
}

impl Answer {
    /// The credential, where nothing else will do.
    #[track_caller]
    pub(crate) fn credential(self) -> Credential {
        match self {
            Self::Issued { credential, .. } => credential,
            other => panic!("no credential: {other:?}"),
        }
    }

    /// The refusal, where nothing else will do.
    #[track_caller]
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            other => panic!("no refusal: {other:?}"),
        }
    }
}

/// An HTTP client. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(crate) fn new() -> Self {
        // Once per process; the second to do so finds it done.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).pool_idle_timeout(IDLE);
        Self(client.build().unwrap())
    }

    /// Exchanges a token.
    pub(crate) async fn ask(&self, base: &str, ask: &Ask) -> Answer {
        let request = self.0.post(format!("{base}{}", ask.path())).header("content-type", FORM);
        let reply = match send(request.body(ask.form())).await {
            Ok(reply) => reply,
            Err(lost) => return Answer::Lost(lost),
        };
        if reply.status != 200 {
            return Answer::Refused(reply.refusal(ask.wire));
        }
        match ask.wire {
            Wire::Aws => {
                Answer::Issued { decision: Some(reply.element("RequestId")), credential: reply.session() }
            }
            Wire::OAuth => Answer::Issued { decision: None, credential: reply.granted() },
        }
    }

    /// Who a service says that the bearer of a session is.
    pub(crate) async fn caller(&self, base: &str, credential: &Credential) -> Result<String, Refusal> {
        let Credential::Session { access_key_id, secret, token } = credential else {
            panic!("no session: {credential:?}")
        };
        let signer = Signer {
            access_key_id,
            secret_access_key: secret,
            session_token: Some(token),
            region: "eu-west-1",
            service: "sts",
            at: SystemClock.now(),
            path_style: PathStyle::Normalised,
            sign_body: false,
        };
        let host = base.trim_start_matches("http://");
        let mut headers =
            vec![("host".to_owned(), host.to_owned()), ("content-type".to_owned(), FORM.to_owned())];
        let body = form(&[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]);
        headers.extend(sign_header(&signer, "POST", "/", "", &headers, body.as_bytes()));
        let mut request = self.0.post(format!("{base}/"));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let reply = send(request.body(body)).await.unwrap();
        if reply.status == 200 { Ok(reply.element("Arn")) } else { Err(reply.refusal(Wire::Aws)) }
    }

    /// Status and text of a document.
    pub(crate) async fn get(&self, url: &str) -> (u16, String) {
        let reply = send(self.0.get(url)).await.unwrap();
        (reply.status, reply.body)
    }
}

/// A whole HTTP response.
struct Reply {
    status: u16,
    headers: HeaderMap,
    body: String,
}

async fn send(request: reqwest::RequestBuilder) -> Result<Reply, String> {
    let whole = async {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, body: response.text().await? })
    };
    whole.await.map_err(|error: reqwest::Error| {
        assert!(!error.is_timeout(), "no answer within {PATIENCE:?}");
        format!("{error:?}")
    })
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The text of an XML element.
    fn element(&self, name: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("<{name}>")).unwrap_or(("", ""));
        rest.split_once(&format!("</{name}>")).map_or("", |(text, _)| text).to_owned()
    }

    fn session(&self) -> Credential {
        Credential::Session {
            access_key_id: self.element("AccessKeyId"),
            secret: self.element("SecretAccessKey"),
            token: self.element("SessionToken"),
        }
    }

    fn granted(&self) -> Credential {
        let body = self.json();
        let text = |value: &Value, member: &str| value[member].as_str().unwrap_or_default().to_owned();
        match body.get("aws_credentials") {
            Some(keys) => Credential::Session {
                access_key_id: text(keys, "AccessKeyId"),
                secret: text(keys, "SecretAccessKey"),
                token: text(keys, "SessionToken"),
            },
            None => Credential::Jwt { token: text(&body, "access_token") },
        }
    }

    fn refusal(&self, wire: Wire) -> Refusal {
        let (code, message) = match wire {
            Wire::Aws => (self.element("Code"), self.element("Message")),
            Wire::OAuth => {
                let body = self.json();
                let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
                (text("error"), text("error_description"))
            }
        };
        let after = self.headers.get(RETRY_AFTER).map(|value| value.to_str().unwrap().parse().unwrap());
        Refusal { wire, status: self.status, code, message, retry_after: after }
    }
}
