use std::rc::Rc;

use daypass_trust::document::Node;

use super::session::Module;
use super::value::Val;

/// Which of several instances of a block this is.
#[derive(Clone, Debug)]
pub(crate) enum Instance {
    /// The only one.
    Single,
    /// By `count`.
    Count(usize),
    /// By `for_each`.
    Each { key: String, value: Node },
    /// How many there are is not known: one stands for all.
    Unknown(String),
}

impl Instance {
    /// What an address ends in: `["a"]`, `[0]`.
    pub(crate) fn suffix(&self) -> String {
        match self {
            Self::Single => String::new(),
            Self::Count(index) => format!("[{index}]"),
            Self::Each { key, .. } => format!("[\"{key}\"]"),
            Self::Unknown(_) => "[*]".to_owned(),
        }
    }
}

/// Where an expression is evaluated.
#[derive(Clone)]
pub(crate) struct Env<'p> {
    pub(crate) module: Rc<Module<'p>>,
    pub(crate) instance: Rc<Instance>,
    pub(crate) frame: Option<Rc<Frame>>,
    pub(crate) base: usize,
    pub(crate) depth: usize,
}

/// A name that an expression or a dynamic block brings in.
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) value: Val,
    pub(crate) above: Option<Rc<Frame>>,
}

impl<'p> Env<'p> {
    /// At the top of a block of a module.
    pub(crate) fn top(module: &Rc<Module<'p>>, instance: &Rc<Instance>, depth: usize) -> Self {
        Self { module: Rc::clone(module), instance: Rc::clone(instance), frame: None, base: 0, depth }
    }

    /// With one more name.
    pub(crate) fn with(&self, name: &str, value: Val) -> Self {
        let frame = Frame { name: name.to_owned(), value, above: self.frame.clone() };
        Self { frame: Some(Rc::new(frame)), ..self.clone() }
    }

    /// The innermost value of a name.
    pub(crate) fn local(&self, name: &str) -> Option<&Val> {
        let mut frame = self.frame.as_deref();
        while let Some(here) = frame {
            if here.name == name {
                return Some(&here.value);
            }
            frame = here.above.as_deref();
        }
        None
    }
}
