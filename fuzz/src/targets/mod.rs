//! The bodies of the targets. Each is a function of bytes, so that a stable toolchain replays what libFuzzer found.

pub mod aws_query_form;
pub mod client_answers;
pub mod configuration;
pub mod discovery;
pub mod evidence_azure_sign_in;
pub mod evidence_cloudtrail;
pub mod evidence_credential_report;
pub mod evidence_daypass_log;
pub mod evidence_gcp_audit;
pub mod evidence_key_last_used;
pub mod evidence_vault_audit;
pub mod issuer_catalogue;
pub mod jwk_set;
pub mod jws;
pub mod oauth_token_form;
pub mod pipelines;
pub mod policy_aws;
pub mod policy_azure;
pub mod policy_gcp;
pub mod policy_native;
pub mod policy_test;
pub mod policy_vault;
pub mod prove_personas;
pub mod secret_listings;
pub mod sigv4;
pub mod sources_cloudformation;
pub mod sources_export;
pub mod sources_plan;
pub mod sources_terraform;

mod evidence;
mod policy;
mod sources;
