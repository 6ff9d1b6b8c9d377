//! The example organisation that `up` serves and `demo` tells about, embedded.

use camino::Utf8Path;
use daypass_exchange::config::Files;

/// What the embedded configuration is called in messages.
pub(crate) const NAME: &str = "acme.toml";

const CONFIGURATION: &str = include_str!("../../../examples/acme/daypass.toml");

/// The embedded files, read as if they lay in the current directory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Embedded;

impl Files for Embedded {
    fn read(&self, path: &Utf8Path) -> Result<String, String> {
        if path == NAME { Ok(CONFIGURATION.to_owned()) } else { Err("no such embedded file".to_owned()) }
    }

    fn list(&self, _: &Utf8Path) -> Result<Option<Vec<String>>, String> {
        Ok(None)
    }
}
