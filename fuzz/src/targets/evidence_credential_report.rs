//! IAM credential reports.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::CredentialReport, data);
}
