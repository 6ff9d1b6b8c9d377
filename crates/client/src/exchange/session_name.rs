use std::fmt;

use crate::token::CiToken;

/// The name of an AWS session: 2 to 64 of the characters `A-Z a-z 0-9 _ + = , . @ -`. It is in the session's ARN and in
/// every line of CloudTrail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionName(String);

/// The text cannot name a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot name a session: 2 to 64 letters, digits and _+=,.@- can")]
pub struct SessionNameError(String);

const LONGEST: usize = 64;

impl SessionName {
    /// Checks the text.
    pub fn parse(text: &str) -> Result<Self, SessionNameError> {
        if (2..=LONGEST).contains(&text.len()) && text.chars().all(is_allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(SessionNameError(text.chars().take(LONGEST).collect()))
    }

    /// A name that leads from CloudTrail back to the run: `github-actions-36905461215`. Without a run it is `daypass`.
    pub fn of(token: &CiToken) -> Self {
        let name = token.platform().zip(token.run()).map(|(platform, run)| format!("{}-{run}", platform.id));
        let name = name.unwrap_or_else(|| "daypass".to_owned());
        Self(name.chars().map(|c| if is_allowed(c) { c } else { '-' }).take(LONGEST).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '=' | ',' | '.' | '@' | '-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{ci_token, env, tools};
    use crate::token::{TokenRequest, plan};

    #[test]
    fn names_are_checked() {
        for good in ["ab", "run-7@main", "_+=,.@-", &"x".repeat(64)] {
            assert_eq!(SessionName::parse(good).unwrap().to_string(), good);
        }
        for bad in ["", "a", "a b", "a/b", "ä-ö", &"x".repeat(65)] {
            let error = SessionName::parse(bad).unwrap_err();
            assert!(error.to_string().ends_with("can"), "{error}");
        }
    }

    #[tokio::test]
    async fn the_run_names_the_session() {
        let of = async |claims: serde_json::Value, platform: Option<&str>| {
            let request = TokenRequest {
                platform: platform.map(str::to_owned),
                variable: Some("X".into()),
                ..TokenRequest::default()
            };
            let text = crate::testing::token(&claims);
            let plan = plan(&request, &env(&[("X", &text)])).unwrap();
            SessionName::of(&plan.obtain(&tools()).await.unwrap()).to_string()
        };
        let run = json!({"run_id": "36905461215", "pipeline_id": "a/b c"});
        assert_eq!(of(run.clone(), Some("github-actions")).await, "github-actions-36905461215");
        assert_eq!(of(run.clone(), Some("gitlab-com")).await, "gitlab-com-a-b-c");
        assert_eq!(of(json!({}), Some("github-actions")).await, "daypass");
        assert_eq!(of(run, None).await, "daypass");
        let long = json!({"run_id": "7".repeat(90)});
        assert_eq!(of(long, Some("github-actions")).await.len(), 64);
        assert_eq!(SessionName::of(&ci_token()).as_str(), "daypass");
    }
}
