use daypass_claims::ClaimSet;
use daypass_prove::{Answer, Options, Verdict, dead, diff, implies, members, overlap, who};
use daypass_trust::evaluate::{Outcome, outcome};
use daypass_trust::form::Policy;
use daypass_trust::{Context, Truth};

use super::draw::Draw;

/// How many pairs of a policy and a token each dialect is tested with.
const PAIRS: usize = 100_000;
/// Every so many policies, one is asked about in all ways, and together with the one before it.
const ASKED: usize = 8;

/// One policy, and what it decides of every token.
struct Decided {
    policy: Policy,
    text: String,
    truths: Vec<Truth>,
}

/// Draws policies until there are enough pairs, and holds what is proved of them to what they decide.
pub(super) fn agrees(seed: u64, tokens: &[ClaimSet], mut policy: impl FnMut(&mut Draw) -> (Policy, String)) {
    let mut draw = Draw::new(seed);
    let options = Options::default();
    let (mut pairs, mut admitted, mut refused) = (0_usize, 0_usize, 0_usize);
    let mut before: Option<Decided> = None;
    for number in 0.. {
        if pairs >= PAIRS {
            break;
        }
        let (policy, text) = policy(&mut draw);
        let context = Context::new();
        let truths: Vec<Truth> = tokens.iter().map(|token| outcome(&policy, token, &context).0).collect();
        let proved = members(&policy, tokens, &options);
        for ((token, truth), proved) in tokens.iter().zip(&truths).zip(proved) {
            assert_eq!(proved, Some(*truth), "{token:?}\n{text}");
        }
        pairs += tokens.len();
        admitted += truths.iter().filter(|truth| truth.is_true()).count();
        refused += truths.iter().filter(|truth| **truth == Truth::False).count();
        let this = Decided { policy, text, truths };
        one(&this, &options);
        if let (Some(before), 0) = (&before, number % ASKED) {
            two(before, &this, &options);
            listed(&this, &options);
        }
        before = Some(this);
    }
    assert!(admitted > pairs / 50 && refused > pairs / 50, "{admitted} and {refused} of {pairs}");
}

/// What is asked about one policy.
fn one(this: &Decided, options: &Options) {
    let any = this.truths.contains(&Truth::True);
    let dead = dead(&this.policy, options);
    agree(&dead, any.then_some(false), &this.text);
    shows(&dead, &[(&this.policy, Outcome::Allow)]);
}

/// That the list of callers is empty exactly where nobody is admitted.
fn listed(this: &Decided, options: &Options) {
    let dead = dead(&this.policy, options);
    let who = who(&this.policy, options);
    assert_eq!(who.who.iter().any(|it| it.witness.is_some()), dead.answer == Verdict::No, "{}", this.text);
}

/// What is asked about two policies.
fn two(one: &Decided, other: &Decided, options: &Options) {
    let text = format!("{}\n{}", one.text, other.text);
    let pairs = || one.truths.iter().zip(&other.truths);
    let only = |one: Truth, other: Truth| one == Truth::True && other == Truth::False;
    let gains = pairs().any(|(one, other)| only(*other, *one));
    let loses = pairs().any(|(one, other)| only(*one, *other));
    let shares = pairs().any(|(one, other)| *one == Truth::True && *other == Truth::True);
    let implied = implies(&one.policy, &other.policy, options);
    agree(&implied, loses.then_some(false), &text);
    shows(&implied, &[(&one.policy, Outcome::Allow), (&other.policy, Outcome::Deny)]);
    let overlapping = overlap(&one.policy, &other.policy, options);
    agree(&overlapping, shares.then_some(true), &text);
    shows(&overlapping, &[(&one.policy, Outcome::Allow), (&other.policy, Outcome::Allow)]);
    let diff = diff(&one.policy, &other.policy, options);
    let shown = |changes: &[daypass_prove::Change]| changes.iter().any(|change| change.witness.is_some());
    assert!(shown(&diff.gained) || !gains, "{text}");
    assert!(shown(&diff.lost) || !loses, "{text}");
    assert!(!(diff.equivalent && (gains || loses)), "{text}");
    // What is lost is what keeps one policy from implying the other.
    assert_eq!(shown(&diff.lost), implied.answer == Verdict::No, "{text}");
}

/// An answer must be the one that the population shows, where it shows one.
fn agree(answer: &Answer, shown: Option<bool>, text: &str) {
    let wrong = match shown {
        Some(true) => Verdict::No,
        Some(false) => Verdict::Yes,
        None => return,
    };
    assert_ne!(answer.answer, wrong, "{text}");
}

/// A token that is shown must be decided as it is said.
fn shows(answer: &Answer, expected: &[(&Policy, Outcome)]) {
    let Some(witness) = &answer.witness else { return };
    for (policy, expected) in expected {
        let context = Context::new().issuer(witness.issuer.clone());
        assert_eq!(daypass_trust::evaluate(policy, &witness.claims, &context).outcome, *expected);
    }
}
