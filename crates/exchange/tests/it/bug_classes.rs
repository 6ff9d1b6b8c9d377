//! Bug classes that token services have had, as far as they concern the exchange. The others are where the code is: the
//! whole list, with where each is tested, is `docs/explanation/bug-classes.md`.

use std::time::Duration;

use daypass_claims::ClaimValue;
use daypass_exchange::config::load;
use daypass_exchange::credential::Secret;

use crate::support::{Memory, World, config_text, jwks, key};

#[tokio::test]
async fn replay_record_outlives_the_token_by_the_leeway() {
    let world = World::new().await;
    let token = world.token(&[]);
    world.ask("deploy", &token).await.unwrap();
    // Past `exp`, within the leeway: the token still verifies, so its use must still be known.
    world.clock.advance(Duration::from_secs(300 + 59));
    world.exchange.sweep().await.unwrap();
    assert_eq!(world.refusal("deploy", &token).await, "token-used");
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.refusal("deploy", &token).await, "token-expired");
}

#[tokio::test]
async fn session_is_not_clamped_to_the_expiry_of_the_token() {
    let world = World::new().await;
    let admitted = world.ask("deploy", &world.token(&[])).await.unwrap();
    assert_eq!(
        admitted.credential.expires_at().since(admitted.credential.issued_at()),
        Duration::from_secs(3_600)
    );
}

#[tokio::test]
async fn different_claims_never_give_one_subject() {
    // The hyphen-delimited form of GitHub's immutable subjects let `org-1` + `2` and `org` + `1-2` collide.
    let world = World::new().await;
    let mut subjects = std::collections::BTreeSet::new();
    for (n, git_ref) in ["a:ref:b", "a", "a%3Aref%3Ab", "a%253Aref%253Ab"].into_iter().enumerate() {
        let changes = [("ref", ClaimValue::from(git_ref)), ("jti", format!("s{n}").into())];
        let admitted = world.ask("token", &world.token(&changes)).await.unwrap();
        let Secret::Jwt { token, .. } = admitted.credential.secret() else { panic!() };
        let claims = daypass_token::UnverifiedToken::parse(token).unwrap();
        subjects.insert(claims.unverified_claims().get("sub").unwrap().to_string());
    }
    assert_eq!(subjects.len(), 4, "{subjects:?}");
}

#[tokio::test]
async fn role_names_are_looked_up_never_walked_and_never_folded() {
    let world = World::new().await;
    for name in [
        "../deploy",
        "deploy/../deploy",
        "deploy.toml",
        "Deploy",
        "DEPLOY",
        "deploy ",
        "",
        "arn:aws:iam::123456789012:role/Deploy",
    ] {
        assert_eq!(world.refusal(name, &world.token(&[])).await, "role-unknown", "{name}");
    }
    assert!(world.ask("arn:aws:iam::123456789012:role/deploy", &world.token(&[])).await.is_ok());
}

#[tokio::test]
async fn allow_list_of_algorithms_holds_on_the_path_of_unknown_keys_too() {
    let text = config_text("").replace("algorithms = [\"ES256\", \"RS256\"]", "algorithms = [\"RS256\"]");
    let world = World::with(&text).await;
    assert_eq!(world.refusal("deploy", &world.token(&[])).await, "algorithm-not-allowed");
}

#[test]
fn a_missing_policy_file_fails_closed() {
    let own = jwks(&[&key()]);
    let load = |extra: &str| {
        let text = config_text(extra);
        let files = Memory::of(&[("daypass.toml", &text), ("github.jwks.json", &own)]);
        load("daypass.toml".into(), &files, &|_| None, daypass_claims::Timestamp::from_secs(0))
            .unwrap_err()
            .to_string()
    };
    assert!(
        load("[[role]]\nname = \"r\"\ntrust_policy = \"gone.json\"\n").contains("cannot read `gone.json`")
    );
    assert!(load("[[role]]\nname = \"r\"\n").contains("the role has no trust"));
}

#[tokio::test]
async fn an_old_constraint_does_not_outlive_a_new_configuration() {
    // What is served is what the configuration says now, whole: nothing of an earlier one is patched into it.
    let world = World::new().await;
    assert_eq!(
        world.refusal("deploy", &world.token(&[("ref", "refs/heads/x".into())])).await,
        "trust-denied"
    );
    let text = config_text("").replace("claims.ref = \"refs/heads/main\"\n", "");
    let key = key();
    let next = World::from_config(crate::support::configure(&text, &key), key, &world).await;
    assert!(next.ask("deploy", &next.token(&[("ref", "refs/heads/x".into())])).await.is_ok());
}

#[tokio::test]
async fn check_and_mark_of_a_use_are_one_step() {
    let world = World::new().await;
    let token = world.token(&[]);
    let replicas = [world.again().await, world.again().await];
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..30 {
        let exchange = replicas[n % 2].exchange.clone();
        let mut request = world.request("deploy", &token);
        request.session_name = Some(format!("racer-{n}"));
        tasks.spawn(async move { exchange.exchange(request).await.is_ok() });
    }
    assert_eq!(tasks.join_all().await.into_iter().filter(|won| *won).count(), 1);
}
