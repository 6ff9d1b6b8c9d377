//! What the native form refuses, and how a refusal is taken back: by name, with a reason, until a day.

use std::fmt;

use daypass_claims::Timestamp;
use daypass_issuers::{Binds, Guard, Platform, Slot, Test as GuardTest, TriggerKind};

use super::KnownIssuer;
use super::claim::{ClaimTest, Pins};
use crate::document::{Fields, Member, Node, Problem, Problems, Source, Span, Value};

/// A way for trust to be wider than it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Risk {
    /// No audience: a token made for any other relying party would do.
    NoAudience,
    /// An issuer that many organisations share, and nothing that says which of them and which repository.
    NoTenant,
    /// An issuer of one organisation, and nothing that says which of its repositories.
    OrganisationWide,
    /// Names where the issuer offers immutable ids: a name can be given up and registered by somebody else.
    MutableNames,
    /// A production role that jobs of pull requests can assume.
    PullRequests,
}

impl Risk {
    /// Every risk.
    pub const ALL: [Self; 5] =
        [Self::NoAudience, Self::NoTenant, Self::OrganisationWide, Self::MutableNames, Self::PullRequests];

    /// The name in `accept_risk`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoAudience => "no-audience",
            Self::NoTenant => "no-tenant",
            Self::OrganisationWide => "organisation-wide",
            Self::MutableNames => "mutable-names",
            Self::PullRequests => "pull-requests",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A risk that somebody has taken on, on the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRisk {
    /// Which.
    pub risk: Risk,
    /// Why, in the author's words.
    pub reason: String,
    /// The last day it is accepted, as written (`2027-01-31`).
    pub until: String,
    /// The first moment it no longer is.
    pub expires: Timestamp,
    /// Where it stands.
    pub span: Span,
}

/// What the checks look at.
pub(super) struct Statement<'a> {
    pub(super) span: Span,
    pub(super) has_audience: bool,
    pub(super) issuer: &'a KnownIssuer,
    pub(super) tests: &'a [ClaimTest],
    pub(super) environment: Option<&'a str>,
}

/// Reads `accept_risk`: one table or a list of tables.
pub(super) fn accepted(
    source: &Source,
    member: Option<&Member>,
    problems: &mut Problems,
) -> Vec<AcceptedRisk> {
    let Some(member) = member else { return Vec::new() };
    let items = member.node.as_array().unwrap_or(std::slice::from_ref(&member.node));
    items.iter().filter_map(|item| accepted_one(source, item, problems)).collect()
}

fn accepted_one(source: &Source, node: &Node, problems: &mut Problems) -> Option<AcceptedRisk> {
    let mut fields = Fields::of(source, node, "`accept_risk`", problems)?;
    let rule = fields.required_string("rule", "which risk is accepted", problems);
    let reason = fields.required_string("reason", "why it is accepted, for the record", problems);
    let until = fields.require("until", "the last day it is accepted: until = 2027-01-31", problems);
    fields.finish(problems);
    let (rule, rule_span) = rule?;
    let Some(risk) = Risk::ALL.into_iter().find(|risk| risk.as_str() == rule) else {
        let known: Vec<&str> = Risk::ALL.iter().map(|risk| risk.as_str()).collect();
        let problem = Problem::new(source, rule_span, format!("no risk is called `{rule}`"));
        problems.push(problem.help(format!("known: {}", known.join(", "))));
        return None;
    };
    let (reason, reason_span) = reason?;
    if reason.trim().is_empty() {
        problems.push(Problem::new(source, reason_span, "the reason is empty"));
        return None;
    }
    let until = until?;
    let day = match &until.node.value {
        Value::Datetime(text) | Value::String(text) => text.clone(),
        _ => String::new(),
    };
    let Ok(midnight) = Timestamp::parse(&format!("{day}T00:00:00Z")) else {
        problems.push(Problem::new(source, until.node.span, "`until` must be a day like 2027-01-31"));
        return None;
    };
    let expires = midnight + std::time::Duration::from_secs(86_400);
    Some(AcceptedRisk { risk, reason: reason.to_owned(), until: day, expires, span: node.span })
}

/// Finds the risks of a statement. Each is a problem unless it is accepted; what was accepted and applies is returned.
pub(super) fn check(
    source: &Source,
    statement: &Statement<'_>,
    accepted: &[AcceptedRisk],
    now: Option<Timestamp>,
    problems: &mut Problems,
    notes: &mut Vec<Problem>,
) -> Vec<AcceptedRisk> {
    let found = find(statement);
    let mut applied = Vec::new();
    for (risk, message, help) in &found {
        let refusal = |message: String| Problem::new(source, statement.span, message).help(help.clone());
        match accepted.iter().find(|accepted| accepted.risk == *risk) {
            None => problems.push(refusal(format!("{message} [{risk}]"))),
            Some(it) if now.is_some_and(|now| now >= it.expires) => {
                problems.push(refusal(format!(
                    "{message} [{risk}]; the risk was accepted until {} only",
                    it.until
                )));
            }
            Some(it) => applied.push(it.clone()),
        }
    }
    for it in accepted.iter().filter(|it| !found.iter().any(|(risk, ..)| *risk == it.risk)) {
        notes.push(Problem::new(
            source,
            it.span,
            format!("`accept_risk` for {} is not needed here", it.risk),
        ));
    }
    applied
}

fn find(statement: &Statement<'_>) -> Vec<(Risk, String, String)> {
    let mut found = Vec::new();
    if !statement.has_audience {
        found.push((
            Risk::NoAudience,
            "trust without an audience admits tokens that were made for any other relying party".to_owned(),
            "give `audience`, and let jobs request their token for exactly that".to_owned(),
        ));
    }
    let Some(platform) = statement.issuer.platform else { return found };
    let tenants = &platform.tenants;
    let repository = statement.bound(&tenants.repository, &tenants.repository_names);
    let organisation = statement.bound(&tenants.organisation, &tenants.organisation_names);
    let ids = [listed(&tenants.organisation), listed(&tenants.repository)];
    let both = ids.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join(" and ");
    match platform
        .binds(&statement.issuer.issuer)
        .or_else(|| platform.issuer.forms.first().map(|form| form.binds))
    {
        Some(Binds::Nothing) if organisation == Bound::Not || repository == Bound::Not => found.push((
            Risk::NoTenant,
            format!(
                "{} signs for everybody, and this does not say which organisation and repository",
                platform.name
            ),
            format!("bind {both}"),
        )),
        Some(Binds::Name | Binds::Id | Binds::Installation)
            if repository == Bound::Not && !tenants.repository.is_empty() =>
        {
            found.push((
                Risk::OrganisationWide,
                format!("every repository behind {} would be admitted", statement.issuer.issuer),
                format!("bind {}", listed(&tenants.repository)),
            ));
        }
        _ => {}
    }
    let by_name = |bound, ids: &[Slot]| bound == Bound::ByName && !ids.is_empty();
    if by_name(repository, &tenants.repository) || by_name(organisation, &tenants.organisation) {
        found.push((
            Risk::MutableNames,
            "names can be given up and registered by somebody else; the issuer offers ids that cannot"
                .to_owned(),
            format!("bind {both}"),
        ));
    }
    if statement.is_production() {
        found.extend(statement.reachable_by_pull_requests(platform));
    }
    found
}

/// Claims as they are written in a policy.
fn listed(slots: &[Slot]) -> String {
    slots.iter().map(|slot| written(slot.name.as_str())).collect::<Vec<_>>().join(" or ")
}

/// `claims.name`, quoted where TOML needs it.
fn written(claim: &str) -> String {
    let bare = claim.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { format!("`claims.{claim}`") } else { format!("`claims.\"{claim}\"`") }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Not,
    ByName,
    ById,
}

impl Statement<'_> {
    fn test_of(&self, claim: &str) -> Option<&ClaimTest> {
        self.tests.iter().find(|test| test.claim.as_str() == claim)
    }

    /// Whether a claim is pinned to listed values.
    fn pinned(&self, claim: &str) -> bool {
        self.test_of(claim).is_some_and(|test| matches!(test.pins, Pins::Values(_)))
    }

    /// How tightly any of the claims is bound. An exact subject binds what every form of it is made of.
    fn bound(&self, ids: &[Slot], names: &[Slot]) -> Bound {
        let any =
            |slots: &[Slot], found: &dyn Fn(&str) -> bool| slots.iter().any(|slot| found(slot.name.as_str()));
        let pinned = |claim: &str| self.pinned(claim);
        let in_subject = |claim: &str| self.pinned("sub") && self.every_subject_holds(claim);
        if any(ids, &pinned) || any(ids, &in_subject) {
            Bound::ById
        } else if any(names, &pinned) || any(names, &in_subject) || self.subject_holds_some(ids, names) {
            Bound::ByName
        } else {
            Bound::Not
        }
    }

    fn every_subject_holds(&self, claim: &str) -> bool {
        let subjects = self.issuer.platform.map(|platform| platform.subjects.as_slice()).unwrap_or_default();
        !subjects.is_empty()
            && subjects.iter().all(|form| form.rules.names().any(|name| name.as_str() == claim))
    }

    /// Whether an exact subject holds an id in some forms and a name in the others: which it is cannot be told from the
    /// claim, so it counts as a name.
    fn subject_holds_some(&self, ids: &[Slot], names: &[Slot]) -> bool {
        let subjects = self.issuer.platform.map(|platform| platform.subjects.as_slice()).unwrap_or_default();
        let held = |slot: &Slot| {
            subjects.iter().all(|form| {
                let of_form = |claim: &str| form.rules.names().any(|name| name.as_str() == claim);
                of_form(slot.name.as_str()) || names.iter().any(|name| of_form(name.name.as_str()))
            })
        };
        self.pinned("sub") && !subjects.is_empty() && ids.iter().any(held)
    }

    /// The triggers of pull requests that get through, as a risk.
    fn reachable_by_pull_requests(&self, platform: &Platform) -> Option<(Risk, String, String)> {
        let environment = platform.selectors.environment.as_ref().map(|slot| slot.name.as_str());
        if environment.is_some_and(|claim| self.pinned(claim)) {
            return None;
        }
        let from_pull_requests = platform.untrusted.iter().filter(|it| it.kind == TriggerKind::PullRequest);
        let open: Vec<&Guard> =
            from_pull_requests.map(|it| &it.when).filter(|when| !self.shuts_out(when)).collect();
        let first = open.first()?;
        let triggers: Vec<String> = open.iter().map(ToString::to_string).collect();
        let by_trigger = written(first.claim.as_str());
        Some((
            Risk::PullRequests,
            format!(
                "jobs that a pull request starts can assume this production role ({})",
                triggers.join("; ")
            ),
            match environment {
                Some(environment) => {
                    format!(
                        "bind {} to a protected environment, or {by_trigger} to trusted events",
                        written(environment)
                    )
                }
                None => format!("bind {by_trigger} to trusted events"),
            },
        ))
    }

    /// Whether no token of which `guard` is true gets through the tests of its claim.
    fn shuts_out(&self, guard: &Guard) -> bool {
        let Some(test) = self.test_of(guard.claim.as_str()) else { return false };
        match (&test.pins, &guard.test) {
            (Pins::Values(values), _) => {
                !values.iter().any(|value| guard.holds(Some(&value.as_str().into())))
            }
            (Pins::Nothing { excluded }, GuardTest::OneOf(untrusted)) => untrusted
                .iter()
                .all(|value| value.as_str().is_some_and(|text| excluded.iter().any(|it| it == text))),
            (Pins::Absent, _) => true,
            (Pins::Nothing { .. } | Pins::Globs(_), _) => false,
        }
    }

    fn is_production(&self) -> bool {
        self.environment.is_some_and(|environment| environment.to_ascii_lowercase().starts_with("prod"))
    }
}
