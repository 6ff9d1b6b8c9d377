//! The service that `buildkite-agent oidc request-token` asks (buildkite/agent, `api/oidc.go`).

use daypass_claims::ClaimName;
use daypass_issuers::Override;
use serde::Deserialize;

use super::{Admission, JobError, asked};
use crate::issuer::DevIssuer;
use crate::mint::platform;

pub(super) const PLATFORM: &str = "buildkite";

/// What the agent asks for. It can also choose AWS session tags and the subject; those are refused by name rather than
/// left out of the token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentRequest {
    #[serde(default)]
    audience: String,
    /// In seconds; 0 is the usual.
    #[serde(default)]
    lifetime: i64,
    /// Optional claims to add.
    #[serde(default)]
    claims: Vec<ClaimName>,
}

/// What points an agent at the service, and tells it which job it is.
pub(super) fn variables(base: &str, job: &Admission) -> Vec<(String, String)> {
    let variables = [
        ("BUILDKITE_AGENT_ENDPOINT", format!("{base}/{PLATFORM}")),
        ("BUILDKITE_AGENT_ACCESS_TOKEN", job.secret.as_str().to_owned()),
        ("BUILDKITE_JOB_ID", job.id.clone()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

impl DevIssuer {
    /// The token for a job whose agent asks.
    pub(crate) fn buildkite_token(
        &self,
        job: &str,
        secret: &str,
        agent: &AgentRequest,
    ) -> Result<String, JobError> {
        let platform = platform(PLATFORM)?;
        let mut request = self.job_request(PLATFORM, job, secret)?;
        asked(&mut request, platform, &[&agent.audience])?;
        if agent.lifetime != 0 {
            request.lifetime = Some(agent.lifetime);
        }
        for name in &agent.claims {
            if let Some(sample) = platform.claims.get(name.as_str()).and_then(|spec| spec.sample.clone()) {
                request.claims.entry(name.clone()).or_insert(Override::Set(sample));
            }
        }
        Ok(self.mint(&request)?.token)
    }
}
