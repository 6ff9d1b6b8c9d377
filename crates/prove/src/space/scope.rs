/// What a leaf depends on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// The dimensions, in the order in which diagrams ask.
    pub(crate) support: Vec<usize>,
    /// By dimension of the support: of which kind each class is. The leaf says the same of classes of one kind, so it is
    /// asked about one of them.
    pub(crate) kinds: Vec<Vec<usize>>,
    /// The claims that it looks at.
    pub(crate) claims: Vec<String>,
    /// Why it may not say the same of all that is in a class.
    pub(crate) inexact: Vec<String>,
}
