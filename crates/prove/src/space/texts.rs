//! The texts that a claim can be, with every other claim that they are made of taken apart into parts.

use daypass_trust::form::{ClaimPath, JoinPart, Step};

use crate::universe::{Kind, Model, PartId, TextPiece, TextRule, Universe};

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

/// The forms that a text can have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Forms {
    pub(crate) flats: Vec<Flat>,
    /// Whether there are more.
    pub(crate) cut_short: bool,
}

impl Forms {
    const NONE: Self = Self { flats: Vec::new(), cut_short: false };

    fn one(flat: Flat) -> Self {
        Self { flats: vec![flat], cut_short: false }
    }

    fn literal(text: &str) -> Self {
        Self::one(vec![FlatPiece::Literal(text.to_owned())])
    }

    fn part(part: PartId) -> Self {
        Self::one(vec![FlatPiece::Part { part, escapes: Vec::new() }])
    }

    /// These or the others.
    fn or(mut self, others: Self) -> Self {
        self.flats.extend(others.flats);
        self.cut_short |= others.cut_short || self.flats.len() > MOST;
        self.flats.truncate(MOST);
        self
    }

    /// Each of these with each of the others behind it.
    fn then(&self, others: &Self) -> Self {
        let joined = self.flats.iter().flat_map(|one| {
            others.flats.iter().map(move |two| {
                let mut flat = one.clone();
                for piece in two {
                    push(&mut flat, piece.clone());
                }
                flat
            })
        });
        let all = self.flats.len().saturating_mul(others.flats.len());
        let cut_short = self.cut_short || others.cut_short || all > MOST;
        Self { flats: joined.take(MOST).collect(), cut_short }
    }

    fn escaped(mut self, escapes: &Escapes) -> Self {
        self.flats = self.flats.into_iter().map(|flat| escape(flat, escapes)).collect();
        self
    }
}

/// Every form of the text that a claim can be.
pub(crate) fn of_claim(universe: &Universe, claim: &str) -> Forms {
    expand(universe, claim, 0)
}

/// Every form of a text that is put together; `None` where a step into a claim stands in the way.
pub(crate) fn of_join(universe: &Universe, parts: &[JoinPart]) -> Option<Forms> {
    let mut forms = Forms::one(Vec::new());
    for part in parts {
        forms = forms.then(&match part {
            JoinPart::Text(text) => Forms::literal(text),
            JoinPart::Claim(path) => of_path(universe, path)?,
        });
    }
    Some(forms)
}

/// Every form of the text at a path; `None` where a step stands in the way.
pub(crate) fn of_path(universe: &Universe, path: &ClaimPath) -> Option<Forms> {
    let mut forms = of_claim(universe, path.claim.as_str());
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
        forms = forms.escaped(&letters);
    }
    Some(forms)
}

/// Whether a path steps into a claim that is known to have nothing there: into a text as if it were an object or a list.
pub(crate) fn leads_nowhere(universe: &Universe, path: &ClaimPath) -> bool {
    let into_list = match path.steps.first() {
        Some(Step::Member(_) | Step::MemberIgnoreCase(_) | Step::Names) => false,
        Some(Step::Item(_)) => true,
        _ => return false,
    };
    let is_flat = |kind: &Kind| match kind {
        Kind::Text(_) | Kind::Flag | Kind::Integer | Kind::Null => true,
        Kind::List(_) => !into_list,
        Kind::Opaque(_) => false,
    };
    match universe.model(path.claim.as_str()).filter(|_| universe.platform().is_some()) {
        Some(Model::Part(part)) => universe.part(*part).is_some_and(|part| part.kinds.iter().all(is_flat)),
        Some(Model::Rules(_)) => true,
        Some(Model::Fixed(value)) => value.as_str().is_some(),
        None => false,
    }
}

fn expand(universe: &Universe, claim: &str, depth: usize) -> Forms {
    match universe.model(claim) {
        _ if depth > DEEPEST => Forms { cut_short: true, ..Forms::NONE },
        None => Forms::NONE,
        Some(Model::Fixed(value)) => value.as_str().map_or(Forms::NONE, Forms::literal),
        Some(Model::Part(part)) => Forms::part(*part),
        Some(Model::Rules(rules)) => {
            let of = |rule: &TextRule| {
                let piece = |forms: Forms, piece: &TextPiece| {
                    let next = match piece {
                        // What the rule writes itself is not escaped.
                        TextPiece::Literal(text) => return forms.then(&Forms::literal(text)),
                        TextPiece::Part(part) => Forms::part(*part),
                        TextPiece::OptionalPart(part) => Forms::one(Vec::new()).or(Forms::part(*part)),
                        TextPiece::Claim(name) => expand(universe, name.as_str(), depth.saturating_add(1)),
                    };
                    forms.then(&next.escaped(&rule.escapes))
                };
                rule.pieces.iter().fold(Forms::one(Vec::new()), piece)
            };
            rules.iter().map(of).fold(Forms::NONE, Forms::or)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_forms_than_are_gone_through_are_said_to_be_more() {
        let two = Forms::literal("a").or(Forms::literal("b"));
        let many = (0..6).fold(Forms::one(Vec::new()), |forms, _| forms.then(&two));
        assert_eq!((many.flats.len(), many.cut_short), (MOST, false));
        let more = many.then(&two);
        assert_eq!((more.flats.len(), more.cut_short), (MOST, true));
        assert!(many.or(Forms::literal("c")).cut_short);
        assert!(two.then(&more).cut_short && two.or(more).cut_short);
    }
}
