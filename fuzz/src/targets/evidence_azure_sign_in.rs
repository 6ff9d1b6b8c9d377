//! Sign-ins of Microsoft Entra.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::AzureSignIn, data);
}
