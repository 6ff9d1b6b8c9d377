//! How a job gets its token, in words.

use std::fmt::Write;

use daypass_issuers::{
    AudienceParameter, EnvTest, EnvValue, HttpRequest, Method, Platform, TokenSource, UrlSource,
};

use super::{code, codes};

pub(super) fn job(page: &mut String, platform: &Platform) {
    page.push_str("\n**How a job gets its token**\n\n");
    if platform.job.tokens.is_empty() {
        page.push_str("* Not established.\n");
    }
    for source in &platform.job.tokens {
        writeln!(page, "* {}", format!("{} {}", token_source(source), source.about()).trim()).unwrap();
    }
    if !platform.job.detect.is_empty() {
        let tests: Vec<String> = platform.job.detect.iter().map(env_test).collect();
        write!(page, "\nRecognised by: {}.\n", tests.join("; ")).unwrap();
    }
    if !platform.job.setup.is_empty() {
        write!(page, "\n```\n{}\n```\n", platform.job.setup.trim()).unwrap();
    }
}

fn token_source(source: &TokenSource) -> String {
    match source {
        TokenSource::Env { variables, .. } if variables.is_empty() => {
            "In a variable that the pipeline names.".to_owned()
        }
        TokenSource::Env { variables, .. } => format!("In {}.", codes(variables)),
        TokenSource::File { path: Some(path), .. } => format!("In the file `{path}`."),
        TokenSource::File { path: None, .. } => "In a file whose path the pipeline names.".to_owned(),
        TokenSource::Command { run, answer, .. } => {
            let answer = answer
                .as_ref()
                .map_or(String::new(), |member| format!("; the token is `{member}` of the answer"));
            format!("By `{}`{answer}.", run.join(" "))
        }
        TokenSource::Http(request) => http(request),
        TokenSource::Platform { .. } => "By the platform itself.".to_owned(),
        TokenSource::Unknown { .. } => "Not established.".to_owned(),
    }
}

fn http(request: &HttpRequest) -> String {
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let url = match &request.url {
        UrlSource::Env(variable) => format!("the URL in `{variable}`"),
        UrlSource::Fixed(url) => code(url),
    };
    let mut text = format!("{method} {url}");
    if let Some(socket) = &request.socket {
        write!(text, " through the socket `{socket}`").unwrap();
    }
    if !request.query.is_empty() {
        write!(text, " with {}", codes(&request.query)).unwrap();
    }
    if let Some(variable) = &request.bearer_env {
        write!(text, ", bearer token in `{variable}`").unwrap();
    }
    if !request.headers.is_empty() {
        write!(text, ", header {}", codes(&request.headers)).unwrap();
    }
    match &request.audience {
        Some(AudienceParameter::Query(name)) => write!(text, ", audience as `{name}` of the query").unwrap(),
        Some(AudienceParameter::Body(name)) => {
            write!(text, ", audience as `{name}` of the JSON body").unwrap();
        }
        None => {}
    }
    match &request.answer {
        Some(member) => write!(text, "; the token is `{member}` of the answer.").unwrap(),
        None => text.push_str("; the answer is the token."),
    }
    text
}

fn env_test(test: &EnvTest) -> String {
    let env = code(&test.env);
    match &test.value {
        EnvValue::Set => format!("{env} is set"),
        EnvValue::Unset => format!("{env} is not set"),
        EnvValue::Equals(value) => format!("{env} is `{value}`"),
        EnvValue::Ends(ending) => format!("{env} ends in `{ending}`"),
        EnvValue::OtherThan(value) => format!("{env} is not `{value}`"),
        EnvValue::EndsOtherThan(ending) => format!("{env} does not end in `{ending}`"),
    }
}
