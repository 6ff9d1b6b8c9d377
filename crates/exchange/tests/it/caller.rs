//! What a refused caller learns.

use daypass_claims::ClaimValue;

use crate::support::{World, config_text};

async fn hint(mode: &str, role: &str, changes: &[(&str, ClaimValue)]) -> String {
    let world = World::with(&format!("explain_to_caller = \"{mode}\"\n{}", config_text(""))).await;
    world.ask(role, &world.token(changes)).await.unwrap_err().hint
}

#[tokio::test]
async fn by_default_a_caller_learns_which_of_its_own_claims_does_not_fit_and_never_what_would() {
    let hint = hint("own-claims", "deploy", &[("ref", "refs/heads/dev".into())]).await;
    assert_eq!(hint, "`ref` = \"refs/heads/dev\" of the token does not fit");
    assert!(!hint.contains("main"));
}

#[tokio::test]
async fn a_stranger_and_an_unknown_role_read_the_same() {
    let stranger = hint("own-claims", "deploy", &[("repository_owner_id", "666".into())]).await;
    let unknown = hint("own-claims", "no-such-role", &[]).await;
    assert_eq!((stranger.as_str(), unknown.as_str()), ("", ""));
}

#[tokio::test]
async fn a_reference_is_all_that_the_strictest_mode_tells() {
    assert_eq!(hint("reference", "deploy", &[("ref", "refs/heads/dev".into())]).await, "");
}

#[tokio::test]
async fn development_tells_everything() {
    let hint = hint("full", "deploy", &[("ref", "refs/heads/dev".into())]).await;
    assert_eq!(hint, "trust 1: claims.ref is \"refs/heads/dev\", wanted \"refs/heads/main\"");
}

#[tokio::test]
async fn what_is_wrong_with_the_token_itself_is_told_in_the_callers_own_values() {
    let hint = hint("own-claims", "deploy", &[("aud", "https://other.example".into())]).await;
    assert!(hint.contains("https://other.example") && !hint.contains("sts.amazonaws.com"), "{hint}");
}
