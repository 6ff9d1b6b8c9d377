//! The evaluator as such: agreement of its two forms, and what it says.

use std::collections::BTreeMap;

use daypass_claims::{ClaimSet, ClaimValue, Number};
use proptest::prelude::*;

use super::*;
use crate::dialect::Dialect;
use crate::document::{Source, Span};
use crate::form::{Atom, ClaimPath, Clause, Pattern, Quantifier, Reading, Test};

fn atom(claim: &str, test: Test) -> Condition {
    let variable = ClaimPath::claim(claim).into();
    Condition::Atom(Atom { variable, reading: Reading::Strict, quantifier: Quantifier::Scalar, test })
}

fn statement(effect: Effect, condition: Condition) -> Statement {
    Statement {
        label: "statement".into(),
        effect,
        principals: Principals { tokens: TokenIssuers::Any, ..Principals::nobody() },
        permissions: Permissions::NONE.with(Permission::AssumeWithToken),
        audiences: Audiences::Unstated,
        condition,
        span: Span::default(),
    }
}

fn policy(statements: Vec<Statement>) -> Policy {
    Policy { dialect: Dialect::Daypass, statements, source: Source::new("p", "") }
}

#[test]
fn the_nearest_miss_is_the_statement_with_the_fewest_changes() {
    let clause = |name: &str, wanted: &str| {
        Condition::Clause(Box::new(Clause {
            name: name.into(),
            wants: wanted.into(),
            span: Span::default(),
            body: atom(name, Test::equals(wanted)),
        }))
    };
    let far = Condition::All(vec![clause("repository", "acme/other"), clause("ref", "main")]);
    let near = Condition::All(vec![clause("repository", "acme/app"), clause("ref", "main")]);
    let policy = policy(vec![statement(Effect::Allow, far), statement(Effect::Allow, near)]);
    let claims: ClaimSet = [("repository", "acme/app"), ("ref", "dev")].into_iter().collect();
    let decision = evaluate(&policy, &claims, &Context::new());
    assert_eq!(decision.outcome, Outcome::Deny);
    let misses: Vec<_> =
        decision.nearest_miss.iter().map(|miss| (miss.condition.as_str(), miss.seen.as_str())).collect();
    assert_eq!(misses, [("ref", "\"dev\"")]);
}

#[test]
fn the_tree_serialises_with_stable_words() {
    let policy = policy(vec![statement(
        Effect::Allow,
        Condition::Any(vec![atom("ref", Test::equals("main")), Condition::Unknown("nobody knows".into())]),
    )]);
    let claims: ClaimSet = [("ref", "dev")].into_iter().collect();
    insta::assert_json_snapshot!(evaluate(&policy, &claims, &Context::new()));
}

fn value() -> impl Strategy<Value = ClaimValue> {
    let scalar = prop_oneof![
        Just(ClaimValue::Null),
        any::<bool>().prop_map(ClaimValue::Bool),
        (0_i64..3).prop_map(ClaimValue::from),
        "[ab]{0,2}".prop_map(ClaimValue::String),
    ];
    prop_oneof![3 => scalar.clone(), 1 => prop::collection::vec(scalar, 0..3).prop_map(ClaimValue::Array)]
}

fn claims() -> impl Strategy<Value = ClaimSet> {
    prop::collection::btree_map("[xyz]", value(), 0..3)
        .prop_map(|map: BTreeMap<String, ClaimValue>| map.into_iter().collect())
}

fn test() -> impl Strategy<Value = Test> {
    let leaf = prop_oneof![
        Just(Test::Present),
        "[ab*]{0,2}".prop_map(|glob| Test::Text { pattern: Pattern::glob(&glob), ignore_case: false }),
        any::<bool>().prop_map(Test::Bool),
        (0_i128..3).prop_map(|n| Test::Number(crate::form::Comparison::LessOrEqual, Number::Integer(n))),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Test::OneOf),
            inner.prop_map(|test| Test::Not(Box::new(test))),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let readings = prop_oneof![
        Just(Reading::Strict),
        Just(Reading::AwsSingle),
        Just(Reading::AwsAudience),
        Just(Reading::AwsMulti)
    ];
    let quantifiers = prop_oneof![Just(Quantifier::Scalar), Just(Quantifier::AnyOf), Just(Quantifier::AllOf)];
    let atom = ("[xyz]", readings, quantifiers, test()).prop_map(|(claim, reading, quantifier, test)| {
        Condition::Atom(Atom { variable: ClaimPath::claim(claim).into(), reading, quantifier, test })
    });
    let leaf = prop_oneof![9 => atom, 1 => Just(Condition::Unknown("because".into()))];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Condition::Any),
            inner.prop_map(Condition::negated),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn deciding_and_explaining_agree(
        conditions in prop::collection::vec((any::<bool>(), condition()), 0..4),
        claims in claims(),
    ) {
        let statements = conditions.into_iter()
            .map(|(deny, condition)| statement(if deny { Effect::Deny } else { Effect::Allow }, condition));
        let policy = policy(statements.collect());
        let context = Context::new();
        let explained = evaluate(&policy, &claims, &context);
        let (decided, by) = outcome(&policy, &claims, &context);
        prop_assert_eq!(explained.outcome, Outcome::from(decided));
        prop_assert_eq!(by.is_some(), decided.is_true());
        prop_assert!(decided.is_true() || !explained.reasons.is_empty());
    }

    #[test]
    fn a_condition_and_its_negation_are_opposites(condition in condition(), claims in claims()) {
        let policy = policy(Vec::new());
        let context = Context::new();
        let evaluator = Evaluator { policy: &policy, claims: &claims, context: &context };
        prop_assert_eq!(evaluator.truth(&condition.clone().negated()), !evaluator.truth(&condition));
    }
}
