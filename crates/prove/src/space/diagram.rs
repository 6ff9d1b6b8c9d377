//! Functions of classes: which combinations of classes make something true, false or unknown.
//!
//! A diagram asks one dimension after the other, always in the same order, and what is the same is there once: two diagrams
//! that say the same are the same node. So a formula is put together from its leaves without going through combinations.

use std::collections::HashMap;
use std::rc::Rc;

use daypass_trust::Truth;

/// A diagram, by its first node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Diagram(u32);

/// The place of a dimension in the order in which diagrams ask.
pub(crate) type Level = usize;

/// The most links of all diagrams of one space.
const MOST_LINKS: usize = 3_000_000;

/// There are too many combinations to write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// A question about one dimension, with what follows from each of its classes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Node {
    level: Level,
    follows: Box<[Diagram]>,
}

/// All diagrams of one space.
#[derive(Debug, Default)]
pub(crate) struct Diagrams {
    nodes: Vec<Rc<Node>>,
    known: HashMap<Rc<Node>, Diagram>,
    joined: HashMap<(Join, Diagram, Diagram), Diagram>,
    links: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Join {
    All,
    Any,
    Not,
}

/// Classes of some dimensions by level; every class of those that are not there.
pub(crate) type Cube = Vec<Option<Vec<usize>>>;

impl Diagram {
    pub(crate) const FALSE: Self = Self(0);
    pub(crate) const UNKNOWN: Self = Self(1);
    pub(crate) const TRUE: Self = Self(2);

    /// The diagram of what is known without asking.
    pub(crate) const fn known(truth: Truth) -> Self {
        match truth {
            Truth::False => Self::FALSE,
            Truth::Unknown => Self::UNKNOWN,
            Truth::True => Self::TRUE,
        }
    }

    /// What it says, if it asks nothing.
    pub(crate) const fn truth(self) -> Option<Truth> {
        match self {
            Self::FALSE => Some(Truth::False),
            Self::UNKNOWN => Some(Truth::Unknown),
            Self::TRUE => Some(Truth::True),
            _ => None,
        }
    }

    /// Whether it says at least so much, if it asks nothing: unknown is more than false.
    fn reaches(self, goal: Truth) -> Option<bool> {
        Some(self.truth()? != Truth::False && (goal != Truth::True || self == Self::TRUE))
    }
}

impl Diagrams {
    fn node(&self, diagram: Diagram) -> Option<&Rc<Node>> {
        let at = usize::try_from(diagram.0).ok()?.checked_sub(3)?;
        self.nodes.get(at)
    }

    /// What a diagram asks first, and what follows.
    pub(crate) fn asks(&self, diagram: Diagram) -> Option<(Level, &[Diagram])> {
        self.node(diagram).map(|node| (node.level, &*node.follows))
    }

    /// Asks a dimension first. What follows must ask later ones only.
    pub(crate) fn ask(&mut self, level: Level, follows: Vec<Diagram>) -> Result<Diagram, TooMany> {
        let Some(first) = follows.first().copied() else { return Ok(Diagram::UNKNOWN) };
        if follows.iter().all(|it| *it == first) {
            return Ok(first);
        }
        let node = Rc::new(Node { level, follows: follows.into() });
        if let Some(known) = self.known.get(&node) {
            return Ok(*known);
        }
        self.links = self.links.saturating_add(node.follows.len());
        let id = u32::try_from(self.nodes.len().saturating_add(3)).map_err(|_| TooMany)?;
        if self.links > MOST_LINKS {
            return Err(TooMany);
        }
        self.nodes.push(Rc::clone(&node));
        self.known.insert(node, Diagram(id));
        Ok(Diagram(id))
    }

    /// The lesser of the two, in the order false, unknown, true.
    pub(crate) fn both(&mut self, one: Diagram, two: Diagram) -> Result<Diagram, TooMany> {
        self.join(Join::All, one.min(two), one.max(two))
    }

    /// The greater of the two.
    pub(crate) fn either(&mut self, one: Diagram, two: Diagram) -> Result<Diagram, TooMany> {
        self.join(Join::Any, one.min(two), one.max(two))
    }

    /// The opposite.
    pub(crate) fn not(&mut self, one: Diagram) -> Result<Diagram, TooMany> {
        self.join(Join::Not, one, one)
    }

    fn join(&mut self, join: Join, one: Diagram, two: Diagram) -> Result<Diagram, TooMany> {
        // The lesser of two numbers comes first, so what asks nothing does.
        match (join, one) {
            (Join::Not, Diagram::FALSE) => return Ok(Diagram::TRUE),
            (Join::Not, Diagram::TRUE) => return Ok(Diagram::FALSE),
            (Join::Not, Diagram::UNKNOWN) | (Join::All, Diagram::FALSE) => return Ok(one),
            (Join::Any, Diagram::FALSE) => return Ok(two),
            (Join::All, Diagram::TRUE) => return Ok(two),
            (Join::Any, Diagram::TRUE) => return Ok(one),
            (Join::Any, _) if two == Diagram::TRUE => return Ok(two),
            (Join::All, _) if two == Diagram::TRUE => return Ok(one),
            (Join::All | Join::Any, _) if one == two => return Ok(one),
            _ => {}
        }
        let key = (join, one, two);
        if let Some(known) = self.joined.get(&key) {
            return Ok(*known);
        }
        let (left, right) = (self.node(one).cloned(), self.node(two).cloned());
        let level = left.iter().chain(&right).map(|node| node.level).min().unwrap_or_default();
        let width = [&left, &right].into_iter().flatten().filter(|node| node.level == level);
        let width = width.map(|node| node.follows.len()).max().unwrap_or_default();
        let follow = |node: &Option<Rc<Node>>, whole: Diagram, class: usize| match node {
            Some(node) if node.level == level => node.follows.get(class).copied().unwrap_or(Diagram::UNKNOWN),
            _ => whole,
        };
        let mut follows = Vec::with_capacity(width);
        for class in 0..width {
            let (one, two) = (follow(&left, one, class), follow(&right, two, class));
            follows.push(self.join(join, one.min(two), one.max(two))?);
        }
        let result = self.ask(level, follows)?;
        self.joined.insert(key, result);
        Ok(result)
    }

    /// The cheapest choice of classes that reaches the goal: first classes cost nothing, so a token that is usual but for what
    /// it must have.
    pub(crate) fn cheapest(&self, diagram: Diagram, goal: Truth) -> Option<Vec<(Level, usize)>> {
        let mut costs = HashMap::new();
        self.cost(diagram, goal, &mut costs)?;
        let mut path = Vec::new();
        let mut at = diagram;
        while let Some(node) = self.node(at) {
            let (_, class) = costs.get(&at).copied().flatten()?;
            path.push((node.level, class));
            at = node.follows.get(class).copied()?;
        }
        Some(path)
    }

    /// By diagram: what the cheapest way to the goal costs, and the class it begins with.
    fn cost(
        &self,
        diagram: Diagram,
        goal: Truth,
        costs: &mut HashMap<Diagram, Option<(u64, usize)>>,
    ) -> Option<u64> {
        if let Some(reaches) = diagram.reaches(goal) {
            return reaches.then_some(0);
        }
        if let Some(known) = costs.get(&diagram) {
            return known.map(|(cost, _)| cost);
        }
        let node = self.node(diagram)?;
        let mut best: Option<(u64, usize)> = None;
        for (class, next) in node.follows.iter().enumerate() {
            let Some(rest) = self.cost(*next, goal, costs) else { continue };
            // One unusual value is better than two, whichever they are.
            let own =
                if class == 0 { 0 } else { 1_000_u64.saturating_add(u64::try_from(class).unwrap_or(0)) };
            let cost = rest.saturating_add(own);
            if best.is_none_or(|(known, _)| cost < known) {
                best = Some((cost, class));
            }
        }
        costs.insert(diagram, best);
        best.map(|(cost, _)| cost)
    }

    /// The same with what is unknown taken for true.
    pub(crate) fn possible(&mut self, diagram: Diagram) -> Result<Diagram, TooMany> {
        self.possible_below(diagram, &mut HashMap::new())
    }

    /// The same with what is unknown taken for false.
    pub(crate) fn certain(&mut self, diagram: Diagram) -> Result<Diagram, TooMany> {
        let negated = self.not(diagram)?;
        let possible = self.possible(negated)?;
        self.not(possible)
    }

    fn possible_below(
        &mut self,
        diagram: Diagram,
        known: &mut HashMap<Diagram, Diagram>,
    ) -> Result<Diagram, TooMany> {
        if let Some(possible) = known.get(&diagram) {
            return Ok(*possible);
        }
        let Some(node) = self.node(diagram).cloned() else {
            return Ok(if diagram == Diagram::UNKNOWN { Diagram::TRUE } else { diagram });
        };
        let follows: Result<Vec<Diagram>, TooMany> =
            node.follows.iter().map(|next| self.possible_below(*next, known)).collect();
        let possible = self.ask(node.level, follows?)?;
        known.insert(diagram, possible);
        Ok(possible)
    }

    /// Whether the diagram is true of every choice in the cube.
    pub(crate) fn covers(&self, diagram: Diagram, cube: &Cube) -> bool {
        self.covers_below(diagram, cube, &mut HashMap::new())
    }

    fn covers_below(&self, diagram: Diagram, cube: &Cube, known: &mut HashMap<Diagram, bool>) -> bool {
        if let Some(covered) = known.get(&diagram) {
            return *covered;
        }
        let Some(node) = self.node(diagram).cloned() else { return diagram == Diagram::TRUE };
        let mut covers = |next: &Diagram| self.covers_below(*next, cube, known);
        let covered = match cube.get(node.level).and_then(Option::as_ref) {
            None => node.follows.iter().all(&mut covers),
            Some(classes) => classes.iter().all(|class| node.follows.get(*class).is_some_and(&mut covers)),
        };
        known.insert(diagram, covered);
        covered
    }

    /// Cubes that together are all of which the diagram is true, at most so many; and whether there are more.
    pub(crate) fn cubes(&self, diagram: Diagram, levels: usize, most: usize) -> (Vec<Cube>, bool) {
        let mut cubes = Vec::new();
        let more = self.collect_cubes(diagram, &mut vec![None; levels], &mut cubes, most);
        (cubes, more)
    }

    fn collect_cubes(&self, diagram: Diagram, cube: &mut Cube, cubes: &mut Vec<Cube>, most: usize) -> bool {
        let Some(node) = self.node(diagram).cloned() else {
            if diagram != Diagram::TRUE {
                return false;
            }
            if cubes.len() < most {
                cubes.push(cube.clone());
                return false;
            }
            return true;
        };
        let mut seen: Vec<Diagram> = Vec::new();
        for next in &node.follows {
            if seen.contains(next) {
                continue;
            }
            seen.push(*next);
            let same = node.follows.iter().enumerate().filter(|(_, it)| *it == next);
            let classes = same.map(|(class, _)| class).collect();
            if let Some(slot) = cube.get_mut(node.level) {
                *slot = Some(classes);
            }
            if self.collect_cubes(*next, cube, cubes, most) {
                return true;
            }
        }
        if let Some(slot) = cube.get_mut(node.level) {
            *slot = None;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTHS: [Diagram; 3] = [Diagram::FALSE, Diagram::UNKNOWN, Diagram::TRUE];

    #[test]
    fn what_says_the_same_is_the_same() {
        let mut all = Diagrams::default();
        let one = all.ask(0, vec![Diagram::TRUE, Diagram::FALSE]).unwrap();
        let two = all.ask(1, vec![Diagram::FALSE, Diagram::TRUE, Diagram::UNKNOWN]).unwrap();
        let both = all.both(one, two).unwrap();
        let not_one = all.not(one).unwrap();
        let not_two = all.not(two).unwrap();
        let either = all.either(not_two, not_one).unwrap();
        assert_eq!(all.not(either).unwrap(), both);
        assert_eq!(all.ask(0, vec![two, two]).unwrap(), two);
    }

    #[test]
    fn joining_is_kleenes_logic() {
        let mut all = Diagrams::default();
        for one in TRUTHS {
            for two in TRUTHS {
                let (left, right) = (one.truth().unwrap(), two.truth().unwrap());
                assert_eq!(all.both(one, two).unwrap().truth(), Some(Truth::all([left, right])));
                assert_eq!(all.either(one, two).unwrap().truth(), Some(Truth::any([left, right])));
                assert_eq!(all.not(one).unwrap().truth(), Some(!left));
            }
        }
    }

    #[test]
    fn the_cheapest_way_changes_as_little_as_possible() {
        let mut all = Diagrams::default();
        let last = all.ask(1, vec![Diagram::FALSE, Diagram::TRUE]).unwrap();
        let first = all.ask(0, vec![last, last, Diagram::TRUE]).unwrap();
        assert_eq!(all.cheapest(first, Truth::True), Some(vec![(0, 0), (1, 1)]));
        assert_eq!(all.cheapest(Diagram::UNKNOWN, Truth::True), None);
        assert_eq!(all.cheapest(Diagram::UNKNOWN, Truth::Unknown), Some(Vec::new()));
    }

    #[test]
    fn what_is_unknown_is_possible_and_not_certain() {
        let mut all = Diagrams::default();
        let perhaps = all.ask(0, vec![Diagram::UNKNOWN, Diagram::FALSE]).unwrap();
        let possible = all.ask(0, vec![Diagram::TRUE, Diagram::FALSE]).unwrap();
        assert_eq!(all.possible(perhaps), Ok(possible));
        assert_eq!(all.certain(perhaps), Ok(Diagram::FALSE));
        assert_eq!(all.certain(possible), Ok(possible));
    }

    #[test]
    fn cubes_are_all_that_reaches_the_goal() {
        let mut all = Diagrams::default();
        let last = all.ask(1, vec![Diagram::FALSE, Diagram::TRUE]).unwrap();
        let first = all.ask(0, vec![last, Diagram::FALSE, last]).unwrap();
        let (cubes, more) = all.cubes(first, 2, 8);
        assert_eq!((cubes.clone(), more), (vec![vec![Some(vec![0, 2]), Some(vec![1])]], false));
        assert!(all.covers(first, &cubes[0]));
        assert!(!all.covers(first, &vec![None, Some(vec![1])]));
        assert!(all.cubes(first, 2, 0).1);
    }
}
