//! The service as its callers see it: over real sockets, with a real SQLite store, and a clock that the tests move.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod admin_acts;
#[cfg(test)]
mod admin_audit;
#[cfg(test)]
mod admin_doors;
#[cfg(test)]
mod aws_refusals;
#[cfg(test)]
mod aws_sessions;
#[cfg(test)]
mod aws_web_identity;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod fetch_guard;
#[cfg(test)]
mod fetch_issuers;
#[cfg(test)]
mod fetch_tls;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sigv4_refusals;
#[cfg(test)]
mod sigv4_vectors;
#[cfg(test)]
mod site;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod token_exchange;
#[cfg(test)]
mod tools;
#[cfg(test)]
mod world;
