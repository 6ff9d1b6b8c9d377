use std::collections::BTreeMap;
use std::str::FromStr;

use daypass_claims::Issuer;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::mint::UnknownWord;

/// How an issuer's documents go wrong. Tokens are minted as ever.
///
/// Connections cannot be refused from behind an open listener: a relying party that is to meet a refusal is given the
/// address of a closed port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outage {
    /// 503 with `Retry-After`.
    Unavailable,
    /// No answer until the outage is over.
    Hang,
    /// 200, with the page of a captive portal.
    Garbage,
    /// 302 to the same document under another name of this host, where it would be found.
    Redirect,
    /// A discovery document for another issuer, by a slash at the end.
    WrongIssuer,
    /// A key set whose first key is malformed; the others are good.
    MalformedKey,
    /// A key set without keys.
    EmptySet,
    /// Four megabytes, all good JSON: white space, then the document.
    Huge,
    /// A byte a second, until the outage is over.
    Slow,
}

impl Outage {
    /// Every outage, with its name.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Unavailable, "unavailable"),
        (Self::Hang, "hang"),
        (Self::Garbage, "garbage"),
        (Self::Redirect, "redirect"),
        (Self::WrongIssuer, "wrong-issuer"),
        (Self::MalformedKey, "malformed-key"),
        (Self::EmptySet, "empty-set"),
        (Self::Huge, "huge"),
        (Self::Slow, "slow"),
    ];
}

impl FromStr for Outage {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let known =
            "unavailable, hang, garbage, redirect, wrong-issuer, malformed-key, empty-set, huge and slow";
        let found = Self::ALL.iter().find(|(_, name)| *name == text);
        found.map(|(outage, _)| *outage).ok_or_else(|| UnknownWord::new(text, known))
    }
}

/// Which outages there are at the moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outages {
    everywhere: Option<Outage>,
    /// What is the matter with single issuers, which counts more.
    of_issuers: BTreeMap<Issuer, Outage>,
    /// The server is about to stop: whoever is kept waiting is let go.
    closing: bool,
}

impl Outages {
    fn of(&self, issuer: &Issuer) -> Option<Outage> {
        let outage = self.of_issuers.get(issuer).copied().or(self.everywhere);
        outage.filter(|_| !self.closing)
    }
}

/// The outages, for those who cause them and those who wait for their end.
#[derive(Debug)]
pub(crate) struct OutageBoard(watch::Sender<Outages>);

impl OutageBoard {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(Outages::default()))
    }

    pub(crate) fn of(&self, issuer: &Issuer) -> Option<Outage> {
        self.0.borrow().of(issuer)
    }

    /// Begins an outage, or ends it with `None`. Without an issuer all are meant: an end is then one of everything.
    pub(crate) fn set(&self, issuer: Option<Issuer>, outage: Option<Outage>) {
        self.0.send_modify(|outages| match (issuer, outage) {
            (Some(issuer), Some(outage)) => drop(outages.of_issuers.insert(issuer, outage)),
            (Some(issuer), None) => drop(outages.of_issuers.remove(&issuer)),
            (None, outage) => {
                outages.of_issuers.clear();
                outages.everywhere = outage;
            }
        });
    }

    pub(crate) fn close(&self) {
        self.0.send_modify(|outages| outages.closing = true);
    }

    /// Every outage with its issuer; `None` is everywhere.
    pub(crate) fn list(&self) -> Vec<(Option<Issuer>, Outage)> {
        let outages = self.0.borrow();
        let everywhere = outages.everywhere.map(|outage| (None, outage));
        let of_issuers = outages.of_issuers.iter().map(|(issuer, outage)| (Some(issuer.clone()), *outage));
        everywhere.into_iter().chain(of_issuers).collect()
    }

    /// Waits until `issuer` has another outage than this, or none.
    pub(crate) fn end_of(&self, outage: Outage, issuer: Issuer) -> impl Future<Output = ()> + Send + use<> {
        let mut board = self.0.subscribe();
        async move {
            // An error means that the board is gone, and the issuer with it.
            let _ = board.wait_for(|outages| outages.of(&issuer) != Some(outage)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(name: &str) -> Issuer {
        Issuer::parse(&format!("https://{name}.example")).unwrap()
    }

    #[test]
    fn names_are_those_of_the_json() {
        for (outage, name) in Outage::ALL {
            assert_eq!(serde_json::to_string(&outage).unwrap(), format!("\"{name}\""));
            assert_eq!(name.parse(), Ok(outage));
        }
        assert!("refuse".parse::<Outage>().unwrap_err().to_string().ends_with("huge and slow"));
    }

    #[test]
    fn an_issuers_own_outage_counts_more_and_an_end_without_issuer_ends_all() {
        let board = OutageBoard::new();
        board.set(None, Some(Outage::Garbage));
        board.set(Some(issuer("a")), Some(Outage::Hang));
        assert_eq!(board.of(&issuer("a")), Some(Outage::Hang));
        assert_eq!(board.of(&issuer("b")), Some(Outage::Garbage));
        assert_eq!(board.list(), [(None, Outage::Garbage), (Some(issuer("a")), Outage::Hang)]);
        board.set(Some(issuer("a")), None);
        assert_eq!(board.of(&issuer("a")), Some(Outage::Garbage));
        board.set(None, None);
        assert_eq!(board.list(), []);
    }

    #[tokio::test]
    async fn whoever_waits_is_let_go_at_the_end_and_when_the_server_stops() {
        let board = OutageBoard::new();
        board.set(None, Some(Outage::Hang));
        let end = board.end_of(Outage::Hang, issuer("a"));
        board.set(Some(issuer("a")), Some(Outage::Slow));
        end.await;
        let end = board.end_of(Outage::Slow, issuer("a"));
        board.close();
        end.await;
        assert_eq!(board.of(&issuer("a")), None);
    }
}
