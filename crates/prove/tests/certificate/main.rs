//! Certificates of inclusion: written, checked, and refused when anything in them is changed.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod mutation;
