//! Who makes calls: the `userIdentity` of records, and where calls come from.

/// Someone who makes calls.
#[derive(Clone, Debug)]
pub(super) struct Actor {
    pub(super) account: String,
    pub(super) region: &'static str,
    /// `userIdentity`, as JSON.
    pub(super) identity: String,
    pub(super) address: String,
    pub(super) agent: &'static str,
}

pub(super) const GITHUB: &str =
    "aws-sdk-nodejs/2.1112.0 linux/v20 configure-aws-credentials-for-github-actions promise";
pub(super) const TERRAFORM: &str =
    "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 (+https://www.terraform.io) terraform-provider-aws/5.70.0";
pub(super) const CLI_LINUX: &str = "aws-cli/1.22.34 Python/3.10.12 Linux/5.15.0-91-generic botocore/1.23.34";
pub(super) const CLI_MACOS: &str =
    "aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.8";
pub(super) const BOTO: &str =
    "Boto3/1.34.0 md/Botocore#1.34.0 ua/2.0 os/linux#5.15 md/arch#x86_64 lang/python#3.12.1";

/// A user with a stored key.
pub(super) fn user(account: &str, name: &str, key: &str) -> String {
    format!(
        r#"{{"type":"IAMUser","principalId":"AIDA{account}0000","arn":"arn:aws:iam::{account}:user/{name}","accountId":"{account}","accessKeyId":"{key}","userName":"{name}"}}"#
    )
}

/// A role's session. `provider` is that of the workload it was issued to, if any.
pub(super) fn session(role_arn: &str, name: &str, key: &str, provider: Option<&str>) -> String {
    let account = role_arn.split(':').nth(4).unwrap_or_default();
    let role = role_arn.rsplit('/').next().unwrap_or_default();
    let web = match provider {
        Some(provider) => format!(r#"{{"federatedProvider":"{provider}","attributes":{{}}}}"#),
        None => "{}".to_owned(),
    };
    format!(
        r#"{{"type":"AssumedRole","principalId":"AROA{account}0000:{name}","arn":"arn:aws:sts::{account}:assumed-role/{role}/{name}","accountId":"{account}","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{account}0000","arn":"{role_arn}","accountId":"{account}","userName":"{role}"}},"webIdFederationData":{web},"attributes":{{"creationDate":"2026-10-01T00:00:00Z","mfaAuthenticated":"false"}}}}}}"#
    )
}

/// A workload with a token.
pub(super) fn workload(provider: &str, subject: &str) -> String {
    format!(
        r#"{{"type":"WebIdentityUser","principalId":"{provider}:sts.amazonaws.com:{subject}","userName":"{subject}","identityProvider":"{provider}"}}"#
    )
}

/// A service of AWS.
pub(super) fn service(name: &str) -> String {
    format!(r#"{{"type":"AWSService","invokedBy":"{name}.amazonaws.com"}}"#)
}
