//! What IAM says of single keys.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::KeyLastUsed, data);
}
