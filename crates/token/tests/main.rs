//! What the crate promises, seen from outside.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod bug_classes;
#[cfg(test)]
mod checklist;
#[cfg(test)]
mod common;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod vectors;
