//! The AWS Query protocol of STS, as the CLI and the SDKs speak it.
//!
//! Shapes and error codes: the STS API Reference (2011-06-15); the wording of errors follows what STS answers, because
//! people search for it.

mod access_key_info;
mod assume_role;
mod caller_identity;
mod error;
mod validate;
mod web_identity;
pub(crate) mod xml;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, State};
use axum::response::Response;
use bytes::Bytes;
use daypass_exchange::Client;
use daypass_exchange::credential::{ProvenSession, SealedSession, SessionRefusal};
use http::{HeaderMap, Method, Uri};

use self::error::AwsError;
use super::{FormError, Parameters, Peer};
use crate::app::App;
use crate::sigv4::{PathStyle, Rules, Signed, SignedRequest};

/// The operations, by `Action`.
pub(crate) const OPERATIONS: [&str; 4] =
    ["AssumeRole", "AssumeRoleWithWebIdentity", "GetAccessKeyInfo", "GetCallerIdentity"];

/// The version of the API.
const VERSION: &str = "2011-06-15";

/// The longest that a presigned request may be good for.
const LONGEST_PRESIGNED: Duration = Duration::from_secs(900);

/// Everything about a request that an operation may need.
struct Call<'a> {
    app: &'a App,
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
    parameters: Parameters,
    client: Client,
    request_id: String,
}

/// Parameters in the body, as all SDKs send them.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(&app, peer, &method, &uri, &headers, super::whole(body)).await
}

/// Parameters in the query: presigned requests, and people with curl.
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    answer(&app, peer, &method, &uri, &headers, Ok(Bytes::new())).await
}

async fn answer(
    app: &App,
    peer: Peer,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, FormError>,
) -> Response {
    let request_id = app.request_id();
    let read = body.and_then(|body| Ok((read_parameters(uri, headers, &body)?, body)));
    let (parameters, body) = match read {
        Ok(read) => read,
        Err(error) => return AwsError::from(error).response(&request_id),
    };
    let client = super::client(app, peer, headers);
    let call = Call { app, method, uri, headers, body: &body, parameters, client, request_id };
    let request_id = call.request_id.clone();
    match dispatch(call).await {
        Ok(response) => response,
        Err(error) => error.response(&request_id),
    }
}

/// The parameters of query and body together, each once.
fn read_parameters(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Parameters, FormError> {
    let query = Parameters::parse(uri.query().unwrap_or_default())?;
    Ok(query.join(super::form(headers, body)?).once(&[])?)
}

async fn dispatch(call: Call<'_>) -> Result<Response, AwsError> {
    let Some(action) = call.parameters.get("Action") else {
        return Err(AwsError::sender("MissingAction", "The request must contain the parameter Action"));
    };
    if let Some(version) = call.parameters.get("Version")
        && version != VERSION
    {
        let shown: String = version.chars().take(32).collect();
        let message =
            format!("The requested version ({shown}) of service STS does not exist; this is {VERSION}");
        return Err(AwsError::sender("NoSuchVersion", message));
    }
    match action {
        "AssumeRoleWithWebIdentity" => web_identity::call(call).await,
        "AssumeRole" => assume_role::call(call).await,
        "GetCallerIdentity" => caller_identity::call(&call),
        "GetAccessKeyInfo" => access_key_info::call(&call),
        other => {
            let shown: String = other.chars().take(64).collect();
            let message = format!(
                "Could not find operation {shown} for version {VERSION}; known: {}",
                OPERATIONS.join(", ")
            );
            Err(AwsError::sender("InvalidAction", message))
        }
    }
}

impl Call<'_> {
    /// The session that signed the request: its token opens, its secret made the signature, it is neither expired nor
    /// revoked.
    fn session(&self) -> Result<ProvenSession, AwsError> {
        let now = self.app.exchange.clock().now();
        let request = SignedRequest {
            method: self.method,
            path: self.uri.path(),
            query: self.uri.query().unwrap_or_default(),
            headers: self.headers,
            body: self.body,
        };
        let config = self.app.exchange.config();
        let rules = Rules {
            hosts: &self.app.hosts,
            service: "sts",
            regions: &config.regions,
            path_style: PathStyle::Normalised,
            longest: LONGEST_PRESIGNED,
            now,
        };
        let signed = Signed::read(&request, &rules)?;
        // Only sessions are issued here, so whatever comes without a session token is another's.
        let session_token = signed.session_token.as_deref().ok_or(SessionRefusal::Token)?;
        let keys = self.app.exchange.ring().keys();
        let sealed = SealedSession::open(&keys, &config.account_id, session_token)?;
        let revocations = self.app.exchange.revocations();
        Ok(sealed.prove(&signed.access_key_id, &revocations, now, |secret| signed.made_with(secret))?)
    }
}

impl From<SessionRefusal> for AwsError {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::Token | SessionRefusal::AccessKey => Self::forbidden(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            SessionRefusal::Signature => Self::forbidden(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.",
            ),
            SessionRefusal::Expired => {
                Self::forbidden("ExpiredToken", "The security token included in the request is expired")
            }
            SessionRefusal::Revoked => Self::forbidden(
                "InvalidClientTokenId",
                "The security token included in the request was revoked.",
            ),
        }
    }
}

/// Reads a request for a session without serving it, for `crate::fuzzing`: an error is told by its code and message.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_only(
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    client: Client,
) -> Result<daypass_exchange::Request, (&'static str, String)> {
    let read = || {
        let parameters = read_parameters(uri, headers, body)?;
        web_identity::read(&parameters, client, daypass_claims::Timestamp::from_secs(1_800_000_000))
    };
    read().map_err(|error: AwsError| error.told())
}
