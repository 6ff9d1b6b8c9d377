use std::time::Duration;

use axum::response::Response;
use daypass_exchange::{ParameterError, Refusal, Refused};
use daypass_store::DecisionId;
use daypass_token::{Refusal as TokenRefusal, SelectError};
use http::{StatusCode, header};

use super::xml::{NAMESPACE, Xml, respond};
use crate::sigv4::SignatureError;
use crate::wire::{FormError, public_words};

/// An error of the wire: code, message, status.
#[derive(Debug)]
pub(crate) struct AwsError {
    code: &'static str,
    message: String,
    status: StatusCode,
    retry_after: Option<Duration>,
    decision: Option<DecisionId>,
}

impl AwsError {
    /// The caller's mistake.
    pub(crate) fn sender(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            decision: None,
        }
    }

    /// What the caller may not do.
    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::sender(code, message) }
    }

    /// What may succeed later. `Throttling` is what every SDK retries, whatever the status.
    fn later(code: &'static str, status: StatusCode, message: impl Into<String>, after: Duration) -> Self {
        Self { status, retry_after: Some(after), ..Self::sender(code, message) }
    }

    /// Our own failure.
    fn internal() -> Self {
        let message = "The request processing has failed because of an internal error.";
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::sender("InternalFailure", message) }
    }

    /// Its code and message.
    #[cfg(feature = "fuzzing")]
    pub(super) fn told(self) -> (&'static str, String) {
        (self.code, self.message)
    }

    /// The response.
    pub(crate) fn response(self, request_id: &str) -> Response {
        // The decision's id is the request's id, so that what a user quotes is what the operator looks up.
        let request_id = self.decision.map_or_else(|| request_id.to_owned(), |decision| decision.to_string());
        let kind = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        let error = Xml::default().text("Type", kind).text("Code", self.code).text("Message", &self.message);
        let document = Xml::default().group("Error", &error).text("RequestId", &request_id).into_string();
        let document = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">{document}</ErrorResponse>\n");
        let mut response = respond(self.status, document, &request_id);
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, crate::wire::retry_after(after));
        }
        response
    }
}

/// The code and the words of STS for each reason, with what the caller may know besides.
pub(crate) fn of_refused(refused: &Refused, action: &str) -> AwsError {
    let mut error = of_refusal(&refused.refusal, action);
    let about_trust = matches!(
        refused.refusal,
        Refusal::Denied(_)
            | Refusal::Undecided(_)
            | Refusal::UnknownRole(_)
            | Refusal::RoleRefused(_)
            | Refusal::Used { .. }
    );
    if about_trust {
        error.message.push_str(&format!(" (decision {}", refused.decision));
        // That a token was used already is said in full.
        if !refused.hint.is_empty() && !matches!(refused.refusal, Refusal::Used { .. }) {
            error.message.push_str(&format!(": {}", refused.hint));
        }
        error.message.push(')');
    }
    error.decision = Some(refused.decision);
    error
}

fn of_refusal(refusal: &Refusal, action: &str) -> AwsError {
    let not_authorized =
        || AwsError::forbidden("AccessDenied", format!("Not authorized to perform sts:{action}"));
    let invalid_token = |message: &str| AwsError::sender("InvalidIdentityToken", message);
    match refusal {
        Refusal::Parameter(ParameterError::SessionPolicy(why)) => {
            AwsError::sender("MalformedPolicyDocument", sentence(why))
        }
        Refusal::Parameter(ParameterError::SessionPolicyLength { length, limit }) => {
            let message = format!(
                "Packed size of session policies consumes {}% of allotted space.",
                length.saturating_mul(100).div_ceil(*limit)
            );
            AwsError::sender("PackedPolicyTooLarge", message)
        }
        Refusal::Parameter(error) => AwsError::sender("ValidationError", sentence(&error.to_string())),
        Refusal::UnknownIssuer(issuer) => {
            invalid_token(&format!("No OpenIDConnect provider found in your account for {issuer}"))
        }
        Refusal::NoIssuer => invalid_token("Missing a required claim: iss"),
        Refusal::Keys(unavailable) => AwsError::later(
            "IDPCommunicationError",
            StatusCode::BAD_REQUEST,
            format!("The identity provider's keys are not at hand: {}", unavailable.why),
            unavailable.after,
        ),
        Refusal::Token(token) => of_token(token),
        Refusal::NotInRoles => {
            invalid_token("The target role ARN is not present in the roles claim of the identity token")
        }
        // Of a session there is no token: it asked for another source identity than it has, which stays.
        Refusal::SessionClaims(_) if action == "AssumeRole" => AwsError::forbidden(
            "AccessDenied",
            "Not authorized to perform sts:SetSourceIdentity: the session has another source identity",
        ),
        Refusal::SessionClaims(error) => invalid_token(&format!("The token's {error}")),
        Refusal::UnknownRole(_) | Refusal::RoleRefused(_) => not_authorized(),
        Refusal::Denied(_) | Refusal::Undecided(_) => not_authorized(),
        Refusal::TooLong { .. } => AwsError::sender(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ),
        Refusal::WrongWire { kind } => AwsError::sender(
            "ValidationError",
            format!(
                "The role issues `{kind}`, which this protocol does not carry; ask for it at POST /token"
            ),
        ),
        Refusal::Used { first_at, .. } => AwsError::forbidden(
            "AccessDenied",
            format!(
                "Not authorized to perform sts:{action}: the identity token was used already, first at {}",
                first_at.to_rfc3339()
            ),
        ),
        Refusal::Template(error) => {
            invalid_token(&format!("The token lacks a claim that the role needs: {error}"))
        }
        Refusal::Store(error) => match error.retry_after() {
            Some(after) => AwsError::later(
                "Throttling",
                StatusCode::SERVICE_UNAVAILABLE,
                format!("Rate exceeded: {}", public_words(error)),
                after,
            ),
            None => AwsError::internal(),
        },
        Refusal::Random(_) | Refusal::Mint(_) => AwsError::internal(),
    }
}

fn of_token(refusal: &TokenRefusal) -> AwsError {
    let invalid = |message: &str| AwsError::sender("InvalidIdentityToken", message);
    match refusal {
        TokenRefusal::Form(error) => invalid(&format!(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token): {error}"
        )),
        TokenRefusal::Key(SelectError::UnknownKeyId(_)) => invalid(
            "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements",
        ),
        TokenRefusal::Expired { expired_at, now } => AwsError::sender(
            "ExpiredTokenException",
            format!(
                "Token expired: current date/time {} must be before the expiration date/time {}",
                now.as_secs(),
                expired_at.as_secs()
            ),
        ),
        TokenRefusal::TooOld { .. } => {
            AwsError::sender("ExpiredTokenException", format!("Token too old: {refusal}"))
        }
        TokenRefusal::AudienceMismatch { .. } => invalid("Incorrect token audience"),
        TokenRefusal::AudienceMissing => invalid("Missing a required claim: aud"),
        TokenRefusal::SubjectMissing => invalid("Missing a required claim: sub"),
        TokenRefusal::ExpiryMissing => invalid("Missing a required claim: exp"),
        TokenRefusal::IssuedAtMissing => invalid("Missing a required claim: iat"),
        other => invalid(&sentence(&other.to_string())),
    }
}

impl From<SignatureError> for AwsError {
    fn from(error: SignatureError) -> Self {
        let message = error.to_string();
        match error {
            SignatureError::Missing => {
                Self::forbidden("MissingAuthenticationToken", "Request is missing Authentication Token")
            }
            SignatureError::Incomplete(_)
            | SignatureError::Absent(_)
            | SignatureError::Unsigned(_)
            | SignatureError::Twice
            | SignatureError::Duplicate(_)
            | SignatureError::Plus => Self::sender("IncompleteSignature", sentence(&message)),
            SignatureError::Service { .. }
            | SignatureError::Region(_)
            | SignatureError::Host(_)
            | SignatureError::Expired { .. }
            | SignatureError::NotYetCurrent { .. }
            | SignatureError::Ended { .. }
            | SignatureError::TooLong { .. }
            | SignatureError::Body => Self::forbidden("SignatureDoesNotMatch", sentence(&message)),
        }
    }
}

impl From<FormError> for AwsError {
    fn from(error: FormError) -> Self {
        let code = match error {
            FormError::TooLarge => "RequestEntityTooLarge",
            FormError::Incomplete => "RequestTimeout",
            FormError::MediaType | FormError::Text | FormError::Parameters(_) => "MalformedQueryString",
        };
        Self { status: error.status(), ..Self::sender(code, sentence(&error.to_string())) }
    }
}

/// AWS's messages are sentences; people search for `Signature expired`.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
