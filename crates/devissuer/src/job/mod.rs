//! Jobs: what a program must see to take itself to be in one, and to get its token as it would there.
//!
//! The catalogue says how a job is recognised and how it gets its token. Tokens in the environment are minted with it;
//! services that jobs ask are played here, one file for each protocol.

mod azure;
mod buildkite;
mod circleci;
mod detect;
mod github;

use std::collections::{BTreeMap, VecDeque};

use daypass_claims::Audience;
use daypass_issuers::{AudienceParameter, HttpRequest, Method, Platform, TokenSource, UrlSource};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::error::RequestError;
use crate::issuer::DevIssuer;
use crate::mint::{MintRequest, platform};

pub(crate) use buildkite::AgentRequest;

/// What a token's variable is called where the pipeline file chooses the name, as the catalogue's pipeline snippets do.
pub const PIPELINE_VARIABLE: &str = "DAYPASS_TOKEN";

/// How many jobs can ask for tokens; the oldest makes room.
const MAX_JOBS: usize = 256;

/// Jobs whose tokens are fetched from a service.
#[derive(Default)]
pub(crate) struct Jobs(VecDeque<Job>);

/// One of them. Not to be printed: it holds a secret.
struct Job {
    id: String,
    /// What the job shows to get its token.
    secret: Zeroizing<String>,
    /// The token that it gets.
    request: MintRequest,
}

/// A job that may get its token: how to find it and what to show.
struct Admission {
    id: String,
    secret: Zeroizing<String>,
}

/// Why a job's request for a token is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// There is no such job, or the secret is not its own. Which of both, a service does not say.
    #[error("no job has this id and this token: make one with POST /job")]
    Unauthorised,
    /// Its token cannot be minted.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The audience in the request is none.
    #[error("`audience`: {0}")]
    Audience(#[from] daypass_claims::IdentityError),
}

impl DevIssuer {
    /// The environment of a job whose token is the one that is asked for: enough of it for a program to recognise the
    /// platform and to get the token, and nothing beyond that.
    ///
    /// A token that the platform puts into the environment has the platform's default audience unless the request names
    /// one. Where the job asks a service, the service is at [`url`](Self::url), and the job asks for its audience there.
    pub fn job_environment(&self, request: &MintRequest) -> Result<BTreeMap<String, String>, RequestError> {
        let platform = platform(&request.platform)?;
        // A job that cannot have a token is refused now, not when it asks.
        self.played(request)?;
        let mut environment = detect::variables(platform);
        let mut ways = platform.job.tokens.iter();
        let found = ways.find_map(|way| self.token_variables(platform, way, request).transpose());
        environment.extend(found.unwrap_or_else(|| Err(no_environment(platform)))?);
        Ok(environment)
    }

    /// The variables of one way to a token; `None` where variables are not enough.
    fn token_variables(
        &self,
        platform: &'static Platform,
        way: &TokenSource,
        request: &MintRequest,
    ) -> Result<Option<Vec<(String, String)>>, RequestError> {
        match way {
            TokenSource::Env { variables, .. } if variables.is_empty() => {
                // The pipeline file names variable and audience.
                let token = self.mint(request)?.token;
                Ok(Some(vec![(PIPELINE_VARIABLE.to_owned(), token)]))
            }
            TokenSource::Env { variables, .. } => {
                let minted = variables.iter().map(|variable| {
                    let mut request = circleci::request_for(platform, variable, request);
                    if request.audience.is_none() && platform.audience.default.is_some() {
                        request.audience = Some(Vec::new());
                    }
                    Ok((variable.clone(), self.mint(&request)?.token))
                });
                minted.collect::<Result<_, RequestError>>().map(Some)
            }
            TokenSource::Http(HttpRequest {
                method,
                url: UrlSource::Env(url_variable),
                bearer_env: Some(bearer_variable),
                audience,
                ..
            }) => {
                let url: fn(&str, &Platform, &str) -> String = match (method, audience) {
                    (Method::Get, Some(AudienceParameter::Query(name))) if name == "audience" => github::url,
                    (Method::Post, None) => azure::url,
                    _ => return Ok(None),
                };
                let job = self.admit(request)?;
                let url = url(self.url(), platform, &job.id);
                let secret = job.secret.as_str().to_owned();
                Ok(Some(vec![(url_variable.clone(), url), (bearer_variable.clone(), secret)]))
            }
            TokenSource::Command { .. } if platform.id == buildkite::PLATFORM => {
                let job = self.admit(request)?;
                Ok(Some(buildkite::variables(self.url(), &job)))
            }
            _ => Ok(None),
        }
    }

    /// Takes in a job that will ask for its token.
    fn admit(&self, request: &MintRequest) -> Result<Admission, RequestError> {
        let (id, secret) = (self.random_uuid()?, Zeroizing::new(self.random_secret()?));
        let job = Job { id: id.clone(), secret: secret.clone(), request: request.clone() };
        self.with_jobs(|Jobs(jobs)| {
            if jobs.len() >= MAX_JOBS {
                jobs.pop_front();
            }
            jobs.push_back(job);
        });
        Ok(Admission { id, secret })
    }

    /// The token that a job gets: what it was made for.
    fn job_request(&self, platform: &str, id: &str, secret: &str) -> Result<MintRequest, JobError> {
        self.with_jobs(|Jobs(jobs)| {
            let named = jobs.iter().find(|job| job.id == id && job.request.platform == platform);
            let job = named.filter(|job| job.secret.as_bytes().ct_eq(secret.as_bytes()).into());
            job.map(|job| job.request.clone()).ok_or(JobError::Unauthorised)
        })
    }
}

/// The audience that a job asks its service for; without one the platform's default is meant, as far as it has one.
fn asked(request: &mut MintRequest, platform: &Platform, audiences: &[&str]) -> Result<(), JobError> {
    let asked: Vec<Audience> = audiences
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| Audience::parse(text))
        .collect::<Result<_, _>>()?;
    if !asked.is_empty() || (request.audience.is_none() && platform.audience.default.is_some()) {
        request.audience = Some(asked);
    }
    Ok(())
}

fn no_environment(platform: &Platform) -> RequestError {
    let how = match platform.job.tokens.first() {
        Some(TokenSource::Http(_)) => "from a service at a place of its own",
        Some(TokenSource::File { .. }) => "from a file",
        Some(TokenSource::Command { .. }) => "from a command",
        Some(TokenSource::Platform { .. }) => "by the platform's own doing",
        Some(TokenSource::Env { .. } | TokenSource::Unknown { .. }) | None => {
            "in a way that was not established"
        }
    };
    RequestError::NoEnvironment { platform: platform.id.clone(), how }
}
