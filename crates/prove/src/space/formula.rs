use daypass_claims::{ClaimName, ClaimSet, ClaimValue, Issuer};
use daypass_issuers::Guard;
use daypass_trust::evaluate::parts;
use daypass_trust::form::{
    Atom, Audiences, ClaimPath, Condition, Effect, Pattern, Permission, Policy, Quantifier, Reading, Test,
};
use daypass_trust::{Context, Truth};

use crate::universe::PartId;

/// The place of a leaf among [`Leaves`].
pub(crate) type LeafId = usize;

/// A question about one token, in Kleene logic over [`Leaf`]s.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Formula {
    Leaf(LeafId),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Known(Truth),
    /// What is not known, and why.
    Unknown(String),
}

/// Something that is true, false or unknown of one token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leaf {
    /// A test of the trust form.
    Atom(Atom),
    /// Whether a token is addressed to one of these.
    Audience(Audiences),
    /// A test of the catalogue.
    Guard(Guard),
    /// Whether a part of the token, or an item of it, matches one of these patterns, and with each whether letter case is ignored.
    Part(PartId, Vec<(Pattern, bool)>),
}

/// The leaves of the formulas that are asked about together, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaves {
    leaves: Vec<Leaf>,
}

impl Formula {
    pub(crate) const TRUE: Self = Self::Known(Truth::True);

    pub(crate) fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self::All(vec![self, other])
    }

    /// The leaves it asks about.
    pub(crate) fn leaves(&self) -> Vec<LeafId> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.sort_unstable();
        found.dedup();
        found
    }

    fn collect(&self, found: &mut Vec<LeafId>) {
        match self {
            Self::Leaf(id) => found.push(*id),
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.collect(found);
                }
            }
            Self::Not(inner) => inner.collect(found),
            Self::Known(_) | Self::Unknown(_) => {}
        }
    }
}

impl Leaves {
    pub(crate) fn all(&self) -> &[Leaf] {
        &self.leaves
    }

    fn intern(&mut self, leaf: Leaf) -> Formula {
        let at = self.leaves.iter().position(|known| *known == leaf).unwrap_or_else(|| {
            self.leaves.push(leaf);
            self.leaves.len().saturating_sub(1)
        });
        Formula::Leaf(at)
    }

    pub(crate) fn guard(&mut self, guard: &Guard) -> Formula {
        self.intern(Leaf::Guard(guard.clone()))
    }

    /// Whether a part of the token is there and matches one of the patterns.
    pub(crate) fn part(&mut self, part: PartId, patterns: Vec<Pattern>) -> Formula {
        let patterns = patterns.into_iter().map(|pattern| (pattern, false));
        self.intern(Leaf::Part(part, patterns.collect()))
    }

    /// Whether a part of the token is this text, but for letter case.
    pub(crate) fn part_ignoring_case(&mut self, part: PartId, text: &str) -> Formula {
        self.intern(Leaf::Part(part, vec![(Pattern::literal(text), true)]))
    }

    /// Whether a claim of the token is a text that one of the patterns matches.
    pub(crate) fn claim(&mut self, name: &ClaimName, patterns: Vec<Pattern>) -> Formula {
        let tests = patterns.into_iter().map(|pattern| Test::Text { pattern, ignore_case: false });
        self.intern(Leaf::Atom(Atom {
            variable: ClaimPath::claim(name.clone()).into(),
            reading: Reading::Strict,
            quantifier: Quantifier::Scalar,
            test: Test::OneOf(tests.collect()),
        }))
    }

    pub(crate) fn condition(&mut self, condition: &Condition) -> Formula {
        match condition {
            Condition::All(parts) => Formula::All(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Any(parts) => Formula::Any(parts.iter().map(|part| self.condition(part)).collect()),
            Condition::Not(inner) => self.condition(inner).negated(),
            Condition::Clause(clause) => self.condition(&clause.body),
            Condition::Atom(atom) => self.intern(Leaf::Atom(atom.clone())),
            Condition::Unknown(why) => Formula::Unknown(why.clone()),
        }
    }

    pub(crate) fn audiences(&mut self, audiences: &Audiences) -> Formula {
        match audiences {
            Audiences::Unstated => Formula::TRUE,
            _ => self.intern(Leaf::Audience(audiences.clone())),
        }
    }

    /// Whether a policy admits a token of the issuer. CI tokens carry no session tags and no source identity, so one
    /// permission is all that is needed.
    pub(crate) fn policy(&mut self, policy: &Policy, issuer: &Issuer) -> Formula {
        let mut allowed = Vec::new();
        let mut denied = Vec::new();
        for index in 0..policy.statements.len() {
            let Some(statement) = policy.statements.get(index) else { continue };
            if !statement.permissions.contains(Permission::AssumeWithToken) {
                continue;
            }
            match (statement.effect, self.statement(policy, index, issuer)) {
                (Effect::Allow, formula) => allowed.push(formula),
                (Effect::Deny, formula) => denied.push(formula),
            }
        }
        Formula::Any(allowed).and(Formula::Any(denied).negated())
    }

    /// Whether one statement matches a token of the issuer.
    pub(crate) fn statement(&mut self, policy: &Policy, index: usize, issuer: &Issuer) -> Formula {
        let Some(statement) = policy.statements.get(index) else { return Formula::Known(Truth::False) };
        let mut claims = ClaimSet::new();
        claims.insert("iss", ClaimValue::from(issuer.as_str()));
        let named = parts::principal(&statement.principals, &claims, &Context::new().issuer(issuer.clone()));
        if named == Truth::False {
            return Formula::Known(Truth::False);
        }
        let addressed = self.audiences(&statement.audiences);
        let condition = self.condition(&statement.condition);
        let named = match (named, &statement.principals.unknown) {
            (Truth::Unknown, Some(why)) => Formula::Unknown(why.clone()),
            (known, _) => Formula::Known(known),
        };
        Formula::All(vec![named, addressed, condition])
    }
}
