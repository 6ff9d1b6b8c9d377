//! Cubes in words: which values each part of a token may have, in the issuer's own terms.

use std::collections::BTreeMap;

use daypass_claims::ClaimValue;
use daypass_issuers::Identifies;
use daypass_trust::form::Pattern;

use super::glob;
use crate::home::Places;
use crate::space::{Class, Cube, Dimension, Leaf, Space, Subject};
use crate::universe::{Kind, Model, Part, PartId, TextPiece, Universe};

/// Callers in words.
pub(super) struct Words {
    pub(super) description: String,
    /// By claim, or piece of one: what it may be.
    pub(super) parts: BTreeMap<String, Vec<String>>,
}

/// What may be said of the values of one dimension.
enum Said {
    /// Whatever it can be, or whatever of it is there.
    Any,
    /// All but these.
    AllBut(Vec<String>),
    /// These.
    These(Vec<String>),
}

/// Says which tokens are in a cube.
pub(super) fn words(space: &Space<'_>, cube: &Cube, fragments: &[String]) -> Words {
    let universe = space.universe();
    let places = Places::of(universe);
    let mut parts = BTreeMap::new();
    let mut phrases: Vec<((u8, usize), String)> = Vec::new();
    let mut told: Vec<PartId> = Vec::new();
    for (level, classes) in cube.iter().enumerate() {
        let (Some(classes), Some((place, dimension))) = (classes, space.at_level(level)) else { continue };
        let (said, absent) = say(space, place, dimension, classes, fragments);
        let (rank, key, noun) = match &dimension.subject {
            Subject::Part(id) => {
                told.push(*id);
                let noun = noun(universe, &places, *id);
                (id.0, key(universe, *id), noun)
            }
            Subject::Request(key) => (usize::MAX, key.name(), key.name()),
            Subject::Time => (usize::MAX, "aws:CurrentTime".to_owned(), "time".to_owned()),
        };
        let rank = (weight(&noun), rank);
        phrases.push((rank, phrase(&noun, said.as_ref(), absent)));
        parts.insert(key, listed(&noun, said, absent));
    }
    for (ids, names, noun) in [
        (&places.organisation_ids, &places.organisation_names, "organisation"),
        (&places.repository_ids, &places.repository_names, "repository"),
    ] {
        let all: Vec<PartId> = names.iter().chain(ids).copied().collect();
        let is_told = |part: &PartId| all.contains(part) || self::noun(universe, &places, *part) == noun;
        if let (false, Some(first)) = (told.iter().any(is_told), all.first()) {
            phrases.push(((weight(noun), first.0), format!("any {noun}")));
            parts.insert(key(universe, *first), vec![format!("any {noun}")]);
        }
    }
    phrases.sort();
    let mut phrases: Vec<String> = phrases.into_iter().map(|(_, phrase)| phrase).collect();
    phrases.dedup();
    if phrases.is_empty() {
        phrases.push(format!("any token of {}", universe.issuer()));
    }
    Words { description: phrases.join(", "), parts }
}

/// Whose it is comes first, then where it runs.
fn weight(noun: &str) -> u8 {
    let order = ["organisation", "repository", "ref", "environment", "audience"];
    let place = order.iter().position(|known| *known == noun).unwrap_or(order.len());
    u8::try_from(place).unwrap_or(u8::MAX)
}

/// What the classes are, and whether absence is one of them.
fn say(
    space: &Space<'_>,
    place: usize,
    dimension: &Dimension,
    classes: &[usize],
    fragments: &[String],
) -> (Option<Said>, bool) {
    let chosen: Vec<&Class> = classes.iter().filter_map(|at| dimension.classes.get(*at)).collect();
    let absent = chosen.iter().any(|class| class.value.is_none());
    let there: Vec<&Class> = chosen.into_iter().filter(|class| class.value.is_some()).collect();
    if there.is_empty() {
        return (None, absent);
    }
    let all: Vec<&Class> = dimension.classes.iter().filter(|class| class.value.is_some()).collect();
    if there.len() == all.len() {
        return (Some(Said::Any), absent);
    }
    let expression = expression_of(space, dimension);
    let language = |classes: &[&Class], others: &[&Class]| {
        let domain = space.languages().domain(expression.as_deref()?)?;
        let language = space.languages().texts(place, classes, domain)?;
        let words: Vec<String> = fragments.iter().filter(|word| leaves_out(word, others)).cloned().collect();
        let globs = glob::globs(&language, domain, &space.languages().alphabet, &words)?;
        let named = globs.into_iter().map(|glob| if glob.is_empty() { r#""""#.to_owned() } else { glob });
        Some(named.collect::<Vec<_>>())
    };
    let others: Vec<&Class> = all.iter().copied().filter(|class| !there.contains(class)).collect();
    let said = match (language(&there, &others), language(&others, &there)) {
        (Some(these), Some(others)) if others.len() < these.len() => Said::AllBut(others),
        (Some(these), _) => Said::These(these),
        (None, Some(others)) => Said::AllBut(others),
        (None, None) => {
            let shown = there.iter().filter_map(|class| class.value.as_ref()).map(text);
            let shown = shown.collect::<Vec<_>>().join(", ");
            let all = there.iter().all(|class| class.only);
            Said::These(vec![if all { shown } else { format!("such as {shown}") }])
        }
    };
    (Some(said), absent)
}

/// Whether a pattern may be about none of these classes, going by the texts that stand for them.
fn leaves_out(pattern: &str, others: &[&Class]) -> bool {
    let pattern = Pattern::glob(pattern);
    let matches = |class: &&&Class| {
        let text = class.value.as_ref().and_then(ClaimValue::as_str);
        text.is_some_and(|text| pattern.matches(text, false, &mut |_| None))
    };
    pattern.has_wildcard() && !others.iter().filter(matches).any(|class| !class.only)
}

/// The language that the texts of a dimension are of, where it has texts and nothing else.
fn expression_of(space: &Space<'_>, dimension: &Dimension) -> Option<String> {
    match &dimension.subject {
        Subject::Part(id) => match space.universe().part(*id)?.kinds.as_slice() {
            [Kind::Text(expression)] => Some(expression.clone()),
            _ => None,
        },
        Subject::Request(key) => Some(crate::space::expression_of(key).to_owned()),
        Subject::Time => None,
    }
}

fn text(value: &ClaimValue) -> String {
    match value {
        ClaimValue::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Refs by the beginning that makes them of a kind.
const KINDS: [(&str, &str); 3] =
    [("refs/heads/", "branch"), ("refs/tags/", "tag"), ("refs/pull/", "pull request")];

fn phrase(noun: &str, said: Option<&Said>, absent: bool) -> String {
    let there = match said {
        None => return format!("no {noun}"),
        Some(Said::Any) => format!("any {noun}"),
        Some(Said::These(these)) => {
            let kinds: Option<Vec<String>> = these.iter().map(|glob| kind(glob)).collect();
            match kinds {
                Some(kinds) => kinds.join(" or "),
                None => format!("{noun} {}", these.join(" or ")),
            }
        }
        Some(Said::AllBut(others)) => format!("any {noun} but {}", others.join(" and ")),
    };
    if absent { format!("{there} or none") } else { there }
}

/// What a pattern is called that is all refs of one kind.
fn kind(glob: &str) -> Option<String> {
    let named = |(beginning, kind): &(&str, &str)| {
        let exceptions = glob.strip_prefix(beginning)?.strip_prefix('*')?;
        let is_whole = exceptions.is_empty() || exceptions.starts_with(" but ");
        is_whole.then(|| format!("any {kind}{exceptions}"))
    };
    KINDS.iter().find_map(named)
}

fn listed(noun: &str, said: Option<Said>, absent: bool) -> Vec<String> {
    let mut listed = match said {
        None => Vec::new(),
        Some(Said::Any) => vec![format!("any {noun}")],
        Some(Said::These(these)) => these,
        Some(Said::AllBut(others)) => vec![format!("any {noun} but {}", others.join(" and "))],
    };
    if absent {
        listed.push(format!("no {noun}"));
    }
    listed
}

/// What a part is called: the claim that is nothing but it, else the claim and the piece.
pub(crate) fn key(universe: &Universe, id: PartId) -> String {
    let claim = universe.models().find(|(_, model)| match model {
        Model::Part(part) => *part == id,
        Model::Rules(rules) => match rules.as_slice() {
            [rule] => rule.when.is_empty() && rule.pieces == [TextPiece::Part(id)],
            _ => false,
        },
        Model::Fixed(_) => false,
    });
    let name = || universe.part(id).map_or("", |part| part.name.as_str());
    match claim {
        Some((claim, _)) => claim.to_string(),
        None => match name().split_once('#') {
            Some((claim, "0")) => format!("{claim}|segment 0"),
            Some((claim, "1")) => format!("{claim}|segment 1"),
            Some((claim, piece)) => format!("{claim}|{piece}"),
            None => name().to_owned(),
        },
    }
}

fn noun(universe: &Universe, places: &Places, id: PartId) -> String {
    let split = universe.part(id).filter(|part| part.name.contains('#'));
    let called = |part: &Part| match part.identifies {
        Identifies::Organisation => Some("organisation"),
        Identifies::Repository => Some("repository"),
        _ => None,
    };
    if let Some(noun) = split.and_then(called) {
        return noun.to_owned();
    }
    let key = key(universe, id);
    match &places.git_ref {
        _ if places.environment == Some(id) => "environment".to_owned(),
        _ if places.audience == Some(id) => "audience".to_owned(),
        Some(git_ref) if git_ref.as_str() == key => "ref".to_owned(),
        _ => key,
    }
}

/// Pieces of the patterns that are asked about: candidates for what languages of parts are called.
pub(super) fn fragments(space: &Space<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for leaf in space.leaves() {
        let patterns: Vec<String> = match leaf {
            Leaf::Atom(atom) => crate::space::patterns_of(&atom.test),
            Leaf::Part(_, patterns) => patterns.iter().map(|(pattern, _)| pattern.to_string()).collect(),
            Leaf::Audience(_) | Leaf::Guard(_) => Vec::new(),
        };
        for pattern in patterns {
            let pieces = pattern.split(':').chain(pattern.split([':', '/', '@'])).map(str::to_owned);
            let literals = pattern.split(['*', '?']).filter(|text| !text.is_empty());
            let around = literals.flat_map(|text| {
                [text.to_owned(), format!("{text}*"), format!("*{text}"), format!("*{text}*")]
            });
            for piece in std::iter::once(pattern.clone()).chain(pieces).chain(around) {
                if !piece.is_empty() && piece != "*" && !found.contains(&piece) {
                    found.push(piece);
                }
            }
        }
    }
    found
}
