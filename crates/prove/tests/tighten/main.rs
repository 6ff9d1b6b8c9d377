//! Narrower policies, and what is proved of them.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod dialects;
#[cfg(test)]
mod forms;
