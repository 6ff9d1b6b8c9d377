//! The HTML report: what is on the page, what cannot be got onto it, and how large it grows.
//!
//! `cfg(test)` tells clippy that the helpers are tests too.

#[cfg(test)]
mod content;
#[cfg(test)]
mod page;
#[cfg(test)]
mod safety;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod size;
