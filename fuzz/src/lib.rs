#![doc = include_str!("../README.md")]

pub mod check;
pub mod corpus;
pub mod targets;

/// What a fuzz target is: it takes any bytes, and panics if it has found something.
pub type Target = fn(&[u8]);

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        /// Every target by name; a test holds this list, the binaries and the corpus together.
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), targets::$name::run)),*];
    };
}

targets![
    aws_query_form,
    client_answers,
    configuration,
    discovery,
    evidence_azure_sign_in,
    evidence_cloudtrail,
    evidence_credential_report,
    evidence_daypass_log,
    evidence_gcp_audit,
    evidence_key_last_used,
    evidence_vault_audit,
    issuer_catalogue,
    jwk_set,
    jws,
    oauth_token_form,
    pipelines,
    policy_aws,
    policy_azure,
    policy_gcp,
    policy_native,
    policy_test,
    policy_vault,
    prove_personas,
    secret_listings,
    sigv4,
    sources_cloudformation,
    sources_export,
    sources_plan,
    sources_terraform,
];

/// The binary of one target: under `--cfg fuzzing` libFuzzer drives it, otherwise it replays its corpus.
#[macro_export]
macro_rules! target {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::targets::$name::run(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::corpus::replay(stringify!($name)).map(drop)
        }
    };
}
