//! The service as its callers see it: over real sockets, with a real SQLite store, and a clock that the tests move.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod aws_refusals;
#[cfg(test)]
mod aws_sessions;
#[cfg(test)]
mod aws_web_identity;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod sigv4_refusals;
#[cfg(test)]
mod sigv4_vectors;
#[cfg(test)]
mod token_exchange;
#[cfg(test)]
mod tools;
