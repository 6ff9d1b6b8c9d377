//! Which policies may have a token in common, seen without looking for one and without looking at every pair.
//!
//! A claim has one text. Of two policies that both ask for it, what one wants it to begin with begins what the other wants, or
//! no token is admitted by both. So policies are sorted by what they want, and each is held against those that follow it.

use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::Issuer;
use daypass_trust::form::{
    Condition, Effect, Permission, Piece, Policy, Quantifier, Statement, Test, TokenIssuers, Variable,
};

/// Pairs of policies, by their places, that may have a token in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meetings {
    /// The pairs, of each the lesser place first.
    pub pairs: BTreeSet<(usize, usize)>,
    /// The policies that would be paired with more others than they may be.
    pub cut_short: BTreeSet<usize>,
}

/// The pairs of policies that may have a token in common; of those, the ones that are wanted. A policy is paired with at most so
/// many of those that ask for more than it does.
pub fn may_meet(policies: &[&Policy], wanted: impl Fn(usize, usize) -> bool, most: usize) -> Meetings {
    let asked: Vec<Asked> = policies.iter().map(|policy| Asked::by(policy)).collect();
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for claim in asked.iter().flat_map(|asked| asked.claims.keys()) {
        let count = uses.entry(claim).or_default();
        *count = count.saturating_add(1);
    }
    // Sorting by what most of them ask for leaves the fewest pairs.
    let claim = uses.iter().max_by_key(|(_, count)| **count).map_or("", |(claim, _)| *claim);
    let anything = BTreeSet::from([String::new()]);
    let mut beginnings: Vec<(&str, usize)> = Vec::new();
    for (at, asked) in asked.iter().enumerate() {
        let texts = asked.claims.get(claim).unwrap_or(&anything);
        beginnings.extend(texts.iter().map(|text| (text.as_str(), at)));
    }
    beginnings.sort_unstable();
    let mut meetings = Meetings::default();
    for (place, (text, at)) in beginnings.iter().enumerate() {
        let further = beginnings.iter().skip(place.saturating_add(1));
        let further = further.take_while(|(other, _)| other.starts_with(text));
        let others = further.map(|(_, other)| (*at.min(other), *at.max(other)));
        let meets = |(one, two): &(usize, usize)| {
            let pair = asked.get(*one).zip(asked.get(*two));
            one != two && wanted(*one, *two) && pair.is_some_and(|(one, two)| one.may_meet(two))
        };
        let mut others = others.filter(meets);
        meetings.pairs.extend(others.by_ref().take(most));
        if others.next().is_some() {
            meetings.cut_short.insert(*at);
        }
    }
    meetings
}

/// What a policy asks of every token that it admits.
struct Asked {
    /// Whose it is; `None` where that may be anyone's.
    issuers: Option<BTreeSet<Issuer>>,
    /// By claim: what it begins with.
    claims: BTreeMap<String, BTreeSet<String>>,
}

impl Asked {
    fn by(policy: &Policy) -> Self {
        let admits = |it: &&Statement| {
            it.effect == Effect::Allow && it.permissions.contains(Permission::AssumeWithToken)
        };
        let statements: Vec<&Statement> = policy.statements.iter().filter(admits).collect();
        let mut issuers = Some(BTreeSet::new());
        for statement in &statements {
            match (&statement.principals.tokens, &mut issuers) {
                (TokenIssuers::Exactly(named), Some(all)) => all.extend(named.iter().cloned()),
                (TokenIssuers::Any, _) => issuers = None,
                _ => {}
            }
        }
        let claims = statements.iter().map(|it| beginnings(&it.condition)).reduce(either);
        Self { issuers, claims: claims.unwrap_or_default() }
    }

    fn may_meet(&self, other: &Self) -> bool {
        let same_issuer = match (&self.issuers, &other.issuers) {
            (Some(ours), Some(theirs)) => !ours.is_disjoint(theirs),
            _ => true,
        };
        same_issuer
            && self.claims.iter().all(|(claim, ours)| {
                let theirs = other.claims.get(claim);
                theirs.is_none_or(|theirs| {
                    let alike = |one: &String, two: &String| one.starts_with(two) || two.starts_with(one);
                    ours.iter().any(|one| theirs.iter().any(|two| alike(one, two)))
                })
            })
    }
}

type Beginnings = BTreeMap<String, BTreeSet<String>>;

/// What holds if one of the two does.
fn either(one: Beginnings, mut other: Beginnings) -> Beginnings {
    let both = one.into_iter().filter_map(|(claim, mut texts)| {
        texts.append(other.get_mut(&claim)?);
        Some((claim, texts))
    });
    both.collect()
}

/// By claim, what the condition wants it to begin with; a claim that is not there may be anything.
fn beginnings(condition: &Condition) -> Beginnings {
    match condition {
        Condition::All(parts) => {
            let mut all = Beginnings::new();
            // Where a claim is asked for twice, the first time is as good as the second.
            for (claim, texts) in parts.iter().flat_map(beginnings) {
                all.entry(claim).or_insert(texts);
            }
            all
        }
        Condition::Any(parts) => parts.iter().map(beginnings).reduce(either).unwrap_or_default(),
        Condition::Clause(clause) => beginnings(&clause.body),
        Condition::Atom(atom) => match &atom.variable {
            // Of a list each test may mean another item.
            Variable::Claim(path) if path.steps.is_empty() && atom.quantifier == Quantifier::Scalar => {
                let texts = begun(&atom.test).map(|texts| (path.claim.to_string(), texts));
                texts.into_iter().collect()
            }
            _ => Beginnings::new(),
        },
        Condition::Not(_) | Condition::Unknown(_) => Beginnings::new(),
    }
}

/// What texts begin with that pass a test.
fn begun(test: &Test) -> Option<BTreeSet<String>> {
    match test {
        Test::Text { pattern, ignore_case: false } => {
            let first = match pattern.pieces.first() {
                Some(Piece::Text(text)) => text.clone(),
                _ => String::new(),
            };
            // The end of a text that is written out is told apart from what could go on.
            Some(BTreeSet::from([if pattern.as_literal().is_some() { first + END } else { first }]))
        }
        Test::OneOf(tests) => tests.iter().map(begun).reduce(|one, other| Some(&one? | &other?)).flatten(),
        _ => None,
    }
}

/// Stands at the end of whole texts, and in none.
const END: &str = "\0";

#[cfg(test)]
mod tests {
    use daypass_trust::document::Source;
    use daypass_trust::{CompileOptions, Dialect, compile};

    use super::*;
    use crate::{Options, Verdict, overlap};

    fn policy(host: &str, operator: &str, claims: &[(&str, &str)]) -> Policy {
        let conditions: Vec<String> =
            claims.iter().map(|(claim, values)| format!(r#""{host}:{claim}": {values}"#)).collect();
        let text = format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {{"Federated": "arn:aws:iam::111122223333:oidc-provider/{host}"}},
                "Condition": {{"{operator}": {{{}}}}}}}}}"#,
            conditions.join(", ")
        );
        compile(Dialect::Aws, &Source::new("trust.json", text), &CompileOptions::default()).unwrap().policy
    }

    const GITHUB: &str = "token.actions.githubusercontent.com";

    fn samples() -> Vec<Policy> {
        let subjects = |values: &str| policy(GITHUB, "StringLike", &[("sub", values)]);
        vec![
            subjects(r#""repo:acme/app:ref:refs/heads/main""#),
            subjects(r#""repo:acme/app:*""#),
            subjects(r#"["repo:acme/lib:*", "repo:acme/app:ref:refs/heads/main"]"#),
            subjects(r#""repo:acme/app:ref:refs/heads/mainly""#),
            subjects(r#""*:ref:refs/heads/main""#),
            policy(GITHUB, "StringNotLike", &[("sub", r#""repo:acme/*""#)]),
            policy(GITHUB, "StringLike", &[("repository", r#""acme/lib""#)]),
            policy("gitlab.com", "StringLike", &[("sub", r#""repo:acme/app:*""#)]),
        ]
    }

    #[test]
    fn what_has_a_token_in_common_is_among_the_pairs() {
        let policies = samples();
        let all: Vec<&Policy> = policies.iter().collect();
        let Meetings { pairs, cut_short } = may_meet(&all, |_, _| true, usize::MAX);
        assert!(cut_short.is_empty());
        for (one, policy) in policies.iter().enumerate() {
            for (two, other) in policies.iter().enumerate().skip(one + 1) {
                let known = overlap(policy, other, &Options::default()).answer == Verdict::Yes;
                assert!(!known || pairs.contains(&(one, two)), "{one} and {two}");
            }
        }
        for apart in [(0, 3), (0, 7), (2, 3)] {
            assert!(!pairs.contains(&apart), "{apart:?}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_paired_and_not_more_than_is_wanted() {
        let policies = samples();
        let all: Vec<&Policy> = policies.iter().collect();
        assert_eq!(may_meet(&all, |_, _| false, usize::MAX), Meetings::default());
        let few = may_meet(&all, |_, _| true, 1);
        let every = may_meet(&all, |_, _| true, usize::MAX);
        assert!(!few.pairs.is_empty() && few.pairs.len() < every.pairs.len());
        assert!(!few.cut_short.is_empty(), "and it is said of whom there are more");
    }
}
