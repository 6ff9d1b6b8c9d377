//! Production roles that a job of a pull request can assume, which are not served.
//!
//! The native form says so itself, statement by statement, and lets a risk be accepted where it stands. Documents of other
//! dialects have no place for either, so these are decided here, over all tokens that the issuer can mint.

use daypass_prove::refusals::reachable_by_pull_requests;
use daypass_prove::{Options, Verdict};
use daypass_trust::Dialect;
use daypass_trust::document::{Problem, Span};

use super::{RoleConfig, Warning};

/// Refuses them, and returns what is to be said of those about which nobody can say.
pub(super) fn refuse(account: &str, roles: &mut [RoleConfig]) -> Vec<Warning> {
    let options = Options { account: Some(account.to_owned()), ..Options::default() };
    let mut warnings = Vec::new();
    for role in roles.iter_mut().filter(|role| is_asked(role)) {
        let answer = reachable_by_pull_requests(&role.policy, &options);
        match (answer.answer, &answer.witness) {
            (Verdict::No, _) => {}
            (Verdict::Yes, Some(token)) => {
                role.refused = Some(format!(
                    "jobs that a pull request starts can assume this production role, with {}; bind a protected environment, \
                     or accept the risk in [[role.trust]]",
                    super::claims_of(token, &[&role.policy])
                ));
            }
            _ => {
                let message = format!(
                    "whether jobs that a pull request starts can assume `{}` cannot be said: {}",
                    role.name,
                    answer.why.join("; ")
                );
                let mut warning = Problem::new(&role.policy.source, Span::default(), message);
                warning.location = role.location.clone();
                warnings.push(warning);
            }
        }
    }
    warnings
}

fn is_asked(role: &RoleConfig) -> bool {
    let production =
        role.environment.as_ref().is_some_and(|name| name.to_ascii_lowercase().starts_with("prod"));
    production && role.refused.is_none() && role.policy.dialect != Dialect::Daypass
}
