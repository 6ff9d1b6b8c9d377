//! `up`: what it prints, what it refuses, and what it keeps.

use std::path::Path;

use serde_json::json;

use crate::program::{daypass, steadily, write};
use crate::service::{Process, Up, post};

const STAGING: &str = "arn:aws:iam::123456789012:role/deploy-staging";

/// Exchanges a token of that platform for the staging role.
fn deploys(up: &Up, platform: &str) {
    let token = up.token(&["--platform", platform]);
    up.daypass(["exchange", "--role", STAGING, "--token-file", &token]).exits(0);
}

#[test]
fn it_says_where_everything_is_and_takes_it_away_again() {
    let up = Up::start();
    let members: Vec<&String> = up.answer().as_object().unwrap().keys().collect();
    assert_eq!(members, ["account_id", "admin", "admin_token_file", "data", "issuer", "sts"]);
    let url = Path::new(up.data()).join("admin-url");
    assert_eq!(std::fs::read_to_string(&url).unwrap().trim(), up.answer()["admin"]);
    let (sts, issuer) = (up.sts().to_owned(), up.issuer().to_owned());
    let directory = up.stop();
    assert!(!url.exists(), "nobody is sent to where nobody listens");
    for gone in [sts, issuer] {
        assert!(std::net::TcpStream::connect(gone.trim_start_matches("http://")).is_err(), "{gone}");
    }
    drop(directory);
}

#[test]
fn it_serves_this_machine_only() {
    let place = tempfile::tempdir().unwrap();
    let config = write(
        place.path(),
        "pg.toml",
        format!("{CONFIG}data = \"postgres://localhost/x\"\nkek = {{ env = \"K\" }}\n{ROLES}"),
    );
    std::fs::create_dir(place.path().join("real")).unwrap();
    let bad: [&[&str]; 4] = [
        &["--listen", "0.0.0.0:0"],
        &["--issuer-listen", "192.0.2.1:0"],
        &["--admin-listen", "[::]:0"],
        &["--config", &config],
    ];
    let said: String = bad
        .iter()
        .map(|more| daypass(["up"].into_iter().chain(more.iter().copied())).exits(2).seen())
        .collect();
    steadily(|| insta::assert_snapshot!("up-refused", said));
}

#[test]
fn an_address_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--listen", "--issuer-listen", "--admin-listen"] {
        let own: Vec<&str> = ["--listen", "--issuer-listen", "--admin-listen"]
            .into_iter()
            .flat_map(|name| [name, if name == flag { address.as_str() } else { "127.0.0.1:0" }])
            .collect();
        let ran = daypass(["up"].into_iter().chain(own)).exits(3);
        assert!(ran.stderr.contains(&address) && ran.stderr.contains("in use"), "{flag}: {ran:?}");
    }
}

#[test]
fn state_outlives_a_restart() {
    let up = Up::start();
    deploys(&up, "github-actions");
    let key = up.daypass(["keys", "list", "--json"]).exits(0).json()["keys"][0]["id"].clone();
    let directory = up.stop();
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    let arguments =
        ["up", "--json", "--listen", "127.0.0.1:0", "--issuer-listen", "127.0.0.1:0", "--data", data];
    let again = Process::start(daypass(arguments), directory.path());
    assert_eq!(daypass(["keys", "list", "--json", "--data", data]).exits(0).json()["keys"][0]["id"], key);
    let found = daypass(["audit", "verify", "--json", "--data", data]).exits(0).json();
    assert_eq!(found["chains"], 2, "{found}");
    again.stop();
}

#[test]
fn a_rotation_is_followed_at_once() {
    let up = Up::start();
    deploys(&up, "github-actions");
    post(&format!("{}/control/rotate", up.issuer()), &json!({}));
    deploys(&up, "github-actions");
}

#[test]
fn issuers_on_loopback_are_discovered() {
    let up = Up::with(&["--loopback-issuers"]);
    for platform in ["github-actions", "circleci"] {
        deploys(&up, platform);
    }
    // Trust that was written for the true issuer still decides, and its keys are found by discovery.
    let listed = up.daypass(["keys", "list", "--json"]).exits(0).json();
    for issuer in listed["issuers"].as_array().unwrap() {
        assert_eq!(issuer["origin"], "fetched", "{issuer}");
        assert!(issuer["issuer"].as_str().unwrap().starts_with(up.issuer()), "{issuer}");
    }
}

#[test]
fn what_it_marked_is_never_served_and_what_it_did_not_is_never_rehearsed() {
    let directory = Up::start().stop();
    let config = write(directory.path(), "real.toml", format!("{CONFIG}data = \"data\"\n{ROLES}"));
    let ran = daypass(["serve", "--config", &config]).exits(3);
    assert!(ran.stderr.contains("development keys"), "{ran:?}");

    let place = tempfile::tempdir().unwrap();
    let config = write(place.path(), "real.toml", format!("{CONFIG}data = \"data\"\n{ROLES}"));
    Process::start(daypass(["serve", "--json", "--config", &config]), place.path()).stop();
    let ran =
        daypass(["up", "--listen", "127.0.0.1:0", "--issuer-listen", "127.0.0.1:0", "--config", &config])
            .exits(3);
    assert!(ran.stderr.contains("not made by `daypass up`"), "{ran:?}");
}

pub(crate) const CONFIG: &str = r#"listen = "127.0.0.1:0"
public_url = "https://sts.example.com"
account_id = "123456789012"
admin = { listen = "127.0.0.1:0" }
"#;

pub(crate) const ROLES: &str = r#"
[[issuer]]
name = "github"
url = "https://token.actions.githubusercontent.com"
platform = "github-actions"
audiences = ["https://sts.example.com"]
algorithms = ["ES256", "RS256"]
pushed_keys = true
[[role]]
name = "deploy"
[[role.trust]]
issuer = "github"
audience = "https://sts.example.com"
claims.repository_id = "2002"
claims.repository_owner_id = "1001"
"#;
