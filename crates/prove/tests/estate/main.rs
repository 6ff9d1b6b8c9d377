//! What facts of an estate change, and what is said where they are missing.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod azure;
#[cfg(test)]
mod home;
#[cfg(test)]
mod workflow;
