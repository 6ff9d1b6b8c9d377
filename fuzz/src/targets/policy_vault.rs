//! Roles of Vault.

use daypass_trust::Dialect;

pub fn run(data: &[u8]) {
    super::policy::compiled(Dialect::Vault, data);
}
