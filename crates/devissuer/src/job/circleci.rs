//! CircleCI gives a job two tokens that differ in the form of their subject, which the catalogue's variants cannot say.

use std::collections::BTreeMap;

use daypass_claims::{ClaimName, ClaimValue};
use daypass_issuers::{Override, Platform, Variant};

use crate::mint::MintRequest;

const PLATFORM: &str = "circleci";
/// The variables, each with the variant whose form its subject has.
const FORMS: [(&str, &str); 2] = [("CIRCLE_OIDC_TOKEN", "v1"), ("CIRCLE_OIDC_TOKEN_V2", "v2")];

/// The request for the token in `variable`: the same job's, with the subject in that variable's form.
pub(super) fn request_for(platform: &Platform, variable: &str, request: &MintRequest) -> MintRequest {
    let form = FORMS.iter().find(|(name, _)| platform.id == PLATFORM && *name == variable);
    let Some((_, form)) = form else { return request.clone() };
    let job = platform.variant(request.variant.as_deref().unwrap_or("default"));
    let mut claims = job.map(|job| differences(platform, job)).unwrap_or_default();
    claims.extend(request.claims.clone());
    MintRequest { variant: Some((*form).to_owned()), claims, ..request.clone() }
}

/// What a variant changes about claims.
fn differences(platform: &Platform, variant: &Variant) -> BTreeMap<ClaimName, Override> {
    let samples = variant.with.iter().filter_map(|name| {
        let sample = platform.variable(name.as_str())?.sample.clone()?;
        Some((name.clone(), Override::Set(sample)))
    });
    let set = variant.set.iter().map(|(name, value)| (name.clone(), Override::Set(value.clone())));
    let null = variant.null.iter().map(|name| (name.clone(), Override::Set(ClaimValue::Null)));
    let without = variant.without.iter().map(|name| (name.clone(), Override::Remove));
    samples.chain(set).chain(null).chain(without).collect()
}
