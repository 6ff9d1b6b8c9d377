//! The command's environment.

use std::ffi::OsString;
use std::path::Path;

/// Where SDKs look before the container endpoint, or instead of it. Keys come with what belongs to them, so that no half
/// of them stays behind.
const REMOVED: [&str; 8] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];

const URL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// The variables of `given` that hold something which a command must not see.
pub(super) fn removed(given: &[(OsString, OsString)]) -> Vec<&'static str> {
    let is_set = |name: &&str| given.iter().any(|(given, value)| given == name && !value.is_empty());
    REMOVED.into_iter().filter(is_set).collect()
}

/// What a command gets instead of `given`.
pub(super) fn of_child(
    mut given: Vec<(OsString, OsString)>,
    url: &str,
    token_file: &Path,
) -> Vec<(OsString, OsString)> {
    given.retain(|(name, _)| !REMOVED.iter().chain(&[URL, TOKEN_FILE]).any(|removed| name == removed));
    given.push((URL.into(), url.into()));
    given.push((TOKEN_FILE.into(), token_file.into()));
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_taken_instead_is_removed_and_all_else_stays() {
        let given = [
            ("PATH", "/bin"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ROLE_ARN", "arn"),
            ("AWS_ACCESS_KEY_ID", "AKIA"),
            ("AWS_SECRET_ACCESS_KEY", "hush"),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/old"),
        ];
        let given = given.map(|(name, value)| (name.into(), value.into())).to_vec();
        assert_eq!(removed(&given), ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]);
        let environment = of_child(given, "http://127.0.0.1:2/new", Path::new("/tmp/x/token"));
        let expected = [
            ("PATH", "/bin"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ROLE_ARN", "arn"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:2/new"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/tmp/x/token"),
        ];
        assert_eq!(environment, expected.map(|(name, value)| (name.into(), value.into())));
    }
}
