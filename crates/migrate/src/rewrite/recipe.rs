//! How a job logs in with its token: for scripts that have the token in a variable, on any platform.

use daypass_pipelines::Job;
use daypass_pipelines::inventory::Credential;

use super::yaml::scalar;
use crate::Cloud;
use crate::plan::Role;

/// Where a role lives, as the plan says; else what is missing there.
pub(super) fn target<'r>(role: &'r Role, key: &str) -> Result<&'r str, Vec<String>> {
    let found = role.target.get(key).map(String::as_str);
    found.ok_or_else(|| {
        vec![format!("give role `{}` its `{key}` in the plan (`target`) and rewrite again", role.name)]
    })
}

/// The ARN of a role of AWS.
pub(super) fn arn(role: &Role) -> Result<String, Vec<String>> {
    Ok(format!("arn:aws:iam::{}:role/{}", target(role, "account")?, role.name))
}

/// The full name of a provider of Google Cloud, as its clients want it.
pub(super) fn provider(role: &Role) -> Result<String, Vec<String>> {
    Ok(format!(
        "projects/{}/locations/global/workloadIdentityPools/{}/providers/{}",
        target(role, "project_number")?,
        target(role, "pool")?,
        target(role, "provider")?
    ))
}

/// The audience that a job has to ask for.
pub(super) fn audience(role: &Role) -> Result<String, Vec<String>> {
    match (role.target.get("audience"), role.cloud) {
        (Some(audience), _) => Ok(audience.clone()),
        (None, Cloud::Gcp) => Ok(format!("https://iam.googleapis.com/{}", provider(role)?)),
        (None, Cloud::Vault) => Ok(target(role, "address")?.to_owned()),
        (None, cloud) => cloud
            .usual_audience()
            .map(str::to_owned)
            .map_or_else(|| target(role, "audience").map(str::to_owned), Ok),
    }
}

/// Commands after which the job's tools use the role: `token` is the variable that has the token, `file` where it may be put.
pub(super) fn shell(role: &Role, token: &str, file: &str) -> Result<Vec<String>, Vec<String>> {
    let save = format!("printf '%s' \"${token}\" > \"{file}\"");
    match role.cloud {
        Cloud::Aws => Ok(vec![
            save,
            format!("export AWS_ROLE_ARN={} AWS_WEB_IDENTITY_TOKEN_FILE=\"{file}\"", arn(role)?),
            // A static key in the environment would be used in place of the role.
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN".to_owned(),
        ]),
        Cloud::Gcp => {
            let account = target(role, "service_account")?;
            let config = format!(
                r#"{{"type":"external_account","audience":"//iam.googleapis.com/{}","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token","credential_source":{{"file":"%s"}},"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{account}:generateAccessToken"}}"#,
                provider(role)?
            );
            Ok(vec![
                save,
                format!("printf '{config}' \"{file}\" > \"{file}.json\""),
                format!(
                    "export GOOGLE_APPLICATION_CREDENTIALS=\"{file}.json\" CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=\"{file}.json\""
                ),
                "unset GOOGLE_CREDENTIALS".to_owned(),
            ])
        }
        Cloud::Vault => Ok(vec![
            format!("export VAULT_ADDR={}", target(role, "address")?),
            format!(
                "export VAULT_TOKEN=\"$(vault write -field=token auth/{}/login role={} jwt=\"${token}\")\"",
                role.target.get("mount").map_or("jwt", String::as_str),
                role.name
            ),
        ]),
        Cloud::Azure => Ok(vec![
            save,
            format!(
                "export AZURE_CLIENT_ID={client} AZURE_TENANT_ID={tenant} AZURE_FEDERATED_TOKEN_FILE=\"{file}\"",
                client = target(role, "client_id")?,
                tenant = target(role, "tenant_id")?
            ),
            format!(
                "export ARM_USE_OIDC=true ARM_CLIENT_ID={client} ARM_TENANT_ID={tenant} ARM_OIDC_TOKEN_FILE_PATH=\"{file}\"",
                client = target(role, "client_id")?,
                tenant = target(role, "tenant_id")?
            ),
            "unset AZURE_CLIENT_SECRET ARM_CLIENT_SECRET".to_owned(),
        ]),
        Cloud::Daypass => {
            Err(vec![format!("run the job's commands as `daypass run --role {} -- COMMAND`", role.name)])
        }
    }
}

/// What a job's scripts do with a credential by themselves: a variable that is set before them does not stop a login of their own,
/// nor a command that is handed the stored value.
pub(super) fn logs_in(job: &Job, credential: &Credential) -> Option<String> {
    const LOGINS: [&str; 6] = [
        "aws configure set",
        "activate-service-account",
        "az login",
        "vault login",
        "approle/login",
        ".aws/credentials",
    ];
    let scripts = || job.steps.iter().flat_map(|step| &step.scripts);
    let runs = |text: &str| scripts().any(|script| script.as_str().contains(text));
    let login = LOGINS.into_iter().find(|login| runs(login)).map(str::to_owned);
    login.or_else(|| sets(job, credential)).or_else(|| {
        let names = credential.source.split([',', ' ']).filter(|name| is_variable(name));
        let hands = |name: &str| {
            let (plain, braced) = (format!("${name}"), format!("${{{name}"));
            let whole = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            scripts().any(|script| {
                let text = script.as_str();
                text.contains(&braced) || text.split(&plain).skip(1).any(whole)
            })
        };
        names.map(str::to_owned).find(|name| hands(name)).map(|name| format!("${name}"))
    })
}

/// A variable that the job's scripts set, and that tools take in place of a role.
pub(super) fn sets(job: &Job, credential: &Credential) -> Option<String> {
    let names: &[&str] = match credential.cloud {
        "aws" => &["AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN="],
        "gcp" => &["GOOGLE_CREDENTIALS=", "GOOGLE_APPLICATION_CREDENTIALS="],
        "azure" => &["ARM_CLIENT_SECRET=", "AZURE_CLIENT_SECRET="],
        "vault" => &["VAULT_TOKEN="],
        _ => &[],
    };
    let is_name = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let set =
        |text: &str, name: &str| text.match_indices(name).any(|(at, _)| text.get(..at).is_some_and(is_name));
    let mut scripts = job.steps.iter().flat_map(|step| &step.scripts);
    scripts
        .find_map(|script| names.iter().find(|name| set(script.as_str(), name)))
        .map(|name| (*name).to_owned())
}

/// Whether a word can be the name of a variable of the shell.
fn is_variable(word: &str) -> bool {
    let of_names = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    word.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && word.chars().all(of_names)
}

/// Commands as items of a YAML list.
pub(super) fn items(commands: &[String]) -> Vec<String> {
    commands
        .iter()
        .map(|command| {
            let plain = scalar(command) == *command && !command.contains(['{', '"', '\'', '#']);
            if plain { command.clone() } else { format!("'{}'", command.replace('\'', "''")) }
        })
        .collect()
}
