//! Application secrets that Azure's libraries take before a federated token.

use super::{Leftover, Place, Shadow};
use crate::Env;

const DEFAULT_CHAIN: &str = "Azure's libraries take before workload identity";

const VARIABLES: [(&str, &str); 3] = [
    ("AZURE_CLIENT_SECRET", DEFAULT_CHAIN),
    ("AZURE_CLIENT_CERTIFICATE_PATH", DEFAULT_CHAIN),
    ("ARM_CLIENT_SECRET", "Terraform takes before `use_oidc`"),
];

pub(super) fn shadows(env: Env<'_>) -> Vec<Shadow> {
    let set =
        VARIABLES.into_iter().filter(|(variable, _)| env(variable).is_some_and(|value| !value.is_empty()));
    set.map(|(variable, wins)| Shadow {
        leftover: Leftover::AzureClientSecret,
        place: Place::Variable(variable),
        wins: wins.to_owned(),
        remedy: "remove it from the job and delete the secret".to_owned(),
    })
    .collect()
}
