//! What can be done to the issuers while they run, for both sides of `/control`.

use std::collections::BTreeMap;

use daypass_claims::{Algorithm, Issuer, KeyId};
use serde::{Deserialize, Serialize};

use crate::address::Played;
use crate::error::RequestError;
use crate::issuer::DevIssuer;
use crate::keys::{KeyRing, KeyState};
use crate::outage::Outage;

/// `POST /control/rotate`: a new key signs from now on. The old ones stay published until they are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateRequest {
    /// A platform's id or an issuer's URL; every issuer that has keys if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// `POST /control/remove-key`: a key is published no more, and what it signed verifies no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoveKeyRequest {
    /// A platform's id or an issuer's URL.
    pub scope: String,
    /// Which key: the oldest that is not the current one if not given. An issuer that loses its current key gets a
    /// new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<KeyId>,
}

/// `POST /control/skew`: the clock that tokens are dated by goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkewRequest {
    /// How far it is ahead; negative where it is behind; 0 puts it right.
    pub seconds: i64,
}

/// `POST /control/outage`: documents go wrong, or right again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutageRequest {
    /// How; `null` is the end of it.
    #[serde(deserialize_with = "Option::deserialize")]
    pub outage: Option<Outage>,
    /// A platform's id or an issuer's URL; every issuer if not given, and an end is then the end of every outage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// What `GET /control` and every act answer: how things are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The keys of every issuer that has some, the oldest first.
    pub issuers: BTreeMap<Issuer, Vec<KeyStatus>>,
    /// How far the clock is ahead, in seconds.
    pub skew: i64,
    /// The outages there are.
    pub outages: Vec<OutageStatus>,
}

/// A key and whether it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyStatus {
    /// Its name.
    pub kid: KeyId,
    /// What it signs with.
    pub alg: Algorithm,
    /// Whether it is published; the last that is signs.
    pub state: KeyState,
}

/// An outage and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutageStatus {
    /// The issuer; `None` is everywhere.
    pub issuer: Option<Issuer>,
    /// What is the matter.
    pub outage: Outage,
}

impl DevIssuer {
    /// How things are now.
    pub fn status(&self) -> Status {
        let listed = self.with_ring(|ring| {
            let played = ring.list().filter(|(issuer, _)| self.plays(issuer).is_some());
            let issuers = played.map(|(issuer, keys)| {
                let keys = keys.into_iter().map(|(key, state)| KeyStatus {
                    kid: key.key_id().clone(),
                    alg: key.algorithm(),
                    state,
                });
                (issuer.clone(), keys.collect())
            });
            issuers.collect()
        });
        let outages = self.outages().list().into_iter();
        Status {
            issuers: listed,
            skew: self.skew(),
            outages: outages.map(|(issuer, outage)| OutageStatus { issuer, outage }).collect(),
        }
    }

    /// Gives issuers new keys; makes them, like [`mint`](Self::mint).
    pub fn rotate(&self, request: &RotateRequest) -> Result<(), RequestError> {
        let scopes = match &request.scope {
            Some(scope) => vec![self.named(scope)?],
            None => self.with_ring(|ring| ring.list().filter_map(|(issuer, _)| self.plays(issuer)).collect()),
        };
        for played in scopes {
            self.with_keys(&played, KeyRing::rotate)?;
        }
        Ok(())
    }

    /// Takes a key out of an issuer's set.
    pub fn remove_key(&self, request: &RemoveKeyRequest) -> Result<(), RequestError> {
        let played = self.named(&request.scope)?;
        self.with_keys(&played, |ring, maker| ring.withdraw(maker, request.kid.as_ref()))?;
        Ok(())
    }

    /// The issuer with that `iss`; `None` if it is one of the other mode, whose keys are kept for when it is back.
    fn plays(&self, issuer: &Issuer) -> Option<Played> {
        self.addresses().of_url(issuer.as_str()).filter(|played| played.issuer == *issuer)
    }

    /// Begins or ends an outage.
    pub fn disturb(&self, request: &OutageRequest) -> Result<(), RequestError> {
        let issuer = request.scope.as_deref().map(|scope| self.named(scope)).transpose()?;
        self.outages().set(issuer.map(|played| played.issuer), request.outage);
        Ok(())
    }
}
