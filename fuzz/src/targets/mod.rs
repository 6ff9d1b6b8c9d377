//! The bodies of the targets. Each is a function of bytes, so that a stable toolchain replays what libFuzzer found.

pub mod aws_query_form;
pub mod client_answers;
pub mod configuration;
pub mod discovery;
pub mod issuer_catalogue;
pub mod jwk_set;
pub mod jws;
pub mod oauth_token_form;
pub mod policy_aws;
pub mod policy_native;
pub mod policy_test;
pub mod sigv4;

mod policy;
