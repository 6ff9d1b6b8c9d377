//! What the rules find in whole files.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod acceptance;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod fixes;
#[cfg(test)]
mod overlaps;
#[cfg(test)]
mod own;
#[cfg(test)]
mod pipelines;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod render;
#[cfg(test)]
mod support;
#[cfg(test)]
mod untried;
#[cfg(test)]
mod unusual;
