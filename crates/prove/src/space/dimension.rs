use daypass_claims::ClaimValue;
use daypass_trust::form::RequestKey;

use crate::universe::PartId;

/// What is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A part of the token.
    Part(PartId),
    /// Something about the request that its sender chooses.
    Request(RequestKey),
    /// When the request is made.
    Time,
}

/// Something that can be chosen, and what can be told apart of it.
#[derive(Clone, Debug)]
pub(crate) struct Dimension {
    pub(crate) subject: Subject,
    pub(crate) classes: Vec<Class>,
    /// Why there may be more than these classes.
    pub(crate) inexact: Vec<String>,
}

/// Values that nothing tells apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    /// One of them; `None` is absence.
    pub(crate) value: Option<ClaimValue>,
    /// Whether it is the only one.
    pub(crate) only: bool,
}
