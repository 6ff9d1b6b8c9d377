use super::*;
use crate::testing::{env, no_env};

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAHUSH"), ("AWS_SECRET_ACCESS_KEY", "hush")];
const HOME: (&str, &str) = ("HOME", "/home/ci");

fn no_files(_: &Path) -> Option<String> {
    None
}

/// Each shadow on a line, where these files are in `~/.aws`.
fn shown(delivery: &Delivery, variables: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let read = |path: &Path| {
        let found = files.iter().find(|(name, _)| path == Path::new(name));
        found.map(|(_, text)| (*text).to_owned())
    };
    let lines: Vec<String> =
        shadows(delivery, &env(variables), &read).iter().map(ToString::to_string).collect();
    let lines = lines.join("\n");
    assert!(!lines.to_lowercase().contains("hush"), "{lines}");
    lines
}

fn process() -> Delivery {
    Delivery::CredentialProcess { profile: "deploy".into() }
}

#[test]
fn nothing_stands_before_anything_in_a_clean_job() {
    for delivery in [
        Delivery::Environment,
        Delivery::WebIdentity,
        process(),
        Delivery::ContainerEndpoint,
        Delivery::Token,
    ] {
        assert_eq!(shadows(&delivery, &no_env, &no_files), []);
        let federated = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", ""), ("AWS_PROFILE", "x"), HOME];
        assert_eq!(shadows(&delivery, &env(&federated), &no_files), []);
    }
}

#[test]
fn a_key_in_the_environment_stands_before_all_but_the_environment() {
    insta::assert_snapshot!(shown(&Delivery::WebIdentity, &KEYS, &[]), @"`AWS_ACCESS_KEY_ID` holds a long-lived AWS access key, which AWS SDKs take before the web-identity token; remove it from the job and delete the key");
    for (delivery, before) in [
        (process(), "the profile's credential_process"),
        (Delivery::ContainerEndpoint, "the container endpoint"),
    ] {
        assert!(shown(&delivery, &KEYS, &[]).contains(before));
        assert!(shown(&delivery, &KEYS[1..], &[]).starts_with("`AWS_SECRET_ACCESS_KEY` holds"));
    }
    assert_eq!(shown(&Delivery::Environment, &KEYS, &[]), "", "it will be overwritten");
}

#[test]
fn a_session_in_the_environment_is_not_called_a_key() {
    let session = [KEYS.as_slice(), &[("AWS_SESSION_TOKEN", "hush")]].concat();
    insta::assert_snapshot!(shown(&Delivery::ContainerEndpoint, &session, &[]), @"`AWS_ACCESS_KEY_ID` holds an AWS session from elsewhere, which AWS SDKs take before the container endpoint; leave out the step that sets it, or run it after this one");
}

#[test]
fn other_sources_that_the_environment_points_at() {
    let variables =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x")];
    insta::assert_snapshot!(shown(&Delivery::ContainerEndpoint, &variables, &[]), @r"
    `AWS_WEB_IDENTITY_TOKEN_FILE` holds another source of AWS credentials, which AWS SDKs take before the container endpoint; unset it for the command
    `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` holds another source of AWS credentials, which AWS SDKs take before the endpoint's full URI; unset it for the command
    ");
    assert!(shown(&process(), &variables, &[]).starts_with("`AWS_WEB_IDENTITY_TOKEN_FILE`"));
    assert_eq!(shown(&process(), &variables, &[]).lines().count(), 1);
    assert_eq!(shown(&Delivery::WebIdentity, &variables, &[]), "");
}

#[test]
fn what_the_profile_has_is_found_where_the_environment_says() {
    let keys = "[default]\naws_access_key_id = AKIAHUSH\naws_secret_access_key = hush\n";
    let home = [("/home/ci/.aws/credentials", keys)];
    insta::assert_snapshot!(shown(&Delivery::ContainerEndpoint, &[HOME], &home), @"/home/ci/.aws/credentials:2 (`aws_access_key_id` of the profile `default`) holds a long-lived AWS access key, which AWS SDKs take before the container endpoint; remove it from the file, and delete the key if nothing else uses it");
    assert_eq!(shown(&Delivery::WebIdentity, &[HOME], &home), "", "it comes later");
    assert_eq!(shown(&Delivery::ContainerEndpoint, &[], &home), "", "there is no home");
    let elsewhere = [("/etc/aws", keys)];
    let named = [HOME, ("AWS_SHARED_CREDENTIALS_FILE", "/etc/aws")];
    assert!(shown(&Delivery::ContainerEndpoint, &named, &elsewhere).starts_with("/etc/aws:2"));
    let named = [("USERPROFILE", "/home/ci"), ("AWS_PROFILE", "other")];
    assert_eq!(shown(&Delivery::ContainerEndpoint, &named, &home), "", "another profile is chosen");
    let named = [("AWS_CONFIG_FILE", "/etc/aws")];
    assert!(shown(&Delivery::ContainerEndpoint, &named, &elsewhere).starts_with("/etc/aws:2"));
}

#[test]
fn every_way_of_a_profile_is_told_in_the_order_of_the_chain() {
    let config = "\
[profile deploy]
credential_process = /bin/old
aws_access_key_id = AKIAHUSH
aws_session_token = hush
login_session = arn
sso_start_url = https://acme.example
web_identity_token_file = /t
role_arn = arn:aws:iam::123456789012:role/deploy
source_profile = base
";
    let files = [("/home/ci/.aws/config", config)];
    let variables = [HOME, ("AWS_PROFILE", "deploy")];
    insta::assert_snapshot!(shown(&Delivery::ContainerEndpoint, &variables, &files), @r"
    /home/ci/.aws/config:8 (`role_arn` of the profile `deploy`) holds a profile with a credential of its own, which AWS SDKs take before the container endpoint; remove the setting, or choose another profile
    /home/ci/.aws/config:7 (`web_identity_token_file` of the profile `deploy`) holds a profile with a credential of its own, which AWS SDKs take before the container endpoint; remove the setting, or choose another profile
    /home/ci/.aws/config:6 (`sso_start_url` of the profile `deploy`) holds a profile with a credential of its own, which AWS SDKs take before the container endpoint; remove the setting, or choose another profile
    /home/ci/.aws/config:5 (`login_session` of the profile `deploy`) holds a profile with a credential of its own, which AWS SDKs take before the container endpoint; remove the setting, or choose another profile
    /home/ci/.aws/config:2 (`credential_process` of the profile `deploy`) holds a profile with a credential of its own, which AWS SDKs take before the container endpoint; remove the setting, or choose another profile
    /home/ci/.aws/config:3 (`aws_access_key_id` of the profile `deploy`) holds an AWS session from elsewhere, which AWS SDKs take before the container endpoint; remove it from the file, and delete the key if nothing else uses it
    ");
    let process = shown(&process(), &[HOME], &files);
    assert_eq!(process.lines().count(), 4, "not its own setting, nor what comes after it: {process}");
    assert_eq!(shown(&Delivery::WebIdentity, &variables, &files).lines().count(), 1);
    let environment = shown(&Delivery::Environment, &variables, &files);
    assert!(environment.contains("because `AWS_PROFILE` chooses it"), "{environment}");
    let base = [("/home/ci/.aws/config", "[default]\nrole_arn = x\n")];
    assert_eq!(
        shown(&Delivery::ContainerEndpoint, &[HOME], &base),
        "",
        "a role from nowhere is no credential"
    );
}

#[test]
fn service_account_keys() {
    let key = r#"{"type": "service_account", "private_key": "hush"}"#;
    let files = [("/keys/gcp.json", key), ("/keys/wif.json", r#"{"type": "external_account"}"#)];
    let variables = [
        ("GOOGLE_APPLICATION_CREDENTIALS", "/keys/gcp.json"),
        ("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "/keys/gcp.json"),
        ("GOOGLE_CREDENTIALS", key),
    ];
    insta::assert_snapshot!(shown(&Delivery::Token, &variables, &files), @r"
    `/keys/gcp.json` (by `GOOGLE_APPLICATION_CREDENTIALS`) holds the key of a Google service account, which Google's libraries take before everything else; remove it from the job and delete the key
    `/keys/gcp.json` (by `CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE`) holds the key of a Google service account, which gcloud takes before every login; remove it from the job and delete the key
    `GOOGLE_CREDENTIALS` holds the key of a Google service account, which Terraform takes before the application default credentials; remove it from the job and delete the key
    ");
    for federated in ["/keys/wif.json", "/keys/none.json", ""] {
        assert_eq!(shown(&Delivery::Token, &[("GOOGLE_APPLICATION_CREDENTIALS", federated)], &files), "");
    }
    assert!(
        shown(&Delivery::Token, &[("GOOGLE_CREDENTIALS", "/keys/gcp.json")], &files).starts_with("`/keys")
    );
    assert_eq!(shown(&Delivery::ContainerEndpoint, &variables, &files), "", "no matter for AWS");
}

#[test]
fn application_secrets() {
    let variables = [
        ("AZURE_CLIENT_SECRET", "hush"),
        ("ARM_CLIENT_SECRET", "hush"),
        ("AZURE_CLIENT_CERTIFICATE_PATH", "/c"),
    ];
    insta::assert_snapshot!(shown(&Delivery::Token, &variables, &[]), @r"
    `AZURE_CLIENT_SECRET` holds the secret of a Microsoft Entra application, which Azure's libraries take before workload identity; remove it from the job and delete the secret
    `AZURE_CLIENT_CERTIFICATE_PATH` holds the secret of a Microsoft Entra application, which Azure's libraries take before workload identity; remove it from the job and delete the secret
    `ARM_CLIENT_SECRET` holds the secret of a Microsoft Entra application, which Terraform takes before `use_oidc`; remove it from the job and delete the secret
    ");
    assert_eq!(shown(&Delivery::Token, &[("AZURE_CLIENT_SECRET", "")], &[]), "");
}

#[test]
fn codes_are_distinct() {
    let all = [
        Leftover::AwsAccessKey,
        Leftover::AwsSession,
        Leftover::AwsProfile,
        Leftover::AwsSource,
        Leftover::GoogleServiceAccountKey,
        Leftover::AzureClientSecret,
    ];
    let codes: std::collections::BTreeSet<&str> = all.iter().map(|leftover| leftover.code()).collect();
    assert_eq!(codes.len(), all.len());
}
