//! Fitting a configuration to its surroundings: another address, another directory, and for a rehearsal the same roles
//! and trusts over issuers that somebody else plays.

use std::net::SocketAddr;

use daypass_claims::{ClaimName, Issuer};
use daypass_trust::Policy;
use daypass_trust::form::{Atom, Condition, Pattern, Test, TokenIssuers, Variable};

use super::{Config, DataConfig, KekConfig, KeySource};

impl Config {
    /// Listens on another address; a public URL that is that of the old one follows.
    pub fn listen_on(&mut self, address: SocketAddr) {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        if self.public_url == format!("{scheme}://{}", self.listen) {
            self.public_url = format!("{scheme}://{address}");
        }
        self.listen = address;
    }

    /// Keeps state in another directory: what lies in the old one unless it is named lies in the new one.
    pub fn keep_in(&mut self, directory: &str) {
        let old = match &self.data {
            DataConfig::Directory(old) => Some(format!("{old}/admin-token")),
            DataConfig::Postgres(_) => None,
        };
        if self.admin.token_file == old {
            self.admin.token_file = Some(format!("{directory}/admin-token"));
        }
        // A key-encryption key may only be made where it lies with the data it protects.
        if let KekConfig::File { path, create: true } = &mut self.kek {
            *path = format!("{directory}/kek");
        }
        self.data = DataConfig::Directory(directory.to_owned());
    }

    /// Puts an issuer in the place of a configured one, in the list of issuers and in every trust that names it.
    pub fn replace_issuer(&mut self, old: &Issuer, new: &Issuer, keys: &KeySource) {
        for issuer in self.issuers.iter_mut().filter(|issuer| issuer.issuer == *old) {
            issuer.issuer = new.clone();
            issuer.keys = keys.clone();
        }
        let trusts = self.roles.iter_mut().map(|role| &mut role.policy);
        for policy in trusts.chain(self.admin.trust.iter_mut().map(|trust| &mut trust.policy)) {
            replace_in(policy, old, new);
        }
    }
}

fn replace_in(policy: &mut Policy, old: &Issuer, new: &Issuer) {
    for statement in &mut policy.statements {
        if let TokenIssuers::Exactly(issuers) = &mut statement.principals.tokens {
            for issuer in issuers.iter_mut().filter(|issuer| **issuer == *old) {
                *issuer = new.clone();
            }
        }
        replace_in_condition(&mut statement.condition, old, new);
    }
}

/// A condition on `iss` itself says the same as the principal does, so it is replaced too.
fn replace_in_condition(condition: &mut Condition, old: &Issuer, new: &Issuer) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            for part in parts {
                replace_in_condition(part, old, new);
            }
        }
        Condition::Not(inner) => replace_in_condition(inner, old, new),
        Condition::Clause(clause) => replace_in_condition(&mut clause.body, old, new),
        Condition::Atom(atom) => replace_in_atom(atom, old, new),
        Condition::Unknown(_) => {}
    }
}

fn replace_in_atom(atom: &mut Atom, old: &Issuer, new: &Issuer) {
    let about_issuer = matches!(&atom.variable, Variable::Claim(path)
        if path.steps.is_empty() && path.claim == ClaimName::from("iss"));
    if about_issuer {
        replace_in_test(&mut atom.test, old, new);
    }
}

fn replace_in_test(test: &mut Test, old: &Issuer, new: &Issuer) {
    match test {
        Test::Text { pattern, .. } if *pattern == Pattern::literal(old.as_str()) => {
            *pattern = Pattern::literal(new.as_str());
        }
        Test::OneOf(tests) => tests.iter_mut().for_each(|test| replace_in_test(test, old, new)),
        Test::Not(inner) => replace_in_test(inner, old, new),
        _ => {}
    }
}
