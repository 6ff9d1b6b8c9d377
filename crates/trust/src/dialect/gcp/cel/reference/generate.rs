//! Random expressions and claims: short texts over few letters, so that they meet.

use daypass_claims::{ClaimSet, ClaimValue};
use proptest::prelude::*;

use super::Expr::{
    self, And, Attribute, Bool, Choice, Claim, Concat, Equal, Extract, Has, HasAttribute, HasMember, InClaim,
    InList, Index, Item, Lower, Matches, Member, Method, Not, Number, Or, Over, OverList, Size, Unequal,
    Upper,
};

fn literal() -> impl Strategy<Value = Expr> {
    prop_oneof!["[abA/]{0,3}".prop_map(Expr::Text), Just(Expr::Text("a/b".into()))]
}

fn claim() -> impl Strategy<Value = Expr> {
    prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c d"]).prop_map(Claim),
        1 => Just(Member(Box::new(Claim("o")), "k")),
        1 => Just(Index(Box::new(Claim("l")), 0)),
        1 => Just(Claim("l")),
    ]
}

fn text(test: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        3 => literal(),
        4 => claim(),
        1 => prop::sample::select(vec!["google.subject", "attribute.x", "attribute.none"]).prop_map(Attribute),
        2 => (claim(), prop::sample::select(vec!["", "a", "/"]), prop::sample::select(vec!["", "b", "/"]))
            .prop_map(|(claim, before, after)| Extract(Box::new(claim), before, after)),
    ];
    leaf.prop_recursive(2, 6, 3, move |inner| {
        let one = inner.clone().prop_map(Box::new).boxed();
        prop_oneof![
            2 => (one.clone(), one.clone()).prop_map(|(left, right)| Concat(left, right)),
            1 => one.clone().prop_map(Lower),
            1 => one.clone().prop_map(Upper),
            1 => (test.clone().prop_map(Box::new), one.clone(), one).prop_map(|(test, then, or)| Choice(test, then, or)),
        ]
    })
    .boxed()
}

/// A test of an item alone.
fn about_item() -> BoxedStrategy<Expr> {
    let method = prop::sample::select(vec!["startsWith", "endsWith", "contains"]);
    let leaf = prop_oneof![
        literal().prop_map(|text| Equal(Box::new(Item), Box::new(text))),
        literal().prop_map(|text| Unequal(Box::new(Item), Box::new(text))),
        prop::collection::vec(literal(), 0..3).prop_map(|items| InList(Box::new(Item), items)),
        (method, literal()).prop_map(|(name, text)| Method(name, Box::new(Item), Box::new(text))),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        let one = inner.prop_map(Box::new).boxed();
        prop_oneof![
            (one.clone(), one.clone()).prop_map(|(left, right)| And(left, right)),
            (one.clone(), one.clone()).prop_map(|(left, right)| Or(left, right)),
            one.prop_map(Not),
        ]
    })
    .boxed()
}

fn simple_test(text: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let one = text.clone().prop_map(Box::new).boxed();
    let method = prop::sample::select(vec!["startsWith", "endsWith", "contains"]);
    let expression = prop::sample::select(vec!["a", "^a", "b$", "^[a/]*$", "(?i)A", "a|b"]);
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    prop_oneof![
        4 => (one.clone(), one.clone()).prop_map(|(left, right)| Equal(left, right)),
        2 => (one.clone(), one.clone()).prop_map(|(left, right)| Unequal(left, right)),
        1 => (one.clone(), 0..3_i64).prop_map(|(left, number)| Equal(left, Box::new(Number(number)))),
        1 => (one.clone(), any::<bool>()).prop_map(|(left, is)| Equal(Box::new(Bool(is)), left)),
        2 => (one.clone(), prop::collection::vec(text, 0..3)).prop_map(|(needle, items)| InList(needle, items)),
        2 => ("[ab/]{0,2}", claim()).prop_map(|(needle, claim)| InClaim(needle, Box::new(claim))),
        3 => (method, one.clone(), one.clone()).prop_map(|(name, receiver, argument)| Method(name, receiver, argument)),
        2 => (one.clone(), expression).prop_map(|(receiver, expression)| Matches(receiver, expression)),
        1 => prop::sample::select(vec!["a", "l", "none"]).prop_map(Has),
        1 => prop::sample::select(vec![("o", "k"), ("a", "k")]).prop_map(|(claim, name)| HasMember(claim, name)),
        1 => prop::sample::select(vec!["attribute.x", "attribute.none"]).prop_map(HasAttribute),
        1 => claim(),
        1 => any::<bool>().prop_map(Bool),
        2 => (any::<bool>(), about_item()).prop_map(|(any_of, body)| Over(any_of, "l", Box::new(body))),
        1 => (any::<bool>(), prop::collection::vec(literal(), 0..3), about_item())
            .prop_map(|(any_of, items, body)| OverList(any_of, items, Box::new(body))),
        1 => (one, comparison, -1..4_i64).prop_map(|(inner, comparison, number)| Size(inner, comparison, number)),
    ]
    .boxed()
}

pub(super) fn expression() -> BoxedStrategy<Expr> {
    let shallow = simple_test(text(any::<bool>().prop_map(Bool).boxed()));
    simple_test(text(shallow))
        .prop_recursive(3, 12, 3, |inner| {
            let one = inner.prop_map(Box::new).boxed();
            prop_oneof![
                2 => (one.clone(), one.clone()).prop_map(|(left, right)| And(left, right)),
                2 => (one.clone(), one.clone()).prop_map(|(left, right)| Or(left, right)),
                1 => one.clone().prop_map(Not),
                1 => (one.clone(), one.clone(), one).prop_map(|(test, then, or)| Choice(test, then, or)),
            ]
        })
        .boxed()
}

fn claim_value() -> BoxedStrategy<ClaimValue> {
    let leaf = prop_oneof![
        8 => "[abA/]{0,4}".prop_map(ClaimValue::from),
        1 => (0..3_i64).prop_map(ClaimValue::from),
        1 => any::<bool>().prop_map(ClaimValue::from),
        1 => Just(ClaimValue::Null),
    ];
    let items = leaf.clone();
    prop_oneof![
        8 => leaf,
        2 => prop::collection::vec(items.clone(), 0..3).prop_map(ClaimValue::Array),
        1 => items.prop_map(|value| ClaimValue::Object([("k".to_owned(), value)].into())),
    ]
    .boxed()
}

pub(super) fn claims() -> impl Strategy<Value = ClaimSet> {
    let texts = prop::collection::vec(prop::option::weighted(0.8, claim_value()), 3);
    let list = prop::option::weighted(
        0.8,
        prop_oneof![
            3 => prop::collection::vec("[abA/]{0,3}".prop_map(ClaimValue::from), 0..3).prop_map(ClaimValue::Array),
            1 => claim_value(),
        ],
    );
    let object = prop::option::of(
        claim_value().prop_map(|value| ClaimValue::Object([("k".to_owned(), value)].into())),
    );
    (texts, list, object).prop_map(|(texts, list, object)| {
        let mut claims = ClaimSet::new();
        let named = ["a", "b", "c d"].into_iter().zip(texts).chain([("l", list), ("o", object)]);
        for (name, value) in named.filter_map(|(name, value)| Some((name, value?))) {
            claims.insert(name, value);
        }
        claims
    })
}

/// An expression of a mapping: it speaks of no attribute.
pub(super) fn mapped_expression() -> impl Strategy<Value = Expr> {
    text(any::<bool>().prop_map(Bool).boxed()).prop_filter("a mapping speaks of no attribute", |expression| {
        let written = expression.to_string();
        !written.contains("attribute.") && !written.contains("google.")
    })
}
