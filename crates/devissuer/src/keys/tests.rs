use std::sync::atomic::{AtomicU64, Ordering};

use daypass_claims::Algorithm;
use daypass_issuers::catalogue;

use super::*;

/// Bytes that are different every time and the same in every run.
#[derive(Default)]
struct CountingRandom(AtomicU64);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(0);
        for (byte, count) in bytes.iter_mut().zip(self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()) {
            *byte = count;
        }
        Ok(())
    }
}

struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _bytes: &mut [u8]) -> Result<(), RandomError> {
        Err(RandomError)
    }
}

/// GitHub, if it signed with these algorithms.
fn platform(algorithms: &[Algorithm]) -> Platform {
    let mut platform = catalogue().platform("github-actions").unwrap().clone();
    platform.issuer.algorithms = algorithms.to_vec();
    platform
}

fn issuer(name: &str) -> Issuer {
    Issuer::parse(&format!("https://{name}.example")).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::open(Box::new(NoStore), |_| true).unwrap()
}

#[test]
fn a_key_is_for_the_first_algorithm_of_the_platform_that_we_sign_with() {
    use Algorithm::{ES256, ES384, RS256};
    let (issuer, random) = (issuer("a"), CountingRandom::default());
    for (algorithms, expected) in
        [(&[ES256, RS256][..], ES256), (&[ES384, RS256], RS256), (&[ES384], RS256), (&[], RS256)]
    {
        let platform = platform(algorithms);
        let maker = KeyMaker { issuer: &issuer, platform: &platform, random: &random };
        let key = ring().current(&maker).unwrap();
        assert_eq!(key.algorithm(), expected, "{algorithms:?}");
        assert!(key.key_id().as_str().starts_with(DEVELOPMENT_KEY_PREFIX));
    }
}

#[test]
fn a_rogue_is_in_no_set_and_has_the_name_of_the_current_key() {
    let (issuer, random, platform) = (issuer("a"), CountingRandom::default(), platform(&[Algorithm::ES256]));
    let maker = KeyMaker { issuer: &issuer, platform: &platform, random: &random };
    let mut ring = ring();
    for _ in 0..2 {
        let rogue = ring.rogue(&maker).unwrap();
        let current = ring.current(&maker).unwrap();
        assert_eq!(rogue.key_id(), current.key_id());
        let published = ring.published(&maker).unwrap().keys;
        assert!(published.iter().all(|key| key.thumbprint() != rogue.public_jwk().thumbprint()));
        ring.rotate(&maker).unwrap();
    }
}

#[test]
fn the_oldest_key_goes_first_and_never_the_current_one_unnamed() {
    let (issuer, random, platform) = (issuer("a"), CountingRandom::default(), platform(&[Algorithm::ES256]));
    let maker = KeyMaker { issuer: &issuer, platform: &platform, random: &random };
    let mut ring = ring();
    let first = ring.current(&maker).unwrap();
    ring.rotate(&maker).unwrap();
    ring.rotate(&maker).unwrap();
    ring.withdraw(&maker, None).unwrap();
    assert_eq!(ring.retired(&maker).unwrap().key_id(), first.key_id());
    ring.withdraw(&maker, None).unwrap();
    assert!(matches!(ring.withdraw(&maker, None), Err(KeyError::OnlyCurrent { .. })));
    let gone = ring.withdraw(&maker, Some(first.key_id()));
    assert!(matches!(gone, Err(KeyError::NotPublished { key_id, .. }) if key_id == *first.key_id()));
    assert_eq!(ring.published(&maker).unwrap().keys.len(), 1);
}

#[test]
fn asking_for_ever_more_issuers_comes_to_an_end() {
    let (random, platform) = (CountingRandom::default(), platform(&[Algorithm::ES256]));
    let mut ring = ring();
    let mut ask = |name: &str| {
        let issuer = issuer(name);
        ring.current(&KeyMaker { issuer: &issuer, platform: &platform, random: &random })
    };
    for number in 0..MAX_ISSUERS {
        ask(&number.to_string()).unwrap();
    }
    let refusal = ask("one-more").unwrap_err();
    assert_eq!(refusal.code(), "issuers-too-many");
    assert!(refusal.is_callers());
    assert!(ask("0").is_ok());
}

#[test]
fn without_randomness_there_is_no_key() {
    let (issuer, platform) = (issuer("a"), platform(&[Algorithm::ES256]));
    let maker = KeyMaker { issuer: &issuer, platform: &platform, random: &NoRandom };
    assert!(matches!(ring().current(&maker), Err(KeyError::Random(RandomError))));
}
