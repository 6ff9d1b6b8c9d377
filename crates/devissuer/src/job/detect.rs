//! The variables by which a platform is recognised.

use std::collections::BTreeMap;

use daypass_issuers::{EnvValue, Platform};

/// Values that pass every test by which the catalogue recognises a job of the platform.
pub(super) fn variables(platform: &Platform) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    for test in &platform.job.detect {
        if test.holds(variables.get(&test.env).map(String::as_str)) {
            continue;
        }
        let value = match &test.value {
            EnvValue::Unset => continue,
            EnvValue::Equals(wanted) => wanted.clone(),
            EnvValue::Ends(ending) => format!("https://acme{ending}"),
            EnvValue::Set | EnvValue::OtherThan(_) | EnvValue::EndsOtherThan(_) => {
                made_up(&test.env).to_owned()
            }
        };
        variables.insert(test.env.clone(), value);
    }
    variables
}

/// A value that the variable could have somewhere.
fn made_up(variable: &str) -> &'static str {
    if variable.ends_with("_URL") {
        "https://ci.acme.example"
    } else if variable.ends_with("_HOST") {
        "ci.acme.example"
    } else {
        "42"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_issuers::catalogue;

    #[test]
    fn every_platform_that_can_be_recognised_is() {
        let mut recognised = 0;
        for platform in catalogue().platforms() {
            if platform.job.detect.is_empty() {
                continue;
            }
            let variables = variables(platform);
            let detected = catalogue().detect(|name| variables.get(name).cloned());
            let ids: Vec<&str> = detected.iter().map(|found| found.id.as_str()).collect();
            assert!(ids.contains(&platform.id.as_str()), "{}: {ids:?} by {variables:?}", platform.id);
            recognised += 1;
        }
        assert!(recognised > 10, "{recognised}");
    }
}
