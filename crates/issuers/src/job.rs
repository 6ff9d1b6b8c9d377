use serde::Deserialize;

/// What a job of the platform looks like from the inside, and how it gets its token.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Job {
    /// Tests of the environment that are all true in a job. Empty where nothing tells.
    pub detect: Vec<EnvTest>,
    /// What the pipeline file must say, ready to paste; empty where nothing is needed.
    pub setup: String,
    /// The ways to a token, the plainest first.
    #[serde(rename = "token")]
    pub tokens: Vec<TokenSource>,
}

/// A test of one environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "EnvTestFile")]
pub struct EnvTest {
    /// The variable.
    pub env: String,
    /// What must be true of it.
    pub value: EnvValue,
}

/// What an [`EnvTest`] asks of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// It is set, and not to the empty string.
    Set,
    /// It is this, in any letter case (Azure writes `True`).
    Equals(String),
    /// It ends so.
    Ends(String),
    /// It is set to something else.
    OtherThan(String),
    /// It is set and ends otherwise.
    EndsOtherThan(String),
    /// It is not set, or to the empty string.
    Unset,
}

/// One way in which a job gets its token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenSource {
    /// The platform puts it in the environment.
    Env {
        /// The variables, the first that is set wins. Empty where the pipeline file chooses the name.
        variables: Vec<String>,
        /// Anything worth knowing.
        #[serde(default)]
        about: String,
    },
    /// The platform writes it to a file.
    File {
        /// The path; `None` where the pipeline file chooses it.
        path: Option<String>,
        /// Anything worth knowing.
        #[serde(default)]
        about: String,
    },
    /// The job asks a service.
    Http(HttpRequest),
    /// The job runs a program and reads its output.
    Command {
        /// The program and its arguments; `{audience}` stands for the audience.
        run: Vec<String>,
        /// The member of a JSON output that holds the token; `None` where the output is the token.
        answer: Option<String>,
        /// Anything worth knowing.
        #[serde(default)]
        about: String,
    },
    /// The platform uses the token itself, or binds it to a variable of the pipeline's own.
    Platform {
        /// How.
        about: String,
    },
    /// How a job gets the token was not established.
    Unknown {
        /// What is known.
        #[serde(default)]
        about: String,
    },
}

/// A request for a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "HttpFile")]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The URL, or the variable that holds it.
    pub url: UrlSource,
    /// The Unix socket that the request goes through, where it does not go over the network.
    pub socket: Option<String>,
    /// The variable that holds the bearer token, where one is needed.
    pub bearer_env: Option<String>,
    /// Headers besides the bearer token, as `Name: value`.
    pub headers: Vec<String>,
    /// What is appended to the URL's query, as `name=value`.
    pub query: Vec<String>,
    /// How the audience is asked for; `None` where it cannot be.
    pub audience: Option<AudienceParameter>,
    /// The member of a JSON answer that holds the token; `None` where the body is the token.
    pub answer: Option<String>,
    /// Anything worth knowing.
    pub about: String,
}

/// HTTP methods that token services take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
pub enum Method {
    /// GET.
    #[serde(rename = "GET")]
    Get,
    /// POST, with an empty body unless the audience is a member of it.
    #[serde(rename = "POST")]
    Post,
}

/// Where a token service's URL comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// A variable of the job's environment.
    Env(String),
    /// Always the same URL.
    Fixed(String),
}

/// How a request names the audience.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudienceParameter {
    /// A query parameter of this name.
    Query(String),
    /// A member of the JSON body of this name.
    Body(String),
}

impl Job {
    /// Whether every test is true of an environment; false where there is no test.
    pub fn is_seen_in(&self, variable: impl Fn(&str) -> Option<String>) -> bool {
        !self.detect.is_empty() && self.detect.iter().all(|test| test.holds(variable(&test.env).as_deref()))
    }
}

impl EnvTest {
    /// Whether the test is true of the variable's value.
    pub fn holds(&self, value: Option<&str>) -> bool {
        let Some(value) = value.filter(|value| !value.is_empty()) else {
            return self.value == EnvValue::Unset;
        };
        match &self.value {
            EnvValue::Set => true,
            EnvValue::Unset => false,
            EnvValue::EndsOtherThan(ending) => !value.ends_with(ending.as_str()),
            EnvValue::Equals(wanted) => value.eq_ignore_ascii_case(wanted),
            EnvValue::Ends(ending) => value.ends_with(ending.as_str()),
            EnvValue::OtherThan(unwanted) => value != unwanted,
        }
    }
}

impl TokenSource {
    /// Anything worth knowing about this way.
    pub fn about(&self) -> &str {
        match self {
            Self::Env { about, .. }
            | Self::File { about, .. }
            | Self::Http(HttpRequest { about, .. })
            | Self::Command { about, .. }
            | Self::Platform { about }
            | Self::Unknown { about } => about,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvTestFile {
    env: String,
    equals: Option<String>,
    ends: Option<String>,
    other_than: Option<String>,
    ends_other_than: Option<String>,
    #[serde(default)]
    unset: bool,
}

impl TryFrom<EnvTestFile> for EnvTest {
    type Error = String;

    fn try_from(file: EnvTestFile) -> Result<Self, String> {
        let tests = [
            file.equals.map(EnvValue::Equals),
            file.ends.map(EnvValue::Ends),
            file.other_than.map(EnvValue::OtherThan),
            file.ends_other_than.map(EnvValue::EndsOtherThan),
            file.unset.then_some(EnvValue::Unset),
        ];
        let mut tests = tests.into_iter().flatten();
        match (tests.next(), tests.next()) {
            (None, _) => Ok(Self { env: file.env, value: EnvValue::Set }),
            (Some(value), None) => Ok(Self { env: file.env, value }),
            (Some(_), Some(_)) => {
                Err(format!("a variable is tested in one way at a time, unlike `{}`", file.env))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpFile {
    method: Method,
    url: Option<String>,
    url_env: Option<String>,
    socket: Option<String>,
    bearer_env: Option<String>,
    #[serde(default)]
    headers: Vec<String>,
    #[serde(default)]
    query: Vec<String>,
    audience: Option<AudienceParameter>,
    answer: Option<String>,
    #[serde(default)]
    about: String,
}

impl TryFrom<HttpFile> for HttpRequest {
    type Error = &'static str;

    fn try_from(file: HttpFile) -> Result<Self, &'static str> {
        let url = match (file.url, file.url_env) {
            (Some(url), None) => UrlSource::Fixed(url),
            (None, Some(variable)) => UrlSource::Env(variable),
            _ => return Err("a request needs either url or url_env"),
        };
        Ok(Self {
            method: file.method,
            url,
            socket: file.socket,
            bearer_env: file.bearer_env,
            headers: file.headers,
            query: file.query,
            audience: file.audience,
            answer: file.answer,
            about: file.about,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(toml: &str) -> EnvTest {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn tests_of_variables() {
        for (toml, holds, fails) in [
            ("env = 'X'", Some("1"), Some("")),
            ("env = 'X'", Some("1"), None),
            ("env = 'X'\nequals = 'true'", Some("True"), Some("yes")),
            ("env = 'X'\nends = '.ghe.com'", Some("https://a.ghe.com"), Some("https://github.com")),
            ("env = 'X'\nother_than = 'gitlab.com'", Some("git.example"), Some("gitlab.com")),
            ("env = 'X'\nother_than = 'gitlab.com'", Some("git.example"), None),
            (
                "env = 'X'\nends_other_than = '.ghe.com'",
                Some("https://ghes.example"),
                Some("https://a.ghe.com"),
            ),
            ("env = 'X'\nunset = true", None, Some("1")),
            ("env = 'X'\nunset = true", Some(""), Some("1")),
        ] {
            assert!(test(toml).holds(holds), "{toml}");
            assert!(!test(toml).holds(fails), "{toml}");
        }
        assert!(toml::from_str::<EnvTest>("env = 'X'\nequals = 'a'\nends = 'b'").is_err());
    }

    #[test]
    fn a_request_has_one_url() {
        let request =
            |url: &str| toml::from_str::<TokenSource>(&format!("kind = 'http'\nmethod = 'GET'\n{url}"));
        assert!(request("url = 'http://metadata/x'").is_ok());
        assert!(request("url_env = 'X'\naudience = { query = 'audience' }").is_ok());
        assert!(request("").is_err());
        assert!(request("url = 'a'\nurl_env = 'X'").is_err());
        assert!(request("url = 'a'\nretries = 3").is_err());
    }
}
