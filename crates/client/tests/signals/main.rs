//! Signals go to the command. Alone in its process, because they come to the process as a whole.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
#[cfg(unix)]
mod forwarding;
