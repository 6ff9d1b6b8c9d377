//! As few and as wide cubes as will do: what a diagram says, for people.

use daypass_issuers::Identifies;

use crate::space::{Cube, Diagram, Diagrams, Space, Subject, TooMany};

/// The most cubes that are looked at.
const MOST_CUBES: usize = 512;

/// Cubes that together are everything of a set.
pub(crate) struct Cover {
    pub(crate) cubes: Vec<Cube>,
    /// Whether there are more than were looked at.
    pub(crate) more: bool,
}

/// Covers a set. What no token is like may be covered as well: it makes for wider cubes.
pub(crate) fn cover(space: &Space<'_>, set: Diagram, tokens: Diagram) -> Result<Cover, TooMany> {
    let allowed = {
        let mut diagrams = space.diagrams().borrow_mut();
        let impossible = diagrams.not(tokens)?;
        diagrams.either(set, impossible)?
    };
    let (found, more) = space.cubes(set, MOST_CUBES);
    let mut cubes: Vec<Cube> = Vec::new();
    for cube in found {
        if cubes.iter().any(|known| within(&cube, known)) {
            continue;
        }
        let wide = widened(space, allowed, cube);
        cubes.retain(|known| !within(known, &wide));
        cubes.push(wide);
    }
    while let Some((one, other, merged)) = mergeable(&cubes) {
        cubes.remove(other);
        if let Some(slot) = cubes.get_mut(one) {
            *slot = merged;
        }
    }
    if !more {
        needed(space, set, &mut cubes)?;
    }
    Ok(Cover { cubes, more })
}

/// The cube without whatever it need not ask.
fn widened(space: &Space<'_>, allowed: Diagram, mut cube: Cube) -> Cube {
    let mut levels: Vec<usize> = (0..cube.len()).collect();
    // What says least goes first: the place where a job runs tells more than what set it off.
    levels.sort_by_key(|level| std::cmp::Reverse((weight(space, *level), *level)));
    for level in levels {
        let mut wider = cube.clone();
        set_level(&mut wider, level, None);
        if space.covers(allowed, &wider) {
            cube = wider;
        }
    }
    cube
}

/// How little a dimension says about whose a token is.
fn weight(space: &Space<'_>, level: usize) -> u8 {
    let identifies = match space.at_level(level).map(|(_, dimension)| &dimension.subject) {
        Some(Subject::Part(id)) => space.universe().part(*id).map(|part| part.identifies),
        _ => None,
    };
    match identifies {
        Some(Identifies::Organisation | Identifies::Repository) => 0,
        Some(Identifies::Environment | Identifies::Audience) => 1,
        Some(Identifies::Ref) => 2,
        _ => 3,
    }
}

/// Two cubes that are different in one dimension only, and both in one.
fn mergeable(cubes: &[Cube]) -> Option<(usize, usize, Cube)> {
    let pairs = cubes.iter().enumerate().flat_map(|(other, cube)| {
        cubes.iter().enumerate().take(other).map(move |(one, before)| (one, before, other, cube))
    });
    pairs.into_iter().find_map(|(one, before, other, cube)| Some((one, other, merged(before, cube)?)))
}

fn merged(one: &Cube, other: &Cube) -> Option<Cube> {
    let mut differing = one.iter().zip(other).enumerate().filter(|(_, (one, other))| one != other);
    let (level, (one_classes, other_classes)) = differing.next()?;
    if differing.next().is_some() {
        return None;
    }
    let mut classes = [one_classes.as_ref()?.as_slice(), other_classes.as_ref()?.as_slice()].concat();
    classes.sort_unstable();
    classes.dedup();
    let mut cube = one.clone();
    set_level(&mut cube, level, Some(classes));
    Some(cube)
}

fn set_level(cube: &mut Cube, level: usize, classes: Option<Vec<usize>>) {
    if let Some(slot) = cube.get_mut(level) {
        *slot = classes;
    }
}

/// Whether one cube is a part of another.
fn within(one: &Cube, other: &Cube) -> bool {
    one.iter().zip(other).all(|(one, other)| match (one, other) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(one), Some(other)) => one.iter().all(|class| other.contains(class)),
    })
}

/// Drops whatever of each cube the others cover together.
fn needed(space: &Space<'_>, set: Diagram, cubes: &mut Vec<Cube>) -> Result<(), TooMany> {
    let mut diagrams = space.diagrams().borrow_mut();
    // What is not of the set need not be covered.
    let outside = diagrams.not(set)?;
    let mut at = cubes.len();
    while at > 0 {
        at = at.saturating_sub(1);
        let mut others = outside;
        for (place, cube) in cubes.iter().enumerate() {
            if place != at {
                let cube = diagram_of(space, &mut diagrams, cube)?;
                others = diagrams.either(others, cube)?;
            }
        }
        let Some(cube) = cubes.get_mut(at) else { continue };
        if diagrams.covers(others, cube) {
            cubes.remove(at);
            continue;
        }
        for level in 0..cube.len() {
            let Some(Some(classes)) = cube.get(level).cloned() else { continue };
            let kept = classes.iter().copied().filter(|class| {
                let mut one = cube.clone();
                set_level(&mut one, level, Some(vec![*class]));
                !diagrams.covers(others, &one)
            });
            let kept = kept.collect();
            set_level(cube, level, Some(kept));
        }
    }
    Ok(())
}

/// A cube as a diagram.
pub(crate) fn diagram_of(
    space: &Space<'_>,
    diagrams: &mut Diagrams,
    cube: &Cube,
) -> Result<Diagram, TooMany> {
    let mut diagram = Diagram::TRUE;
    for (level, classes) in cube.iter().enumerate().rev() {
        let (Some(classes), Some((_, dimension))) = (classes, space.at_level(level)) else { continue };
        let follow = |class| if classes.contains(&class) { diagram } else { Diagram::FALSE };
        let follows = (0..dimension.classes.len()).map(follow).collect();
        diagram = diagrams.ask(level, follows)?;
    }
    Ok(diagram)
}
