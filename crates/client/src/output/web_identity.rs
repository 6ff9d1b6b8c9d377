//! The platform's token in a file, with the variables that make AWS SDKs exchange it themselves.

use std::path::Path;

use url::Url;

use super::{OutputError, Variables, write_private};
use crate::exchange::SessionName;
use crate::token::CiToken;

/// What an SDK needs to know beside the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebIdentity<'w> {
    /// The role, `arn:aws:iam::123456789012:role/deploy`.
    pub role_arn: &'w str,
    /// The session's name.
    pub session_name: &'w SessionName,
    /// Where to exchange; AWS itself if not given.
    pub endpoint: Option<&'w Url>,
}

/// Writes the token to the file at `path`, and says what to set.
///
/// SDKs use the file's content to the byte, so there is no line end. They read it again whenever they refresh; it has
/// to be written again before the token ends.
pub fn write(path: &Path, token: &CiToken, identity: &WebIdentity<'_>) -> Result<Variables, OutputError> {
    // A later step may have another working directory.
    let path = std::path::absolute(path).map_err(|error| OutputError::file(path, &error))?;
    let text = path.to_str().ok_or_else(|| OutputError::PathNotText { path: path.clone() })?;
    write_private(&path, token.secret().expose().as_bytes())?;
    let mut variables = Variables::default();
    variables.plain("AWS_ROLE_ARN", identity.role_arn)?;
    variables.plain("AWS_ROLE_SESSION_NAME", identity.session_name.as_str())?;
    variables.plain("AWS_WEB_IDENTITY_TOKEN_FILE", text)?;
    if let Some(endpoint) = identity.endpoint {
        variables.plain("AWS_ENDPOINT_URL_STS", endpoint.as_str())?;
    }
    Ok(variables)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;
    use crate::output::dotenv;
    use crate::testing::ci_token;

    #[test]
    fn a_token_and_its_variables() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let endpoint = Url::parse("https://sts.example.com/").unwrap();
        let name = SessionName::parse("run-7").unwrap();
        let role_arn = "arn:aws:iam::123456789012:role/deploy";
        let identity = WebIdentity { role_arn, session_name: &name, endpoint: Some(&endpoint) };
        let variables = write(&path, &ci_token(), &identity).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), ci_token().secret().expose());
        let shown = dotenv::render(&variables).expose().replace(&*dir.path().to_string_lossy(), "[dir]");
        insta::assert_snapshot!(shown, @r"
        AWS_ROLE_ARN=arn:aws:iam::123456789012:role/deploy
        AWS_ROLE_SESSION_NAME=run-7
        AWS_WEB_IDENTITY_TOKEN_FILE=[dir]/token
        AWS_ENDPOINT_URL_STS=https://sts.example.com/
        ");
        let not_text = <OsStr as OsStrExt>::from_bytes(b"/tmp/\xff");
        let error = write(Path::new(not_text), &ci_token(), &identity).unwrap_err();
        assert!(matches!(error, OutputError::PathNotText { .. }), "{error}");
        let at_aws = write(&path, &ci_token(), &WebIdentity { endpoint: None, ..identity }).unwrap();
        assert_eq!(at_aws.iter().count(), 3);
    }
}
