//! Jenkins: what a pipeline says in Groovy is not edited; the credentials plugin decides what is bound.

use daypass_pipelines::Platform;

use super::recipe::{arn, audience};
use super::{Case, Change, Rewriter};
use crate::Cloud;

pub(super) struct Jenkins;

impl Rewriter for Jenkins {
    fn platform(&self) -> Platform {
        Platform::Jenkins
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let Ok(role) = case.role() else { return Err(vec![case.instead()]) };
        let mut steps = vec![
            format!(
                "with the plugin `oidc-provider`, make credentials of the kind `OpenID Connect id token as file` for the \
                 audience `{}`",
                audience(role)?
            ),
            "bind them with `withCredentials([file(credentialsId: 'ID', variable: 'AWS_WEB_IDENTITY_TOKEN_FILE')])`, and take \
             the stored key's binding out"
                .to_owned(),
        ];
        match role.cloud {
            Cloud::Aws => steps.push(format!("set `AWS_ROLE_ARN` to `{}` in `environment`", arn(role)?)),
            _ => steps.push(case.instead()),
        }
        Err(steps)
    }
}
