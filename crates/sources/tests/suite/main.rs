//! What is found in files: samples of every kind, and what is refused.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod support;
