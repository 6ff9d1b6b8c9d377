use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use daypass_claims::ClaimValue;

use super::class::{Probe, Reader, Signature};
use super::{Class, Dimension};
use crate::automaton::{Alphabet, Dfa};

/// The languages that a space is cut by: they say of a text in which class it is, and of classes which texts they are.
#[derive(Debug)]
pub(crate) struct Languages {
    pub(crate) alphabet: Alphabet,
    pub(super) dfas: Vec<Dfa>,
    /// By expression.
    pub(super) domains: HashMap<String, Rc<Dfa>>,
    /// By dimension.
    pub(super) probes: Vec<Vec<Probe>>,
    /// By dimension and class: what the probes say of its texts.
    pub(super) signatures: Vec<Vec<Option<Signature>>>,
}

impl Languages {
    /// The texts that an expression describes.
    pub(crate) fn domain(&self, expression: &str) -> Option<&Dfa> {
        self.domains.get(expression).map(Rc::as_ref)
    }

    fn reader(&self, dimension: usize) -> Option<Reader<'_>> {
        let probes = self.probes.get(dimension)?;
        Some(Reader { alphabet: &self.alphabet, dfas: &self.dfas, probes })
    }

    /// The class of a value.
    pub(crate) fn class_of(
        &self,
        place: usize,
        dimension: &Dimension,
        value: Option<&ClaimValue>,
    ) -> Option<usize> {
        let same = dimension.classes.iter().position(|class| class.value.as_ref() == value);
        let Some(ClaimValue::String(text)) = value else { return same };
        same.or_else(|| {
            let signature = Some(self.reader(place)?.signature(text));
            self.signatures.get(place)?.iter().position(|known| *known == signature)
        })
    }

    /// The texts of `domain` that are in one of these classes.
    pub(crate) fn texts(&self, place: usize, classes: &[&Class], domain: &Dfa) -> Option<Dfa> {
        let reader = self.reader(place)?;
        let texts = classes.iter().filter_map(|class| text_of(class));
        let signatures: HashSet<_> = texts.map(|text| reader.signature(text)).collect();
        reader.texts_of(domain, &signatures)
    }
}

fn text_of(class: &Class) -> Option<&str> {
    class.value.as_ref().and_then(ClaimValue::as_str)
}
