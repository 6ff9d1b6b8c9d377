//! The program as its users have it: arguments in, text or JSON and an exit code out. Every answer in JSON is held to its
//! schema in `docs/schemas`. `INSTA_UPDATE=always` writes the snapshots anew.

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod acme;
#[cfg(test)]
mod acme_exchange;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad;
#[cfg(test)]
mod check;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod helps;
#[cfg(test)]
mod inspect;
#[cfg(test)]
mod inventory;
#[cfg(test)]
mod issuers;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod migration;
#[cfg(test)]
mod migration_bad;
#[cfg(test)]
mod mint;
#[cfg(test)]
mod output;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod program;
#[cfg(test)]
mod prove;
#[cfg(test)]
mod review;
#[cfg(test)]
mod run;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod service;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod up;
