use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daypass_exchange::Exchange;
use daypass_exchange::config::{Config, Network};
use uuid::Builder;

use crate::metrics::Metrics;

/// What every handler is given.
#[derive(Debug)]
pub struct App {
    /// The exchange.
    pub exchange: Arc<Exchange>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<Network>,
    stopping: AtomicBool,
}

impl App {
    pub(crate) fn new(exchange: Arc<Exchange>, metrics: Arc<Metrics>) -> Self {
        let config = exchange.config();
        let (hosts, trusted_proxies) = (hosts(config), config.trusted_proxies.clone());
        Self { exchange, metrics, hosts, trusted_proxies, stopping: AtomicBool::new(false) }
    }

    /// An id for a request that comes to no decision.
    pub(crate) fn request_id(&self) -> String {
        let mut bytes = [0; 16];
        // An id is a convenience; without randomness it is zero, and nothing else depends on it.
        let _ = self.exchange.random().fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// From now on `/readyz` says no, so that a load balancer sends nothing more.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// The names that a signed `Host` may have: that of the public URL, and on loopback also the address itself.
fn hosts(config: &Config) -> Vec<String> {
    let url = &config.public_url;
    let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let mut hosts = vec![authority.to_ascii_lowercase()];
    for (scheme, port) in [("https://", ":443"), ("http://", ":80")] {
        if url.starts_with(scheme) {
            match authority.strip_suffix(port) {
                Some(bare) => hosts.push(bare.to_ascii_lowercase()),
                None if !authority.contains(':') => {
                    hosts.push(format!("{}{port}", authority.to_ascii_lowercase()));
                }
                None => {}
            }
        }
    }
    if config.listen.ip().is_loopback() {
        hosts.push(config.listen.to_string());
        hosts.push(format!("localhost:{}", config.listen.port()));
    }
    hosts
}
