//! Handing the credential over.

use std::fmt;
use std::path::Path;

use camino::Utf8Path;
use clap::ValueEnum;
use daypass_client::exchange::{SessionName, Wire};
use daypass_client::output::{
    Variables, credential_process, dotenv, github_env, shell, token_file, web_identity as identity,
    write_private,
};
use daypass_client::shadow::Delivery;
use daypass_client::{Credential, Federation};
use daypass_server::SystemRandom;
use serde_json::{Value, json};

use super::{Arguments, failure, required};
use crate::failure::{Failure, Result};
use crate::output::Output;

/// The forms that a credential can be handed over in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `export` lines for a shell's `eval`.
    Shell,
    /// Lines of a `.env` file, to stdout or --output.
    Dotenv,
    /// Variables for the later steps of a GitHub Actions job, masked in its log.
    GithubEnv,
    /// What `credential_process` in an AWS profile wants.
    CredentialProcess,
    /// The job's token in a file, and variables by which AWS SDKs exchange it themselves; nothing is exchanged now.
    WebIdentity,
    /// A token, in a file.
    TokenFile,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.write_str(value.as_ref().map_or("", |value| value.get_name()))
    }
}

impl Format {
    /// Whether it fits with the other arguments.
    pub(super) fn check(self, output: Option<&Utf8Path>, json: bool) -> Result<()> {
        match self {
            Self::WebIdentity | Self::TokenFile => required(output, self).map(|_| ()),
            Self::Dotenv if output.is_some() => Ok(()),
            _ if output.is_some() => Err(Failure::usage(format!("--format {self} writes no file"))),
            Self::CredentialProcess if json => {
                Err(Failure::usage("--format credential-process is JSON of its own; leave out --json"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn delivery(self) -> Delivery {
        match self {
            Self::Shell | Self::Dotenv | Self::GithubEnv => Delivery::Environment,
            Self::CredentialProcess => Delivery::CredentialProcess {
                profile: std::env::var("AWS_PROFILE").unwrap_or("default".into()),
            },
            Self::WebIdentity => Delivery::WebIdentity,
            Self::TokenFile => Delivery::Token,
        }
    }
}

/// Hands a credential over.
pub(super) fn credential(credential: &Credential, arguments: &Arguments, output: &Output) -> Result<()> {
    if output.is_json() {
        return output.answer(&as_json(credential), |_| Ok(()));
    }
    let file = arguments.output.as_deref();
    match (arguments.format, credential) {
        (Format::CredentialProcess, Credential::AwsSession(session)) => {
            output.raw(&format!("{}\n", credential_process::render(session).expose()))
        }
        (Format::CredentialProcess, Credential::Token(_)) => {
            Err(Failure::usage("the role gives a token, and --format credential-process is for AWS sessions"))
        }
        (Format::TokenFile, Credential::Token(token)) => {
            Ok(token_file::write(required(file, arguments.format)?, token)?)
        }
        (Format::TokenFile, Credential::AwsSession(_)) => {
            Err(Failure::usage("the role gives an AWS session, and --format token-file is for tokens"))
        }
        (format, credential) => {
            variables(format, &variables_of(credential, &arguments.variable)?, file, output)
        }
    }
}

fn variables_of(credential: &Credential, name: &str) -> Result<Variables> {
    Ok(match credential {
        Credential::AwsSession(session) => Variables::of_session(session)?,
        Credential::Token(token) => Variables::of_token(name, token)?,
    })
}

fn variables(format: Format, variables: &Variables, file: Option<&Utf8Path>, output: &Output) -> Result<()> {
    match format {
        Format::GithubEnv => {
            let path = std::env::var_os("GITHUB_ENV").ok_or_else(|| {
                Failure::usage("GITHUB_ENV is not set: this is no step of a GitHub Actions job")
            })?;
            // Masks first: nothing may be shown before the runner knows what to blot out.
            output.raw(github_env::masks(variables).expose())?;
            Ok(github_env::append(Path::new(&path), variables, &SystemRandom)?)
        }
        Format::Dotenv => match file {
            Some(path) => {
                Ok(write_private(path.as_std_path(), dotenv::render(variables).expose().as_bytes())?)
            }
            None => output.raw(dotenv::render(variables).expose()),
        },
        _ => output.raw(shell::render(variables).expose()),
    }
}

/// The job's token in a file, with the variables that make AWS SDKs exchange it.
pub(super) async fn web_identity(
    federation: &Federation,
    file: Option<&Utf8Path>,
    output: &Output,
) -> Result<()> {
    let Wire::AwsQuery(query) = federation.exchange.wire() else {
        return Err(Failure::usage("AWS SDKs exchange for a role's ARN; give --role arn:aws:iam::..."));
    };
    let token = federation.plan.obtain(&federation.tools).await.map_err(|error| failure(error.into()))?;
    let session_name = query.session_name.clone().unwrap_or_else(|| SessionName::of(&token));
    let wanted = identity::WebIdentity {
        role_arn: &query.role_arn,
        session_name: &session_name,
        endpoint: Some(federation.exchange.endpoint()),
    };
    let variables = identity::write(required(file, Format::WebIdentity)?, &token, &wanted)?;
    if output.is_json() {
        let variables: serde_json::Map<String, Value> =
            variables.iter().map(|one| (one.name().to_owned(), json!(one.value().expose()))).collect();
        return output.answer(&json!({ "variables": variables }), |_| Ok(()));
    }
    output.raw(shell::render(&variables).expose())
}

fn as_json(credential: &Credential) -> Value {
    match credential {
        Credential::AwsSession(session) => json!({
            "kind": "aws-session",
            "access_key_id": session.access_key_id,
            "secret_access_key": session.secret_access_key.expose(),
            "session_token": session.session_token.expose(),
            "expires_at": session.expiration.to_rfc3339(),
            "account": session.account,
            "arn": session.arn,
        }),
        Credential::Token(token) => json!({
            "kind": "token",
            "access_token": token.access_token.expose(),
            "token_type": token.token_type,
            "issued_token_type": token.issued_token_type,
            "scope": token.scope,
            "expires_at": token.expires_at.map(daypass_claims::Timestamp::to_rfc3339),
        }),
    }
}
