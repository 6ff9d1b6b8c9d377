//! The service that Azure DevOps gives to jobs: `SYSTEM_OIDCREQUESTURI`.
//!
//! A real job gets the token of a service connection by naming the connection; here the job is made for one token, and
//! for a connection's it is made on `azure-devops-service-connection`.

use daypass_issuers::Platform;

use super::{JobError, asked};
use crate::issuer::DevIssuer;
use crate::mint::platform;

/// The URL of a job's service. Clients append `?api-version=7.1`, and the service connection that they want.
pub(super) fn url(base: &str, platform: &Platform, job: &str) -> String {
    format!("{base}/{}/jobs/{job}/oidctoken", platform.id)
}

impl DevIssuer {
    /// The token for a job that asks Azure DevOps' service, for the one audience that there is.
    pub(crate) fn azure_token(&self, id: &str, job: &str, secret: &str) -> Result<String, JobError> {
        let mut request = self.job_request(id, job, secret)?;
        asked(&mut request, platform(id)?, &[])?;
        Ok(self.mint(&request)?.token)
    }
}
