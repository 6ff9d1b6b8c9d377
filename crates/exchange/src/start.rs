//! What happens once, when the exchange starts: known keys are taken up, a chain of records is opened.

use daypass_claims::{Random, RandomError, Timestamp};
use daypass_store::{ChainId, DecisionId, JwksOrigin, Store, StoreError};
use daypass_token::{JwksLimits, KeySet};
use uuid::{Builder, Uuid};

use crate::exchange::Exchange;
use crate::keys::{IssuerKeys, RingError};
use crate::record::{GenesisRecord, HeadStatement, Record, RecordKind, genesis_text};

/// Why the exchange could not start, or could not write a record of its own.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Our own keys.
    #[error(transparent)]
    Ring(#[from] RingError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The genesis could not be signed.
    #[error("the chain of records could not be opened: {0}")]
    Genesis(String),
}

/// A UUID version 7: 48 bits of milliseconds, the rest random (RFC 9562 section 5.7).
pub(crate) fn uuid(random: &dyn Random, now: Timestamp) -> Result<Uuid, RandomError> {
    let mut bytes = [0; 10];
    random.fill(&mut bytes)?;
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    Ok(Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
}

/// Takes up the key sets that an earlier process fetched or was given, so that a restart during an issuer's outage still
/// knows its keys.
pub(crate) async fn restore_keys<'k>(
    store: &dyn Store,
    keys_of: impl Fn(&str) -> Option<&'k IssuerKeys>,
    now: Timestamp,
) -> Result<(), StoreError> {
    for stored in store.jwks().await? {
        let Some(keys) = keys_of(stored.issuer.as_str()) else { continue };
        if stored.origin == JwksOrigin::Pushed {
            keys.take_up(stored.document);
            continue;
        }
        let parsed =
            KeySet::from_jwks(stored.issuer.clone(), stored.document.as_bytes(), JwksLimits::default());
        match parsed {
            Ok((set, _)) => keys.restore(set, stored.at, now),
            Err(error) => tracing::warn!(issuer = %stored.issuer, %error, "stored keys are not usable"),
        }
    }
    Ok(())
}

/// Opens this process's chain. Its genesis names the heads that it follows and is signed, so that a chain cannot be made up
/// afterwards and one that was followed cannot be dropped.
pub(crate) async fn genesis(exchange: &Exchange, chain: ChainId, now: Timestamp) -> Result<(), StartError> {
    let decision = DecisionId(uuid(exchange.random(), now)?);
    let follows: Vec<HeadStatement> =
        exchange.store().heads().await?.iter().map(HeadStatement::from).collect();
    let keys = exchange.ring().keys();
    let time = now.to_string();
    let text = genesis_text(&chain.to_string(), &time, &follows);
    let signature =
        keys.audit().sign_bytes(text.as_bytes()).map_err(|why| StartError::Genesis(why.to_string()))?;
    let risks = exchange.roles().all().iter().filter(|role| !role.config().accepted_risks.is_empty());
    let kind = RecordKind::Genesis(GenesisRecord {
        chain: chain.to_string(),
        follows,
        key: keys.audit().key_id().to_string(),
        signature: hex::encode(signature),
        program: format!("daypass {}", env!("CARGO_PKG_VERSION")),
        accepted_risks: risks
            .map(|role| (role.name().to_owned(), role.config().accepted_risks.clone()))
            .collect(),
    });
    let record = Record { v: 1, id: decision.to_string(), time, kind };
    exchange.store().open_chain(chain, decision, now, record.to_body()).await?;
    Ok(())
}
