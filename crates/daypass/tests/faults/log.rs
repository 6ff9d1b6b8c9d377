//! The record of decisions, as `daypass audit` gives it, and what it must say about what clients hold.

use std::collections::{BTreeMap, HashMap};

use daypass_exchange::record::{ExchangeRecord, LogLine, Outcome, Record, RecordKind};
use serde_json::Value;

use crate::client::{Answer, Ask, Credential};
use crate::site::{Site, daypass};

/// All exchanges on record.
pub(crate) struct Log {
    exchanges: HashMap<String, ExchangeRecord>,
    /// Access key id to decision.
    sessions: HashMap<String, String>,
    /// Token id to the decisions that took its uses, by ordinal.
    uses: HashMap<String, BTreeMap<u32, String>>,
    /// How many were answers that had been given before.
    retries: usize,
}

impl Log {
    /// Verifies the log and reads it.
    pub(crate) async fn read(site: &Site) -> Self {
        verify(site).await;
        let output = daypass(&["audit", "export", "--data", site.data()]).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut log =
            Self { exchanges: HashMap::new(), sessions: HashMap::new(), uses: HashMap::new(), retries: 0 };
        for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if let LogLine::Entry(entry) = LogLine::parse(line).unwrap() {
                let record = Record::from_body(&entry.body.unwrap()).unwrap();
                if let RecordKind::Exchange(exchange) = record.kind {
                    log.add(record.id, *exchange);
                }
            }
        }
        log
    }

    fn add(&mut self, decision: String, exchange: ExchangeRecord) {
        if exchange.outcome == Outcome::Admitted {
            let counted = exchange.token_use.as_ref().expect("an admitted exchange that took no use");
            if counted.retry_of.is_none() {
                let uses = self.uses.entry(token_id(&exchange)).or_default();
                let twice = uses.insert(counted.ordinal, decision.clone());
                assert_eq!(twice, None, "use {} of {} was taken twice", counted.ordinal, token_id(&exchange));
            } else {
                self.retries += 1;
            }
            let issued = exchange.credential.as_ref().expect("an admitted exchange that issued nothing");
            if let Some(access_key_id) = issued.access_key_id.clone() {
                let twice = self.sessions.insert(access_key_id, decision.clone());
                assert_eq!(twice, None, "an access key was issued twice");
            }
        }
        let twice = self.exchanges.insert(decision, exchange);
        assert!(twice.is_none(), "a decision is on record twice");
    }

    /// How many exchanges are on record.
    pub(crate) fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// How many admitted exchanges gave an earlier answer again.
    pub(crate) const fn retries(&self) -> usize {
        self.retries
    }

    /// How many uses a token's admitted exchanges have taken.
    pub(crate) fn uses(&self, ask: &Ask) -> usize {
        self.uses.get(&ask.job.id).map_or(0, BTreeMap::len)
    }

    /// How many uses have been taken in all.
    pub(crate) fn all_uses(&self) -> usize {
        self.uses.values().map(BTreeMap::len).sum()
    }

    /// Every credential that a client holds is on record, as issued for the token that it was asked for with; returns how
    /// many there were.
    pub(crate) fn account_for<'a>(&self, answers: impl IntoIterator<Item = &'a (Ask, Answer)>) -> usize {
        let mut count = 0;
        for (ask, answer) in answers {
            let Answer::Issued { credential, decision } = answer else { continue };
            let first = match credential {
                Credential::Session { access_key_id, .. } => self.sessions.get(access_key_id).cloned(),
                Credential::Jwt { .. } => credential.jwt_id(),
            };
            let first = first.unwrap_or_else(|| panic!("there is no record of {credential:?}"));
            for decision in [&first].into_iter().chain(decision) {
                let exchange = self.exchanges.get(decision);
                let exchange =
                    exchange.unwrap_or_else(|| panic!("there is no record of decision {decision}"));
                assert_eq!(exchange.outcome, Outcome::Admitted, "{decision}");
                assert_eq!(token_id(exchange), ask.job.id, "{decision}");
                let issued = exchange.credential.as_ref().expect("an admitted exchange that issued nothing");
                assert_eq!(issued.id, first, "{decision}");
            }
            count += 1;
        }
        count
    }
}

fn token_id(exchange: &ExchangeRecord) -> String {
    let claims = exchange.claims.as_ref().expect("an admitted exchange without claims");
    let claims: Value = serde_json::from_str(claims.as_str()).unwrap();
    claims["jti"].as_str().unwrap().to_owned()
}

/// Verifies the log; returns how many records it has.
pub(crate) async fn verify(site: &Site) -> u64 {
    let output = daypass(&["audit", "verify", "--data", site.data()]).await;
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert!(output.status.success() && found["ok"] == true, "{found:#}");
    found["records"].as_u64().unwrap()
}
