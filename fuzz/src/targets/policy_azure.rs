//! Federated credentials of Azure, with their expressions.

use daypass_trust::Dialect;

pub fn run(data: &[u8]) {
    super::policy::compiled(Dialect::Azure, data);
}
