//! Whole files: the shared samples, own ones, and bytes of any kind; and the page about kinds of credentials.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod never_panics;
#[cfg(test)]
mod page;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod shared;
