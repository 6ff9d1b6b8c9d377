//! `config check` of what can be served.

use std::path::Path;

use crate::program::{daypass, steadily, write};

const ONE: &str = r#"
data = "data"
account_id = "123456789012"
[[issuer]]
name = "github"
url = "https://token.actions.githubusercontent.com"
platform = "github-actions"
audiences = ["https://sts.example.com"]
[[role]]
name = "deploy"
[[role.trust]]
issuer = "github"
audience = "https://sts.example.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
"#;

#[test]
fn a_good_configuration_is_good() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "daypass.toml", ONE);
    let check = |arguments: &[&str]| {
        daypass(["config", "check"].into_iter().chain(arguments.iter().copied())).within(place.path())
    };
    assert_eq!(check(&[]).exits(0).stdout, "daypass.toml: 1 issuer, 1 role: good\n");
    assert!(check(&["--config", "daypass.toml"]).exits(0).stdout.contains("good"));
    let answer = check(&["--json"]).exits(0).json();
    assert_eq!((&answer["ok"], &answer["roles"]), (&true.into(), &1.into()));
}

#[test]
fn what_is_unwise_is_warned_of() {
    let place = tempfile::tempdir().unwrap();
    write(
        place.path(),
        "short.toml",
        ONE.replace("name = \"deploy\"", "name = \"deploy\"\nmax_session = \"10m\""),
    );
    let production = ONE.split_once("[[role]]").unwrap().1;
    let staging = ONE.replace("name = \"deploy\"", "name = \"staging\"\nenvironment = \"staging\"");
    let both = format!("{staging}claims.environment = \"production\"\n[[role]]{production}claims.environment = \"production\"\n")
        .replace("name = \"deploy\"", "name = \"deploy\"\nenvironment = \"production\"");
    write(place.path(), "overlap.toml", both);
    write(place.path(), "shared.toml", ONE.replace("https://sts.example.com", "sts.amazonaws.com"));
    let mut said = String::new();
    for file in ["short.toml", "overlap.toml", "shared.toml"] {
        let ran = daypass(["config", "check", file]).within(place.path()).exits(1);
        said.push_str(&ran.seen());
        let answer = daypass(["config", "check", file, "--json"]).within(place.path()).exits(1).json();
        assert_eq!(answer["ok"], false);
    }
    steadily(|| insta::assert_snapshot!("config-warnings", said));
}

#[test]
fn the_example_warns_of_its_shared_audience_only() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme/daypass.toml");
    let answer = daypass(["config", "check", "--json", file.to_str().unwrap()]).exits(1).json();
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2);
    assert!(warnings.iter().all(|warning| warning["message"].as_str().unwrap().contains("that of AWS STS")));
}
