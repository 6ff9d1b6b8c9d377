//! The pages say what is so: the tests they name exist, the pages they link to are there.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod links;
#[cfg(test)]
mod named_tests;
#[cfg(test)]
mod pages;
