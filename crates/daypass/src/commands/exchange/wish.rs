//! What a job wants: which token, from whom, for which role.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use daypass_claims::{Audience, parse_duration};
use daypass_client::exchange::{AwsQuery, Exchange, Refusal, SessionName, TokenExchange, Wire};
use daypass_client::token::{TokenRequest, plan};
use daypass_client::{ClientError, Env, Federation, Http, HttpOptions, Retry, Tools};
use daypass_server::{SystemClock, SystemRandom};

use crate::failure::{Failure, Result};

/// What a job wants.
#[derive(Debug, Args)]
pub(crate) struct Wish {
    /// The exchange: a daypass service, or any STS that speaks the same protocol.
    #[arg(
        long,
        value_name = "URL",
        env = "DAYPASS_SERVER",
        hide_env_values = true,
        help_heading = "What is asked for"
    )]
    server: String,
    /// The role: an ARN, or a name with daypass.
    #[arg(
        long,
        value_name = "ROLE",
        env = "AWS_ROLE_ARN",
        hide_env_values = true,
        help_heading = "What is asked for"
    )]
    role: String,
    /// The protocol: aws for an ARN, oauth (RFC 8693) for a name, unless this says otherwise.
    #[arg(long, value_name = "WIRE", help_heading = "What is asked for")]
    wire: Option<WireName>,
    /// How long the credential shall last, such as 30m.
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "What is asked for")]
    duration: Option<Duration>,
    /// What the session is called; by default it names the run.
    #[arg(
        long,
        value_name = "NAME",
        env = "AWS_ROLE_SESSION_NAME",
        hide_env_values = true,
        help_heading = "What is asked for"
    )]
    session_name: Option<String>,
    /// Scopes to narrow the credential to (oauth).
    #[arg(long, value_name = "SCOPES", help_heading = "What is asked for")]
    scope: Option<String>,
    /// Whom the job's token shall be addressed to; the platform's default if not given.
    #[arg(
        long,
        value_name = "AUDIENCE",
        env = "DAYPASS_AUDIENCE",
        hide_env_values = true,
        help_heading = "The job's token"
    )]
    audience: Option<String>,
    /// The platform, by its id in the catalogue, where it cannot be told from the environment.
    #[arg(long, value_name = "ID", help_heading = "The job's token")]
    platform: Option<String>,
    /// A file with the token.
    #[arg(long, value_name = "FILE", help_heading = "The job's token")]
    token_file: Option<PathBuf>,
    /// The variable with the token.
    #[arg(long, value_name = "NAME", conflicts_with = "token_file", help_heading = "The job's token")]
    token_env: Option<String>,
    /// The Azure DevOps service connection that the token shall stand for.
    #[arg(long, value_name = "ID", help_heading = "The job's token")]
    service_connection: Option<String>,
    /// More certificate authorities to trust, PEM.
    #[arg(long, value_name = "FILE", help_heading = "How to get there")]
    ca_file: Option<Utf8PathBuf>,
    /// Send the token over plain HTTP to hosts other than this one, where anyone on the way can use it.
    #[arg(long, help_heading = "How to get there")]
    plain_http_anywhere: bool,
    /// How long to go on trying in all.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration, help_heading = "How to get there")]
    give_up_after: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WireName {
    /// The AWS Query protocol: AssumeRoleWithWebIdentity.
    Aws,
    /// OAuth 2.0 token exchange.
    Oauth,
}

fn duration(text: &str) -> std::result::Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

impl Wish {
    /// The way from the job's environment to the credential.
    pub(crate) fn federation(&self, env: Env<'_>) -> Result<Federation> {
        let audience = self.audience.as_deref().map(Audience::parse).transpose();
        let request = TokenRequest {
            audience: audience.map_err(|error| Failure::usage(format!("--audience: {error}")))?,
            platform: self.platform.clone(),
            variable: self.token_env.clone(),
            file: self.token_file.clone(),
            service_connection: self.service_connection.clone(),
        };
        let plan = plan(&request, env).map_err(|error| Failure::usage(error.to_string()))?;
        let exchange = Exchange::new(&self.server, self.wire()?)
            .map_err(|error| Failure::usage(format!("--server: {error}")))?;
        let extra_roots = match &self.ca_file {
            Some(path) => Some(
                std::fs::read(path).map_err(|error| Failure::usage(format!("--ca-file {path}: {error}")))?,
            ),
            None => None,
        };
        let options = HttpOptions {
            extra_roots,
            plain_http_anywhere: self.plain_http_anywhere,
            ..HttpOptions::default()
        };
        let tools = Tools {
            http: Arc::new(Http::new(options, env).context("no HTTP client could be made")?),
            retry: Retry { total: self.give_up_after, ..Retry::default() },
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        };
        Ok(Federation { plan, exchange, tools })
    }

    fn wire(&self) -> Result<Wire> {
        let session_name = self.session_name.as_deref().map(SessionName::parse).transpose();
        let session_name =
            session_name.map_err(|error| Failure::usage(format!("--session-name: {error}")))?;
        let is_arn = self.role.starts_with("arn:");
        Ok(match self.wire.unwrap_or(if is_arn { WireName::Aws } else { WireName::Oauth }) {
            WireName::Aws => Wire::AwsQuery(AwsQuery {
                role_arn: self.role.clone(),
                session_name,
                duration: self.duration,
                ..AwsQuery::default()
            }),
            WireName::Oauth => Wire::TokenExchange(TokenExchange {
                audience: vec![self.role.clone()],
                scope: self.scope.clone(),
                session_name,
                duration: self.duration,
                ..TokenExchange::default()
            }),
        })
    }
}

/// A refusal is an answer; no answer is a failure.
pub(crate) fn failure(error: ClientError) -> Failure {
    match &error {
        ClientError::Exchange(exchange) => match exchange.refusal() {
            Some(refusal) if refusal.status < 500 => refused(refusal),
            _ => Failure::Failed(error.into()),
        },
        ClientError::Token(_) => Failure::usage(error.to_string()),
        _ => Failure::Failed(error.into()),
    }
}

/// The server's own words, and where to go with them.
fn refused(refusal: &Refusal) -> Failure {
    let message = match refusal.message.as_str() {
        "" => refusal.code.clone(),
        said => format!("{}: {said}", refusal.code),
    };
    let advice = match &refusal.decision {
        Some(id) => vec![
            "whoever runs the exchange sees the whole decision with".to_owned(),
            format!("  daypass explain --decision {id}"),
        ],
        None => Vec::new(),
    };
    Failure::Refused { message, advice }
}
