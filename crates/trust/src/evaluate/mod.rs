//! Deciding one token: pure, three-valued, and able to say why.

mod atom;
mod evaluation;
mod nearest;
pub mod parts;
mod value;

use daypass_claims::{Audience, ClaimSet, Issuer};

pub use evaluation::{Evaluation, Miss, Outcome, StatementTrace, Trace, TraceKind};

use crate::context::{Caller, Context, SOURCE_IDENTITY_CLAIM, TAGS_CLAIM};
use crate::form::{
    Audiences, Condition, Effect, OtherPrincipal, Permission, Permissions, Policy, Principals, RequestKey,
    Statement, TokenIssuers,
};
use crate::truth::Truth;

/// Decides `claims` under `policy` and explains the decision.
///
/// This authorises nothing: it is open to explain, tests and rehearsals. What may lead to a credential is made by the
/// exchange from verified tokens only.
pub fn evaluate(policy: &Policy, claims: &ClaimSet, context: &Context) -> Evaluation {
    Evaluator { policy, claims, context }.explain()
}

/// Decides without explaining: the same answer as [`evaluate`], without building the tree. With an admission comes the
/// index of the statement that admitted.
pub fn outcome(policy: &Policy, claims: &ClaimSet, context: &Context) -> (Truth, Option<usize>) {
    let evaluator = Evaluator { policy, claims, context };
    let mut admitting = None;
    let result = Truth::all(evaluator.required().iter().map(|permission| {
        let (truth, statement) = evaluator.permitted(permission);
        if permission == evaluator.main_permission() {
            admitting = statement;
        }
        truth
    }));
    (result, admitting.filter(|_| result.is_true()))
}

struct Evaluator<'a> {
    policy: &'a Policy,
    claims: &'a ClaimSet,
    context: &'a Context,
}

impl<'a> Evaluator<'a> {
    /// The permission that assuming the role is about.
    fn main_permission(&self) -> Permission {
        match self.context.caller {
            Caller::Token => Permission::AssumeWithToken,
            Caller::Session { .. } => Permission::AssumeFromSession,
        }
    }

    /// Everything that this request needs permission for.
    fn required(&self) -> Permissions {
        let given = |key: &RequestKey| {
            matches!(self.context.fact(key, self.claims), crate::context::Fact::Value(value)
                if value.as_array().is_none_or(|items| !items.is_empty()))
        };
        let mut required = Permissions::NONE.with(self.main_permission());
        if given(&RequestKey::TagKeys) || self.claims.contains(TAGS_CLAIM) {
            required = required.with(Permission::TagSession);
        }
        if given(&RequestKey::SourceIdentity) || self.claims.contains(SOURCE_IDENTITY_CLAIM) {
            required = required.with(Permission::SetSourceIdentity);
        }
        required
    }

    /// Whether one permission is given, and by which statement.
    fn permitted(&self, permission: Permission) -> (Truth, Option<usize>) {
        let mut allowed = Truth::False;
        let mut by = None;
        let mut denied = Truth::False;
        for (index, statement) in self.policy.statements.iter().enumerate() {
            if !statement.permissions.contains(permission) {
                continue;
            }
            match statement.effect {
                Effect::Allow if allowed.is_true() => {}
                Effect::Allow => {
                    allowed = Truth::any([allowed, self.matches(statement)]);
                    if allowed.is_true() {
                        by = Some(index);
                    }
                }
                Effect::Deny => denied = Truth::any([denied, self.matches(statement)]),
            }
        }
        (Truth::all([allowed, !denied]), by)
    }

    fn matches(&self, statement: &Statement) -> Truth {
        // Cheap and most selective first; Kleene `all` is the same in any order.
        match Truth::all([self.principal(&statement.principals), self.addressed(&statement.audiences)]) {
            Truth::False => Truth::False,
            so_far => Truth::all([so_far, self.truth(&statement.condition)]),
        }
    }

    fn truth(&self, condition: &Condition) -> Truth {
        match condition {
            Condition::All(parts) => Truth::all(parts.iter().map(|part| self.truth(part))),
            Condition::Any(parts) => Truth::any(parts.iter().map(|part| self.truth(part))),
            Condition::Not(inner) => !self.truth(inner),
            Condition::Clause(clause) => self.truth(&clause.body),
            Condition::Atom(atom) => self.atom(atom).truth,
            Condition::Unknown(_) => Truth::Unknown,
        }
    }

    /// The issuer of the token: the one the caller vouches for, else the claim.
    fn issuer(&self) -> Option<&'a str> {
        self.context.issuer.as_ref().map(Issuer::as_str).or_else(|| self.claims.get("iss")?.as_str())
    }

    fn principal(&self, principals: &Principals) -> Truth {
        let named = match &self.context.caller {
            Caller::Token => match (&principals.tokens, self.issuer()) {
                (TokenIssuers::Any, _) => Truth::True,
                (TokenIssuers::None, _) => Truth::False,
                (TokenIssuers::Exactly(issuers), Some(issuer)) => {
                    issuers.iter().any(|known| known.as_str() == issuer).into()
                }
                // Nobody said whose token it is. A policy about one issuer is then asked about that issuer's.
                (TokenIssuers::Exactly(issuers), None) if issuers.len() == 1 => Truth::True,
                (TokenIssuers::Exactly(_), None) => Truth::Unknown,
            },
            caller @ Caller::Session { .. } => {
                Truth::any(principals.others.iter().map(|other| session_is(caller, other)))
            }
        };
        if principals.unknown.is_some() { Truth::any([named, Truth::Unknown]) } else { named }
    }

    fn addressed(&self, audiences: &Audiences) -> Truth {
        let accepted = audiences.named();
        if *audiences == Audiences::Unstated {
            return Truth::True;
        }
        if self.context.caller != Caller::Token {
            return Truth::True;
        }
        let known = |audience: &str| accepted.iter().map(Audience::as_str).any(|one| one == audience);
        if let Some(verified) = &self.context.audience {
            return known(verified.as_str()).into();
        }
        let Some(presented) = self.claims.audiences() else { return Truth::False };
        let matching = presented.iter().filter(|audience| known(audience)).count();
        match (matching, presented.len()) {
            (0, _) => Truth::False,
            (matching, all) if matching == all => Truth::True,
            _ if matches!(audiences, Audiences::Includes(_)) => Truth::True,
            // One of several audiences: whether that is enough is the verifier's own rule.
            _ => Truth::Unknown,
        }
    }
}

fn session_is(caller: &Caller, principal: &OtherPrincipal) -> Truth {
    let Caller::Session { account, role, role_arn, session_arn } = caller else { return Truth::False };
    match principal {
        OtherPrincipal::Anyone => Truth::True,
        OtherPrincipal::Account(wanted) => (wanted == account).into(),
        OtherPrincipal::Role(wanted) => (wanted == role_arn).into(),
        OtherPrincipal::DaypassRole(wanted) => (wanted == role).into(),
        OtherPrincipal::Session(wanted) => (wanted == session_arn).into(),
        OtherPrincipal::User(_)
        | OtherPrincipal::Service(_)
        | OtherPrincipal::Saml(_)
        | OtherPrincipal::Deleted(_)
        | OtherPrincipal::Nobody(_) => Truth::False,
    }
}

#[cfg(test)]
mod tests;
