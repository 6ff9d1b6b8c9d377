//! Providers of Google Cloud: attribute mappings, conditions in CEL, bindings.

use daypass_trust::Dialect;

pub fn run(data: &[u8]) {
    super::policy::compiled(Dialect::Gcp, data);
}
