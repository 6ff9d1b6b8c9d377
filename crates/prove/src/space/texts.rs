//! The texts that a claim can be, with every other claim that they are made of taken apart into parts.

use daypass_claims::ClaimName;
use daypass_trust::form::{ClaimPath, JoinPart, Step};

use crate::universe::{Model, PartId, TextPiece, Universe};

/// How a character is written inside a value, for those that are written differently.
pub(crate) type Escapes = Vec<(char, String)>;

/// A text over parts.
pub(crate) type Flat = Vec<FlatPiece>;

/// A piece of a [`Flat`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FlatPiece {
    Literal(String),
    Part { part: PartId, escapes: Escapes },
}

/// The most texts that one claim may take apart into.
const MOST: usize = 64;
/// The deepest that claims may be made of claims.
const DEEPEST: usize = 16;

/// Every form of the text that a claim can be.
pub(crate) fn of_claim(universe: &Universe, claim: &str) -> Vec<Flat> {
    expand(universe, claim, 0)
}

/// Every form of a text that is put together; `None` where a step into a claim stands in the way.
pub(crate) fn of_join(universe: &Universe, parts: &[JoinPart]) -> Option<Vec<Flat>> {
    let mut flats: Vec<Flat> = vec![Vec::new()];
    for part in parts {
        let next = match part {
            JoinPart::Text(text) => vec![vec![FlatPiece::Literal(text.clone())]],
            JoinPart::Claim(path) => of_path(universe, path)?,
        };
        flats = product(&flats, &next);
    }
    Some(flats)
}

/// Every form of the text at a path; `None` where a step stands in the way.
pub(crate) fn of_path(universe: &Universe, path: &ClaimPath) -> Option<Vec<Flat>> {
    let mut flats = of_claim(universe, path.claim.as_str());
    for step in &path.steps {
        let cased: fn(char) -> String = match step {
            Step::Lower => |c| c.to_ascii_lowercase().to_string(),
            Step::Upper => |c| c.to_ascii_uppercase().to_string(),
            // A list's one item is looked at as the list's items are.
            Step::OnlyItem => continue,
            _ => return None,
        };
        let letters = ('a'..='z').chain('A'..='Z').map(|c| (c, cased(c)));
        let letters: Escapes = letters.filter(|(c, to)| *to != c.to_string()).collect();
        flats = flats.into_iter().map(|flat| escape(flat, &letters)).collect();
    }
    Some(flats)
}

fn expand(universe: &Universe, claim: &str, depth: usize) -> Vec<Flat> {
    match universe.model(claim) {
        _ if depth > DEEPEST => Vec::new(),
        None => Vec::new(),
        Some(Model::Fixed(value)) => {
            value.as_str().map_or_else(Vec::new, |text| vec![vec![FlatPiece::Literal(text.to_owned())]])
        }
        Some(Model::Part(part)) => vec![vec![FlatPiece::Part { part: *part, escapes: Vec::new() }]],
        Some(Model::Rules(rules)) => {
            let mut all = Vec::new();
            for rule in rules {
                let mut flats: Vec<Flat> = vec![Vec::new()];
                for piece in &rule.pieces {
                    let next = match piece {
                        TextPiece::Literal(text) => {
                            // What the rule writes itself is not escaped.
                            flats = product(&flats, &[vec![FlatPiece::Literal(text.clone())]]);
                            continue;
                        }
                        TextPiece::Part(part) => {
                            vec![vec![FlatPiece::Part { part: *part, escapes: Vec::new() }]]
                        }
                        TextPiece::OptionalPart(part) => {
                            vec![Vec::new(), vec![FlatPiece::Part { part: *part, escapes: Vec::new() }]]
                        }
                        TextPiece::Claim(name) => nested(universe, name, depth),
                    };
                    let next: Vec<Flat> = next.into_iter().map(|flat| escape(flat, &rule.escapes)).collect();
                    flats = product(&flats, &next);
                }
                all.extend(flats);
            }
            all.truncate(MOST);
            all
        }
    }
}

fn nested(universe: &Universe, name: &ClaimName, depth: usize) -> Vec<Flat> {
    expand(universe, name.as_str(), depth.saturating_add(1))
}

fn product(left: &[Flat], right: &[Flat]) -> Vec<Flat> {
    let joined = left.iter().flat_map(|one| {
        right.iter().map(move |two| {
            let mut flat = one.clone();
            for piece in two {
                push(&mut flat, piece.clone());
            }
            flat
        })
    });
    joined.take(MOST).collect()
}

fn push(flat: &mut Flat, piece: FlatPiece) {
    match (flat.last_mut(), piece) {
        (_, FlatPiece::Literal(text)) if text.is_empty() => {}
        (Some(FlatPiece::Literal(before)), FlatPiece::Literal(text)) => before.push_str(&text),
        (_, piece) => flat.push(piece),
    }
}

fn escape(flat: Flat, escapes: &Escapes) -> Flat {
    if escapes.is_empty() {
        return flat;
    }
    let pieces = flat.into_iter().map(|piece| match piece {
        FlatPiece::Literal(text) => FlatPiece::Literal(escaped(&text, escapes)),
        FlatPiece::Part { part, escapes: inner } => {
            // First as the inner text writes it, then that as the outer one does.
            let mut both: Escapes = inner.iter().map(|(from, to)| (*from, escaped(to, escapes))).collect();
            both.extend(
                escapes.iter().filter(|(from, _)| !inner.iter().any(|(known, _)| known == from)).cloned(),
            );
            FlatPiece::Part { part, escapes: both }
        }
    });
    pieces.collect()
}

fn escaped(text: &str, escapes: &Escapes) -> String {
    let mut written = String::new();
    crate::universe::push_escaped(&mut written, text, escapes);
    written
}
