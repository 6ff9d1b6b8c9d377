//! Which environments a job belongs to, and whose turn it is when.

use std::collections::BTreeSet;

use daypass_pipelines::inventory::Credential;
use daypass_pipelines::{Job, Text, ValueSet};

/// Words that names of environments, jobs and secrets are made of, with the wave of each. Whatever is not known to be
/// something else counts as production.
const STAGES: [(&str, &[&str], u64); 3] = [
    (
        "development",
        &[
            "dev",
            "develop",
            "development",
            "sandbox",
            "preview",
            "review",
            "test",
            "testing",
            "qa",
            "ci",
            "nightly",
        ],
        1,
    ),
    (
        "staging",
        &["stage", "stg", "staging", "preprod", "uat", "acceptance", "acc", "canary", "integration"],
        2,
    ),
    ("production", &["prod", "prd", "production", "live", "release"], PRODUCTION),
];

/// The wave of production, and of what nobody has said to be less.
const PRODUCTION: u64 = 3;

/// An environment that a job belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stage {
    /// Its name; `None` where nothing tells.
    pub(super) name: Option<String>,
    /// Whose turn it is when.
    pub(super) wave: u64,
}

/// The environments of a job: those that it declares, else what the names of job and credential say.
pub(super) fn stages(credential: &Credential, job: &Job) -> BTreeSet<Stage> {
    if let Some(environment) = &job.environment {
        return match &environment.names {
            ValueSet::Exactly(names) if !names.is_empty() => names.iter().map(|name| named(name)).collect(),
            _ => BTreeSet::from([Stage { name: None, wave: PRODUCTION }]),
        };
    }
    let contexts = job.contexts.iter().map(Text::as_str);
    // A context that is called after its environment says more than a job that is.
    let mut said = contexts.chain([job.id.as_str(), credential.source.as_str()]).filter_map(of_words);
    let found = said.next();
    BTreeSet::from([found.unwrap_or(Stage { name: None, wave: PRODUCTION })])
}

fn named(name: &str) -> Stage {
    Stage { name: Some(name.to_owned()), wave: of_words(name).map_or(PRODUCTION, |stage| stage.wave) }
}

/// The stage that the words of a name are about. The latest counts: `prod-dev-tools` is treated as production.
fn of_words(name: &str) -> Option<Stage> {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
    let found = STAGES.iter().rev().find(|(_, known, _)| known.iter().any(|word| words.contains(word)));
    found.map(|(stage, _, wave)| Stage { name: Some((*stage).to_owned()), wave: *wave })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_be_less_is_production() {
        for (name, wave) in [
            ("dev", 1),
            ("review/42", 1),
            ("Staging", 2),
            ("eu-preprod", 2),
            ("production", 3),
            ("prod-dev-tools", 3),
            ("eu-west-1", 3),
            ("devotion", 3),
        ] {
            assert_eq!(named(name).wave, wave, "{name}");
        }
        assert_eq!(of_words("deploy"), None);
        assert_eq!(of_words("STAGING_AWS_KEY").unwrap().name.as_deref(), Some("staging"));
    }
}
