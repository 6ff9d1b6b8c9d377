//! The service that GitHub Actions and what is modelled on it give to jobs: `ACTIONS_ID_TOKEN_REQUEST_URL`.

use daypass_issuers::Platform;

use super::{JobError, asked};
use crate::issuer::DevIssuer;
use crate::mint::platform;

/// The URL of a job's service. It has a query already, to which clients append `&audience=`.
pub(super) fn url(base: &str, platform: &Platform, job: &str) -> String {
    format!("{base}/{}/idtoken?job={job}&api-version=2.0", platform.id)
}

impl DevIssuer {
    /// The token for a job that asks GitHub's service.
    pub(crate) fn github_token(
        &self,
        id: &str,
        secret: &str,
        query: &[(String, String)],
    ) -> Result<String, JobError> {
        let values = |wanted: &str| {
            let wanted = wanted.to_owned();
            query.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_str())
        };
        let job = values("job").next().ok_or(JobError::Unauthorised)?;
        let mut request = self.job_request(id, job, secret)?;
        let audiences: Vec<&str> = values("audience").collect();
        asked(&mut request, platform(id)?, &audiences)?;
        Ok(self.mint(&request)?.token)
    }
}
