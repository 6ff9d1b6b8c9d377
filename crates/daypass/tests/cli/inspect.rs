//! `token inspect`.

use crate::program::write;
use crate::service::{Up, get};

#[test]
fn a_token_is_shown_without_being_believed() {
    let up = Up::start();
    let file = up.github();
    let token = std::fs::read_to_string(&file).unwrap();
    let text = up.daypass(["token", "inspect", &file]).exits(0).stdout;
    for part in ["GitHub Actions", "not checked", "repository_id", "immutable", "attacker-influenced"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let answer = up.daypass(["token", "inspect", &file, "--json"]).exits(0).json();
    assert_eq!(answer["platform"], "github-actions");
    assert_eq!((&answer["checked"], &answer["expired"]), (&false.into(), &false.into()));
    for arguments in [&["token", "inspect"][..], &["token", "inspect", "-"]] {
        assert!(
            up.daypass(arguments.iter().copied()).input(token.as_str()).exits(0).stdout.contains("acme/app")
        );
    }
    assert!(up.daypass(["token", "inspect", "--token-file", &file]).exits(0).stdout.contains("acme/app"));
}

#[test]
fn with_keys_the_signature_is_checked() {
    let up = Up::with(&["--loopback-issuers"]);
    let token = up.token(&["--platform", "gitlab-com"]);
    let shown = up.daypass(["token", "inspect", &token, "--json"]).exits(0).json();
    let issuer = shown["claims"]["iss"].as_str().unwrap();
    let (_, discovery) = get(&format!("{issuer}/.well-known/openid-configuration"));
    let discovery: serde_json::Value = serde_json::from_str(&discovery).unwrap();
    let (status, jwks) = get(discovery["jwks_uri"].as_str().unwrap());
    assert_eq!(status, 200);
    let keys = write(up.path(), "jwks.json", jwks);
    let inspect = |token: &str| up.daypass(["token", "inspect", token, "--jwks", &keys, "--json"]);
    let good = inspect(&token).exits(0).json();
    assert_eq!((&good["checked"], &good["refused"]), (&true.into(), &serde_json::Value::Null));
    let forged = inspect(&up.token(&["--platform", "gitlab-com", "--key", "rogue"])).exits(1).json();
    assert!(forged["refused"].as_str().unwrap().contains("ignature"), "{forged}");
    let expired = inspect(&up.token(&["--platform", "gitlab-com", "--lifetime", "-10m"])).exits(1).json();
    assert_eq!(expired["expired"], true);
}
