//! The exchange as a whole, over a real SQLite store, with a clock that the tests move.

#![expect(clippy::tests_outside_test_module, reason = "this whole crate is a test")]

mod bug_classes;
mod caller;
mod config;
mod issuers;
mod records;
mod retries;
mod sessions;
mod steps;
mod support;
