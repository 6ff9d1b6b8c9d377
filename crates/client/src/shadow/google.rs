//! Service account keys that Google's libraries take before anything that they would have to look for.

use std::path::Path;

use serde_json::Value;

use super::{Files, Leftover, Place, Shadow};
use crate::Env;

/// Variables that name a file, and who reads it.
const FILES: [(&str, &str); 2] = [
    ("GOOGLE_APPLICATION_CREDENTIALS", "Google's libraries take before everything else"),
    ("CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE", "gcloud takes before every login"),
];

/// Holds a key itself, or names its file: Terraform takes both.
const INLINE: (&str, &str) =
    ("GOOGLE_CREDENTIALS", "Terraform takes before the application default credentials");

pub(super) fn shadows(env: Env<'_>, files: Files<'_>) -> Vec<Shadow> {
    let mut shadows = Vec::new();
    let mut add = |place, wins: &str| {
        shadows.push(Shadow {
            leftover: Leftover::GoogleServiceAccountKey,
            place,
            wins: wins.to_owned(),
            remedy: "remove it from the job and delete the key".to_owned(),
        });
    };
    for (variable, wins) in FILES.into_iter().chain([INLINE]) {
        let Some(value) = env(variable).filter(|value| !value.is_empty()) else { continue };
        if variable == INLINE.0 && is_key(&value) {
            add(Place::Variable(variable), wins);
        } else if files(Path::new(&value)).is_some_and(|text| is_key(&text)) {
            add(Place::NamedFile { variable, path: value.into() }, wins);
        }
    }
    shadows
}

/// Whether a credentials document is a key. Those of federation have the type `external_account`.
fn is_key(text: &str) -> bool {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    document.get("type").and_then(Value::as_str) == Some("service_account")
}
