//! What the clouds' listing commands print. Federated credentials of Azure and roles of Vault print as their documents.

mod aws;
mod gcp;

use daypass_trust::document::{Node, Source};

use crate::found::Found;

pub(crate) use gcp::Parts as PoolParts;

/// Reads an export; whether it was one.
pub(super) fn read(source: &Source, node: &Node, found: &mut Found) -> bool {
    aws::read(source, node, found) || gcp::read(source, node, found)
}
