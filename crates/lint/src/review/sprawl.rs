//! Trust that goes beyond its use: roles that nobody assumed, and conditions that admit more than was seen.
//!
//! What would do is not guessed: the narrower document is compiled, and proved to admit nobody whom the old one does not, and
//! every token with an observed subject whom the old one does.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_claims::Issuer;
use daypass_evidence::{Class, Cloud, Report as Evidence, SessionFinding};
use daypass_prove::{Verdict, Witness, dead, implies};
use daypass_trust::document::Source;
use daypass_trust::form::{Condition, Pattern, Policy};
use daypass_trust::write::{Grant, Others, Wanted, write};
use daypass_trust::{Dialect, compile};
use serde::Serialize;

use super::idle::{self, Idle, Subjects, Unused};
use super::standard::sessions;
use super::{Place, Trust};
use crate::view::{admits_tokens, equals};

/// A trust policy that goes beyond its use.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sprawl {
    /// The role.
    pub role: String,
    /// The file that declares it.
    pub file: Arc<str>,
    /// The 1-based line.
    pub line: usize,
    /// In which way.
    pub excess: Excess,
    /// The same in words.
    pub why: String,
    /// The subjects that were seen.
    pub observed: Vec<String>,
    /// Parts of the policy that none of the sessions needed, as far as that can be told.
    pub idle: Vec<Idle>,
    /// What would do; `None` for a role that nobody uses, and where none can be written or proved.
    pub narrower: Option<Narrower>,
    /// What tells it from others in a baseline.
    pub fingerprint: String,
}

/// In which way a role goes beyond its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Excess {
    /// Nobody assumed it.
    Unused,
    /// It admits subjects that were not seen.
    WiderThanUsed,
}

/// A document that admits what was seen and no more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Narrower {
    /// The document, in the role's dialect.
    pub document: String,
    /// A token that the old one admits, this one does not, and nobody was seen with.
    pub without: Option<Witness>,
    /// What was proved of it.
    pub proved: Vec<String>,
}

/// The most subjects that a condition is written for.
const MOST: usize = 50;

/// What goes beyond its use, and what cannot be told of.
pub(super) fn find(trusts: &[Trust<'_>], evidence: Option<&Evidence>) -> (Vec<Sprawl>, Vec<Place>) {
    let (mut found, mut doubts) = (Vec::new(), Vec::new());
    let Some(evidence) = evidence else { return (found, doubts) };
    for trust in trusts.iter().filter(|it| it.policy.statements.iter().any(admits_tokens)) {
        match of_role(trust, evidence) {
            Ok(sprawl) => found.extend(sprawl),
            Err(why) => doubts.push(Place::at(trust.found, format!("`{}`: {why}", trust.found.role))),
        }
    }
    (found, doubts)
}

fn of_role(trust: &Trust<'_>, evidence: &Evidence) -> Result<Option<Sprawl>, String> {
    let cloud = cloud(trust.found.dialect);
    let used: Vec<&SessionFinding> = sessions(evidence)
        .filter(|it| it.cloud == cloud && it.class == Class::Federated && it.issued > 0 && is_of(it, trust))
        .collect();
    let heard = heard(trust, evidence, cloud);
    if used.is_empty() {
        let days = heard.map_err(|why| format!("no session was seen, and {why}"))?;
        let why = format!("nobody assumed it in {days} days");
        return Ok(Some(sprawl(trust, Excess::Unused, why, Vec::new(), Vec::new(), None)));
    }
    let (unplanned, planned): (Vec<&SessionFinding>, Vec<&SessionFinding>) =
        used.iter().copied().partition(|it| it.expectation.is_surprise());
    let subjects = subjects(planned.into_iter().filter(|it| !it.subject.is_empty()), trust)?;
    let observed: Vec<String> = subjects.values().flatten().cloned().collect();
    if observed.is_empty() {
        return Err("the logs do not show for whom its sessions were issued".to_owned());
    }
    if observed.len() > MOST {
        return Err(format!(
            "{} subjects were seen, conditions for up to {MOST} are written",
            observed.len()
        ));
    }
    let stranger = |it: &&String| dead(&of_subject(&trust.policy, it), &trust.prover).answer == Verdict::Yes;
    if let Some(subject) = observed.iter().find(stranger) {
        return Err(format!("`{subject}` had sessions, and it admits no token of that subject"));
    }
    // Who came unplanned used the trust as well. Where it is not known of all who they were, nothing is called unused.
    let (days, unused) = match (heard, self::subjects(used, trust)) {
        (Ok(days), Ok(all)) if !all.values().flatten().any(String::is_empty) => {
            (days, idle::find(trust, &all))
        }
        _ => (0, Unused::default()),
    };
    let mut why = format!(
        "it admits more than the {} that {} seen",
        if observed.len() == 1 { "subject" } else { "subjects" },
        if observed.len() == 1 { "was" } else { "were" }
    );
    match unused.parts.len() {
        0 => {}
        1 => why.push_str(&format!("; a part of it was of no use in {days} days")),
        several => why.push_str(&format!("; {several} parts of it were of no use in {days} days")),
    }
    if !unplanned.is_empty() {
        let unplanned = unplanned.len();
        why.push_str(&format!("; {unplanned} more had sessions that nobody planned, and are left out"));
    }
    let narrower = match narrower(trust, &subjects, &unused) {
        Ok(None) => return Ok(None),
        Ok(narrower) => narrower,
        Err(doubt) if unused.parts.is_empty() => return Err(doubt),
        Err(doubt) => {
            why.push_str(&format!("; what would do cannot be written for it: {doubt}"));
            None
        }
    };
    Ok(Some(sprawl(trust, Excess::WiderThanUsed, why, observed, unused.parts, narrower)))
}

/// For how many days the logs would have had its sessions, if they would have on every one.
fn heard(trust: &Trust<'_>, evidence: &Evidence, cloud: Cloud) -> Result<u64, &'static str> {
    let account = trust.found.options.account.as_deref();
    let logs = evidence.logs.iter().filter(|it| {
        it.cloud == cloud && (cloud != Cloud::Aws || account.is_none_or(|account| account == it.account))
    });
    let logs: Vec<_> = logs.collect();
    if logs.iter().any(|it| !it.coverage.missing.is_empty() || it.coverage.lost > 0) {
        return Err("the logs have gaps");
    }
    logs.iter().map(|it| it.coverage.days).max().ok_or("there are no logs of its account")
}

/// The subjects of sessions, by whose tokens they came of.
fn subjects<'s>(
    sessions: impl IntoIterator<Item = &'s SessionFinding>,
    trust: &Trust<'_>,
) -> Result<Subjects, &'static str> {
    let mut subjects = Subjects::new();
    for session in sessions {
        let issuer = issuer(session, trust).ok_or("the logs do not say whose tokens its sessions came of")?;
        subjects.entry(issuer).or_default().insert(session.subject.clone());
    }
    Ok(subjects)
}

fn sprawl(
    trust: &Trust<'_>,
    excess: Excess,
    why: String,
    observed: Vec<String>,
    idle: Vec<Idle>,
    narrower: Option<Narrower>,
) -> Sprawl {
    let (role, location) = (trust.found.role.clone(), &trust.found.location);
    let kind = if excess == Excess::Unused { "unused" } else { "wider-than-used" };
    let fingerprint = format!("{kind}:{}:{role}:{}", location.file, observed.join(","));
    Sprawl {
        role,
        file: location.file.clone(),
        line: location.line,
        excess,
        why,
        observed,
        idle,
        narrower,
        fingerprint,
    }
}

/// The document for these subjects alone, proved; `None` where the old one admits no other.
fn narrower(trust: &Trust<'_>, subjects: &Subjects, unused: &Unused) -> Result<Option<Narrower>, String> {
    let grants: Vec<Grant> = subjects
        .iter()
        .map(|(issuer, subjects)| {
            let patterns = subjects.iter().map(Pattern::literal).collect();
            let claims = BTreeMap::from([("sub".into(), Wanted::Like(patterns))]);
            Grant { issuer: issuer.clone(), audiences: Vec::new(), claims }
        })
        .collect();
    let Trust { found, policy, prover } = trust;
    let document = write(&unused.put_last(policy), &found.tree, &grants, Others::Keep)
        .map_err(|error| format!("no narrower condition: {error}"))?;
    let source = Source::new(found.source.name(), document.as_str());
    let new = compile(found.dialect, &source, &found.options)
        .map_err(|error| format!("the dialect refuses the narrower condition: {error}"))?
        .policy;
    let back = implies(policy, &new, prover);
    match back.answer {
        Verdict::Yes => return Ok(None),
        Verdict::Unknown => return Err(back.why.join("; ")),
        Verdict::No => {}
    }
    let onward = implies(&new, policy, prover);
    if onward.answer != Verdict::Yes {
        let why = onward.witness.map_or_else(
            || onward.why.join("; "),
            |it| format!("it admits `{}` with other claims than the old one", it.subject()),
        );
        return Err(format!("the condition for what was seen is not narrower: {why}"));
    }
    for subject in subjects.values().flatten() {
        if implies(&of_subject(policy, subject), &new, prover).answer != Verdict::Yes {
            return Err(format!("it cannot be proved that `{subject}` would still get in"));
        }
    }
    let proved = vec![
        "it admits nobody whom the old one does not".to_owned(),
        "it admits every token with an observed subject that the old one admits".to_owned(),
    ];
    Ok(Some(Narrower { document, without: back.witness, proved }))
}

/// The same policy for one subject alone.
fn of_subject(policy: &Policy, subject: &str) -> Policy {
    let mut policy = policy.clone();
    for statement in policy.statements.iter_mut().filter(|it| admits_tokens(it)) {
        statement.condition = Condition::All(vec![equals("sub", subject), statement.condition.clone()]);
    }
    policy
}

/// Whether a session acts as a role: by its name, and by its account where both are known.
fn is_of(session: &SessionFinding, trust: &Trust<'_>) -> bool {
    let found = trust.found;
    let name = found.facts.name.as_deref().unwrap_or(&found.role);
    let account = found.options.account.as_deref();
    session.principal.rsplit('/').next() == Some(name)
        && account.is_none_or(|account| session.cloud != Cloud::Aws || account == session.account)
}

/// Whose tokens a session came of: an identity provider of AWS is named for its issuer, and others are named by their URL; where
/// logs have some name of their own, the issuer is the one that the policy trusts.
fn issuer(session: &SessionFinding, trust: &Trust<'_>) -> Option<Issuer> {
    let said = match session.issuer.split_once(":oidc-provider/") {
        Some((_, host)) => Issuer::parse(&format!("https://{host}")).ok(),
        None => Issuer::parse(&session.issuer).ok(),
    };
    let trusted = || {
        let mut issuers = trust.policy.statements.iter().filter(|it| admits_tokens(it)).flat_map(|it| {
            match &it.principals.tokens {
                daypass_trust::form::TokenIssuers::Exactly(issuers) => issuers.iter().collect::<Vec<_>>(),
                _ => Vec::new(),
            }
        });
        let first = issuers.next()?;
        issuers.all(|other| other == first).then(|| first.clone())
    };
    said.or_else(trusted)
}

const fn cloud(dialect: Dialect) -> Cloud {
    match dialect {
        Dialect::Aws => Cloud::Aws,
        Dialect::Azure => Cloud::Azure,
        Dialect::Gcp => Cloud::Gcp,
        Dialect::Vault => Cloud::Vault,
        Dialect::Daypass => Cloud::Daypass,
    }
}
