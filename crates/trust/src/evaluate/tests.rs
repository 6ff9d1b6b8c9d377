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

mod readings {
    use daypass_claims::ClaimSet;

    use crate::context::Context;
    use crate::evaluate::Evaluator;
    use crate::form::{
        Atom, ClaimPath, Comparison, Condition, Expression, JoinPart, Quantifier, Reading, Step, Test,
        Variable,
    };
    use crate::truth::Truth;

    fn truth(claims: &str, variable: Variable, reading: Reading, test: Test) -> Truth {
        let policy = super::policy(Vec::new());
        let claims = ClaimSet::from_json(claims.as_bytes()).unwrap();
        let context = Context::new();
        let evaluator = Evaluator { policy: &policy, claims: &claims, context: &context };
        let quantifier = if reading == Reading::Vault { Quantifier::AnyOf } else { Quantifier::Scalar };
        evaluator.truth(&Condition::Atom(Atom { variable, reading, quantifier, test }))
    }

    fn claim(name: &str, step: Option<Step>) -> Variable {
        Variable::Claim(ClaimPath { steps: step.into_iter().collect(), ..ClaimPath::claim(name) })
    }

    #[test]
    fn a_joined_text_is_absent_where_a_part_is() {
        let joined = |claims: &str| {
            let parts = vec![
                JoinPart::Claim(ClaimPath::claim("a")),
                JoinPart::Text("/".into()),
                JoinPart::Claim(ClaimPath::claim("b")),
            ];
            truth(claims, Variable::Joined(parts), Reading::Strict, Test::equals("x/y"))
        };
        assert_eq!(joined(r#"{"a":"x","b":"y"}"#), Truth::True);
        assert_eq!(joined(r#"{"a":"x","b":"z"}"#), Truth::False);
        assert_eq!(joined(r#"{"a":"x"}"#), Truth::False);
        assert_eq!(joined(r#"{"a":"x","b":1}"#), Truth::False);
    }

    #[test]
    fn parts_of_strings_and_lists() {
        let extract = |before: &str, after: &str, wanted: &str| {
            let step = Step::Extract { before: before.into(), after: after.into() };
            truth(
                r#"{"sub":"repo:acme/app:ref:x"}"#,
                claim("sub", Some(step)),
                Reading::Strict,
                Test::equals(wanted),
            )
        };
        assert_eq!(extract("repo:", "/", "acme"), Truth::True);
        assert_eq!(extract("ref:", "", "x"), Truth::True);
        assert_eq!(extract("", ":", "repo"), Truth::True);
        assert_eq!(extract("project:", "/", ""), Truth::True, "no match is the empty string");
        assert_eq!(extract("repo:", "!", ""), Truth::True);
        let item = |index| {
            truth(
                r#"{"l":["a","b"]}"#,
                claim("l", Some(Step::Item(index))),
                Reading::Strict,
                Test::equals("b"),
            )
        };
        assert_eq!((item(1), item(0), item(2)), (Truth::True, Truth::False, Truth::False));
        let lower =
            truth(r#"{"a":"AcMe"}"#, claim("a", Some(Step::Lower)), Reading::Strict, Test::equals("acme"));
        assert_eq!(lower, Truth::True);
    }

    #[test]
    fn an_expression_is_searched_for_in_strings_only() {
        let search = |claims: &str| {
            truth(
                claims,
                claim("a", None),
                Reading::Strict,
                Test::Regex(Expression::parse("acme/.*").unwrap()),
            )
        };
        assert_eq!(search(r#"{"a":"evil-acme/x"}"#), Truth::True);
        assert_eq!(search(r#"{"a":"other"}"#), Truth::False);
        assert_eq!(search(r#"{"a":["acme/x"]}"#), Truth::False);
    }

    #[test]
    fn vault_takes_any_item_and_cuts_fractions_off() {
        let number = |claims: &str| {
            let one = Test::Number(Comparison::Equal, daypass_claims::Number::Integer(1));
            truth(claims, claim("a", None), Reading::Vault, one)
        };
        assert_eq!(number(r#"{"a":1.9}"#), Truth::True);
        assert_eq!(number(r#"{"a":"1"}"#), Truth::False);
        assert_eq!(number(r#"{"a":[0,1]}"#), Truth::True);
        assert_eq!(number("{}"), Truth::False);
    }
}
