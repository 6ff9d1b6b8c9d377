//! IAM role trust policies.

use daypass_trust::Dialect;

pub fn run(data: &[u8]) {
    super::policy::compiled(Dialect::Aws, data);
}
