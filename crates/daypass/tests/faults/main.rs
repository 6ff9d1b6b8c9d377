//! The whole service while things go wrong: killed, out of disk, cut off from its database, without its issuers. The real
//! binary, real HTTP over loopback, real databases.
//!
//! A plain test run does everything once, small, on SQLite. `DAYPASS_FAULTS=full` runs the numbers that the project
//! promises. `DAYPASS_TEST_POSTGRES` is the URL of a database in which schemas may be made; without it, what needs
//! PostgreSQL says `skipped`, or fails if `DAYPASS_REQUIRE_POSTGRES` is set. Restarting PostgreSQL needs a cluster of the
//! suite's own, made with the programs in `DAYPASS_TEST_POSTGRES_BIN` (by default, those of `pg_config --bindir`).

// `cfg(test)` tells clippy that the helpers are tests too.
#[cfg(test)]
mod client;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod load;
#[cfg(test)]
mod log;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod site;
#[cfg(test)]
mod stop;
