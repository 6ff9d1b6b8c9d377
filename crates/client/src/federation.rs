use std::future::Future;
use std::pin::Pin;

use daypass_claims::Timestamp;

use crate::Tools;
use crate::credential::{AwsSession, Credential};
use crate::exchange::{Exchange, ExchangeError};
use crate::token::{TokenError, TokenPlan};

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// From the environment of a job to a credential, as often as one is needed.
#[derive(Clone, Debug)]
pub struct Federation {
    /// How to get the platform's token.
    pub plan: TokenPlan,
    /// Where to exchange it, and for what.
    pub exchange: Exchange,
    /// The means.
    pub tools: Tools,
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// There is no token to exchange.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The exchange failed.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The exchange gave something other than what is to be handed on.
    #[error(
        "the exchange gave a token, where an AWS session is needed; the role must be one that gives sessions"
    )]
    NotASession,
    /// The session was over before it began.
    #[error(
        "the session that was issued ended at {expiration}, by this machine's clock; is the clock right?"
    )]
    Ended {
        /// When it ended.
        expiration: Timestamp,
    },
    /// The exchange came to no end: a panic, or the process is ending.
    #[error("the exchange was interrupted")]
    Interrupted,
}

/// Something that gives AWS sessions, a fresh one each time.
pub trait SessionSource: Send + Sync {
    /// Gets one.
    fn session(&self) -> BoxFuture<'_, Result<AwsSession, ClientError>>;
}

impl Federation {
    /// Gets the platform's token and exchanges it.
    pub async fn credential(&self) -> Result<Credential, ClientError> {
        let token = self.plan.obtain(&self.tools).await?;
        Ok(self.exchange.exchange(&token, &self.tools).await?)
    }
}

impl SessionSource for Federation {
    fn session(&self) -> BoxFuture<'_, Result<AwsSession, ClientError>> {
        Box::pin(async {
            match self.credential().await? {
                Credential::AwsSession(session) => Ok(session),
                Credential::Token(_) => Err(ClientError::NotASession),
            }
        })
    }
}

impl ClientError {
    /// A short code for it: the server's own where it refused.
    pub fn code(&self) -> &str {
        match self {
            Self::Token(_) => "NoToken",
            Self::Exchange(error) => error.refusal().map_or("NoCredential", |refusal| &refusal.code),
            Self::NotASession => "NotASession",
            Self::Ended { .. } => "ExpiredCredential",
            Self::Interrupted => "Interrupted",
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use serde_json::json;

    use super::*;
    use crate::exchange::{AwsQuery, TokenExchange, Wire};
    use crate::testing::{env, listen, tools};
    use crate::token::{TokenRequest, plan};

    fn federation(server: &str, wire: Wire) -> Federation {
        let request = TokenRequest { variable: Some("X".into()), ..TokenRequest::default() };
        let plan = plan(&request, &env(&[("X", "a.b.c")])).unwrap();
        Federation { plan, exchange: Exchange::new(server, wire).unwrap(), tools: tools() }
    }

    #[tokio::test]
    async fn a_token_is_no_session() {
        let issued = json!({"access_token": "t", "issued_token_type": "urn:x", "token_type": "Bearer"});
        let server = listen(Router::new().route("/token", post(async || axum::Json(issued)))).await;
        let federation = federation(&server.url(""), Wire::TokenExchange(TokenExchange::default()));
        assert!(matches!(federation.credential().await, Ok(Credential::Token(_))));
        let error = federation.session().await.unwrap_err();
        assert_eq!(error, ClientError::NotASession);
        assert_eq!(error.code(), "NotASession");
    }

    #[tokio::test]
    async fn errors_have_codes() {
        let server = listen(Router::new()).await;
        let mut federation = federation(&server.url(""), Wire::AwsQuery(AwsQuery::default()));
        assert_eq!(federation.session().await.unwrap_err().code(), "NoCredential");
        let request = TokenRequest { file: Some("/nonexistent-daypass".into()), ..TokenRequest::default() };
        federation.plan = plan(&request, &env(&[])).unwrap();
        assert_eq!(federation.session().await.unwrap_err().code(), "NoToken");
    }
}
