//! Rules about pipelines: what a job does with a token, and what it does without one.

mod broad_audience;
mod exposed_service_principal;
mod guarded_by_if;
mod hardcoded_credential;
mod injected_script;
mod leaked_token;
mod missing_id_token;
mod removed_variable;
mod secrets_inherit;
mod self_hosted_for_strangers;
mod static_credential;
mod static_fallback;
mod token_for_every_job;
mod unpinned_action;
mod untrusted_code_with_token;

use daypass_pipelines::Place;
use daypass_pipelines::inventory::Credential;

use crate::Rule;
use crate::finding::Draft;
use crate::pipeline_view::PipelineView;

/// The rules, in the order of their page.
pub(super) const RULES: &[Rule] = &[
    untrusted_code_with_token::RULE,
    injected_script::RULE,
    hardcoded_credential::RULE,
    leaked_token::RULE,
    static_credential::RULE,
    static_fallback::RULE,
    token_for_every_job::RULE,
    missing_id_token::RULE,
    unpinned_action::RULE,
    secrets_inherit::RULE,
    removed_variable::RULE,
    exposed_service_principal::RULE,
    self_hosted_for_strangers::RULE,
    guarded_by_if::RULE,
    broad_audience::RULE,
];

/// A finding about a credential of the inventory.
fn of_credential(view: &PipelineView<'_>, credential: &Credential, place: &Place, message: String) -> Draft {
    let role = credential.job.as_deref().unwrap_or("every job");
    Draft::new(view.source, place.span, role, message)
}
