//! What an issuer can mint: its claims as texts over independent parts.
//!
//! `sub` is no free string: on GitHub it is `repo:{owner}/{name}:ref:{ref}`, or something else that follows from other claims.
//! So a token is a choice of a value for each *part*, and everything else follows.

mod build;
mod part;

use std::collections::BTreeMap;

use daypass_claims::{ClaimName, ClaimSet, ClaimValue, Issuer};
use daypass_issuers::{Filter, Guard, Platform, Slot};

pub use build::UniverseError;
pub(crate) use part::{Kind, Part, PartId};

/// What an issuer can mint.
#[derive(Clone, Debug)]
pub struct Universe {
    issuer: Issuer,
    platform: Option<&'static Platform>,
    /// The form of its subjects.
    form: Option<String>,
    parts: Vec<Part>,
    models: BTreeMap<ClaimName, Model>,
    consistent: Vec<Consistency>,
    /// Where the universe is not known to be exactly what the issuer mints.
    remarks: Vec<String>,
}

/// How a claim follows from parts.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    /// It is a part's value.
    Part(PartId),
    /// It is text: the first rule whose guards hold.
    Rules(Vec<TextRule>),
    /// It is always this.
    Fixed(ClaimValue),
}

/// A text that applies when its guards hold.
#[derive(Clone, Debug)]
pub(crate) struct TextRule {
    pub(crate) when: Vec<Guard>,
    pub(crate) pieces: Vec<TextPiece>,
    /// Characters that are written differently inside values.
    pub(crate) escapes: Vec<(char, String)>,
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextPiece {
    Literal(String),
    Part(PartId),
    /// A part that may be absent, and then is not written.
    OptionalPart(PartId),
    /// Another claim's text.
    Claim(ClaimName),
}

/// Something that holds of every token: if the guards hold, so does the last one.
#[derive(Clone, Debug)]
pub(crate) struct Consistency {
    pub(crate) when: Vec<Guard>,
    pub(crate) then: Guard,
}

impl Universe {
    /// Whose tokens these are.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What the catalogue knows about the issuer, if anything.
    pub const fn platform(&self) -> Option<&'static Platform> {
        self.platform
    }

    /// The form of its subjects, where the issuer's have one.
    pub fn form(&self) -> Option<&str> {
        self.form.as_deref()
    }

    /// Whether its subjects have a form that the platform gives them unasked.
    pub(crate) fn has_usual_form(&self) -> bool {
        let form = self.form.as_deref();
        self.platform.is_some_and(|it| it.subjects.iter().any(|subject| form == Some(subject.name.as_str())))
    }

    /// Where the universe is not known to be exactly what the issuer mints, in words.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    pub(crate) fn part(&self, id: PartId) -> Option<&Part> {
        self.parts.get(id.0)
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = (PartId, &Part)> {
        self.parts.iter().enumerate().map(|(at, part)| (PartId(at), part))
    }

    pub(crate) fn model(&self, claim: &str) -> Option<&Model> {
        self.models.get(claim)
    }

    pub(crate) fn models(&self) -> impl Iterator<Item = (&ClaimName, &Model)> {
        self.models.iter()
    }

    pub(crate) fn consistent(&self) -> &[Consistency] {
        &self.consistent
    }

    /// The part that a slot of the catalogue takes, where it takes exactly one.
    pub(crate) fn part_of(&self, slot: &Slot) -> Option<PartId> {
        let model = self.models.get(&slot.name)?;
        let rules = match model {
            Model::Part(part) => return slot.filter.is_none().then_some(*part),
            Model::Fixed(_) => return None,
            Model::Rules(rules) => rules,
        };
        let [TextRule { pieces, .. }] = rules.as_slice() else { return None };
        match (&slot.filter, pieces.as_slice()) {
            (None, [TextPiece::Part(part)])
            | (Some(Filter::Segment(0)), [TextPiece::Part(part), ..])
            | (Some(Filter::Segment(1)), [_, _, TextPiece::Part(part)])
            | (Some(Filter::Unbraced), [_, TextPiece::Part(part), _]) => Some(*part),
            (None, [TextPiece::Claim(name)]) => self.part_of(&Slot { name: name.clone(), ..slot.clone() }),
            // Of a path of groups, the one at the top; of an owner and a name, the name.
            (None, [TextPiece::Part(top), TextPiece::Part(_)]) => Some(*top),
            (None, [TextPiece::Part(_), .., TextPiece::Part(part)]) => Some(*part),
            (None, [TextPiece::Literal(_), TextPiece::Part(part), TextPiece::Literal(_)]) => Some(*part),
            _ => None,
        }
    }

    /// The parts that a name or an id is written to, with what each is then: those of the first slot that can hold it.
    pub(crate) fn taken_apart_by(&self, slots: &[Slot], text: &str) -> Vec<(PartId, String)> {
        slots
            .iter()
            .map(|slot| self.taken_apart(slot, text))
            .find(|parts| !parts.is_empty())
            .unwrap_or_default()
    }

    /// What each part of a claim is when the claim is this text.
    pub(crate) fn apart(&self, claim: &ClaimName, text: &str) -> Vec<(PartId, String)> {
        self.taken_apart(&Slot { name: claim.clone(), filter: None, optional: false }, text)
    }

    /// The claims, and the parts that no claim is, by name.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &ClaimName> {
        self.models.keys()
    }

    /// What each part of a slot is when the slot has this text; empty where it cannot have it, or where it may have any.
    fn taken_apart(&self, slot: &Slot, text: &str) -> Vec<(PartId, String)> {
        let one = |part: PartId, text: &str| {
            let fits = self.part(part).is_some_and(|part| part.names(text));
            if fits { vec![(part, text.to_owned())] } else { Vec::new() }
        };
        let rules = match self.models.get(&slot.name) {
            Some(Model::Part(part)) if slot.filter.is_none() => return one(*part, text),
            Some(Model::Rules(rules)) if slot.filter.is_none() => rules,
            _ => return self.part_of(slot).map(|part| one(part, text)).unwrap_or_default(),
        };
        let [TextRule { pieces, .. }] = rules.as_slice() else { return Vec::new() };
        match pieces.as_slice() {
            [TextPiece::Claim(name)] => self.taken_apart(&Slot { name: name.clone(), ..slot.clone() }, text),
            [TextPiece::Part(part)] => one(*part, text),
            [TextPiece::Part(owner), TextPiece::Literal(_), TextPiece::Part(name)] => {
                match text.split_once('/') {
                    Some((before, after)) => pair(one(*owner, before), one(*name, after)),
                    None => one(*name, text),
                }
            }
            [TextPiece::Part(top), TextPiece::Part(below), rest @ ..] => {
                let last = match rest {
                    [TextPiece::Literal(_), TextPiece::Part(last)] => Some(*last),
                    _ => None,
                };
                let (path, last) = match (last, text.rsplit_once('/')) {
                    (Some(part), Some((path, last))) => (path, one(part, last)),
                    (Some(part), None) => return one(part, text),
                    (None, _) => (text, Vec::new()),
                };
                let (first, rest) =
                    path.find('/').and_then(|at| path.split_at_checked(at)).unwrap_or((path, ""));
                let mut parts = one(*top, first);
                // A group's name is all that is below it; a project's is that and nothing else.
                if !last.is_empty() {
                    parts = pair(pair(parts, vec![(*below, rest.to_owned())]), last);
                }
                parts
            }
            [TextPiece::Literal(_), TextPiece::Part(inner), TextPiece::Literal(_)] => {
                one(*inner, text.trim_start_matches('{').trim_end_matches('}'))
            }
            _ => Vec::new(),
        }
    }

    /// Whether a slot is a path of groups of any depth.
    pub(crate) fn is_nested(&self, slot: &Slot) -> bool {
        match self.models.get(&slot.name) {
            Some(Model::Rules(rules)) => rules.iter().any(|rule| {
                matches!(
                    rule.pieces.as_slice(),
                    [TextPiece::Part(_), TextPiece::Part(_), TextPiece::Literal(_), _]
                )
            }),
            _ => false,
        }
    }

    /// What a slot is in every token, where it is the same in all of them.
    pub(crate) fn fixed(&self, slot: &Slot) -> Option<String> {
        match self.models.get(&slot.name)? {
            Model::Fixed(value) => slot.take(Some(value)).ok().flatten(),
            _ => None,
        }
    }

    /// The parts that a claim follows from, guards included, each once.
    pub(crate) fn parts_of(&self, claim: &str) -> Vec<PartId> {
        let mut found = Vec::new();
        self.collect_parts(claim, &mut found, 0);
        found
    }

    fn collect_parts(&self, claim: &str, found: &mut Vec<PartId>, depth: usize) {
        // The catalogue's check sees to it that derivations end; this is for universes that were put together otherwise.
        const DEEPEST: usize = 16;
        let mut add = |part: PartId| {
            if !found.contains(&part) {
                found.push(part);
            }
        };
        match self.models.get(claim) {
            Some(Model::Part(part)) => add(*part),
            Some(Model::Rules(rules)) if depth < DEEPEST => {
                for rule in rules {
                    for guard in &rule.when {
                        self.collect_parts(guard.claim.as_str(), found, depth + 1);
                    }
                    for piece in &rule.pieces {
                        match piece {
                            TextPiece::Literal(_) => {}
                            TextPiece::Part(part) | TextPiece::OptionalPart(part) => {
                                if !found.contains(part) {
                                    found.push(*part);
                                }
                            }
                            TextPiece::Claim(claim) => self.collect_parts(claim.as_str(), found, depth + 1),
                        }
                    }
                }
            }
            Some(Model::Rules(_) | Model::Fixed(_)) | None => {}
        }
    }

    /// The guards of the rules that a claim follows from.
    pub(crate) fn guards_of(&self, claim: &str) -> impl Iterator<Item = &Guard> {
        let rules = match self.models.get(claim) {
            Some(Model::Rules(rules)) => rules.as_slice(),
            _ => &[],
        };
        rules.iter().flat_map(|rule| &rule.when)
    }

    /// The claims that a claim's text is made of.
    pub(crate) fn claims_in(&self, claim: &str) -> Vec<String> {
        let rules = match self.models.get(claim) {
            Some(Model::Rules(rules)) => rules.as_slice(),
            _ => &[],
        };
        let pieces = rules.iter().flat_map(|rule| &rule.pieces);
        let claims = pieces.filter_map(|piece| match piece {
            TextPiece::Claim(name) => Some(name.to_string()),
            _ => None,
        });
        claims.collect()
    }

    /// The value of a claim, given the values of parts; `None` where it is absent.
    pub(crate) fn value_of<'v>(
        &'v self,
        claim: &str,
        part: &impl Fn(PartId) -> Option<&'v ClaimValue>,
    ) -> Option<ClaimValue> {
        self.value_at(claim, part, 0)
    }

    fn value_at<'v>(
        &'v self,
        claim: &str,
        part: &impl Fn(PartId) -> Option<&'v ClaimValue>,
        depth: usize,
    ) -> Option<ClaimValue> {
        const DEEPEST: usize = 16;
        if depth > DEEPEST {
            return None;
        }
        match self.models.get(claim)? {
            Model::Fixed(value) => Some(value.clone()),
            Model::Part(id) => part(*id).cloned(),
            Model::Rules(rules) => {
                let holds = |guard: &Guard| {
                    guard.holds(self.value_at(guard.claim.as_str(), part, depth + 1).as_ref())
                };
                let rule = rules.iter().find(|rule| rule.when.iter().all(holds))?;
                let mut text = String::new();
                for piece in &rule.pieces {
                    let value = match piece {
                        TextPiece::Literal(literal) => {
                            text.push_str(literal);
                            continue;
                        }
                        TextPiece::Part(id) => text_of(part(*id)?)?,
                        TextPiece::OptionalPart(id) => part(*id).and_then(text_of).unwrap_or_default(),
                        TextPiece::Claim(claim) => {
                            text_of(&self.value_at(claim.as_str(), part, depth + 1)?)?
                        }
                    };
                    push_escaped(&mut text, &value, &rule.escapes);
                }
                Some(ClaimValue::String(text))
            }
        }
    }

    /// A whole token, given the values of parts.
    pub(crate) fn token<'v>(&'v self, part: impl Fn(PartId) -> Option<&'v ClaimValue>) -> ClaimSet {
        let mut claims = ClaimSet::new();
        // Parts that only other claims are made of are no claims.
        let is_part = |name: &ClaimName| self.platform.is_some_and(|it| it.part(name.as_str()).is_some());
        for name in self.models.keys().filter(|name| !is_part(name)) {
            if let Some(value) = self.value_of(name.as_str(), &part) {
                claims.insert(name.clone(), value);
            }
        }
        claims
    }
}

/// Both, if both are there.
fn pair(one: Vec<(PartId, String)>, two: Vec<(PartId, String)>) -> Vec<(PartId, String)> {
    if one.is_empty() || two.is_empty() { Vec::new() } else { [one, two].concat() }
}

fn text_of(value: &ClaimValue) -> Option<String> {
    match value {
        ClaimValue::String(text) => Some(text.clone()),
        ClaimValue::Bool(_) | ClaimValue::Number(_) => Some(value.to_string()),
        ClaimValue::Null | ClaimValue::Array(_) | ClaimValue::Object(_) => None,
    }
}

pub(crate) fn push_escaped(text: &mut String, value: &str, escapes: &[(char, String)]) {
    for c in value.chars() {
        match escapes.iter().find(|(from, _)| *from == c) {
            Some((_, to)) => text.push_str(to),
            None => text.push(c),
        }
    }
}
