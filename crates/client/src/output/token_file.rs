//! A token in a file.

use std::path::Path;

use super::{OutputError, write_private};
use crate::credential::AccessToken;

/// Writes the token to the file at `path`, without a line end: what reads it puts it into a header as it is.
pub fn write(path: &Path, token: &AccessToken) -> Result<(), OutputError> {
    write_private(path, token.access_token.expose().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::access_token;

    #[test]
    fn a_token() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        write(&path, &access_token()).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a.b.c");
    }
}
