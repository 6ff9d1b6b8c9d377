use std::path::{Path, PathBuf};

use daypass_claims::ClaimSet;
use daypass_prove::{Estate, Options, Persona, PersonaAnswer, Verdict, dead, implies, overlap, personas};
use daypass_trust::document::Source;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::Policy;
use daypass_trust::{CompileOptions, Context, Dialect, compile, evaluate};

/// Verdicts that rest on more than which tokens are admitted: on other principals, on whether an issuer is approved.
const OF_OTHERS: [&str; 3] = ["A31", "A32", "R01"];

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

pub(super) fn policy(name: &str) -> Policy {
    let path = samples().join(format!("aws/{name}.json"));
    let source = Source::new(name, std::fs::read_to_string(path).unwrap());
    compile(Dialect::Aws, &source, &CompileOptions::default()).unwrap().policy
}

pub(super) fn options() -> Options {
    let name = "daypass.estate.toml";
    let estate = std::fs::read_to_string(samples().join(name)).unwrap();
    let estate = Estate::parse(&Source::new(name, estate)).unwrap();
    Options { account: Some("111122223333".to_owned()), estate, ..Options::default() }
}

/// The verdict of the corpus' words, from the personas alone.
fn verdict(policy: &Policy) -> (&'static str, Vec<PersonaAnswer>) {
    if dead(policy, &options()).answer == Verdict::Yes {
        return ("dead", Vec::new());
    }
    let answers = personas(policy, None, &options());
    let admitted =
        |persona: Persona| answers.iter().any(|it| it.persona == persona && it.answer.answer == Verdict::Yes);
    let wide = [
        Persona::Sibling,
        Persona::PullRequest,
        Persona::AnyBranch,
        Persona::Tag,
        Persona::OtherEnvironment,
        Persona::OtherAudience,
    ];
    let word = if admitted(Persona::Stranger) {
        "bad"
    } else if wide.into_iter().any(admitted) {
        "warn"
    } else {
        "good"
    };
    (word, answers)
}

#[test]
fn every_sample_gets_its_verdict_and_every_witness_is_admitted() {
    let expected = std::fs::read(samples().join("expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let mut wrong = Vec::new();
    for sample in expected.as_array().unwrap() {
        let (id, wanted) = (sample["id"].as_str().unwrap(), sample["expected"].as_str().unwrap());
        if sample["dialect"] != "aws" || OF_OTHERS.contains(&id) {
            continue;
        }
        let policy = policy(id);
        let (word, answers) = verdict(&policy);
        if word != wanted {
            wrong.push(format!("{id} is {wanted} and was found {word}"));
        }
        for answer in answers {
            let Some(witness) = answer.answer.witness else { continue };
            let context = Context::new().issuer(witness.issuer.clone()).account("111122223333");
            let decided = evaluate(&policy, &witness.claims, &context).outcome;
            assert_eq!(decided, Outcome::Allow, "{id}: {} {}", answer.persona.as_str(), witness.subject());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn without_the_estate_what_is_gone_or_of_another_form_is_not_dead_but_graded() {
    let options = Options { account: Some("111122223333".to_owned()), ..Options::default() };
    for name in ["A49", "A55"] {
        let answer = dead(&policy(name), &options);
        assert_eq!(answer.answer, Verdict::No, "{name}");
        assert!(answer.why[0].ends_with("emits immutable subjects (unknown)"), "{name}: {:?}", answer.why);
    }
}

#[test]
fn what_aws_does_not_fill_is_what_kills_the_articles_policy() {
    let answer = dead(&policy("C04"), &options());
    assert_eq!(answer.answer, Verdict::Yes);
    assert!(
        answer.why.iter().any(|why| why.contains("vcs-ref") && why.contains("2026-09-26")),
        "{:?}",
        answer.why
    );
}

#[test]
fn witnesses_read_like_tokens_of_somebodys_job() {
    let stranger = |name: &str| {
        let found = personas(&policy(name), None, &options());
        let found = found.into_iter().find(|it| it.persona == Persona::Stranger).unwrap();
        found.answer.witness.unwrap().subject().to_owned()
    };
    assert_eq!(stranger("A05"), "repo:acme-evil/app:ref:refs/heads/main");
    assert_eq!(stranger("A43"), "repo:acmx/app:ref:refs/heads/main");
    assert_eq!(stranger("A22"), "workflow:deploy:ref:refs/heads/main");
}

#[test]
fn a_narrower_policy_implies_a_wider_one_and_not_the_other_way_round() {
    let (narrow, wide) = (policy("A38"), policy("A08"));
    assert_eq!(implies(&narrow, &wide, &options()).answer, Verdict::Yes);
    let back = implies(&wide, &narrow, &options());
    assert_eq!(back.answer, Verdict::No);
    let witness = back.witness.unwrap();
    let claims: &ClaimSet = &witness.claims;
    let context = Context::new().issuer(witness.issuer.clone()).account("111122223333");
    assert_eq!(evaluate(&wide, claims, &context).outcome, Outcome::Allow);
    assert_eq!(evaluate(&narrow, claims, &context).outcome, Outcome::Deny);
}

#[test]
fn policies_that_share_a_token_overlap() {
    assert_eq!(overlap(&policy("A38"), &policy("A08"), &options()).answer, Verdict::Yes);
    assert_eq!(overlap(&policy("A38"), &policy("A40"), &options()).answer, Verdict::No);
}
