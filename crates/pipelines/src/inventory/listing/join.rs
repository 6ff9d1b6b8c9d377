//! What the exports tell about the credentials that were found, and which stored ones no file names.

use std::time::Duration;

use daypass_claims::Timestamp;

use super::{Key, Listings, NamedSecrets, Secret};
use crate::inventory::table::{Part, table};
use crate::inventory::{Confidence, Credential, hash, kinds};

/// A key that was made this long before a secret was set may be the one that was stored.
const BETWEEN: Duration = Duration::from_secs(24 * 60 * 60);

impl Listings {
    /// Says with every credential what the exports tell of it, and adds those that are stored and that no file names:
    /// `named` are those that one does.
    ///
    /// A key's user is certain where Terraform made the key; otherwise a user is named only if one key alone was made
    /// within the day before the secret was set, and then as a guess.
    pub fn join(&self, credentials: &mut Vec<Credential>, named: &NamedSecrets) {
        for credential in credentials.iter_mut() {
            let listed = self.listed(credential);
            let mut facts: Vec<String> = Vec::new();
            if let Some(set) = listed.iter().filter_map(|secret| secret.set).max() {
                facts.push(format!("last set {}", day(set)));
            }
            if credential.kind == "aws-access-key" {
                facts.extend(self.key(credential, &listed));
            }
            if !facts.is_empty() {
                credential.source = format!("{} ({})", credential.source, facts.join("; "));
            }
        }
        let unnamed: Vec<Credential> = self.unnamed(credentials, named).collect();
        credentials.extend(unnamed);
    }

    /// The listed secrets that a credential is made of.
    fn listed(&self, credential: &Credential) -> Vec<&Secret> {
        let is = |secret: &&Secret| {
            secret.platform == credential.platform
                && credential.stored.iter().any(|name| name.eq_ignore_ascii_case(&secret.name))
        };
        self.secrets.iter().filter(is).collect()
    }

    fn key(&self, credential: &Credential, listed: &[&Secret]) -> Option<String> {
        if let Some(user) = &credential.user {
            let keys: Vec<String> =
                self.keys.iter().filter(|key| key.user == *user).map(Key::to_string).collect();
            let policies = self.policies_of(user);
            let known = !keys.is_empty() || !policies.is_empty();
            return known.then(|| format!("IAM user `{user}`: {}{policies}", keys.join(", ")));
        }
        let set = listed.iter().filter_map(|secret| secret.set).max()?;
        let mut near = self
            .keys
            .iter()
            .filter(|key| key.made.is_some_and(|made| made <= set && set.since(made) <= BETWEEN));
        let (Some(key), None) = (near.next(), near.next()) else { return None };
        Some(format!(
            "perhaps of IAM user `{}`, whose key is of the same day: {key}{}",
            key.user,
            self.policies_of(&key.user)
        ))
    }

    fn policies_of(&self, user: &str) -> String {
        match self.policies.get(user) {
            Some(policies) if policies.is_empty() => "; no policies".to_owned(),
            Some(policies) => format!("; policies {}", policies.join(", ")),
            None => String::new(),
        }
    }

    /// Secrets that are credentials by their names and that no file names. What the table does not know is left out: a
    /// name alone says little.
    fn unnamed<'a>(
        &'a self,
        credentials: &'a [Credential],
        named: &'a NamedSecrets,
    ) -> impl Iterator<Item = Credential> + 'a {
        self.secrets.iter().enumerate().filter_map(move |(index, secret)| {
            let (kind, part) = table().variable(&secret.name)?;
            let used = |one: &Credential| {
                one.platform == secret.platform
                    && one.stored.iter().any(|name| name.eq_ignore_ascii_case(&secret.name))
            };
            if part != Part::Secret || named.0.contains(&index) || credentials.iter().any(used) {
                return None;
            }
            let kind = kinds().get(kind)?;
            let all =
                credentials.iter().any(|one| one.platform == secret.platform && one.kind == "all-secrets");
            let sink = if all {
                "named in none of the files that were read, which hand every secret on"
            } else {
                "named in none of the files that were read"
            };
            let set = secret.set.map(|set| format!(" (last set {})", day(set))).unwrap_or_default();
            Some(Credential {
                id: hash(&format!("{}|{}|{}", kind.id, secret.platform, secret.name)),
                kind: &kind.id,
                cloud: &kind.cloud,
                platform: secret.platform,
                file: secret.at.file.clone(),
                line: secret.at.line,
                job: None,
                sink: sink.to_owned(),
                source: format!("{}{set}", secret.name),
                confidence: Confidence::Inferred,
                replacement: &kind.replacement,
                why: "it is stored under a name that tools read it from".to_owned(),
                stored: vec![secret.name.clone()],
                user: None,
                places: Vec::new(),
            })
        })
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let made =
            self.made.map_or_else(|| "made nobody knows when".to_owned(), |at| format!("made {}", day(at)));
        let used =
            self.used.map_or_else(|| "no use recorded".to_owned(), |at| format!("last used {}", day(at)));
        write!(f, "key {made}, {used}")
    }
}

/// The date of a time, in UTC.
fn day(at: Timestamp) -> String {
    at.to_rfc3339().split('T').next().unwrap_or_default().to_owned()
}
