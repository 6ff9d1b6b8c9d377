//! Which of the catalogue's ways to take.

use daypass_claims::Audience;
use daypass_issuers::{AudienceChoice, Platform, TokenSource, catalogue};

use super::error::add;
use super::program;
use super::{
    CiToken, DEFAULT_VARIABLE, Origin, Program, Service, TokenError, TokenPlan, TokenRequest, Way,
    azure_devops, circleci,
};
use crate::{Detection, Env, detect};

/// Finds the way to the token that was asked for. Reads the environment only; nothing is sent, started or opened.
///
/// The catalogue lists a platform's ways with the plainest first. A way is passed over if what it needs is not there, or
/// if the token in a variable is addressed to someone other than the audience asked for and a later way can ask for the
/// right one.
pub fn plan(request: &TokenRequest, env: Env<'_>) -> Result<TokenPlan, TokenError> {
    let audience = request.audience.clone();
    if let Some(path) = &request.file {
        return Ok(TokenPlan {
            platform: known_platform(request, env)?,
            audience,
            way: Way::File(path.clone()),
        });
    }
    if let Some(variable) = &request.variable {
        let platform = known_platform(request, env)?;
        let setup = platform.map(|platform| setup_of(platform, request)).unwrap_or_default();
        let variable = variable.clone();
        let text =
            env(&variable).ok_or_else(|| TokenError::NamedNotSet { variable: variable.clone(), setup })?;
        let token = CiToken::parse(&text, Origin::Variable(variable))?;
        return Ok(TokenPlan { platform, audience, way: Way::Held(token) });
    }
    let platform = platform(request, env)?;
    let way = choose(platform, request, env)?;
    Ok(TokenPlan { platform: Some(platform), audience, way })
}

/// What a job can do about a token that is addressed to others.
pub(super) fn remedy(platform: Option<&Platform>, wanted: Option<&Audience>) -> String {
    let Some(platform) = platform else { return String::new() };
    match platform.audience.choice {
        AudienceChoice::Fixed => {
            "; this platform always addresses its tokens so, let the server accept that audience".to_owned()
        }
        AudienceChoice::Unknown => String::new(),
        AudienceChoice::Job | AudienceChoice::Administrator => {
            add(&fitted(&platform.job.setup, wanted, None))
        }
    }
}

/// The platform, where it is good to know but not needed.
fn known_platform(request: &TokenRequest, env: Env<'_>) -> Result<Option<&'static Platform>, TokenError> {
    match platform(request, env) {
        Ok(platform) => Ok(Some(platform)),
        Err(TokenError::NoPlatform | TokenError::Ambiguous { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn platform(request: &TokenRequest, env: Env<'_>) -> Result<&'static Platform, TokenError> {
    let found = match &request.platform {
        Some(id) => named(id)?,
        None => match detect(env) {
            Detection::Platform(platform) => platform,
            Detection::Nowhere => return Err(TokenError::NoPlatform),
            Detection::Several(platforms) => {
                return Err(TokenError::Ambiguous { ids: ids(platforms) });
            }
        },
    };
    match (&request.service_connection, found.id.as_str()) {
        (None, _) | (_, azure_devops::WITH_SERVICE_CONNECTION) => Ok(found),
        (Some(_), azure_devops::PIPELINE) => named(azure_devops::WITH_SERVICE_CONNECTION),
        (Some(_), _) => Err(TokenError::NoServiceConnections { platform: found.name.clone() }),
    }
}

fn named(id: &str) -> Result<&'static Platform, TokenError> {
    catalogue()
        .platform(id)
        .ok_or_else(|| TokenError::UnknownPlatform { id: id.to_owned(), known: ids(catalogue().platforms()) })
}

fn ids<'p>(platforms: impl IntoIterator<Item = &'p Platform>) -> Vec<String> {
    platforms.into_iter().map(|platform| platform.id.clone()).collect()
}

/// The first way that works; what is wrong with the first one if none does.
fn choose(platform: &Platform, request: &TokenRequest, env: Env<'_>) -> Result<Way, TokenError> {
    let mut first_problem = None;
    for source in &platform.job.tokens {
        match way(source, platform, request, env) {
            Ok(way) => return Ok(way),
            Err(problem) => {
                first_problem.get_or_insert(problem);
            }
        }
    }
    let unknown = || TokenError::NoWay { platform: platform.name.clone(), about: String::new() };
    Err(first_problem.unwrap_or_else(unknown))
}

/// One way, with what it needs from the environment.
pub(super) fn way(
    source: &TokenSource,
    platform: &Platform,
    request: &TokenRequest,
    env: Env<'_>,
) -> Result<Way, TokenError> {
    let audience = request.audience.as_ref();
    match source {
        TokenSource::Env { variables, .. } => {
            let token = held(variables, platform, request, env)?;
            token.for_audience(audience, &remedy(Some(platform), audience)).map(Way::Held)
        }
        TokenSource::File { path: Some(path), .. } => Ok(Way::File(path.into())),
        TokenSource::File { path: None, .. } => Err(TokenError::FileNotNamed {
            platform: platform.name.clone(),
            setup: setup_of(platform, request),
        }),
        TokenSource::Http(http) => {
            if http.audience.is_some() {
                check_audience(platform, audience)?;
            }
            let setup = setup_of(platform, request);
            Ok(Way::Service(Box::new(Service::new(http, platform, request, &setup, env)?)))
        }
        TokenSource::Command { run, answer, .. } => {
            if run.iter().any(|argument| argument.contains(program::AUDIENCE)) {
                check_audience(platform, audience)?;
            }
            Ok(Way::Program(Program::new(run, answer.as_deref(), audience)))
        }
        TokenSource::Platform { about } | TokenSource::Unknown { about } => {
            Err(TokenError::NoWay { platform: platform.name.clone(), about: about.clone() })
        }
    }
}

/// The token in the first variable that is set.
fn held(
    variables: &[String],
    platform: &Platform,
    request: &TokenRequest,
    env: Env<'_>,
) -> Result<CiToken, TokenError> {
    let names = if variables.is_empty() { vec![DEFAULT_VARIABLE] } else { circleci::newest_first(variables) };
    let set = names.iter().find_map(|name| Some((*name, env(name).filter(|value| !value.is_empty())?)));
    let Some((name, text)) = set else {
        return Err(TokenError::NotSet {
            platform: platform.name.clone(),
            variables: names.into_iter().map(str::to_owned).collect(),
            setup: setup_of(platform, request),
        });
    };
    CiToken::parse(&text, Origin::Variable(name.to_owned()))
}

/// Whether a request can do without an audience.
fn check_audience(platform: &Platform, audience: Option<&Audience>) -> Result<(), TokenError> {
    if audience.is_none() && platform.audience.default.is_none() {
        return Err(TokenError::AudienceRequired { platform: platform.name.clone() });
    }
    Ok(())
}

/// What the pipeline file must say for this request.
fn setup_of(platform: &Platform, request: &TokenRequest) -> String {
    fitted(&platform.job.setup, request.audience.as_ref(), request.variable.as_deref())
}

/// The catalogue's example with the caller's own names in the place of the made-up ones.
fn fitted(example: &str, audience: Option<&Audience>, variable: Option<&str>) -> String {
    let mut text = example.to_owned();
    if let Some(audience) = audience {
        text = text.replace("https://sts.example.com", audience.as_str());
    }
    if let Some(variable) = variable {
        text = text.replace(DEFAULT_VARIABLE, variable);
    }
    text
}
