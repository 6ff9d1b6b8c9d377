//! Audit logs of Google Cloud.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::GcpAudit, data);
}
