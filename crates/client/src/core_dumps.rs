//! No secrets in core files.

use std::fmt;

/// This process leaves no core file, and other processes of the same user cannot read its memory (on Linux, where such
/// a thing can be said). Programs that it starts are as they would be without.
#[derive(Clone, Copy, Debug)]
pub struct CoreDumps {
    #[cfg(unix)]
    before: rustix::process::Rlimit,
}

/// The system does not let us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreDumpsError(String);

#[cfg(unix)]
impl CoreDumps {
    /// Forbids them from now on. Best done before there is any secret.
    pub fn forbid() -> Result<Self, CoreDumpsError> {
        let refused = |error: rustix::io::Errno| CoreDumpsError(error.to_string());
        let before = rustix::process::getrlimit(rustix::process::Resource::Core);
        limit(none(before)).map_err(refused)?;
        // The limit does not bind where cores are piped into a program. This does, and `execve` lifts it.
        #[cfg(target_os = "linux")]
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
            .map_err(refused)?;
        Ok(Self { before })
    }

    /// Starts a program by `start`, with the limit that was in force before.
    pub(crate) fn lifted<T>(self, start: impl FnOnce() -> T) -> T {
        // The soft limit can be moved under the hard one at will; neither of these fails once `forbid` has not.
        let _ = limit(self.before);
        let started = start();
        let _ = limit(none(self.before));
        started
    }
}

#[cfg(unix)]
fn limit(limit: rustix::process::Rlimit) -> rustix::io::Result<()> {
    rustix::process::setrlimit(rustix::process::Resource::Core, limit)
}

#[cfg(unix)]
const fn none(before: rustix::process::Rlimit) -> rustix::process::Rlimit {
    rustix::process::Rlimit { current: Some(0), maximum: before.maximum }
}

/// There are no core files here.
#[cfg(not(unix))]
impl CoreDumps {
    /// Does nothing.
    pub fn forbid() -> Result<Self, CoreDumpsError> {
        Ok(Self {})
    }

    pub(crate) fn lifted<T>(self, start: impl FnOnce() -> T) -> T {
        start()
    }
}

impl fmt::Display for CoreDumpsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "core files of this process cannot be forbidden: {}", self.0)
    }
}

impl std::error::Error for CoreDumpsError {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::process::Command;

    use rustix::process::{Resource, Rlimit, getrlimit};

    use super::*;

    fn of_a_child() -> String {
        let output = Command::new("sh").args(["-c", "ulimit -c"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// The only test that moves limits: they are the process's.
    #[test]
    fn they_are_forbidden_to_us_and_not_to_those_we_start() {
        let maximum = getrlimit(Resource::Core).maximum;
        let some = Some(maximum.map_or(4_096, |maximum| maximum.min(4_096)));
        limit(Rlimit { current: some, maximum }).unwrap();
        let before = of_a_child();
        let dumps = CoreDumps::forbid().unwrap();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        assert_eq!(of_a_child(), "0\n");
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{DumpableBehavior, dumpable_behavior};
            assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        }
        assert_eq!(dumps.lifted(of_a_child), before);
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
    }
}
