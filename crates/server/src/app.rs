use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use daypass_claims::Timestamp;
use daypass_exchange::Exchange;
use daypass_exchange::config::Network;
use tokio::sync::{Mutex, watch};
use uuid::Builder;

use crate::metrics::Metrics;
use crate::wire::public_words;

/// How long the store's answer to whether it can be written to stands. Asking is a write, and anybody may ask.
const READY_FOR: Duration = Duration::from_secs(1);

/// What every handler is given.
#[derive(Debug)]
pub struct App {
    /// The exchange.
    pub exchange: Arc<Exchange>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) hosts: Vec<String>,
    pub(crate) trusted_proxies: Vec<Network>,
    stopping: watch::Sender<bool>,
    readiness: Mutex<Option<(Timestamp, Result<(), &'static str>)>>,
}

impl App {
    pub(crate) fn new(exchange: Arc<Exchange>, metrics: Arc<Metrics>, listens: SocketAddr) -> Self {
        let config = exchange.config();
        let (hosts, trusted_proxies) = (hosts(&config.public_url, listens), config.trusted_proxies.clone());
        Self {
            exchange,
            metrics,
            hosts,
            trusted_proxies,
            stopping: watch::Sender::new(false),
            readiness: Mutex::default(),
        }
    }

    /// An id for a request that comes to no decision.
    pub(crate) fn request_id(&self) -> String {
        let mut bytes = [0; 16];
        // An id is a convenience; without randomness it is zero, and nothing else depends on it.
        let _ = self.exchange.random().fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// From now on nothing more is accepted, `/readyz` says no, and what would go on for ever ends.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Turns true when the service stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Whether records can be written and the service is not about to stop; else why not, in words for strangers.
    pub(crate) async fn ready(&self) -> Result<(), &'static str> {
        if *self.stopping.borrow() {
            return Err("the service is stopping");
        }
        let mut last = self.readiness.lock().await;
        let now = self.exchange.clock().now();
        if let Some((at, answer)) = *last
            && at <= now
            && now.since(at) < READY_FOR
        {
            return answer;
        }
        let answer = self.exchange.store().check().await.map_err(|error| {
            tracing::warn!(%error, "not ready");
            public_words(&error)
        });
        *last = Some((now, answer));
        answer
    }
}

/// The names that a signed `Host` may have: that of the public URL, and on loopback also the address itself.
fn hosts(public_url: &str, listens: SocketAddr) -> Vec<String> {
    let (scheme, authority) = public_url.split_once("://").unwrap_or(("https", public_url));
    let authority = authority.to_ascii_lowercase();
    // A client leaves the scheme's own port out or writes it, as it pleases.
    let usual = if scheme == "http" { ":80" } else { ":443" };
    let other = match authority.strip_suffix(usual) {
        Some(bare) => Some(bare.to_owned()),
        None if has_port(&authority) => None,
        None => Some(format!("{authority}{usual}")),
    };
    let mut hosts = vec![authority];
    hosts.extend(other);
    if listens.ip().is_loopback() {
        hosts.push(listens.to_string());
        hosts.push(format!("localhost:{}", listens.port()));
    }
    hosts
}

fn has_port(authority: &str) -> bool {
    // The colons of an IPv6 address are in brackets.
    authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_goes_by_its_public_name_with_and_without_the_usual_port() {
        let elsewhere: SocketAddr = "192.0.2.1:443".parse().unwrap();
        let hosts = |url| hosts(url, elsewhere);
        assert_eq!(hosts("https://sts.example.com"), ["sts.example.com", "sts.example.com:443"]);
        assert_eq!(hosts("https://STS.example.com:443"), ["sts.example.com:443", "sts.example.com"]);
        assert_eq!(hosts("https://sts.example.com:8443"), ["sts.example.com:8443"]);
        assert_eq!(hosts("https://[2001:db8::1]"), ["[2001:db8::1]", "[2001:db8::1]:443"]);
        assert_eq!(hosts("https://[2001:db8::1]:8443"), ["[2001:db8::1]:8443"]);
        assert_eq!(hosts("http://localhost"), ["localhost", "localhost:80"]);
    }

    #[test]
    fn on_loopback_it_goes_by_its_address_too() {
        let hosts = hosts("https://sts.example.com", "127.0.0.1:8080".parse().unwrap());
        assert_eq!(hosts[2..], ["127.0.0.1:8080", "localhost:8080"]);
    }
}
