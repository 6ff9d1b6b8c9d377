//! `serve`: a configuration of one's own.

use daypass_token::jwk::JwkSet;
use daypass_token::sign::{SigningAlgorithm, SigningKey};

use crate::program::{daypass, write};
use crate::service::{Process, get};
use crate::up::{CONFIG, ROLES};

fn keys(id: Option<&str>) -> String {
    let key = SigningKey::generate(SigningAlgorithm::ES256).unwrap();
    let key = match id {
        Some(id) => key.with_key_id(daypass_claims::KeyId::parse(id).unwrap()),
        None => key,
    };
    serde_json::to_string(&[key.public_jwk().clone()].into_iter().collect::<JwkSet>()).unwrap()
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "github.json", keys(None));
    let pinned = ROLES.replace("pushed_keys = true", "jwks_file = \"github.json\"");
    let config = write(place.path(), "daypass.toml", format!("{CONFIG}data = \"data\"\n{pinned}"));
    let service = Process::start(daypass(["serve", "--json", "--config", &config]), place.path());
    assert_eq!(get(&format!("http://{}/healthz", service.text("listen"))).0, 200);
    assert_eq!(service.text("public_url"), "https://sts.example.com");
    let url = place.path().join("data/admin-url");
    assert!(url.exists());
    service.stop();
    assert!(!url.exists());
}

#[test]
fn development_keys_are_refused_in_files_and_pushes() {
    let place = tempfile::tempdir().unwrap();
    let development = write(place.path(), "github.json", keys(Some("daypass-dev-0123456789abcdef")));
    let pinned = ROLES.replace("pushed_keys = true", "jwks_file = \"github.json\"");
    let config = write(place.path(), "pinned.toml", format!("{CONFIG}data = \"data\"\n{pinned}"));
    for command in [&["serve", "--config", &config][..], &["config", "check", &config]] {
        let ran = daypass(command.iter().copied()).exits(2);
        assert!(ran.stderr.contains("development key `daypass-dev-"), "{ran:?}");
    }
    let config = write(place.path(), "pushed.toml", format!("{CONFIG}data = \"data\"\n{ROLES}"));
    let _service = Process::start(daypass(["serve", "--json", "--config", &config]), place.path());
    let data = place.path().join("data");
    let push = |file: &str| {
        daypass(["keys", "push", "--issuer", "github", file, "--data", data.to_str().unwrap(), "--json"])
    };
    let ran = push(&development).exits(2);
    assert!(ran.json()["error"]["message"].as_str().unwrap().contains("development"), "{ran:?}");
    let good = write(place.path(), "good.json", keys(None));
    assert_eq!(push(&good).exits(0).json()["keys"], 1);
}
