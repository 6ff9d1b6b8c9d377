//! Audit devices of Vault.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::VaultAudit, data);
}
