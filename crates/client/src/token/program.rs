//! Tokens that a program of the platform fetches, such as `buildkite-agent`.

use std::process::{Output, Stdio};
use std::time::Duration;

use daypass_claims::Audience;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::service::member_of;
use super::{CiToken, Origin, TokenError};
use crate::text::{quote_bytes, reason};

/// What stands for the audience in the catalogue's arguments.
pub(super) const AUDIENCE: &str = "{audience}";

/// The most that is read of each output, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A program, ready to be run. Its arguments hold no secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    name: String,
    arguments: Vec<String>,
    /// The member of a JSON output; `None` where the output is the token.
    answer: Option<String>,
}

impl Program {
    /// Fills the audience in; without one, an option whose value it would be is left out.
    pub(super) fn new(run: &[String], answer: Option<&str>, audience: Option<&Audience>) -> Self {
        let (name, rest) = run.split_first().map_or(("", run), |(name, rest)| (name.as_str(), rest));
        let mut arguments: Vec<String> = Vec::with_capacity(rest.len());
        for argument in rest {
            match audience {
                _ if !argument.contains(AUDIENCE) => arguments.push(argument.clone()),
                Some(audience) => arguments.push(fill(argument, audience)),
                None => {
                    arguments.pop_if(|option| option.starts_with("--"));
                }
            }
        }
        Self { name: name.to_owned(), arguments, answer: answer.map(str::to_owned) }
    }

    /// Runs it. It is killed if it takes longer than `patience`.
    pub(super) async fn run(&self, patience: Duration) -> Result<CiToken, TokenError> {
        let output = tokio::time::timeout(patience, self.output())
            .await
            .map_err(|_| TokenError::ProgramSlow { program: self.name.clone(), after: patience })?
            .map_err(|error| TokenError::ProgramMissing {
                program: self.name.clone(),
                reason: reason(&error),
            })?;
        if !output.status.success() {
            return Err(TokenError::ProgramFailed {
                program: self.name.clone(),
                status: output.status.to_string(),
                said: quote_bytes(&output.stderr),
            });
        }
        let text = match &self.answer {
            None => String::from_utf8_lossy(&output.stdout).into_owned(),
            Some(member) => member_of(&output.stdout, member).ok_or_else(|| TokenError::ProgramOutput {
                program: self.name.clone(),
                member: member.clone(),
            })?,
        };
        CiToken::parse(&text, Origin::Program(self.name.clone()))
    }

    async fn output(&self) -> std::io::Result<Output> {
        let mut child = Command::new(&self.name)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (stdout, stderr) = tokio::try_join!(read(stdout), read(stderr))?;
        Ok(Output { status: child.wait().await?, stdout, stderr })
    }
}

/// Reads an output. What goes beyond the bound is thrown away, so that the program does not wait for a reader.
async fn read(output: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let Some(mut output) = output else { return Ok(bytes) };
    (&mut output).take(LONGEST).read_to_end(&mut bytes).await?;
    tokio::io::copy(&mut output, &mut tokio::io::sink()).await?;
    Ok(bytes)
}

/// An argument that is more than the placeholder is JSON, where the audience stands in a string.
fn fill(argument: &str, audience: &Audience) -> String {
    if argument == AUDIENCE {
        return audience.as_str().to_owned();
    }
    let quoted = serde_json::Value::from(audience.as_str()).to_string();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    argument.replace(AUDIENCE, inner.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn program(run: &[&str], audience: Option<&str>) -> Program {
        let run: Vec<String> = run.iter().map(|&part| part.to_owned()).collect();
        Program::new(&run, None, audience.map(|text| Audience::parse(text).unwrap()).as_ref())
    }

    fn script(text: &str, answer: Option<&str>) -> Program {
        Program::new(&["sh", "-c", text].map(str::to_owned), answer, None)
    }

    #[test]
    fn the_audience_is_an_argument_of_its_own_or_stands_in_json() {
        let buildkite = ["buildkite-agent", "oidc", "request-token", "--audience", "{audience}"];
        assert_eq!(program(&buildkite, Some("sts")).arguments.join(" "), "oidc request-token --audience sts");
        assert_eq!(program(&buildkite, None).arguments.join(" "), "oidc request-token");
        let circleci = ["circleci", "run", "oidc", "get", "--claims", r#"{"aud":"{audience}"}"#];
        let of = |audience| program(&circleci, audience).arguments.join(" ");
        assert_eq!(of(Some("sts")), r#"run oidc get --claims {"aud":"sts"}"#);
        assert_eq!(of(Some(r#"","sub":""#)), r#"run oidc get --claims {"aud":"\",\"sub\":\""}"#);
        assert_eq!(of(None), "run oidc get");
    }

    #[tokio::test]
    async fn the_output_is_the_token_or_holds_it() {
        let token = script("echo a.b.c", None).run(PATIENCE).await.unwrap();
        assert_eq!(token.secret().expose(), "a.b.c");
        let json = r#"echo '{"WebIdentityToken":"a.b.c"}'"#;
        let token = script(json, Some("WebIdentityToken")).run(PATIENCE).await.unwrap();
        assert_eq!(token.secret().expose(), "a.b.c");
        assert_eq!(token.origin(), &Origin::Program("sh".into()));
        let error = script(json, Some("Token")).run(PATIENCE).await.unwrap_err();
        assert_eq!(error.to_string(), "the output of `sh` has no text `Token`");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there() {
        let error = program(&["daypass-no-such-program"], None).run(PATIENCE).await.unwrap_err();
        assert!(matches!(error, TokenError::ProgramMissing { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_fails_is_quoted() {
        let error = script("echo no luck >&2; exit 3", None).run(PATIENCE).await.unwrap_err();
        assert_eq!(error.to_string(), "`sh` gives no token: exit status: 3 (no luck)");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_killed() {
        let error = script("exec sleep 600", None).run(Duration::from_millis(20)).await.unwrap_err();
        assert!(matches!(error, TokenError::ProgramSlow { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_never_stops_talking_is_cut_off() {
        let error = script("head -c 200000 /dev/zero | tr '\\0' x", None).run(PATIENCE).await.unwrap_err();
        assert!(matches!(error, TokenError::Malformed { .. }), "{error}");
    }
}
