//! Invariants: written statements about the tokens that no role may admit.
//!
//! ```text
//! invariant = "no token" ["of" PLATFORM] "with" term {"and" term}
//! term      = CLAIM ("present" | "absent")
//!           | CLAIM ("==" | "!=" | "like" | "not like") VALUE
//! ```
//!
//! `CLAIM` is a claim's name, `PLATFORM` an id of the catalogue of issuers; a name or value that holds white space stands in double
//! quotes. `like` takes a glob in which `*` is any run of characters and `?` any one. A token without the claim is
//! not `==` and not `like` anything, so it *is* `!=` and `not like` everything. Of a list, one item that is meant will do.
//!
//! `no token with repository_owner_id != 1001` says that no role lets in other organisations.

use std::fmt;
use std::str::FromStr;

use daypass_claims::ClaimName;
use daypass_issuers::catalogue;
use daypass_trust::evaluate::Outcome;
use daypass_trust::form::{Atom, ClaimPath, Condition, Pattern, Policy, Quantifier, Reading, Test, Variable};

use crate::Answer;
use crate::space::{Formula, Found, Leaves};
use crate::world::{Issuers, Options, World, issuers_of, universes};

/// A statement about the tokens that no role may admit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    platform: Option<String>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    claim: String,
    test: TermTest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TermTest {
    Present,
    Absent,
    Is(String),
    IsNot(String),
    Like(String),
    NotLike(String),
}

/// The text is no invariant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvariantError {
    /// It does not begin as one.
    #[error("an invariant begins with `no token with`, or with `no token of PLATFORM with`")]
    Beginning,
    /// There is no such platform.
    #[error("no platform is called `{0}` (an id of the catalogue, such as `github-actions`)")]
    Platform(String),
    /// Nothing is said of the tokens.
    #[error("it ends where a claim's name should stand")]
    NoClaim,
    /// It is not said how the claim compares.
    #[error(
        "after `{claim}` stands {found}, where one of ==, !=, like, not like, present, absent should stand"
    )]
    Operator {
        /// The claim.
        claim: String,
        /// What stands there.
        found: String,
    },
    /// Nothing to compare with.
    #[error("after `{claim} {operator}` a value should stand")]
    NoValue {
        /// The claim.
        claim: String,
        /// How it compares.
        operator: &'static str,
    },
    /// Something stands between two terms that is not `and`.
    #[error(
        "`{0}` stands where `and` or the end should be (a value with white space stands in double quotes)"
    )]
    Trailing(String),
    /// A quoted text has no end.
    #[error("a double quote is not closed")]
    OpenQuote,
}

impl Invariant {
    /// Whether a role keeps to it; if not, with a token that it admits and must not.
    pub fn holds(&self, policy: &Policy, options: &Options) -> Answer {
        let Issuers { known, others } = issuers_of(&[policy], options);
        let mut doubts = others;
        for issuer in &known {
            let mut found = universes(issuer, &[policy], options);
            if let Some(id) = &self.platform {
                found.retain(|it| it.platform().is_some_and(|platform| platform.id == *id));
            }
            for universe in &mut found {
                for term in &self.terms {
                    // A claim that the platform is known not to write is absent from all of its tokens.
                    let minted = universe.platform().is_none_or(|it| it.claims.get(&term.claim).is_some());
                    if minted {
                        universe.admit_claim(&term.claim);
                    }
                }
            }
            for universe in &found {
                let ask = |leaves: &mut Leaves| vec![self.formula(leaves)];
                let world = World::new(universe, &[policy], options, ask);
                let wanted = world.admits.iter().chain(&world.asked).cloned().collect();
                match world.find(&Formula::All(wanted), &[(policy, Outcome::Allow)]) {
                    Found::Token(choice) => return Answer::no(Some(world.witness(&choice)), Vec::new()),
                    Found::Unknown(why) => doubts.extend(why),
                    Found::None => {}
                }
            }
        }
        doubts.dedup();
        if doubts.is_empty() { Answer::yes(None, Vec::new()) } else { Answer::unknown(doubts) }
    }

    fn formula(&self, leaves: &mut Leaves) -> Formula {
        Formula::All(self.terms.iter().map(|term| term.formula(leaves)).collect())
    }
}

impl Term {
    fn formula(&self, leaves: &mut Leaves) -> Formula {
        let one = |test: Test, leaves: &mut Leaves| {
            let of = |quantifier| {
                let variable = Variable::Claim(ClaimPath::claim(ClaimName::from(self.claim.as_str())));
                let test = test.clone();
                Condition::Atom(Atom { variable, reading: Reading::Strict, quantifier, test })
            };
            // The claim itself, or an item of it where it is a list.
            leaves.condition(&Condition::Any(vec![of(Quantifier::Scalar), of(Quantifier::AnyOf)]))
        };
        let glob = |text: &str| Test::Text { pattern: Pattern::glob(text), ignore_case: false };
        match &self.test {
            TermTest::Present => one(Test::Present, leaves),
            TermTest::Absent => one(Test::Present, leaves).negated(),
            TermTest::Is(text) => one(Test::equals(text.as_str()), leaves),
            TermTest::IsNot(text) => one(Test::equals(text.as_str()), leaves).negated(),
            TermTest::Like(text) => one(glob(text), leaves),
            TermTest::NotLike(text) => one(glob(text), leaves).negated(),
        }
    }
}

impl FromStr for Invariant {
    type Err = InvariantError;

    fn from_str(text: &str) -> Result<Self, InvariantError> {
        let words = words(text)?;
        let plain: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        let (platform, rest) = match plain.as_slice() {
            ["no", "token", "with", ..] => (None, words.get(3..)),
            ["no", "token", "of", id, "with", ..] => (Some((*id).to_owned()), words.get(5..)),
            _ => return Err(InvariantError::Beginning),
        };
        if let Some(id) = platform.as_ref().filter(|id| catalogue().platform(id).is_none()) {
            return Err(InvariantError::Platform(id.clone()));
        }
        let mut words = rest.unwrap_or_default().iter();
        let mut terms = Vec::new();
        loop {
            terms.push(term(&mut words)?);
            match words.next() {
                None => return Ok(Self { platform, terms }),
                Some(word) if word.is("and") => {}
                Some(word) => return Err(InvariantError::Trailing(word.text.clone())),
            }
        }
    }
}

fn term<'w>(words: &mut impl Iterator<Item = &'w Word>) -> Result<Term, InvariantError> {
    let claim = words.next().ok_or(InvariantError::NoClaim)?.text.clone();
    let operator = |word: Option<&Word>, claim: &str| {
        let found = word.map_or_else(|| "nothing".to_owned(), |word| format!("`{}`", word.text));
        InvariantError::Operator { claim: claim.to_owned(), found }
    };
    let mut value = |name: &'static str| {
        let word = words.next();
        let missing = || InvariantError::NoValue { claim: claim.clone(), operator: name };
        word.map(|word| word.text.clone()).ok_or_else(missing)
    };
    let test = match value("") {
        Err(_) => return Err(operator(None, &claim)),
        Ok(word) => match word.as_str() {
            "present" => TermTest::Present,
            "absent" => TermTest::Absent,
            "==" => TermTest::Is(value("==")?),
            "!=" => TermTest::IsNot(value("!=")?),
            "like" => TermTest::Like(value("like")?),
            "not" => match value("not") {
                Ok(like) if like == "like" => TermTest::NotLike(value("not like")?),
                _ => {
                    return Err(InvariantError::Operator { claim, found: "`not` without `like`".to_owned() });
                }
            },
            other => return Err(InvariantError::Operator { claim, found: format!("`{other}`") }),
        },
    };
    Ok(Term { claim, test })
}

/// A word of an invariant.
struct Word {
    text: String,
    quoted: bool,
}

impl Word {
    fn is(&self, text: &str) -> bool {
        !self.quoted && self.text == text
    }
}

/// Words are apart by white space; what stands in double quotes is one word.
fn words(text: &str) -> Result<Vec<Word>, InvariantError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (inner, after) = quoted.split_once('"').ok_or(InvariantError::OpenQuote)?;
                words.push(Word { text: inner.to_owned(), quoted: true });
                after.trim_start()
            }
            None => {
                let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                words.push(Word { text: word.to_owned(), quoted: false });
                after.trim_start()
            }
        };
    }
    Ok(words)
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no token")?;
        if let Some(platform) = &self.platform {
            write!(f, " of {platform}")?;
        }
        for (at, term) in self.terms.iter().enumerate() {
            f.write_str(if at == 0 { " with " } else { " and " })?;
            let quoted = |text: &str| {
                let plain = !text.is_empty() && !text.contains(char::is_whitespace) && !text.starts_with('"');
                if plain { text.to_owned() } else { format!("\"{text}\"") }
            };
            f.write_str(&quoted(&term.claim))?;
            match &term.test {
                TermTest::Present => f.write_str(" present")?,
                TermTest::Absent => f.write_str(" absent")?,
                TermTest::Is(text) => write!(f, " == {}", quoted(text))?,
                TermTest::IsNot(text) => write!(f, " != {}", quoted(text))?,
                TermTest::Like(text) => write!(f, " like {}", quoted(text))?,
                TermTest::NotLike(text) => write!(f, " not like {}", quoted(text))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> InvariantError {
        text.parse::<Invariant>().unwrap_err()
    }

    #[test]
    fn an_invariant_reads_as_it_is_written() {
        for text in [
            "no token with repository_owner_id != 1001",
            "no token of github-actions with event_name == pull_request and environment absent",
            "no token with sub like repo:*:pull_request and \"job name\" not like \"a b*\" and ref present",
        ] {
            assert_eq!(text.parse::<Invariant>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_invariant_is_refused_with_what_would_be_right() {
        assert_eq!(refusal("any token with a == b"), InvariantError::Beginning);
        assert_eq!(refusal(""), InvariantError::Beginning);
        assert_eq!(refusal("no token of github with a == b"), InvariantError::Platform("github".to_owned()));
        assert_eq!(refusal("no token with"), InvariantError::NoClaim);
        assert_eq!(refusal("no token with a == b and"), InvariantError::NoClaim);
        assert!(matches!(refusal("no token with a"), InvariantError::Operator { .. }));
        assert!(matches!(refusal("no token with a = b"), InvariantError::Operator { .. }));
        assert!(matches!(refusal("no token with a not b"), InvariantError::Operator { .. }));
        assert!(matches!(refusal("no token with a not like"), InvariantError::NoValue { .. }));
        assert!(matches!(refusal("no token with a =="), InvariantError::NoValue { .. }));
        assert_eq!(refusal("no token with a == b c"), InvariantError::Trailing("c".to_owned()));
        assert_eq!(refusal("no token with a == \"b"), InvariantError::OpenQuote);
    }
}
