//! Comparisons and string methods as pairs of conditions.

use std::slice::from_ref;

use daypass_claims::Number;

use super::regex::translate;
use super::value::{Logic, Simple, all, any, atom, present, scalar};
use crate::form::{
    ClaimPath, Comparison, Condition, Expression, JoinPart, Pattern, Piece, Quantifier, Step, Test, Variable,
};

/// Comparing a string with a number: false in the language as it stands today, a failure in earlier versions of it.
const TWO_TYPES: &str = "Google does not document whether comparing values of two types is false or fails";
const NUMBERS: &str = "Google does not document how numbers of a token compare with those of an expression";
const OBJECTS: &str = "comparing lists and objects is not modelled";

/// `left == right`.
pub(in super::super) fn equal(left: &Simple, right: &Simple) -> Logic {
    use Simple::{Bool, List, Null, Root, Size, Text, Unknown, Variable};
    match (left, right) {
        (Unknown(why), _) | (_, Unknown(why)) => Logic::unknown(why.as_str()),
        (Text(left), Text(right)) => Logic::constant(left == right),
        (Bool(left), Bool(right)) => Logic::constant(left == right),
        (Null, Null) => Logic::constant(true),
        (Simple::Number(Number::Integer(left)), Simple::Number(Number::Integer(right))) => {
            Logic::constant(left == right)
        }
        (Simple::Number(_), Simple::Number(_)) => Logic::unknown(NUMBERS),
        (Size(variable), Simple::Number(length)) | (Simple::Number(length), Size(variable)) => {
            length_is(variable, Comparison::Equal, *length)
        }
        (List(_) | Root(_) | Size(_), _) | (_, List(_) | Root(_) | Size(_)) => Logic::unknown(OBJECTS),
        (Variable(variable), other) | (other, Variable(variable)) => match other {
            Text(_) | Variable(_) => equal_text(variable, other),
            // A boolean of the token and one of the expression are of one type; so are no other two.
            Bool(wanted) => {
                let [yes, opposite] = [*wanted, !wanted].map(|value| scalar(variable, Test::Bool(value)));
                let neither = all(vec![
                    present(variable),
                    any(vec![yes.clone(), opposite.clone()]).negated(),
                    two_types(),
                ]);
                Logic { yes, no: any(vec![opposite, neither]) }
            }
            Simple::Number(wanted) => {
                let same = scalar(variable, Test::Number(Comparison::Equal, *wanted));
                let perhaps = |condition| all(vec![condition, Condition::Unknown(NUMBERS.to_owned())]);
                Logic { yes: perhaps(same), no: perhaps(present(variable)) }
            }
            _ => {
                let perhaps = |condition| all(vec![condition, two_types()]);
                let no_text = all(vec![present(variable), text(variable).negated()]);
                Logic { yes: perhaps(no_text), no: perhaps(present(variable)) }
            }
        },
        _ => Logic { yes: Condition::FALSE, no: two_types() },
    }
}

fn equal_text(variable: &Variable, other: &Simple) -> Logic {
    let Some((pattern, claims)) = pattern(other) else { return Logic::unknown(OBJECTS) };
    let hit = scalar(variable, Test::Text { pattern, ignore_case: false });
    let texts = all(claims.iter().map(text).collect());
    let mut yes = vec![all(vec![texts.clone(), hit.clone()])];
    let mut no = vec![all(vec![text(variable), texts.clone(), hit.negated()])];
    // What is put together is a text or fails; a claim alone can be of another type.
    let is_claim = |variable: &Variable| matches!(variable, Variable::Claim(_));
    let other_claim = match other {
        Simple::Variable(other) if is_claim(other) => Some(other),
        _ => None,
    };
    let there = all(vec![present(variable), other_claim.map_or(texts, present)]);
    let alone: Vec<Condition> =
        std::iter::once(variable).filter(|one| is_claim(one)).chain(other_claim).map(text).collect();
    if alone.len() == 2 {
        // Two numbers, two lists, ...
        let neither = all(alone.iter().cloned().map(Condition::negated).collect());
        yes.push(all(vec![there.clone(), neither, Condition::Unknown(OBJECTS.to_owned())]));
    }
    if !alone.is_empty() {
        no.push(all(vec![there, all(alone).negated(), two_types()]));
    }
    Logic { yes: any(yes), no: any(no) }
}

/// `needle in haystack`.
pub(in super::super) fn is_among(needle: &Simple, haystack: &Simple) -> Logic {
    match (needle, haystack) {
        (Simple::Unknown(why), _) | (_, Simple::Unknown(why)) => Logic::unknown(why.as_str()),
        (_, Simple::List(items)) => {
            let there = all(vec![needle.defined(), haystack.defined()]);
            Logic::or(items.iter().map(|item| item.test(|item| equal(needle, item)))).when(&there)
        }
        (Simple::Text(wanted), Simple::Variable(list @ Variable::Claim(path))) => {
            let (equal, names) =
                (Test::equals(wanted.as_str()), Variable::Claim(stepped(path, &Step::Names)));
            let in_list = atom(list, Quantifier::AnyOf, equal.clone());
            let in_names = atom(&names, Quantifier::AnyOf, equal.clone());
            let others = Test::Not(Box::new(Test::OneOf(vec![equal, not_text()])));
            let only_others = all(vec![is_list(list), atom(list, Quantifier::AllOf, others)]);
            let other_types =
                all(vec![in_list.clone().negated(), atom(list, Quantifier::AnyOf, not_text()), two_types()]);
            let no_name = all(vec![is_list(&names), in_names.clone().negated()]);
            Logic { yes: any(vec![in_list, in_names]), no: any(vec![only_others, other_types, no_name]) }
        }
        (_, Simple::Variable(Variable::Claim(_))) => {
            Logic::unknown("`in` is modelled with a text on the left or a list on the right")
        }
        _ => Logic::ERROR,
    }
}

/// `receiver.startsWith(argument)`, `endsWith`, `contains`, `matches`; `None` if the method is none of these.
pub(super) fn method(name: &str, receiver: &Simple, argument: &Simple) -> Option<Logic> {
    let is_known = matches!(name, "startsWith" | "endsWith" | "contains" | "matches");
    let subject = match (receiver, argument) {
        _ if !is_known => return None,
        (Simple::Unknown(why), _) | (_, Simple::Unknown(why)) => return Some(Logic::unknown(why.as_str())),
        (Simple::Text(text), Simple::Text(argument)) if name != "matches" => {
            return Some(Logic::constant(match name {
                "startsWith" => text.starts_with(argument.as_str()),
                "endsWith" => text.ends_with(argument.as_str()),
                _ => text.contains(argument.as_str()),
            }));
        }
        (Simple::Text(text), _) => Variable::Joined(vec![JoinPart::Text(text.clone())]),
        (Simple::Variable(variable), _) => variable.clone(),
        _ => return Some(Logic::ERROR),
    };
    if name == "matches" {
        return Some(match argument {
            Simple::Text(expression) => match translate(expression) {
                Ok(expression) => method_logic(&subject, &[], Test::Regex(expression)),
                Err(why) => Logic::unknown(why),
            },
            Simple::Variable(_) => Logic::unknown("a regular expression out of a claim is not modelled"),
            _ => Logic::ERROR,
        });
    }
    let Some((inner, claims)) = pattern(argument) else { return Some(Logic::ERROR) };
    let mut pattern = Pattern::default();
    if name != "startsWith" {
        pattern.push(Piece::Run);
    }
    inner.pieces.into_iter().for_each(|piece| pattern.push(piece));
    if name != "endsWith" {
        pattern.push(Piece::Run);
    }
    Some(method_logic(&subject, &claims, Test::Text { pattern, ignore_case: false }))
}

/// A method of strings fails on anything else.
fn method_logic(subject: &Variable, claims: &[Variable], test: Test) -> Logic {
    let hit = scalar(subject, test);
    let texts: Vec<Condition> = claims.iter().map(text).collect();
    let both = |condition: Condition| all(texts.iter().cloned().chain([condition]).collect());
    Logic { yes: both(hit.clone()), no: both(all(vec![text(subject), hit.negated()])) }
}

/// `size(variable)` compared with a number.
pub(super) fn length_is(variable: &Variable, comparison: Comparison, wanted: Number) -> Logic {
    let Number::Integer(wanted) = wanted else { return Logic::unknown(NUMBERS) };
    let holds = |length: i128| comparison.accepts(length.cmp(&wanted));
    // The lengths that hold are one range, and whether 0 and those from 1 on hold says all about lists.
    let Some(expression) = lengths(comparison, wanted) else {
        return Logic::unknown("comparing a size with so large a number is not modelled");
    };
    let mut logic = vec![method_logic(variable, &[], Test::Regex(expression))];
    if let Variable::Claim(path) = variable {
        let some = match (
            holds(1),
            holds(i128::MAX),
            (2..=wanted.saturating_add(1)).all(|length| holds(length) == holds(1)),
        ) {
            (first, last, true) if first == last => Logic::constant(first),
            _ => Logic::unknown("the size of a list is modelled as far as it is empty or not"),
        };
        for list in [variable.clone(), Variable::Claim(stepped(path, &Step::Names))] {
            let [empty, filled] = [empty(&list), filled(&list)];
            logic.push(Logic::constant(holds(0)).when(&empty));
            logic.push(Logic { yes: some.yes.clone(), no: some.no.clone() }.when(&filled));
        }
    }
    let (yes, no) = logic.into_iter().map(|one| (one.yes, one.no)).unzip();
    Logic { yes: any(yes), no: any(no) }
}

/// Texts of the lengths that compare so.
fn lengths(comparison: Comparison, wanted: i128) -> Option<Expression> {
    const LONGEST: i128 = 256;
    if wanted > LONGEST {
        return None;
    }
    let below =
        |number: i128| if number < 0 { "[^\\s\\S]".to_owned() } else { format!("(?s:.){{0,{number}}}") };
    let above = |number: i128| format!("(?s:.){{{},}}", number.max(0));
    let body = match comparison {
        Comparison::Equal if wanted < 0 => below(wanted),
        Comparison::Equal => format!("(?s:.){{{wanted}}}"),
        Comparison::Less => below(wanted.saturating_sub(1)),
        Comparison::LessOrEqual => below(wanted),
        Comparison::Greater => above(wanted.saturating_add(1)),
        Comparison::GreaterOrEqual => above(wanted),
    };
    Expression::parse(&format!(r"\A{body}\z")).ok()
}

/// `list.exists(item, ...)` and `list.all(item, ...)` over the items of a claim: `body` is about the variable `item` alone.
pub(super) fn quantified(list: &ClaimPath, item: &Variable, body: &Logic, any_of: bool) -> Logic {
    let claim = Variable::Claim(list.clone());
    let one = |test| atom(&claim, Quantifier::AnyOf, test);
    let every = |test| all(vec![is_list(&claim), atom(&claim, Quantifier::AllOf, test)]);
    let over = |condition: &Condition, quantify: &dyn Fn(Test) -> Condition| {
        let (must, may) = (as_test(condition, item, false)?, as_test(condition, item, true)?);
        if must == may {
            return Some(quantify(must));
        }
        let perhaps = all(vec![quantify(may), two_types()]);
        Some(any(vec![quantify(must), perhaps]))
    };
    let (yes, no) = if any_of {
        (over(&body.yes, &one), over(&body.no, &every))
    } else {
        (over(&body.yes, &every), over(&body.no, &one))
    };
    let (Some(yes), Some(no)) = (yes, no) else {
        return Logic::unknown(
            "what `exists` and `all` ask of an item is modelled where it is about the item alone",
        );
    };
    // Over an object the macros run through the names of its members.
    let names = Variable::Claim(stepped(list, &Step::Names));
    let why = "`exists` and `all` over objects are not modelled";
    let of_object = all(vec![present(&names), Condition::Unknown(why.to_owned())]);
    Logic { yes: any(vec![yes, of_object.clone()]), no: any(vec![no, of_object]) }
}

/// A condition about one variable as a test of its value, if it is nothing else; what is unknown in it counts as `unknown`.
fn as_test(condition: &Condition, item: &Variable, unknown: bool) -> Option<Test> {
    let parts = |parts: &[Condition]| {
        parts.iter().map(|part| as_test(part, item, unknown)).collect::<Option<Vec<_>>>()
    };
    let not = |test| Test::Not(Box::new(test));
    Some(match condition {
        Condition::All(inner) => not(Test::OneOf(parts(inner)?.into_iter().map(not).collect())),
        Condition::Any(inner) => Test::OneOf(parts(inner)?),
        Condition::Not(inner) => not(as_test(inner, item, !unknown)?),
        Condition::Atom(atom) if atom.variable == *item && atom.quantifier == Quantifier::Scalar => {
            // An item is there; presence as such is asked of the list as a whole.
            if atom.test == Test::Present { Test::OneOf(vec![Test::Present]) } else { atom.test.clone() }
        }
        Condition::Unknown(_) if unknown => Test::OneOf(vec![Test::Present]),
        Condition::Unknown(_) => Test::OneOf(Vec::new()),
        Condition::Atom(_) | Condition::Clause(_) => return None,
    })
}

/// What a text looks like, with the claims that it is made of.
fn pattern(simple: &Simple) -> Option<(Pattern, Vec<Variable>)> {
    let mut pattern = Pattern::default();
    let mut claims = Vec::new();
    for part in simple.parts()? {
        match part {
            JoinPart::Text(text) => pattern.push(Piece::Text(text)),
            JoinPart::Claim(path) => {
                claims.push(Variable::Claim(path.clone()));
                pattern.push(Piece::Variable(Variable::Claim(path), None));
            }
        }
    }
    Some((pattern, claims))
}

/// The value is a text.
pub(in super::super) fn is_text(value: &Simple) -> Condition {
    match value {
        Simple::Text(_) => Condition::TRUE,
        Simple::Variable(variable) => text(variable),
        Simple::Unknown(why) => Condition::Unknown(why.clone()),
        _ => Condition::FALSE,
    }
}

fn text(variable: &Variable) -> Condition {
    scalar(variable, any_text())
}

fn any_text() -> Test {
    Test::Text { pattern: Pattern { pieces: vec![Piece::Run] }, ignore_case: false }
}

fn not_text() -> Test {
    Test::Not(Box::new(any_text()))
}

fn two_types() -> Condition {
    Condition::Unknown(TWO_TYPES.to_owned())
}

fn is_list(variable: &Variable) -> Condition {
    any(vec![filled(variable), empty(variable)])
}

/// A list with an item.
fn filled(variable: &Variable) -> Condition {
    atom(variable, Quantifier::AnyOf, Test::OneOf(vec![Test::Present]))
}

/// A list without items; `AllOf` alone would be true of an absent variable too.
fn empty(variable: &Variable) -> Condition {
    all(vec![present(variable), atom(variable, Quantifier::AllOf, Test::OneOf(Vec::new()))])
}

/// A step further into a claim.
pub(super) fn stepped(path: &ClaimPath, step: &Step) -> ClaimPath {
    let steps = path.steps.iter().chain(from_ref(step)).cloned().collect();
    ClaimPath { steps, ..path.clone() }
}
