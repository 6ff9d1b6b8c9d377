use daypass_prove::{Invariant, Options, Verdict};
use daypass_trust::Context;
use daypass_trust::evaluate::{Outcome, evaluate};
use daypass_trust::form::Policy;

use crate::common::{ACME, aws, estate, on_sub};

fn holds(invariant: &str, policy: &Policy, options: &Options) -> Verdict {
    let answer = invariant.parse::<Invariant>().unwrap().holds(policy, options);
    if let Some(witness) = &answer.witness {
        let context = Context::new().issuer(witness.issuer.clone());
        assert_eq!(evaluate(policy, &witness.claims, &context).outcome, Outcome::Allow);
    }
    answer.answer
}

#[test]
fn an_invariant_fails_with_a_token_of_another_organisation() {
    let ours = "no token with repository_owner_id != 1001";
    let by_name = on_sub("StringLike", "repo:acme/*");
    assert_eq!(holds(ours, &by_name, &Options::default()), Verdict::No, "the name may be somebody else's");
    assert_eq!(holds(ours, &by_name, &estate(ACME)), Verdict::Yes, "the estate says whose it is");
    let by_id = aws(&[("StringEquals", "repository_owner_id", "\"1001\"")]);
    assert_eq!(holds(ours, &by_id, &Options::default()), Verdict::Yes);
}

#[test]
fn every_operator_means_what_it_says() {
    let policy = on_sub("StringEquals", "repo:acme/app:environment:prod");
    let none = Options::default();
    assert_eq!(holds("no token with environment == prod", &policy, &none), Verdict::No);
    assert_eq!(holds("no token with environment != prod", &policy, &none), Verdict::Yes);
    assert_eq!(holds("no token with environment absent", &policy, &none), Verdict::Yes);
    assert_eq!(holds("no token with environment present", &policy, &none), Verdict::No);
    assert_eq!(holds("no token with sub like repo:acme/*", &policy, &none), Verdict::No);
    assert_eq!(holds("no token with sub not like repo:acme/*", &policy, &none), Verdict::Yes);
    assert_eq!(holds("no token with aud != sts.amazonaws.com", &policy, &none), Verdict::Yes);
}

#[test]
fn terms_are_taken_together() {
    let policy = on_sub("StringLike", "repo:acme/app:*");
    let none = Options::default();
    let pull_requests = "no token with event_name == pull_request and environment absent";
    assert_eq!(holds(pull_requests, &policy, &none), Verdict::No);
    let impossible = "no token with event_name == pull_request and ref == refs/heads/main";
    assert_eq!(holds(impossible, &policy, &none), Verdict::Yes, "GitHub mints no such token");
}

#[test]
fn a_claim_that_an_issuer_does_not_write_is_absent_and_a_platform_can_be_named() {
    let policy = on_sub("StringEquals", "repo:acme/app:environment:prod");
    let none = Options::default();
    assert_eq!(holds("no token with namespace_id != 1001", &policy, &none), Verdict::No);
    assert_eq!(holds("no token of gitlab-com with namespace_id != 1001", &policy, &none), Verdict::Yes);
}
