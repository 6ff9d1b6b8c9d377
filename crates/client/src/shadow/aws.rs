//! What stands before the federated credential in an AWS SDK's chain.

use std::path::{Path, PathBuf};

use super::profile::{Section, section};
use super::{Delivery, Files, Leftover, Link, Place, Shadow};
use crate::Env;

/// A source of credentials that is there.
struct Found {
    link: Link,
    leftover: Leftover,
    place: Place,
    remedy: String,
}

pub(super) fn shadows(delivery: &Delivery, ours: Link, env: Env<'_>, files: Files<'_>) -> Vec<Shadow> {
    let set = |name: &str| env(name).filter(|value| !value.is_empty());
    let chosen = set("AWS_PROFILE").or_else(|| set("AWS_DEFAULT_PROFILE"));
    let profile = match delivery {
        Delivery::CredentialProcess { profile } => profile.clone(),
        _ => chosen.clone().unwrap_or_else(|| "default".to_owned()),
    };
    let mut found = in_environment(&set);
    found.extend(in_profile(&profile, &set, files));
    // A stable order: of one link, the environment's comes first.
    found.sort_by_key(|one| one.link);

    let mut shadows: Vec<Shadow> = Vec::new();
    for one in found {
        let wins = if one.link < ours {
            format!("AWS SDKs take before {ours}")
        } else if ours == Link::Container && one.link == Link::Container {
            "AWS SDKs take before the endpoint's full URI".to_owned()
        } else if ours == Link::Environment && one.link > ours && chosen.is_some() && is_profile(&one.place) {
            "some SDKs take before the environment, because `AWS_PROFILE` chooses it".to_owned()
        } else {
            continue;
        };
        shadows.push(Shadow { leftover: one.leftover, place: one.place, wins, remedy: one.remedy });
    }
    shadows
}

const fn is_profile(place: &Place) -> bool {
    matches!(place, Place::Profile { .. })
}

fn in_environment(set: &dyn Fn(&str) -> Option<String>) -> Vec<Found> {
    let mut found = Vec::new();
    let key = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].into_iter().find(|name| set(name).is_some());
    if let Some(variable) = key {
        let is_session = set("AWS_SESSION_TOKEN").is_some();
        found.push(Found {
            link: Link::Environment,
            leftover: if is_session { Leftover::AwsSession } else { Leftover::AwsAccessKey },
            place: Place::Variable(variable),
            remedy: if is_session {
                "leave out the step that sets it, or run it after this one".to_owned()
            } else {
                "remove it from the job and delete the key".to_owned()
            },
        });
    }
    for (variable, link) in [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", Link::WebIdentity),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", Link::Container),
    ] {
        if set(variable).is_some() {
            found.push(Found {
                link,
                leftover: Leftover::AwsSource,
                place: Place::Variable(variable),
                remedy: "unset it for the command".to_owned(),
            });
        }
    }
    found
}

/// What the profile holds, in either file.
fn in_profile(profile: &str, set: &dyn Fn(&str) -> Option<String>, files: Files<'_>) -> Vec<Found> {
    let path = |variable: &str, name: &str| {
        set(variable).map(PathBuf::from).or_else(|| {
            let home = set("HOME").or_else(|| set("USERPROFILE"))?;
            Some(Path::new(&home).join(".aws").join(name))
        })
    };
    let in_config = if profile == "default" { profile.to_owned() } else { format!("profile {profile}") };
    let mut found = Vec::new();
    for (path, name, keys) in [
        (path("AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile, Link::CredentialsFile),
        (path("AWS_CONFIG_FILE", "config"), in_config.as_str(), Link::ConfigFile),
    ] {
        let Some(path) = path else { continue };
        let Some(text) = files(&path) else { continue };
        let settings = section(&text, name);
        let place = |setting: &'static str| {
            let (_, line) = settings.get(setting)?;
            Some(Place::Profile { path: path.clone(), line: *line, profile: profile.to_owned(), setting })
        };
        if let Some(place) = place("aws_access_key_id") {
            let is_session = settings.contains_key("aws_session_token");
            let leftover = if is_session { Leftover::AwsSession } else { Leftover::AwsAccessKey };
            let remedy = "remove it from the file, and delete the key if nothing else uses it".to_owned();
            found.push(Found { link: keys, leftover, place, remedy });
        }
        for (setting, link) in credentials_of(&settings) {
            let Some(place) = place(setting) else { continue };
            let remedy = "remove the setting, or choose another profile".to_owned();
            found.push(Found { link, leftover: Leftover::AwsProfile, place, remedy });
        }
    }
    found
}

/// The ways other than keys by which a profile gets credentials, each with the setting that stands for it.
fn credentials_of(settings: &Section) -> impl Iterator<Item = (&'static str, Link)> {
    let has = |name: &str| settings.contains_key(name);
    let assumes = has("role_arn") && (has("source_profile") || has("credential_source"));
    [
        ("role_arn", Link::AssumeRole, assumes),
        ("web_identity_token_file", Link::WebIdentity, true),
        ("sso_session", Link::Sso, true),
        ("sso_start_url", Link::Sso, !has("sso_session")),
        ("login_session", Link::Login, true),
        ("credential_process", Link::Process, true),
    ]
    .into_iter()
    .filter_map(|(setting, link, applies)| applies.then_some((setting, link)))
}
