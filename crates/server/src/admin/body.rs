//! What administrators send: JSON.

use std::convert::Infallible;
use std::marker::PhantomData;

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::AdminError;

/// The body of a request, to be read as JSON once it is known who sent it.
pub(super) struct Body<T> {
    bytes: Result<Bytes, BytesRejection>,
    is_json: bool,
    wanted: PhantomData<fn() -> T>,
}

impl<S: Send + Sync, T> FromRequest<S> for Body<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &S) -> Result<Self, Infallible> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // What a web form can send is not taken: a page could have it sent.
        let is_json = kind.is_some_and(|kind| crate::wire::is_media_type(kind, "application/json"));
        Ok(Self { bytes: Bytes::from_request(request, state).await, is_json, wanted: PhantomData })
    }
}

impl<T: DeserializeOwned> Body<T> {
    pub(super) fn read(self) -> Result<T, AdminError> {
        if !self.is_json {
            let message = "the request must be application/json";
            return Err(AdminError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let bytes = self.bytes.map_err(|error| AdminError::new(error.status(), error.body_text()))?;
        serde_json::from_slice(&bytes).map_err(|error| AdminError::bad(words(&error)))
    }
}

/// What is wrong with the JSON, without its values: a token may be among them, in the wrong place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.contains("string \"") {
        return format!("a string is not what is wanted at line {} column {}", error.line(), error.column());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[expect(dead_code, reason = "never read, only asked for")]
        number: u8,
    }

    #[test]
    fn what_is_wrong_is_said_without_the_values() {
        let words = |text: &str| words(&serde_json::from_str::<Wanted>(text).unwrap_err());
        assert_eq!(words("\"secret\""), "a string is not what is wanted at line 1 column 8");
        assert_eq!(words(r#"{"number": "secret"}"#), "a string is not what is wanted at line 1 column 19");
        assert_eq!(words(r#"{"other": 1}"#), "unknown field `other`, expected `number` at line 1 column 8");
        assert_eq!(words("{"), "EOF while parsing an object at line 1 column 1");
    }
}
