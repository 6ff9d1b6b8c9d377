//! The subjects of the tokens that are meant, as patterns: exact where they are, and else no wider than the parts that vary.

use std::collections::BTreeMap;

use daypass_claims::ClaimName;
use daypass_trust::form::Pattern;

use super::shape::{self, product};
use super::wish::Wish;
use crate::estate::Facts;
use crate::space::{Choice, Formula, Found, Leaves};
use crate::universe::{Model, PartId, TextPiece, TextRule, Universe};
use crate::world::{Options, World};

/// The most subjects that one wish may come to.
const MOST: usize = 24;
/// The deepest that claims may be made of claims.
const DEEPEST: usize = 8;

/// Patterns that match the subjects of all tokens that are meant; empty where none is minted in this universe, and an error
/// in words where there are too many or nobody can say.
pub(super) fn patterns(
    universe: &Universe,
    wish: Wish<'_>,
    options: &Options,
) -> Result<Vec<Pattern>, String> {
    let sub = ClaimName::from("sub");
    let parts = wish.parts(universe);
    let mut found: Vec<Pattern> = Vec::new();
    while found.len() < MOST {
        let facts = Facts::of(universe, &options.estate, &[]);
        let ask = |leaves: &mut Leaves| {
            let meant = wish.tokens(universe, &facts, leaves);
            let seen = leaves.claim(&sub, found.clone());
            meant.map(|meant| meant.and(seen.negated())).into_iter().collect()
        };
        let world = World::new(universe, &[], options, ask);
        if world.asked.is_empty() {
            return Ok(found);
        }
        match world.find(&Formula::All(world.asked.clone()), &[]) {
            Found::None => return Ok(found),
            Found::Unknown(why) => return Err(why.join("; ")),
            Found::Token(choice) => {
                let reader = Reader { universe, world: &world, choice: &choice, parts: &parts };
                let more = reader.text(&sub, 0).ok_or("the subject is made of too much that varies")?;
                if more.iter().all(|pattern| found.contains(pattern)) {
                    return Err("the subjects cannot be written as patterns".to_owned());
                }
                found.extend(more);
            }
        }
    }
    Err(format!("there are more than {MOST} subjects"))
}

/// Reads the patterns of a token's claims off the choice of its parts.
struct Reader<'r> {
    universe: &'r Universe,
    world: &'r World<'r>,
    choice: &'r Choice,
    parts: &'r BTreeMap<PartId, Vec<Pattern>>,
}

impl Reader<'_> {
    fn text(&self, claim: &ClaimName, depth: usize) -> Option<Vec<Pattern>> {
        if depth > DEEPEST {
            return None;
        }
        match self.universe.model(claim.as_str())? {
            Model::Fixed(value) => Some(vec![Pattern::literal(value.as_str()?)]),
            Model::Part(part) => self.part(*part),
            Model::Rules(rules) => {
                let rule = rules.iter().find(|rule| self.applies(rule))?;
                let mut all = vec![Pattern::default()];
                for piece in &rule.pieces {
                    let next = match piece {
                        TextPiece::Literal(text) => vec![Pattern::literal(text.as_str())],
                        TextPiece::Part(part) => escaped(self.part(*part)?, &rule.escapes),
                        TextPiece::OptionalPart(part) => {
                            match self.world.space.part_value(*part, self.choice) {
                                Some(value) if value.as_str().is_some() => {
                                    escaped(self.part(*part)?, &rule.escapes)
                                }
                                _ => vec![Pattern::default()],
                            }
                        }
                        TextPiece::Claim(name) => {
                            escaped(self.text(name, depth.saturating_add(1))?, &rule.escapes)
                        }
                    };
                    all = product(&all, &next)?;
                }
                Some(all)
            }
        }
    }

    fn applies(&self, rule: &TextRule) -> bool {
        let value = |name: &str| self.world.space.claim_value(name, self.choice);
        rule.when.iter().all(|guard| guard.holds(value(guard.claim.as_str()).as_ref()))
    }

    /// What a part is: the text where it can be no other or where it is asked for, the glob that is asked for, else its form.
    fn part(&self, part: PartId) -> Option<Vec<Pattern>> {
        let value = self.world.space.part_value(part, self.choice)?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let asked = self.parts.get(&part).into_iter().flatten();
        let fits = asked.clone().find(|pattern| pattern.matches(&text, false, &mut |_| None));
        if let Some(pattern) = fits {
            return Some(vec![pattern.clone()]);
        }
        if self.world.space.is_only(part, self.choice) {
            return Some(vec![Pattern::literal(text)]);
        }
        let language = self.universe.part(part)?.kinds.first()?.text()?;
        shape::globs(language).or_else(|| Some(vec![Pattern::glob("*")]))
    }
}

/// Literal text as the rule writes it inside values.
fn escaped(patterns: Vec<Pattern>, escapes: &[(char, String)]) -> Vec<Pattern> {
    use daypass_trust::form::Piece;
    let one = |pattern: Pattern| {
        let mut written = Pattern::default();
        for piece in pattern.pieces {
            written.push(match piece {
                Piece::Text(text) => {
                    let mut out = String::new();
                    crate::universe::push_escaped(&mut out, &text, escapes);
                    Piece::Text(out)
                }
                other => other,
            });
        }
        written
    };
    patterns.into_iter().map(one).collect()
}
