use super::{Alphabet, Cuts, Dfa, Unsupported};

/// A language's automaton over the coarsest alphabet that it can be built over. It is built once and serves under every finer
/// alphabet, where building it anew would take long.
#[derive(Debug)]
pub(crate) struct Machine {
    alphabet: Alphabet,
    dfa: Dfa,
}

impl Machine {
    /// The machine of a language with these cuts.
    pub(crate) fn new(
        cuts: &Cuts,
        build: impl FnOnce(&Alphabet) -> Result<Dfa, Unsupported>,
    ) -> Result<Self, Unsupported> {
        let alphabet = Alphabet::new(cuts);
        let dfa = build(&alphabet)?;
        Ok(Self { alphabet, dfa })
    }

    /// Cuts an alphabet so that the machine serves under it.
    pub(crate) fn cut(&self, cuts: &mut Cuts) {
        cuts.like(&self.alphabet);
    }

    /// The automaton under an alphabet with these cuts and perhaps more.
    pub(crate) fn over(&self, alphabet: &Alphabet) -> Dfa {
        let symbols: Vec<_> = alphabet.starts().iter().map(|first| self.alphabet.symbol(*first)).collect();
        self.dfa.over(&symbols)
    }

    /// How much room it takes, in transitions.
    pub(crate) fn size(&self) -> usize {
        self.dfa.size()
    }
}
