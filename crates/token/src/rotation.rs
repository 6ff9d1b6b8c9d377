//! Rotating one's own signing keys, so that no relying party ever meets a token whose key it cannot know.
//!
//! A key is *published* for a while before it signs, because relying parties keep a key set for a while; it *signs*
//! until its successor does; and it stays published until the last token that it signed has expired:
//!
//! ```text
//!   publish_from      use_from                  retire_at                     remove_at
//!        |-- publish_lead --|---- signing_period ----|-- token_life + LEEWAY --|
//!        |  published                                                          |
//!                           |  signs                 |
//!                                                    ^ use_from of the successor
//! ```
//!
//! [`plan`] says what is to be done now, [`signer`] and [`published`] read the result; all are functions of the stored
//! lives and the time, so replicas that share a store agree. Nothing here makes a key or stores one.

use std::time::Duration;

use daypass_claims::{KeyId, Timestamp};

use crate::verify::LEEWAY;

/// How long the phases of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// How long a key is published before it signs: the longest that relying parties keep a key set.
    pub publish_lead: Duration,
    /// How long a key signs. At least `publish_lead` in effect, because a successor needs that long.
    pub signing_period: Duration,
    /// The longest life of what is signed.
    pub token_life: Duration,
}

impl Default for RotationPolicy {
    /// A day, 30 days, and 12 hours (the longest session of AWS).
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self {
            publish_lead: HOUR.saturating_mul(24),
            signing_period: HOUR.saturating_mul(30 * 24),
            token_life: HOUR.saturating_mul(12),
        }
    }
}

/// The life of one key. The last two are unset while it has no successor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLife {
    /// Which key.
    pub id: KeyId,
    /// When it is first published.
    pub publish_from: Timestamp,
    /// When it first signs.
    pub use_from: Timestamp,
    /// When it signs no more.
    pub retire_at: Option<Timestamp>,
    /// When it is published no more.
    pub remove_at: Option<Timestamp>,
}

/// Something to be done to the stored keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a key with this beginning of its life. The keys are planned anew once it is stored.
    Create {
        /// When it is published: now.
        publish_from: Timestamp,
        /// When it signs.
        use_from: Timestamp,
    },
    /// Write down when a key ends: it has a successor.
    Retire {
        /// Which key.
        id: KeyId,
        /// When its successor begins to sign.
        retire_at: Timestamp,
        /// When the last token that it signed has expired everywhere.
        remove_at: Timestamp,
    },
    /// Delete a key: nothing that it signed is valid any more.
    Remove {
        /// Which key.
        id: KeyId,
    },
}

/// What is to be done now. Doing it twice, or late, or on two replicas at once does no harm.
///
/// The first key of all signs at once; so does the next one after all keys were deleted, which is how a leaked key is
/// got rid of. A key is retired only once its successor is stored, so there is no moment without a signer.
pub fn plan(keys: &[KeyLife], now: Timestamp, policy: &RotationPolicy) -> Vec<Action> {
    let mut serving: Vec<&KeyLife> = keys.iter().filter(|key| key.retire_at.is_none()).collect();
    serving.sort_by(|a, b| seniority(a).cmp(&seniority(b)));
    let mut actions = Vec::new();
    for pair in serving.windows(2) {
        if let [old, successor] = pair {
            let retire_at = successor.use_from;
            let remove_at = retire_at + policy.token_life + LEEWAY;
            actions.push(Action::Retire { id: old.id.clone(), retire_at, remove_at });
        }
    }
    match serving.last() {
        None => actions.push(Action::Create { publish_from: now, use_from: now }),
        Some(newest) => {
            let end = newest.use_from + policy.signing_period;
            if now >= newest.use_from && now + policy.publish_lead >= end {
                let use_from = end.max(now + policy.publish_lead);
                actions.push(Action::Create { publish_from: now, use_from });
            }
        }
    }
    let over = keys.iter().filter(|key| key.remove_at.is_some_and(|remove_at| remove_at <= now));
    actions.extend(over.map(|key| Action::Remove { id: key.id.clone() }));
    actions
}

/// The one key that signs now: the latest whose time has come. `None` only before the first [`plan`] is carried out.
pub fn signer(keys: &[KeyLife], now: Timestamp) -> Option<&KeyLife> {
    keys.iter()
        .filter(|key| key.use_from <= now && key.retire_at.is_none_or(|retire_at| now < retire_at))
        .max_by(|a, b| seniority(a).cmp(&seniority(b)))
}

/// The keys that belong in the published set now.
pub fn published(keys: &[KeyLife], now: Timestamp) -> impl Iterator<Item = &KeyLife> {
    keys.iter()
        .filter(move |key| key.publish_from <= now && key.remove_at.is_none_or(|remove_at| now < remove_at))
}

/// Two replicas may each have made a key for the same moment; the name then decides, everywhere alike.
fn seniority(key: &KeyLife) -> (Timestamp, &KeyId) {
    (key.use_from, &key.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn policy(lead: u32, period: u32, life: u32) -> RotationPolicy {
        RotationPolicy { publish_lead: HOUR * lead, signing_period: HOUR * period, token_life: HOUR * life }
    }

    /// What a server does with a plan.
    fn carry_out(keys: &mut Vec<KeyLife>, actions: Vec<Action>, made: &mut u32) {
        for action in actions {
            match action {
                Action::Create { publish_from, use_from } => {
                    *made += 1;
                    let id = KeyId::parse(&format!("key-{made:05}")).unwrap();
                    keys.push(KeyLife { id, publish_from, use_from, retire_at: None, remove_at: None });
                }
                Action::Retire { id, retire_at, remove_at } => {
                    let key = keys.iter_mut().find(|key| key.id == id).unwrap();
                    (key.retire_at, key.remove_at) = (Some(retire_at), Some(remove_at));
                }
                Action::Remove { id } => keys.retain(|key| key.id != id),
            }
        }
    }

    #[test]
    fn the_first_key_signs_at_once_and_its_successor_is_published_a_lead_earlier() {
        let policy = policy(24, 720, 12);
        let (mut keys, mut made) = (Vec::new(), 0);
        let first = plan(&keys, START, &policy);
        assert_eq!(first, [Action::Create { publish_from: START, use_from: START }]);
        carry_out(&mut keys, first, &mut made);
        assert_eq!(plan(&keys, START + HOUR * 695, &policy), []);
        let (publish_from, use_from) = (START + HOUR * 696, START + HOUR * 720);
        let next = plan(&keys, publish_from, &policy);
        assert_eq!(next, [Action::Create { publish_from, use_from }]);
        carry_out(&mut keys, next, &mut made);
        let id = keys[0].id.clone();
        let remove_at = use_from + HOUR * 12 + LEEWAY;
        let retire = Action::Retire { id: id.clone(), retire_at: use_from, remove_at };
        let ends = plan(&keys, publish_from, &policy);
        assert_eq!(ends, [retire]);
        carry_out(&mut keys, ends, &mut made);
        assert_eq!(plan(&keys, use_from, &policy), []);
        assert_eq!(plan(&keys, remove_at, &policy), [Action::Remove { id }]);
    }

    #[test]
    fn a_successor_that_comes_late_is_still_published_a_lead_before_it_signs() {
        let policy = policy(24, 720, 12);
        let (mut keys, mut made) = (Vec::new(), 0);
        carry_out(&mut keys, plan(&[], START, &policy), &mut made);
        let late = START + HOUR * 5_000;
        let expected = Action::Create { publish_from: late, use_from: late + HOUR * 24 };
        assert_eq!(plan(&keys, late, &policy), [expected]);
    }

    #[test]
    fn two_keys_for_one_moment_leave_one_signer() {
        let life = |id: &str| KeyLife {
            id: KeyId::parse(id).unwrap(),
            publish_from: START,
            use_from: START,
            retire_at: None,
            remove_at: None,
        };
        for keys in [[life("a"), life("b")], [life("b"), life("a")]] {
            assert_eq!(signer(&keys, START).unwrap().id.as_str(), "b");
            let actions = plan(&keys, START, &RotationPolicy::default());
            assert!(matches!(&actions[..], [Action::Retire { id, .. }] if id.as_str() == "a"));
        }
    }

    proptest! {
        /// Whenever the planner gets to run: a token verifies until it expires, with the set that is published then and
        /// with the one that a relying party fetched up to a lead before it was signed.
        #[test]
        fn every_token_meets_its_key_until_it_expires(
            lead in 1_u32..48, period in 1_u32..400, life in 1_u32..72,
            pauses in prop::collection::vec((1_u32..200, any::<bool>()), 1..40),
        ) {
            let policy = policy(lead, period, life);
            let (mut keys, mut made, mut now) = (Vec::new(), 0, START);
            let mut last_signed: BTreeMap<KeyId, Timestamp> = BTreeMap::new();
            let mut history: Vec<(Timestamp, Vec<KeyId>)> = Vec::new();
            for (hours, runs) in pauses {
                if runs || keys.is_empty() {
                    let actions = plan(&keys, now, &policy);
                    carry_out(&mut keys, actions, &mut made);
                    prop_assert!(keys.len() <= 4 + usize::try_from((life + lead) / period).unwrap());
                }
                for _ in 0..hours {
                    let signing = signer(&keys, now).expect("there is always a signer");
                    last_signed.insert(signing.id.clone(), now);
                    let ids: Vec<KeyId> = published(&keys, now).map(|key| key.id.clone()).collect();
                    for (id, signed) in &last_signed {
                        prop_assert!(now >= *signed + policy.token_life + LEEWAY || ids.contains(id));
                    }
                    history.push((now, ids));
                    for (_, ids) in history.iter().filter(|(then, _)| now.since(*then) <= policy.publish_lead) {
                        prop_assert!(ids.contains(&signing.id));
                    }
                    let keep = history.len().saturating_sub(50);
                    history.drain(..keep);
                    now = now + HOUR;
                }
            }
        }
    }
}
