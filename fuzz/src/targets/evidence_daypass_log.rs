//! Exported logs of daypass.

use daypass_evidence::SourceKind;

pub fn run(data: &[u8]) {
    super::evidence::read(SourceKind::DaypassLog, data);
}
