//! The keys as they are saved: one JSON document.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_claims::{Algorithm, Issuer, KeyId};
use daypass_token::DEVELOPMENT_KEY_PREFIX;
use daypass_token::sign::{SigningAlgorithm, SigningKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{DevelopmentKey, KeyError, KeyState, Keys};

/// What an older or newer daypass would write differently.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// For whoever finds the file.
    about: String,
    version: u32,
    issuers: BTreeMap<Issuer, Vec<Entry>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kid: KeyId,
    alg: Algorithm,
    published: bool,
    /// PKCS#8 in base64.
    private_key: Zeroizing<String>,
}

pub(super) fn read(document: &[u8]) -> Result<BTreeMap<Issuer, Keys>, KeyError> {
    let document: Document = serde_json::from_slice(document).map_err(KeyError::Document)?;
    if document.version != VERSION {
        return Err(KeyError::Version { found: document.version });
    }
    let issuers = document.issuers.into_iter().map(|(issuer, entries)| {
        let keys: Result<Keys, KeyError> = entries.iter().map(Entry::read).collect();
        Ok((issuer, keys?))
    });
    issuers.collect()
}

pub(super) fn write(issuers: &BTreeMap<Issuer, Keys>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let issuers = issuers.iter().map(|(issuer, keys)| {
        let entries: Result<Vec<Entry>, KeyError> = keys.iter().map(Entry::of).collect();
        Ok((issuer.clone(), entries?))
    });
    let document = Document {
        about:
            "keys of a daypass development issuer: they sign tokens of any job, and nothing but `daypass up` \
                and `daypass demo` accepts them"
                .to_owned(),
        version: VERSION,
        issuers: issuers.collect::<Result<_, KeyError>>()?,
    };
    Ok(Zeroizing::new(serde_json::to_vec_pretty(&document).map_err(KeyError::Document)?))
}

impl Entry {
    fn read(&self) -> Result<DevelopmentKey, KeyError> {
        if !self.kid.as_str().starts_with(DEVELOPMENT_KEY_PREFIX) {
            return Err(KeyError::NotDevelopment { key_id: self.kid.clone() });
        }
        let unreadable = || KeyError::PrivateKey { key_id: self.kid.clone() };
        let bytes = STANDARD.decode(self.private_key.as_bytes()).map_err(|_| unreadable())?;
        let algorithm = SigningAlgorithm::try_from(self.alg)?;
        let key = SigningKey::from_pkcs8(algorithm, &Zeroizing::new(bytes)).map_err(|_| unreadable())?;
        let state = if self.published { KeyState::Published } else { KeyState::Withdrawn };
        Ok(DevelopmentKey { key: Arc::new(key.with_key_id(self.kid.clone())), state })
    }

    fn of(key: &DevelopmentKey) -> Result<Self, KeyError> {
        Ok(Self {
            kid: key.key.key_id().clone(),
            alg: key.key.algorithm(),
            published: key.state == KeyState::Published,
            private_key: Zeroizing::new(STANDARD.encode(key.key.to_pkcs8()?)),
        })
    }
}
