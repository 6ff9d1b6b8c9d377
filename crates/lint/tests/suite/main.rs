//! What the rules find in whole files.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod support;
