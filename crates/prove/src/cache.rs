//! What has been built already for one question, and serves for the next.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use daypass_claims::Issuer;

use crate::automaton::{Cuts, Machine, STATES, Unsupported, expression_cuts, expression_dfa};
use crate::space::Language;
use crate::universe::Universe;

/// The most room that is kept filled, in transitions of automata (four bytes each), twice.
const MOST: usize = 2_000_000;

/// What issuers mint, and the automata of patterns and expressions: each built once for all questions that are asked with the
/// same `Cache`.
///
/// A clone shares what is built. What is kept is bounded: of very many policies, what was used lately.
#[derive(Clone, Default)]
pub struct Cache(Arc<Mutex<Kept>>);

/// The most issuers that are remembered.
const MOST_ISSUERS: usize = 256;

/// What a machine is of.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Language(Language),
    /// Texts that match an expression as a whole.
    Whole(String),
}

type Built = Result<Arc<Machine>, Unsupported>;

/// Two generations: when the younger one is full, the older one goes, but for what has been asked for since.
#[derive(Default)]
struct Kept {
    universes: HashMap<Issuer, Arc<[Universe]>>,
    young: HashMap<Key, Built>,
    old: HashMap<Key, Built>,
    size: usize,
}

impl Cache {
    /// The universes of an issuer, one for each form of its subjects.
    pub(crate) fn universes(&self, issuer: &Issuer) -> Arc<[Universe]> {
        if let Some(known) = self.kept(|kept| kept.universes.get(issuer).cloned()) {
            return known;
        }
        let universes: Arc<[Universe]> = Universe::of(issuer).into();
        self.kept(|kept| {
            if kept.universes.len() >= MOST_ISSUERS {
                kept.universes.clear();
            }
            kept.universes.insert(issuer.clone(), Arc::clone(&universes));
        });
        universes
    }

    /// The machine of a language.
    pub(crate) fn language(&self, language: &Language) -> Built {
        self.get(Key::Language(language.clone()), || {
            let mut cuts = Cuts::default();
            language.cuts(&mut cuts)?;
            Machine::new(&cuts, |alphabet| language.dfa(alphabet))
        })
    }

    /// The machine of the texts that match an expression as a whole.
    pub(crate) fn whole(&self, expression: &str) -> Built {
        self.get(Key::Whole(expression.to_owned()), || {
            let mut cuts = Cuts::default();
            expression_cuts(expression, &mut cuts)?;
            Machine::new(&cuts, |alphabet| expression_dfa(expression, alphabet, STATES))
        })
    }

    fn get(&self, key: Key, build: impl FnOnce() -> Result<Machine, Unsupported>) -> Built {
        if let Some(known) = self.kept(|kept| kept.find(&key)) {
            return known;
        }
        let built = build().map(Arc::new);
        self.kept(|kept| kept.add(key, built.clone()));
        built
    }

    fn kept<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        // Nothing in here is left half done by a panic.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    fn find(&mut self, key: &Key) -> Option<Built> {
        if let Some(known) = self.young.get(key) {
            return Some(known.clone());
        }
        let known = self.old.remove(key)?;
        self.add(key.clone(), known.clone());
        Some(known)
    }

    fn add(&mut self, key: Key, built: Built) {
        // What cannot be built takes room as well: for its name.
        const LEAST: usize = 64;
        let size = built.as_ref().map_or(LEAST, |machine| machine.size().saturating_add(LEAST));
        if self.size.saturating_add(size) > MOST {
            self.old = std::mem::take(&mut self.young);
            self.size = 0;
        }
        self.size = self.size.saturating_add(size);
        self.young.insert(key, built);
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.kept(|kept| kept.young.len().saturating_add(kept.old.len()));
        write!(f, "Cache({count} automata)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_built_once_for_all_clones() {
        let cache = Cache::default();
        let one = cache.whole("[a-f]+").unwrap();
        let two = cache.clone().whole("[a-f]+").unwrap();
        assert!(Arc::ptr_eq(&one, &two));
        assert_eq!(format!("{cache:?}"), "Cache(1 automata)");
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_used_stays() {
        let cache = Cache::default();
        let used = cache.whole("[a-f]+").unwrap();
        let most = (0..).map(|at| format!("[a-f]+{at}x{{40}}"));
        for expression in most.take(4_000) {
            cache.whole(&expression).unwrap();
            assert!(Arc::ptr_eq(&used, &cache.whole("[a-f]+").unwrap()), "{expression}");
        }
        let kept: usize = cache.kept(|kept| {
            let all = kept.young.values().chain(kept.old.values());
            all.map(|built| built.as_ref().unwrap().size()).sum()
        });
        assert!(kept > MOST / 2 && kept <= 2 * MOST, "{kept}");
    }

    #[test]
    fn what_cannot_be_built_is_refused_again() {
        let cache = Cache::default();
        for _ in 0..2 {
            let refused = cache.language(&Language::Search(r"\bacme".to_owned())).unwrap_err();
            assert_eq!(refused.to_string(), "the expression looks at word boundaries");
        }
    }
}
