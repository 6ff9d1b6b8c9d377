//! What the clouds' listing commands print.

use daypass_trust::document::{Node, Source};

use crate::found::Found;

/// Reads an export; whether it was one.
pub(super) fn read(_source: &Source, _node: &Node, _found: &mut Found) -> bool {
    false
}
