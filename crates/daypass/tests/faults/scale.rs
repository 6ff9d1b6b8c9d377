//! How much of everything.

/// Whether the promised numbers are run.
pub(crate) fn is_full() -> bool {
    std::env::var_os("DAYPASS_FAULTS").is_some_and(|value| value == "full")
}

/// A number for a plain test run, and the promised one.
pub(crate) fn of<T>(small: T, full: T) -> T {
    if is_full() { full } else { small }
}
