//! What to ask of tokens in which dialect: the subject, the ids that are never given to others, and the place.

use std::collections::{BTreeMap, BTreeSet};

use daypass_claims::{Audience, ClaimName};
use daypass_issuers::{Platform, Slot, Support, catalogue};
use daypass_trust::Dialect;
use daypass_trust::dialect::azure;
use daypass_trust::form::{Pattern, Piece};
use daypass_trust::write::{Grant, Wanted};

use super::Unseen;
use super::wish::Wish;
use crate::universe::Universe;

/// The grant of one wish in one universe, and what the cloud cannot be asked for.
pub(super) fn grant(
    dialect: Dialect,
    universe: &Universe,
    wish: Wish<'_>,
    subjects: Vec<Pattern>,
    asked_before: &BTreeSet<String>,
    unseen: &mut Vec<Unseen>,
) -> Grant {
    let wanted = wish.claims(universe);
    let mut claims: BTreeMap<ClaimName, Wanted> = BTreeMap::new();
    for candidate in candidates(universe, asked_before) {
        let Some(value) = wanted.get(&candidate.claim) else { continue };
        let in_subject = holds(&subjects, value);
        if *value == Wanted::Absent {
            // An absent environment shows in the subject; where a dialect can ask for it, it costs nothing.
            if matches!(dialect, Dialect::Daypass) {
                claims.insert(candidate.claim, value.clone());
            }
            continue;
        }
        match sees(dialect, universe, &candidate.claim, value) {
            Ok(()) if dialect == Dialect::Azure && in_subject => {}
            Ok(()) if candidate.is_id || !in_subject || is_plain(dialect) => {
                claims.insert(candidate.claim, value.clone());
            }
            Err(why) if !in_subject => {
                let it = Unseen { claim: candidate.claim, why };
                if !unseen.contains(&it) {
                    unseen.push(it);
                }
            }
            Ok(()) | Err(_) => {}
        }
    }
    let binds_by_claims = dialect == Dialect::Daypass && binds_place(universe, &claims);
    if !binds_by_claims {
        claims.insert("sub".into(), Wanted::Like(subjects));
    }
    Grant { issuer: universe.issuer().clone(), audiences: wish.audiences(), claims }
}

/// Whether the dialect sees claims as they are, so that each is asked for by itself.
const fn is_plain(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Daypass | Dialect::Vault)
}

/// Whether the claims say which repository and which place in it.
fn binds_place(universe: &Universe, claims: &BTreeMap<ClaimName, Wanted>) -> bool {
    let Some(platform) = universe.platform() else { return false };
    let asked = |slot: &Slot| matches!(claims.get(&slot.name), Some(Wanted::Like(_)));
    let tenants = &platform.tenants;
    tenants.repository.iter().chain(&tenants.repository_names).any(asked)
        && platform.selectors.environment.iter().chain(&platform.selectors.git_ref).any(asked)
}

/// A claim that it is worth to ask for.
struct Candidate {
    claim: ClaimName,
    /// Whether it is an id of the organisation or the repository.
    is_id: bool,
}

fn candidates(universe: &Universe, asked_before: &BTreeSet<String>) -> Vec<Candidate> {
    let Some(platform) = universe.platform() else { return Vec::new() };
    let tenants = &platform.tenants;
    let plain = |slot: &&Slot| slot.filter.is_none() && platform.claims.get(slot.name.as_str()).is_some();
    let of = |slots: &mut dyn Iterator<Item = &Slot>, is_id: bool| -> Vec<Candidate> {
        slots.filter(plain).map(|slot| Candidate { claim: slot.name.clone(), is_id }).collect()
    };
    let mut all = of(&mut tenants.organisation.iter().chain(&tenants.repository), true);
    all.extend(of(&mut platform.selectors.environment.iter().chain(&platform.selectors.git_ref), false));
    // The reusable workflow, where the job is one's, and what sets the job off.
    let triggers = platform.untrusted.iter().map(|it| &it.when.claim);
    for claim in std::iter::once(&ClaimName::from("job_workflow_ref")).chain(triggers) {
        let is_new = !all.iter().any(|it| it.claim == *claim);
        if is_new && platform.claims.get(claim.as_str()).is_some() {
            all.push(Candidate { claim: claim.clone(), is_id: false });
        }
    }
    for name in asked_before.iter().filter(|name| *name != "sub" && *name != "aud") {
        if !all.iter().any(|it| it.claim.as_str() == name) {
            all.push(Candidate { claim: ClaimName::from(name.as_str()), is_id: false });
        }
    }
    let fixed = |claim: &ClaimName| {
        let slot = Slot { name: claim.clone(), filter: None, optional: false };
        universe.fixed(&slot).is_some()
    };
    all.retain(|it| !fixed(&it.claim));
    all
}

/// Whether a claim says what set the job off, and is not the ref that it ran on.
fn sets_off(platform: &Platform, claim: &ClaimName) -> bool {
    let is_ref = platform.selectors.git_ref.as_ref().is_some_and(|slot| slot.name == *claim);
    !is_ref && platform.untrusted.iter().any(|it| it.when.claim == *claim)
}

/// Whether a cloud's policies can ask for a claim, and else why not.
fn sees(dialect: Dialect, universe: &Universe, claim: &ClaimName, value: &Wanted) -> Result<(), String> {
    match dialect {
        Dialect::Aws => match catalogue().aws().support(universe.issuer(), claim.as_str()) {
            Support::Supported => Ok(()),
            Support::Unsupported { date } => {
                Err(format!("AWS does not fill it: it is not on the list of condition keys of {date}"))
            }
            Support::Unverified { why } => Err(why.to_owned()),
        },
        Dialect::Azure => {
            let known = azure::comparable(universe.issuer()).unwrap_or_default();
            let one = matches!(value, Wanted::Like(patterns) if patterns.len() == 1);
            match known.iter().find(|(name, _)| *name == claim.as_str()) {
                Some(_) if one => Ok(()),
                Some(_) => Err("a credential has no alternatives".to_owned()),
                None => Err("Entra does not compare it".to_owned()),
            }
        }
        // What sets a job off is of little use beside its subject; native trust asks for it.
        Dialect::Gcp | Dialect::Vault if universe.platform().is_some_and(|it| sets_off(it, claim)) => {
            Err("it is left to the subject".to_owned())
        }
        Dialect::Gcp | Dialect::Vault | Dialect::Daypass => Ok(()),
    }
}

/// Whether every subject says it.
fn holds(subjects: &[Pattern], value: &Wanted) -> bool {
    let Wanted::Like(patterns) = value else { return false };
    let texts: Vec<&str> = patterns
        .iter()
        .filter_map(|pattern| pattern.pieces.first())
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let says = |subject: &Pattern| {
        let has = |text: &&str| {
            subject.pieces.iter().any(|piece| matches!(piece, Piece::Text(held) if held.contains(*text)))
        };
        texts.iter().any(has)
    };
    !texts.is_empty() && subjects.iter().all(says)
}

/// Grants that differ in their subjects alone are one; in the native form, which lists values of any claim, those that differ in
/// what set the job off as well.
pub(super) fn merged(dialect: Dialect, grants: Vec<Grant>) -> Vec<Grant> {
    let grants = of_one_subject(grants);
    if dialect != Dialect::Daypass {
        return grants;
    }
    let mut all: Vec<Grant> = Vec::new();
    for grant in grants {
        let same = all.iter_mut().find_map(|it| differing(it, &grant).map(|claim| (it, claim)));
        match same {
            Some((it, claim)) => {
                if let (Some(Wanted::Like(known)), Some(Wanted::Like(more))) =
                    (it.claims.get_mut(&claim), grant.claims.get(&claim))
                {
                    let new: Vec<Pattern> = more.iter().filter(|one| !known.contains(one)).cloned().collect();
                    known.extend(new);
                }
            }
            None => all.push(grant),
        }
    }
    all
}

/// The claim in which two grants differ, where that is one, of which both say what it is like, and says what set the job off.
fn differing(one: &Grant, other: &Grant) -> Option<ClaimName> {
    if one.issuer != other.issuer
        || one.audiences != other.audiences
        || !one.claims.keys().eq(other.claims.keys())
    {
        return None;
    }
    let mut differ =
        one.claims.iter().zip(other.claims.values()).filter(|((_, wanted), other)| wanted != other);
    let (((claim, wanted), other), None) = (differ.next()?, differ.next()) else { return None };
    let platforms = catalogue().platforms_of(&one.issuer);
    let like = matches!((wanted, other), (Wanted::Like(_), Wanted::Like(_)));
    (like && platforms.iter().any(|found| sets_off(found.platform, claim))).then(|| claim.clone())
}

fn of_one_subject(grants: Vec<Grant>) -> Vec<Grant> {
    let sub = ClaimName::from("sub");
    let mut all: Vec<Grant> = Vec::new();
    for mut grant in grants {
        let subjects = grant.claims.remove(&sub);
        let same = all.iter_mut().find(|it| {
            let mut rest = it.claims.clone();
            let has = rest.remove(&sub).is_some();
            it.issuer == grant.issuer
                && it.audiences == grant.audiences
                && rest == grant.claims
                && has == subjects.is_some()
        });
        match (same, subjects) {
            (Some(it), Some(Wanted::Like(more))) => {
                if let Some(Wanted::Like(known)) = it.claims.get_mut(&sub) {
                    let new: Vec<Pattern> = more.into_iter().filter(|one| !known.contains(one)).collect();
                    known.extend(new);
                }
            }
            (Some(_), _) => {}
            (None, subjects) => {
                grant.claims.extend(subjects.map(|subjects| (sub.clone(), subjects)));
                all.push(grant);
            }
        }
    }
    all
}

/// The audiences that the wishes name, else those that were asked for before, for grants that name none.
pub(super) fn with_audiences(grants: &mut [Grant], before: &[Audience]) {
    for grant in grants.iter_mut().filter(|grant| grant.audiences.is_empty()) {
        grant.audiences = before.to_vec();
    }
}
