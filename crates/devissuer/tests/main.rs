//! The development issuer as relying parties, jobs and browsers meet it: over HTTP, on loopback.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod common;
#[cfg(test)]
mod forgeries;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod platforms;
#[cfg(test)]
mod refusals;
