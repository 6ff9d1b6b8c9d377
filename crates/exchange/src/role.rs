use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::json;

use daypass_trust::Dialect;
use daypass_trust::form::Policy;

use crate::config::{Config, CredentialConfig, RoleConfig};
use crate::request::Wire;

/// A role as it is served.
#[derive(Debug)]
pub struct Role {
    config: RoleConfig,
    arn: String,
    id: String,
    account: String,
    version: Arc<PolicyVersion>,
}

/// The text that a role's trust was read from, as the store keeps it. The roles of one file share it.
#[derive(Debug)]
pub struct PolicyVersion {
    hash: [u8; 32],
    document: String,
}

impl PolicyVersion {
    fn new(policy: &Policy) -> Self {
        let document = json!({
            "dialect": policy.dialect.as_str(),
            "source": policy.source.name(),
            "text": policy.source.text(),
        })
        .to_string();
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, document.as_bytes()).as_ref());
        Self { hash, document }
    }

    /// SHA-256 of the document.
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// What the store keeps: JSON with the text, its name and its dialect.
    pub fn document(&self) -> &str {
        &self.document
    }
}

impl Role {
    fn new(config: &Config, role: &RoleConfig, version: Arc<PolicyVersion>) -> Self {
        let arn = config.role_arn(role);
        // `AROA` and 17 characters, the same on every replica and after every restart.
        let hash = digest(&SHA256, format!("daypass-role-id-v1\0{arn}").as_bytes());
        let id: String = format!("AROA{}", base32(hash.as_ref())).chars().take(21).collect();
        Self { config: role.clone(), arn, id, account: config.account_id.clone(), version }
    }

    /// Its configuration.
    pub const fn config(&self) -> &RoleConfig {
        &self.config
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Its unique id, `AROA...`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The account it lives in.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The version of its trust: SHA-256 of the document that the store keeps.
    pub fn policy_hash(&self) -> [u8; 32] {
        self.version.hash
    }

    /// What it issues.
    pub const fn kind(&self) -> &'static str {
        match self.config.credential {
            CredentialConfig::AwsSession => "aws-session",
            CredentialConfig::Jwt(_) => "jwt",
        }
    }

    /// Whether a protocol can carry what the role issues.
    pub const fn carried_by(&self, wire: Wire) -> bool {
        match (wire, &self.config.credential) {
            (Wire::AwsQuery, CredentialConfig::Jwt(_)) => false,
            (Wire::AwsQuery, CredentialConfig::AwsSession) | (Wire::TokenExchange, _) => true,
        }
    }

    /// The ARN of one of its sessions.
    pub fn session_arn(&self, session: &str) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{session}", self.account, self.name())
    }
}

/// All roles, found by name or ARN in constant time.
#[derive(Debug)]
pub struct Roles {
    roles: Vec<Role>,
    versions: Vec<Arc<PolicyVersion>>,
    by_name: HashMap<String, usize>,
    by_arn: HashMap<String, usize>,
}

impl Roles {
    /// The roles of a configuration.
    pub fn new(config: &Config) -> Self {
        // By the text's address: the roles of a file share one copy, and comparing thousands of copies would take long.
        let mut versions: HashMap<(Dialect, *const u8), Arc<PolicyVersion>> = HashMap::new();
        let mut roles = Vec::with_capacity(config.roles.len());
        for role in &config.roles {
            let policy = &role.policy;
            let version = versions.entry((policy.dialect, policy.source.text().as_ptr()));
            let version = version.or_insert_with(|| Arc::new(PolicyVersion::new(policy)));
            roles.push(Role::new(config, role, Arc::clone(version)));
        }
        let versions = versions.into_values().collect();
        let by_name = roles.iter().enumerate().map(|(index, role)| (role.name().to_owned(), index)).collect();
        let by_arn = roles.iter().enumerate().map(|(index, role)| (role.arn().to_owned(), index)).collect();
        Self { roles, versions, by_name, by_arn }
    }

    /// The role of that name or ARN; both are compared exactly.
    pub fn find(&self, name_or_arn: &str) -> Option<&Role> {
        let index = self.by_name.get(name_or_arn).or_else(|| self.by_arn.get(name_or_arn))?;
        self.roles.get(*index)
    }

    /// The texts that the roles' trust was read from, each once.
    pub fn versions(&self) -> &[Arc<PolicyVersion>] {
        &self.versions
    }

    /// Every role, in the order of the configuration.
    pub fn all(&self) -> &[Role] {
        &self.roles
    }
}

/// Base32 of RFC 4648 without padding: the alphabet of AWS's identifiers.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().saturating_mul(8).div_ceil(5));
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for byte in bytes {
        buffer = (buffer << 8 | u32::from(*byte)) & 0xfff_ffff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(ALPHABET, buffer >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(ALPHABET, buffer << (5 - bits)));
    }
    text
}

fn letter(alphabet: &[u8; 32], index: u32) -> char {
    alphabet.get((index & 31) as usize).map_or('A', |byte| char::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_as_in_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(plain.as_bytes()), text);
        }
    }
}
