use std::collections::BTreeSet;

/// A symbol: a range of characters that no language at hand tells apart.
pub(crate) type Symbol = u16;

/// The characters of Unicode, cut into ranges that no language at hand tells apart.
///
/// Every automaton of one question is built over one alphabet, so a transition is a look-up and a product of automata walks
/// them in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alphabet {
    /// The first character of every range, ascending; the first is U+0000.
    starts: Vec<char>,
    /// The symbols of ASCII, which nearly all texts are.
    ascii: Vec<Symbol>,
}

/// The places where an alphabet must be cut.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts(BTreeSet<char>);

impl Cuts {
    /// Tells the characters from `from` to `to` apart from all others.
    pub(crate) fn range(&mut self, from: char, to: char) {
        self.0.insert(from);
        self.0.extend(after(to));
    }

    /// Tells one character apart from all others.
    pub(crate) fn character(&mut self, c: char) {
        self.range(c, c);
    }

    /// Tells apart whatever an alphabet does.
    pub(crate) fn like(&mut self, alphabet: &Alphabet) {
        self.0.extend(&alphabet.starts);
    }

    /// Tells every character of a text apart.
    pub(crate) fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }
}

/// The character after `c`, if there is one.
fn after(c: char) -> Option<char> {
    let next = u32::from(c).checked_add(1)?;
    // What lies between is no character.
    char::from_u32(next).or_else(|| (next == 0xd800).then_some('\u{e000}'))
}

impl Alphabet {
    /// The coarsest alphabet with these cuts.
    pub(crate) fn new(cuts: &Cuts) -> Self {
        let mut starts: Vec<char> = cuts.0.iter().copied().collect();
        if starts.first() != Some(&'\0') {
            starts.insert(0, '\0');
        }
        starts.truncate(usize::from(Symbol::MAX));
        let ascii = ('\0'..='\x7f').map(|c| place(&starts, c)).collect();
        Self { starts, ascii }
    }

    /// How many symbols there are.
    pub(crate) const fn len(&self) -> usize {
        self.starts.len()
    }

    /// The first character of every symbol.
    pub(crate) fn starts(&self) -> &[char] {
        &self.starts
    }

    /// The symbol that a character belongs to.
    pub(crate) fn symbol(&self, c: char) -> Symbol {
        let known = usize::try_from(u32::from(c)).ok().and_then(|at| self.ascii.get(at));
        known.copied().unwrap_or_else(|| place(&self.starts, c))
    }

    /// Every symbol.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = Symbol> + use<> {
        0..Symbol::try_from(self.starts.len()).unwrap_or(Symbol::MAX)
    }

    /// The symbols of a range of characters, which must not cut through one.
    pub(crate) fn range(&self, from: char, to: char) -> impl Iterator<Item = Symbol> + use<> {
        self.symbol(from)..=self.symbol(to)
    }

    /// The one character of a symbol, if it has only one.
    pub(crate) fn only(&self, symbol: Symbol) -> Option<char> {
        let at = usize::from(symbol);
        let first = self.starts.get(at).copied()?;
        let next = self.starts.get(at.saturating_add(1)).copied();
        (next.is_some() && after(first) == next).then_some(first)
    }

    /// The character that stands for a symbol in a witness: one that people read, where the symbol has one.
    pub(crate) fn representative(&self, symbol: Symbol) -> char {
        let at = usize::from(symbol);
        let first = self.starts.get(at).copied().unwrap_or('\0');
        let next = self.starts.get(at.saturating_add(1)).copied();
        let holds = |c: &char| *c >= first && next.is_none_or(|next| *c < next);
        ['x', 'a', 'n', '1', '0', 'X', 'A', '-', 'é'].into_iter().find(holds).unwrap_or(first)
    }
}

fn place(starts: &[char], c: char) -> Symbol {
    let at = starts.partition_point(|start| *start <= c).saturating_sub(1);
    Symbol::try_from(at).unwrap_or(Symbol::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alphabet_is_as_coarse_as_its_cuts_allow() {
        let mut cuts = Cuts::default();
        cuts.range('a', 'f');
        cuts.character('c');
        let alphabet = Alphabet::new(&cuts);
        assert_eq!(alphabet.len(), 5, "before a, a-b, c, d-f, after f");
        assert_eq!(alphabet.symbol('a'), alphabet.symbol('b'));
        assert_ne!(alphabet.symbol('b'), alphabet.symbol('c'));
        assert_eq!(alphabet.symbol('z'), alphabet.symbol('\u{10ffff}'));
        assert_eq!(alphabet.range('a', 'f').count(), 3);
        for symbol in alphabet.symbols() {
            assert_eq!(alphabet.symbol(alphabet.representative(symbol)), symbol);
        }
    }

    #[test]
    fn a_range_can_end_where_characters_do() {
        let mut cuts = Cuts::default();
        cuts.range('\0', '\u{d7ff}');
        cuts.range('\u{e000}', char::MAX);
        assert_eq!(Alphabet::new(&cuts).len(), 2);
    }
}
