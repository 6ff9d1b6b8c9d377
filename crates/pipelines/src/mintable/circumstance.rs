use std::collections::BTreeSet;

use daypass_issuers::ValueSet;

use super::RepositoryFacts;
use super::sets::{meet, prefixed, reasons, resolve};
use crate::condition::{DEFAULT_BRANCH, pattern};
use crate::{Condition, Fact, Job, Pipeline, Platform, Trigger, Who};

/// One way in which a job comes to run: the event and the refs on which it does.
#[derive(Clone, Debug)]
pub(super) struct Circumstance {
    /// The event, in the platform's word.
    pub(super) event: String,
    /// Who brings it about.
    pub(super) who: Who,
    /// What the ref is.
    pub(super) kind: Kind,
    /// The full refs.
    pub(super) refs: ValueSet,
    /// The target branches, for a pull request.
    pub(super) base: ValueSet,
    /// Why the set may be larger than the truth.
    pub(super) at_most: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Branch,
    Tag,
    PullRequest,
}

impl Kind {
    /// What a full ref of this kind begins with.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Branch => "refs/heads/",
            Self::Tag => "refs/tags/",
            Self::PullRequest => "refs/pull/",
        }
    }

    /// `branch` or `tag`, which is all that platforms tell apart.
    pub(super) const fn ref_type(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Branch | Self::PullRequest => "branch",
        }
    }
}

/// The ways in which a job of the pipeline can come to run.
pub(super) fn of(pipeline: &Pipeline, job: &Job, facts: &RepositoryFacts) -> Vec<Circumstance> {
    let triggers = pipeline.triggers.iter().filter(|trigger| trigger.who != Who::Caller);
    let before = triggers.flat_map(|trigger| from(trigger, pipeline.platform, facts));
    before.flat_map(|circumstance| restrict(circumstance, &job.condition, facts)).collect()
}

fn from(trigger: &Trigger, platform: Platform, facts: &RepositoryFacts) -> Vec<Circumstance> {
    let event = trigger.event.as_str();
    let default_branch = facts.default_branch.as_deref();
    let make = |kind: Kind, refs: ValueSet, base: ValueSet| {
        let refs = resolve(refs, default_branch);
        let mut at_most = BTreeSet::new();
        reasons(&refs, &mut at_most);
        reasons(&base, &mut at_most);
        let event = event.to_owned();
        Circumstance { event, who: trigger.who, kind, refs, base, at_most }
    };
    let none = || ValueSet::Absent;
    let on_default = || make(Kind::Branch, ValueSet::exactly(format!("refs/heads/{DEFAULT_BRANCH}")), none());
    let named = |kind: Kind, set: &ValueSet| make(kind, prefixed(kind.prefix(), set), none());
    let on_merge_commit = matches!(platform, Platform::GitHubActions | Platform::AzurePipelines);
    let mut found = match trigger.who {
        // GitLab and the like run a request's pipeline on its source branch.
        Who::PullRequest if on_merge_commit => {
            let merge = pattern("refs/pull/N/merge", "refs/pull/[0-9]+/merge");
            vec![make(Kind::PullRequest, merge, trigger.branches.clone())]
        }
        Who::PullRequest => {
            let source = prefixed(Kind::Branch.prefix(), &ValueSet::Any);
            vec![make(Kind::Branch, source, trigger.branches.clone())]
        }
        Who::PullRequestTarget => {
            let refs = prefixed(Kind::Branch.prefix(), &trigger.branches);
            vec![make(Kind::Branch, refs, trigger.branches.clone())]
        }
        Who::Follows | Who::Outsider | Who::Clock if platform == Platform::GitHubActions => {
            vec![on_default()]
        }
        Who::Person if event == "repository_dispatch" => vec![on_default()],
        _ => vec![named(Kind::Branch, &trigger.branches), named(Kind::Tag, &trigger.tags)],
    };
    found.retain(|circumstance| !circumstance.refs.is_empty());
    found
}

/// What is left of a circumstance where a condition holds.
fn restrict(circumstance: Circumstance, condition: &Condition, facts: &RepositoryFacts) -> Vec<Circumstance> {
    match condition {
        Condition::Always => vec![circumstance],
        Condition::Never => Vec::new(),
        Condition::All(all) => all.iter().fold(vec![circumstance], |left, one| {
            left.into_iter().flat_map(|circumstance| restrict(circumstance, one, facts)).collect()
        }),
        Condition::Any(any) => {
            let mut found: Vec<Circumstance> = Vec::new();
            for one in any {
                for part in restrict(circumstance.clone(), one, facts) {
                    join(&mut found, part);
                }
            }
            found
        }
        Condition::Not(one) => restrict_unknown(circumstance, one, true),
        Condition::Unknown(_) => restrict_unknown(circumstance, condition, false),
        Condition::Is(fact, set) => {
            narrow(circumstance, *fact, resolve(set.clone(), facts.default_branch.as_deref()))
        }
    }
}

fn restrict_unknown(
    mut circumstance: Circumstance,
    condition: &Condition,
    negated: bool,
) -> Vec<Circumstance> {
    if let Condition::Unknown(text) = condition {
        let not = if negated { "not " } else { "" };
        circumstance.at_most.insert(format!("runs only if {not}`{text}`"));
    }
    vec![circumstance]
}

/// Unites a part with one that differs in its refs alone.
fn join(found: &mut Vec<Circumstance>, part: Circumstance) {
    let same = |one: &&mut Circumstance| {
        one.kind == part.kind
            && one.base == part.base
            && one.at_most == part.at_most
            && one.event == part.event
    };
    match found.iter_mut().find(same) {
        Some(one) => {
            let before = std::mem::replace(&mut one.refs, ValueSet::Any);
            one.refs = before.or(part.refs);
        }
        None => found.push(part),
    }
}

fn narrow(mut circumstance: Circumstance, fact: Fact, set: ValueSet) -> Vec<Circumstance> {
    reasons(&set, &mut circumstance.at_most);
    let holds = |value: Option<&str>| set.contains(value, &crate::condition::matches) != Some(false);
    let possible = match fact {
        Fact::Event => holds(Some(&circumstance.event)),
        Fact::RefType => holds(Some(circumstance.kind.ref_type())),
        Fact::Ref => {
            circumstance.refs = meet(circumstance.refs, set);
            true
        }
        Fact::RefName => {
            circumstance.refs = meet(circumstance.refs, prefixed(circumstance.kind.prefix(), &set));
            true
        }
        Fact::Branch | Fact::Tag => {
            let wanted = if fact == Fact::Tag { Kind::Tag } else { Kind::Branch };
            let request = circumstance.who == Who::PullRequest;
            if circumstance.kind == wanted && !request {
                circumstance.refs = meet(circumstance.refs, prefixed(wanted.prefix(), &set));
                true
            } else {
                holds(None)
            }
        }
        Fact::BaseRef => {
            if circumstance.base == ValueSet::Absent {
                holds(None) || holds(Some(""))
            } else {
                circumstance.base = meet(circumstance.base, set);
                !circumstance.base.is_empty()
            }
        }
    };
    if possible && !circumstance.refs.is_empty() { vec![circumstance] } else { Vec::new() }
}
