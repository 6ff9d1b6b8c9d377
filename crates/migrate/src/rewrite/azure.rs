//! Azure Pipelines: most of it is a setting of the service connection, which no file has. Terraform's variables are in files.

use daypass_pipelines::Platform;

use super::recipe::target;
use super::yaml::{find, is_shared, replace};
use super::{Case, Change, Rewriter};

pub(super) struct Azure;

impl Rewriter for Azure {
    fn platform(&self) -> Platform {
        Platform::AzurePipelines
    }

    fn rewrite(&self, case: &Case<'_>) -> Result<Change, Vec<String>> {
        let credential = case.credential;
        if credential.source.starts_with("connection ") {
            return Err(connection(case));
        }
        let mut spots = Vec::new();
        for place in &credential.places {
            let spot = find(case, place).filter(|spot| spot.pair.key.as_str() == Some("ARM_CLIENT_SECRET"));
            spots.extend(spot.filter(|spot| {
                spot.path.contains(&"env") && !is_shared(case.documents, spot.pair.place().span)
            }));
        }
        if spots.is_empty() || spots.len() != credential.places.len() {
            return Err(vec![case.instead()]);
        }
        let connection = target(case.role()?, "service_connection_id")?;
        let lines = [
            "ARM_USE_OIDC: 'true'".to_owned(),
            "SYSTEM_ACCESSTOKEN: $(System.AccessToken)".to_owned(),
            format!("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID: {connection}"),
        ];
        Ok(Change {
            edits: replace(case.text, &spots, &lines)?,
            steps: vec![
                "the service connection must have the scheme of workload identity federation".to_owned(),
            ],
        })
    }
}

/// A service connection keeps its name, so the file stays as it is.
fn connection(case: &Case<'_>) -> Vec<String> {
    let name = case.credential.source.trim_start_matches("connection ");
    let mut steps = if case.credential.cloud == "azure" {
        vec![format!(
            "convert service connection `{name}` to workload identity federation in the project's settings; the file stays \
             as it is"
        )]
    } else {
        vec![format!(
            "let service connection `{name}` use OIDC in the project's settings; the file stays as it is"
        )]
    };
    if case.credential.sink.contains("addSpnToEnvironment") {
        steps.push(
            "the script reads the connection's key: have it read `$idToken` with `--federated-token`"
                .to_owned(),
        );
    }
    steps
}
