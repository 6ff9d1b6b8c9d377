//! What the prover says of policies in every dialect.

use daypass_claims::Issuer;
use daypass_prove::{Answer, Options, Verdict, Witness, dead, implies, personas};
use daypass_trust::document::Source;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::RequestKey;
use daypass_trust::{CompileOptions, Context, Dialect, Policy, compile, evaluate};

use crate::check::readable;

const ACCOUNT: &str = "123456789012";

/// Whoever is said to be admitted is, with the token that is shown, and what admits nobody admits no persona.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let github = Issuer::parse("https://token.actions.githubusercontent.com").expect("a constant");
    let options = Options { account: Some(ACCOUNT.to_owned()), ..Options::default() };
    for dialect in Dialect::ALL {
        let surroundings = CompileOptions {
            account: Some(ACCOUNT.to_owned()),
            issuer: (dialect == Dialect::Vault).then(|| github.clone()),
            ..CompileOptions::default()
        };
        let Ok(compiled) = compile(dialect, &Source::new("policy", text), &surroundings) else { continue };
        let policy = &compiled.policy;
        let dead = dead(policy, &options);
        shows(policy, &dead);
        for it in personas(policy, None, &options) {
            let admitted = it.answer.answer == Verdict::Yes;
            assert!(!admitted || dead.answer != Verdict::Yes, "{:?} is admitted by what is dead", it.persona);
            assert_eq!(admitted, it.answer.witness.is_some(), "{:?}", it.persona);
            shows(policy, &it.answer);
        }
        let implied = implies(policy, policy, &options);
        assert_ne!(implied.answer, Verdict::No, "a policy does not imply itself");
    }
}

/// The token of an answer is admitted, and its reasons can be read.
fn shows(policy: &Policy, answer: &Answer) {
    answer.why.iter().for_each(|why| readable(why));
    let Some(witness) = &answer.witness else { return };
    let evaluation = evaluate(policy, &witness.claims, &context(witness));
    assert_eq!(evaluation.outcome, Outcome::Allow, "{witness:?}");
}

fn context(witness: &Witness) -> Context {
    let context = Context::new().account(ACCOUNT).issuer(witness.issuer.clone());
    let context = context.with(RequestKey::SecureTransport, true);
    witness
        .request
        .iter()
        .fold(context, |context, (name, value)| context.with(RequestKey::from_name(name), value.clone()))
}
