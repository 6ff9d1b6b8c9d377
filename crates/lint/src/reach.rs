//! How far inside its own tenant a policy reaches.

use daypass_claims::ClaimSet;
use daypass_issuers::{Identifies, Slot, TriggerKind};
use daypass_prove::{Persona, Verdict, Witness, dead};

use crate::view::{View, claims_of, equals};

/// The widest circle of a tenant's own callers that gets in besides the intended one.
#[derive(Debug)]
pub(crate) enum Reach<'v> {
    /// Other repositories.
    Organisation(&'v Witness),
    /// All kinds of runs of the repository.
    Repository(Persona, &'v Witness),
    /// Some kinds of runs; each is to be asked for.
    Parts,
    /// Nobody else, or somebody from outside the tenant, which is another matter.
    Nowhere,
}

impl<'v> Reach<'v> {
    pub(crate) fn of(view: &'v View<'_>) -> Self {
        let known = view.issuers().into_iter().any(|issuer| view.platform(issuer).is_some());
        if view.is_open() || !known {
            return Self::Nowhere;
        }
        if let Some(witness) = view.admitted(Persona::Sibling)
            && !runs_reviewed_code(view, witness)
        {
            return Self::Organisation(witness);
        }
        let branch = view.admitted(Persona::AnyBranch);
        let environment = view.admitted(Persona::OtherEnvironment).filter(|it| frees_the_ref(view, it));
        let pull_request = view.admitted(Persona::PullRequest).filter(|it| !runs_the_deploying_ref(view, it));
        match (branch, pull_request, environment) {
            (Some(_), Some(witness), Some(_)) => Self::Repository(Persona::PullRequest, witness),
            (Some(witness), None, Some(_)) => Self::Repository(Persona::AnyBranch, witness),
            _ => Self::Parts,
        }
    }
}

/// A token of another branch whose only difference is letter case: what a comparison without regard to case lets in.
pub(crate) fn differs_by_case(view: &View<'_>, witness: &Witness) -> bool {
    let Some(statement) = view.admitting(witness) else { return false };
    let mut folds = statement.condition.atoms().into_iter().flat_map(|atom| crate::blame::texts(&atom.test));
    folds.any(|(pattern, ignore_case)| ignore_case && !pattern.has_wildcard())
}

/// The claims of a token that name a workflow together with its ref, and are asked for by the policy.
pub(crate) fn workflows<'w>(view: &View<'_>, witness: &'w Witness) -> Vec<(&'w str, &'w str)> {
    let Some(platform) = view.platform(&witness.issuer) else { return Vec::new() };
    let Some(statement) = view.admitting(witness) else { return Vec::new() };
    let asked = claims_of(&statement.condition);
    let named = witness.claims.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    named
        .filter(|(name, value)| {
            let of_workflow =
                platform.claims.get(name).is_some_and(|spec| spec.identifies == Identifies::Workflow);
            of_workflow && value.contains('@') && asked.iter().any(|asked| asked == name)
        })
        .collect()
}

/// The token with another value of a claim.
pub(crate) fn changed(witness: &Witness, claim: &str, value: String) -> ClaimSet {
    let mut claims = witness.claims.clone();
    claims.insert(claim, value);
    claims
}

/// The workflow of a claim at another ref.
pub(crate) fn at_another_ref(workflow: &str) -> Option<String> {
    workflow.rsplit_once('@').map(|(file, _)| format!("{file}@refs/heads/unreviewed"))
}

/// Whether the token has to come from a workflow of the same organisation, at a ref that the policy writes out: then it does
/// not matter which of the organisation's repositories runs it.
fn runs_reviewed_code(view: &View<'_>, witness: &Witness) -> bool {
    workflows(view, witness).into_iter().any(|(claim, workflow)| {
        let Some(elsewhere) = at_another_ref(workflow) else { return false };
        let Some((owner, rest)) = workflow.split_once('/') else { return false };
        let another = format!("{owner}-other/{rest}");
        let denied = |value| !view.admits(view.policy(), witness, &changed(witness, claim, value));
        let ours = view.platform(&witness.issuer).is_some_and(|platform| {
            let mut names = platform.tenants.organisation_names.iter();
            names.any(|slot| {
                slot.take(witness.claims.get(slot.name.as_str())).ok().flatten().as_deref() == Some(owner)
            })
        });
        ours && denied(elsewhere) && denied(another)
    })
}

/// Whether a job of this environment gets in from other refs as well. Where only the ref that deploys gets in, it matters
/// little which environment its jobs name.
pub(crate) fn frees_the_ref(view: &View<'_>, witness: &Witness) -> bool {
    let Some(platform) = view.platform(&witness.issuer) else { return true };
    let claim = |slot: &Option<Slot>| {
        let slot = slot.as_ref().filter(|slot| slot.filter.is_none())?;
        let value = witness.claims.get(slot.name.as_str())?.as_str()?;
        Some(equals(slot.name.as_str(), value))
    };
    let (Some(environment), Some(git_ref)) =
        (claim(&platform.selectors.environment), claim(&platform.selectors.git_ref))
    else {
        return true;
    };
    let elsewhere = view.restricted([environment, git_ref.negated()]);
    dead(&elsewhere, &view.prover).answer != Verdict::Yes
}

/// Whether a run that a request sets off has the very ref that deploys, and no other gets in: on platforms whose tokens carry
/// the request's source branch it then runs what is on that branch already.
pub(crate) fn runs_the_deploying_ref(view: &View<'_>, witness: &Witness) -> bool {
    let git_ref = |witness: &Witness| {
        let slot = view.platform(&witness.issuer)?.selectors.git_ref.as_ref()?;
        witness.claims.get(slot.name.as_str()).cloned()
    };
    let Some(intended) = view.admitted(Persona::Intended) else { return false };
    let untrusted = view.platform(&intended.issuer).into_iter().flat_map(|platform| &platform.untrusted);
    let is_request = untrusted
        .filter(|it| it.kind == TriggerKind::PullRequest)
        .any(|it| it.when.holds(intended.claims.get(it.when.claim.as_str())));
    let same = git_ref(witness).is_some_and(|it| Some(it) == git_ref(intended));
    same && !is_request && view.admitted(Persona::AnyBranch).is_none()
}
