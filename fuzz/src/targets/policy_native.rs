//! daypass's own policies.

use daypass_claims::ClaimSet;
use daypass_trust::evaluate::Outcome;
use daypass_trust::{Dialect, evaluate};

use super::policy::context;

/// An issuer that no policy names: seeds do not, and a policy that does is passed over.
const STRANGER: &str = "https://stranger.invalid";

/// The form is closed: without a risk that it takes on by name, nobody else's token is admitted.
pub fn run(data: &[u8]) {
    let Some(compiled) = super::policy::compiled(Dialect::Daypass, data) else { return };
    let policy = &compiled.policy;
    let trusted = |issuer: &str| {
        policy.statements.iter().any(|statement| {
            statement.principals.single_issuer().is_none_or(|known| known.as_str() == issuer)
        })
    };
    if !trusted(STRANGER) {
        let evaluation = evaluate(policy, &ClaimSet::new(), &context(STRANGER));
        assert_eq!(evaluation.outcome, Outcome::Deny, "a stranger is not denied: {:?}", evaluation.reasons);
    }
    if compiled.accepted_risks.is_empty() {
        let github = "https://token.actions.githubusercontent.com";
        let evaluation = evaluate(policy, &ClaimSet::new(), &context(github));
        assert_eq!(evaluation.outcome, Outcome::Deny, "a bare token is not denied: {:?}", evaluation.reasons);
    }
}
