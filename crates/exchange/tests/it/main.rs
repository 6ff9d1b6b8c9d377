//! The exchange as a whole, over a real SQLite store, with a clock that the tests move.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod bug_classes;
#[cfg(test)]
mod caller;
#[cfg(test)]
mod config;
#[cfg(test)]
mod issuers;
#[cfg(test)]
mod records;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod support;
