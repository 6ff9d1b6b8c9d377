//! The built-in catalogue: against itself, against the reference it was written from, and as a page.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod builtin;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod page;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod samples;
