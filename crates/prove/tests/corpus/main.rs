//! Crafted policies with known verdicts.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod who;
