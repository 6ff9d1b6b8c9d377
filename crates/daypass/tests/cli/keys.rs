//! `keys` and `revoke`, on a running service.

use crate::program::{steadily, write};
use crate::service::Up;

#[test]
fn keys_are_listed_and_rotated() {
    let up = Up::start();
    let listed = up.daypass(["keys", "list", "--json"]).exits(0).json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 3, "{listed:#}");
    assert_eq!(listed["issuers"][0]["origin"], "pushed");
    assert!(up.daypass(["keys", "list"]).exits(0).stdout.contains("in use"));
    let rotated = up.daypass(["keys", "rotate", "sign", "--json"]).exits(0).json();
    let states: Vec<&str> =
        rotated["keys"].as_array().unwrap().iter().map(|key| key["state"].as_str().unwrap()).collect();
    assert!(states.contains(&"published"), "{rotated:#}");
    for purpose in ["seal", "audit"] {
        up.daypass(["keys", "rotate", purpose, "--at-once", "--json"]).exits(0).json();
    }
    assert!(up.daypass(["keys", "rotate", "tls"]).exits(2).stderr.contains("possible values"));
}

#[test]
fn keys_that_cannot_be_pushed_are_said() {
    let up = Up::start();
    let empty = write(up.path(), "empty.json", "{\"keys\": []}");
    let text = write(up.path(), "text.json", "keys");
    let said: String = [("github", &empty), ("nobody", &empty), ("github", &text)]
        .map(|(issuer, file)| {
            let ran = up.daypass(["keys", "push", "--issuer", issuer, file]).run();
            assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
            ran.seen()
        })
        .concat();
    steadily(|| insta::assert_snapshot!("keys-push-refused", said));
}

#[test]
fn everything_that_can_be_revoked_is() {
    let up = Up::start();
    let revoke = |arguments: &[&str]| up.daypass(["revoke"].into_iter().chain(arguments.iter().copied()));
    for arguments in [
        &["--role", "deploy-prod"][..],
        &["--run", "5005", "--issuer", "github"],
        &["--repository", "2002", "--issuer", "github"],
        &["--credential", "ASIAAAAAAAAAAAAAAAAA"],
    ] {
        let answer = revoke(&[arguments, &["--json"]].concat()).exits(0).json();
        assert_eq!(answer["everywhere_within_seconds"], 5);
        assert!(revoke(arguments).exits(0).stdout.starts_with("revoked "));
    }
    for arguments in
        [&[][..], &["--run", "5005"], &["--role", "a", "--run", "b"], &["--run", "1", "--issuer", "nobody"]]
    {
        let ran = revoke(arguments).run();
        assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
    }
}
