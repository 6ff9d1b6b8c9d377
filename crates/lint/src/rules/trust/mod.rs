//! Rules about trust policies. Who gets in is the prover's answer; the rules say why, and what to write instead.

mod administrator;
mod ambiguous_subject;
mod any_branch;
mod any_environment;
mod any_tag;
mod any_tenant;
mod any_workload;
mod borrowed_claim;
mod custom_subject;
mod dead_alternative;
mod dead_trust;
mod endless_token;
mod foreign_tenant;
mod idle_deny;
mod ignored_case;
mod impossible_principal;
mod long_session;
mod misspelt_issuer;
mod negative_only;
mod no_audience;
mod no_tenant;
mod open_prefix;
mod open_provider;
mod organisation_wide;
mod overlapping_roles;
mod oversized_subject;
mod person_as_identity;
mod pull_request;
mod recyclable_name;
mod recyclable_subject;
mod refused_policy;
mod repository_wide;
mod shared_audience;
mod static_principal;
mod unanchored_match;
mod unapproved_issuer;
mod undecided;
mod undone_by_alternative;
mod unpinned_workflow;
mod unsupported_key;
mod useless_ignore;
mod vacuous_condition;
mod wildcard_principal;
mod wildcard_tenant;

use daypass_prove::{Persona, Witness};
use daypass_trust::document::Span;

use crate::Rule;
use crate::blame::{Blame, Cause};
use crate::finding::{Confidence, Draft, Verdict};
use crate::fix::{Fix, narrows, replacing};
use crate::reach::{Reach, differs_by_case, frees_the_ref, runs_the_deploying_ref};
use crate::view::View;

/// The rules, in the order of their page.
pub(super) const RULES: &[Rule] = &[
    no_tenant::RULE,
    any_tenant::RULE,
    open_prefix::RULE,
    wildcard_tenant::RULE,
    unanchored_match::RULE,
    custom_subject::RULE,
    borrowed_claim::RULE,
    vacuous_condition::RULE,
    negative_only::RULE,
    undone_by_alternative::RULE,
    foreign_tenant::RULE,
    wildcard_principal::RULE,
    unapproved_issuer::RULE,
    dead_trust::RULE,
    misspelt_issuer::RULE,
    organisation_wide::RULE,
    repository_wide::RULE,
    any_workload::RULE,
    pull_request::RULE,
    any_branch::RULE,
    any_tag::RULE,
    any_environment::RULE,
    ignored_case::RULE,
    unpinned_workflow::RULE,
    no_audience::RULE,
    shared_audience::RULE,
    static_principal::RULE,
    open_provider::RULE,
    recyclable_name::RULE,
    person_as_identity::RULE,
    ambiguous_subject::RULE,
    endless_token::RULE,
    idle_deny::RULE,
    oversized_subject::RULE,
    overlapping_roles::RULE,
    unsupported_key::RULE,
    dead_alternative::RULE,
    impossible_principal::RULE,
    administrator::RULE,
    long_session::RULE,
    recyclable_subject::RULE,
    undecided::RULE,
    refused_policy::RULE,
    useless_ignore::RULE,
];

pub(crate) use refused_policy::refused;
pub(crate) use useless_ignore::useless_ignore;

/// What a rule says of a policy that lets strangers in for its cause.
fn stranger(view: &View<'_>, cause: Cause, message: impl Fn(&str) -> String, help: &str) -> Option<Draft> {
    let blame = view.blame.as_ref().filter(|blame| blame.cause == cause)?;
    let witness = view.admitted(Persona::Stranger)?;
    let who = witness.subject();
    let draft = Draft::new(&view.found.source, blame.span, view.role(), message(who));
    let draft = draft.verdict(Verdict::Bad).shown_by(Persona::Stranger, witness).help(help);
    let draft = Draft { fix: exactly(view, blame.span), ..draft };
    Some(assuming(view, draft.why([format!("{} lets it in", blame.statement.label)])))
}

/// What a rule says of a policy that lets others of the tenant in.
fn inside(view: &View<'_>, persona: Persona, witness: &Witness, message: String) -> Option<Draft> {
    let (statement, span) = Blame::place(view, witness)?;
    let draft = Draft::new(&view.found.source, span, view.role(), message);
    let draft = draft.verdict(Verdict::Warn).shown_by(persona, witness);
    let draft = Draft { fix: exactly(view, span), ..draft };
    Some(assuming(view, draft.why([format!("{} lets it in", statement.label)])))
}

/// What a rule says of a policy that lets in some kind of run of its repository, where not all kinds get in.
fn reached(view: &View<'_>, persona: Persona, message: &str, help: &str) -> Option<Draft> {
    let Reach::Parts = Reach::of(view) else { return None };
    let witness = view.admitted(persona)?;
    let is_other_matter = match persona {
        Persona::AnyBranch => differs_by_case(view, witness),
        Persona::OtherEnvironment => !frees_the_ref(view, witness),
        Persona::PullRequest => runs_the_deploying_ref(view, witness),
        _ => false,
    };
    if is_other_matter {
        return None;
    }
    let draft = inside(view, persona, witness, format!("{message}: `{}`", witness.subject()))?;
    Some(draft.help(help))
}

/// Says what was assumed where a policy leaves open whose tokens it means.
fn assuming(view: &View<'_>, draft: Draft) -> Draft {
    match view.assumed {
        Some(platform) => draft.confidence(Confidence::Medium).why([format!(
            "the files do not say whose tokens are meant; those of {} have all the claims that it names",
            platform.name
        )]),
        None => draft,
    }
}

/// The subject of the job that the role is declared to be for, in the place of a pattern. Without a declared home nothing says
/// which of the admitted jobs is meant.
fn exactly(view: &View<'_>, span: Span) -> Option<Fix> {
    view.options.home.as_ref()?;
    let intended = view.admitted(Persona::Intended)?;
    let subject = intended.subject();
    let (tree, edit) = replacing(view, span, &[subject.to_owned()])?;
    let about = format!("write `{subject}`: nobody gets in who did not, and the declared job still does");
    narrows(view, tree, intended).then(|| Fix { about, edits: vec![edit] })
}
