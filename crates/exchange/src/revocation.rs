use std::collections::HashMap;

use daypass_claims::Timestamp;
use daypass_store::{Revocation, Selector};

/// All revocations at one moment; replicas read them anew every few seconds.
#[derive(Clone, Debug, Default)]
pub struct Revocations(HashMap<Selector, Timestamp>);

/// What a revocation can select a credential by.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a> {
    /// The credential's id.
    pub id: &'a str,
    /// Its access key id, if it has one.
    pub access_key_id: Option<&'a str>,
    /// The role.
    pub role: &'a str,
    /// The issuer of the token that it was issued for.
    pub issuer: &'a str,
    /// The CI run.
    pub run: Option<&'a str>,
    /// The repository.
    pub repository: Option<&'a str>,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl Revocations {
    /// Whether a credential is dead.
    pub fn kills(&self, credential: &Credentials<'_>) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let issuer = || credential.issuer.to_owned();
        let selectors = [
            Some(Selector::Role(credential.role.to_owned())),
            Some(Selector::Credential(credential.id.to_owned())),
            credential.access_key_id.map(|id| Selector::Credential(id.to_owned())),
            credential.run.map(|run| Selector::Run { issuer: issuer(), run: run.to_owned() }),
            credential.repository.map(|repository| Selector::Repository {
                issuer: issuer(),
                repository: repository.to_owned(),
            }),
        ];
        selectors.into_iter().flatten().any(|selector| {
            self.0.get(&selector).is_some_and(|not_before| credential.issued_at < *not_before)
        })
    }
}

impl FromIterator<Revocation> for Revocations {
    fn from_iter<I: IntoIterator<Item = Revocation>>(revocations: I) -> Self {
        let mut map: HashMap<Selector, Timestamp> = HashMap::new();
        for Revocation { selector, not_before, .. } in revocations {
            let entry = map.entry(selector).or_insert(not_before);
            *entry = (*entry).max(not_before);
        }
        Self(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_selector_kills_what_was_issued_before_and_nothing_else() {
        let credential = Credentials {
            id: "c",
            access_key_id: Some("ASIA"),
            role: "deploy",
            issuer: "https://i",
            run: Some("7"),
            repository: Some("2002"),
            issued_at: Timestamp::from_secs(100),
        };
        let issuer = || "https://i".to_owned();
        let selectors = [
            Selector::Role("deploy".into()),
            Selector::Credential("c".into()),
            Selector::Credential("ASIA".into()),
            Selector::Run { issuer: issuer(), run: "7".into() },
            Selector::Repository { issuer: issuer(), repository: "2002".into() },
        ];
        for selector in selectors {
            let at = |secs| {
                let revocation = Revocation {
                    selector: selector.clone(),
                    not_before: Timestamp::from_secs(secs),
                    forget_at: Timestamp::from_secs(9_999),
                };
                Revocations::from_iter([revocation])
            };
            assert!(at(101).kills(&credential), "{selector}");
            assert!(!at(100).kills(&credential), "{selector}: issued at that moment is issued after");
        }
        let other_issuer = Selector::Run { issuer: "https://j".into(), run: "7".into() };
        let other = Revocation {
            selector: other_issuer,
            not_before: Timestamp::from_secs(999),
            forget_at: Timestamp::from_secs(9_999),
        };
        assert!(!Revocations::from_iter([other]).kills(&credential));
    }
}
