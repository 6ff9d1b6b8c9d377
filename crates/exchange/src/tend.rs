//! What happens all the time beside requests: keys are fetched and rotated, revocations read, checkpoints signed, what has
//! expired forgotten. The server runs these on its own tasks.

use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_store::{Checkpoint as StoredCheckpoint, JwksOrigin, StoreError, StoredJwks};
use daypass_token::engine::Settled;

use crate::config::{IssuerConfig, KeySource};
use crate::exchange::Exchange;
use crate::keys::{Fetch, IssuerKeys};
use crate::record::{Checkpoint, SignedCheckpoint};
use crate::start::StartError;

/// How often replicas read revocations and keys anew: a revocation is seen everywhere within 5 seconds.
pub const REFRESH_EVERY: Duration = Duration::from_secs(2);

impl Exchange {
    /// Keeps one issuer's keys current, for ever.
    pub async fn tend_issuer(&self, keys: &IssuerKeys, fetcher: &dyn Fetch) {
        loop {
            if let Some((document, settled)) = keys.tend(fetcher, self.clock()).await {
                self.observe().fetched(keys.issuer().as_str(), matches!(settled, Settled::Replaced { .. }));
                if let Some(document) = document {
                    let jwks = StoredJwks {
                        issuer: keys.issuer().clone(),
                        origin: JwksOrigin::Fetched,
                        document,
                        at: self.clock().now(),
                    };
                    // Kept for a restart only; not worth failing over.
                    if let Err(error) = self.store().put_jwks(jwks).await {
                        tracing::debug!(%error, "fetched keys could not be kept");
                    }
                }
            }
            keys.idle(self.clock()).await;
        }
    }

    /// Reads revocations, pushed keys and our own keys anew, and rotates what is due.
    pub async fn refresh(&self) -> Result<(), StartError> {
        self.refresh_revocations().await?;
        self.refresh_pushed_keys().await?;
        self.ring().refresh(self.store(), self.random(), self.clock().now()).await?;
        self.flush_summary().await;
        Ok(())
    }

    /// Takes up the issuers' keys that were pushed to other replicas.
    async fn refresh_pushed_keys(&self) -> Result<(), StoreError> {
        let are_pushed = |issuer: &IssuerConfig| matches!(issuer.keys, KeySource::Pushed);
        if !self.config().issuers.iter().any(are_pushed) {
            return Ok(());
        }
        for stored in self.store().jwks().await? {
            if stored.origin == JwksOrigin::Pushed
                && let Some(keys) = self.keys_of(stored.issuer.as_str())
            {
                keys.take_up(stored.document);
            }
        }
        Ok(())
    }

    /// Signs the heads of all chains and keeps the statement.
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, StartError> {
        let now = self.clock().now();
        let heads = self.store().heads().await?;
        let keys = self.ring().keys();
        let signed = Checkpoint::of(&heads, now)
            .sign(keys.audit())
            .map_err(|why| StartError::Genesis(format!("the checkpoint could not be signed: {why}")))?;
        let statement = serde_json::to_string(&signed).map_err(|why| StartError::Genesis(why.to_string()))?;
        self.store().put_checkpoint(StoredCheckpoint { time: now, statement }).await?;
        Ok(signed)
    }

    /// Forgets what has expired: uses, revocations, bodies past their retention.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now: Timestamp = self.clock().now();
        while self.store().sweep(now).await? > 0 {}
        if let Some(retention) = self.config().audit.retention {
            self.store().drop_bodies(now - retention).await?;
        }
        Ok(())
    }
}
