//! Whether a token is in a proved set, without deciding it.

use std::collections::BTreeMap;

use daypass_claims::{ClaimSet, ClaimValue, Issuer};
use daypass_issuers::Guard;
use daypass_trust::Truth;
use daypass_trust::form::{Expression, Policy};

use crate::space::{Formula, Inexact, Space, Subject};
use crate::universe::{Kind, Model, Part, PartId, TextPiece, TextRule, Universe, push_escaped};
use crate::world::{Options, World, universes};

/// Whether each token is in the set that the policy is proved to admit; `None` for what is no token of its issuer, as far as
/// the catalogue knows.
///
/// The policy is not evaluated: a token is taken apart, each part is put into its class, and the set is looked up.
pub fn members(policy: &Policy, tokens: &[ClaimSet], options: &Options) -> Vec<Option<Truth>> {
    let mut found = vec![None; tokens.len()];
    let mut issuers: Vec<Issuer> = Vec::new();
    for token in tokens {
        let issuer = token.get("iss").and_then(ClaimValue::as_str).and_then(|iss| Issuer::parse(iss).ok());
        issuers.extend(issuer.filter(|issuer| !issuers.contains(issuer)));
    }
    for issuer in &issuers {
        for universe in universes(issuer, &[policy], options) {
            let world = World::new(&universe, &[policy], options, |_| Vec::new());
            let admits = Formula::All(world.admits.clone());
            let Ok(set) = world.space.diagram(&admits, Inexact::Unknown) else { continue };
            let forms = forms(&universe);
            for (slot, token) in found.iter_mut().zip(tokens).filter(|(slot, _)| slot.is_none()) {
                let parts = take_apart(&universe, &forms, token);
                let choice = parts.and_then(|parts| choice_of(&world.space, &parts));
                *slot = choice.and_then(|choice| world.space.look_up(set, &choice));
            }
        }
    }
    found
}

/// The values of the parts that a token shows.
type Parts = BTreeMap<PartId, Option<ClaimValue>>;

/// The class of each part; `None` where a part is of no class, so that it is no token of the universe.
fn choice_of(space: &Space<'_>, parts: &Parts) -> Option<Vec<Option<usize>>> {
    let class = |(place, dimension)| {
        let dimension: &crate::space::Dimension = dimension;
        match &dimension.subject {
            Subject::Part(id) => {
                let value = parts.get(id)?;
                space.languages().class_of(place, dimension, value.as_ref()).map(Some)
            }
            // What the request says beside the token is as usual.
            Subject::Request(_) | Subject::Time => Some(Some(0)),
        }
    };
    space.dimensions().iter().enumerate().map(class).collect()
}

/// What each part can be that is a text of a form of its own.
type Forms = BTreeMap<PartId, Vec<Expression>>;

fn forms(universe: &Universe) -> Forms {
    let whole = |language: &str| Expression::parse(&format!("^(?:{language})$")).ok();
    let of = |part: &Part| part.kinds.iter().filter_map(Kind::text).filter_map(whole).collect();
    universe.parts().map(|(id, part)| (id, of(part))).collect()
}

/// Takes a token apart; `None` where it is none of the universe's.
fn take_apart(universe: &Universe, forms: &Forms, token: &ClaimSet) -> Option<Parts> {
    let mut parts = Parts::new();
    for (name, model) in universe.models() {
        let value = token.get(name.as_str());
        match model {
            Model::Part(id) => {
                parts.insert(*id, value.cloned());
            }
            Model::Fixed(fixed) if value.is_some_and(|value| value != fixed) => return None,
            Model::Fixed(_) | Model::Rules(_) => {}
        }
    }
    for (name, model) in universe.models() {
        let (Model::Rules(rules), Some(value)) = (model, token.get(name.as_str())) else { continue };
        let holds = |guard: &Guard| guard.holds(token.get(guard.claim.as_str()));
        let rule = rules.iter().find(|rule| rule.when.iter().all(holds))?;
        let rest = Rest { forms, token, rule };
        if !rest.matches(&rule.pieces, value.as_str()?, &mut parts) {
            return None;
        }
    }
    Some(parts)
}

/// A text that is read by a rule.
struct Rest<'a> {
    forms: &'a Forms,
    token: &'a ClaimSet,
    rule: &'a TextRule,
}

impl Rest<'_> {
    /// Whether the text is made of the pieces; notes what parts are that only it shows.
    fn matches(&self, pieces: &[TextPiece], text: &str, parts: &mut Parts) -> bool {
        let Some((piece, after)) = pieces.split_first() else { return text.is_empty() };
        let known = match piece {
            TextPiece::Literal(literal) => Some(literal.clone()),
            TextPiece::Claim(name) => self.token.get(name.as_str()).map(|value| self.written(value)),
            TextPiece::Part(id) | TextPiece::OptionalPart(id) => match parts.get(id) {
                Some(Some(value)) => Some(self.written(value)),
                Some(None) => Some(String::new()),
                None => return self.splits(*id, after, text, parts),
            },
        };
        known
            .and_then(|known| text.strip_prefix(known.as_str()))
            .is_some_and(|rest| self.matches(after, rest, parts))
    }

    /// Takes the part from the beginning of the text, as little of it as will do.
    fn splits(&self, id: PartId, after: &[TextPiece], text: &str, parts: &mut Parts) -> bool {
        let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        for end in ends {
            let Some((value, rest)) = text.split_at_checked(end) else { continue };
            if !self.forms.get(&id).is_some_and(|forms| forms.iter().any(|form| form.is_found_in(value))) {
                continue;
            }
            let mut further = parts.clone();
            further.insert(id, Some(ClaimValue::from(value)));
            if self.matches(after, rest, &mut further) {
                *parts = further;
                return true;
            }
        }
        false
    }

    fn written(&self, value: &ClaimValue) -> String {
        let mut text = String::new();
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        push_escaped(&mut text, &value, &self.rule.escapes);
        text
    }
}
