//! Configurations, with the files that they name.

use camino::Utf8Path;
use daypass_claims::Timestamp;
use daypass_exchange::Roles;
use daypass_exchange::config::{ConfigError, Files, load, review};
use daypass_trust::document::Source;

use crate::check::{located, readable};

/// The password that stands in the environment, in an URL.
const PASSWORD: &str = "correct-horse-battery-staple";

/// The input is the configuration; beside it lie a key set, a policy of AWS and a role file.
struct Beside<'a>(&'a str);

impl Files for Beside<'_> {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        match path.as_str() {
            "daypass.toml" => Ok(self.0.to_owned()),
            "keys.json" => Ok(include_str!("../../fixtures/keys.json").to_owned()),
            "deploy.json" => Ok(include_str!("../../fixtures/deploy.json").to_owned()),
            "roles/deploy.toml" => Ok(include_str!("../../fixtures/roles/deploy.toml").to_owned()),
            _ => Err("no such file".to_owned()),
        }
    }

    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        Ok((path == "roles").then(|| vec!["deploy.toml".to_owned()]))
    }
}

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let env = |name: &str| match name {
        "HOST" => Some("sts.example.com".to_owned()),
        "DATABASE" => Some(format!("postgres://daypass:{PASSWORD}@db.example.com/daypass")),
        _ => None,
    };
    let now = Timestamp::from_secs(1_800_000_000);
    match load(Utf8Path::new("daypass.toml"), &Beside(text), &env, now) {
        Ok(loaded) => {
            let roles = Roles::new(&loaded.config);
            for role in roles.all() {
                assert_eq!(roles.find(role.name()).map(daypass_exchange::Role::arn), Some(role.arn()));
            }
            for warning in review(&loaded.config) {
                readable(&warning.to_string());
            }
            assert!(!format!("{:?}", loaded.config).contains(PASSWORD), "a password in Debug");
        }
        Err(ConfigError { problems, sources }) => {
            located(&problems, &sources.iter().collect::<Vec<&Source>>());
            for problem in &problems {
                readable(&problem.to_string());
            }
            // Only where an URL of a database is meant: elsewhere `${DATABASE}` is not known to be a secret.
            let meant =
                text.matches("${DATABASE}").count() == 1 && text.contains("\ndata = \"${DATABASE}\"\n");
            let shown = problems.iter().any(|problem| problem.to_string().contains(PASSWORD));
            assert!(!(meant && shown), "a password in an error");
        }
    }
}
