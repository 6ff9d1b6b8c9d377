//! Exchanging the platform's token for a credential, on either wire.

mod aws_query;
mod error;
mod session_name;
mod token_exchange;
mod xml;

use std::time::Duration;

use daypass_claims::Timestamp;
use url::Url;

pub use self::aws_query::AwsQuery;
pub use self::error::{EndpointError, ExchangeError, Refusal};
pub use self::session_name::{SessionName, SessionNameError};
pub use self::token_exchange::TokenExchange;
#[cfg(feature = "fuzzing")]
pub(crate) use self::{
    aws_query::session as read_aws_answer, token_exchange::credential as read_oauth_answer,
};
use crate::http::{Answer, Call};
use crate::retry::{Failed, Stopped};
use crate::text::quote_bytes;
use crate::token::CiToken;
use crate::{Credential, Tools};

/// An exchange: where, and what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    endpoint: Url,
    wire: Wire,
}

/// The protocol, with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wire {
    /// `AssumeRoleWithWebIdentity` of the AWS Query protocol.
    AwsQuery(AwsQuery),
    /// OAuth 2.0 token exchange (RFC 8693).
    TokenExchange(TokenExchange),
}

impl Exchange {
    /// With the server at `server`. An URL without a path means the wire's own: `/` on the AWS wire, `/token` on the
    /// OAuth wire.
    pub fn new(server: &str, wire: Wire) -> Result<Self, EndpointError> {
        let mut endpoint = Url::parse(server).map_err(|_| EndpointError::Url)?;
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.has_host() {
            return Err(EndpointError::Url);
        }
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if endpoint.query().is_some() || endpoint.fragment().is_some() {
            return Err(EndpointError::QueryOrFragment);
        }
        if endpoint.path() == "/" && matches!(wire, Wire::TokenExchange(_)) {
            endpoint.set_path("/token");
        }
        Ok(Self { endpoint, wire })
    }

    /// Where requests go.
    pub const fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// What is asked for.
    pub const fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Exchanges a token.
    ///
    /// Tries again only where the same request can have another answer: no connection, no answer in time, too many
    /// requests, trouble on the server's side, a server that cannot get at the platform's keys just now. The request is
    /// the same each time, which the server counts as one use of the token.
    pub async fn exchange(&self, token: &CiToken, tools: &Tools) -> Result<Credential, ExchangeError> {
        let call = match &self.wire {
            Wire::AwsQuery(query) => query.call(&self.endpoint, token),
            Wire::TokenExchange(exchange) => exchange.call(&self.endpoint, token),
        };
        let tried = tools.retry.run(&*tools.random, |left| self.try_once(&call, tools, left)).await;
        tried.map_err(|(error, stopped)| match stopped {
            Stopped::ForGood => error,
            Stopped::Exhausted { tries } => ExchangeError::GaveUp { tries, last: Box::new(error) },
        })
    }

    async fn try_once(
        &self,
        call: &Call,
        tools: &Tools,
        left: Duration,
    ) -> Result<Credential, Failed<ExchangeError>> {
        let sent = tools.http.send(call, left).await;
        let answer = sent.map_err(|error| {
            let is_transient = error.is_transient();
            Failed::new(ExchangeError::Http(error), is_transient, None)
        })?;
        let now = tools.clock.now();
        if answer.is_success() {
            let malformed = |problem| ExchangeError::Malformed { host: call.host(), problem };
            return self.credential(&answer, now).map_err(|problem| Failed::ForGood(malformed(problem)));
        }
        let error = self.refusal(call, &answer);
        let is_transient = answer.is_transient() || error.is_transient();
        Err(Failed::new(error, is_transient, answer.retry_after(now)))
    }

    fn credential(&self, answer: &Answer, now: Timestamp) -> Result<Credential, &'static str> {
        match &self.wire {
            Wire::AwsQuery(_) => aws_query::session(&answer.body).map(Credential::AwsSession),
            Wire::TokenExchange(_) => token_exchange::credential(&answer.body, now),
        }
    }

    fn refusal(&self, call: &Call, answer: &Answer) -> ExchangeError {
        let read = match &self.wire {
            Wire::AwsQuery(_) => aws_query::refusal(answer),
            Wire::TokenExchange(_) => token_exchange::refusal(answer),
        };
        match read {
            Some(refusal) => ExchangeError::Refused(refusal),
            None => ExchangeError::Unintelligible {
                host: call.host(),
                status: answer.status,
                said: quote_bytes(&answer.body),
            },
        }
    }
}

#[cfg(test)]
mod tests;
