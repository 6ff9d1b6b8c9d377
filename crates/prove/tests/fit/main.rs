//! Roles held against the jobs that are to assume them, against invariants, and against each other.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod common;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod refusals;
