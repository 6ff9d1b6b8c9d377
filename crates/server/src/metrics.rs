//! What an operator watches: OpenMetrics text on the admin listener.

use daypass_exchange::Observe;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// The counters and histograms of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    answers: Family<Answer, Counter>,
    latency: Family<Wire, Histogram>,
    fetches: Family<Fetch, Counter>,
    connections: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    wire: &'static str,
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Wire {
    wire: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Fetch {
    issuer: String,
    outcome: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("daypass");
        let answers = Family::<Answer, Counter>::default();
        let latency = Family::<Wire, Histogram>::new_with_constructor(|| {
            // 1 ms to about 4 s.
            Histogram::new(exponential_buckets(0.001, 2.0, 13))
        });
        let fetches = Family::<Fetch, Counter>::default();
        let connections = Gauge::default();
        registry.register("exchanges", "Requests for credentials, by answer", answers.clone());
        registry.register_with_unit(
            "exchange",
            "From a request's arrival to its answer",
            Unit::Seconds,
            latency.clone(),
        );
        registry.register("key_fetches", "Fetches of issuers' keys", fetches.clone());
        registry.register("connections", "Open connections", connections.clone());
        Self { registry, answers, latency, fetches, connections }
    }
}

impl Metrics {
    /// The text that a scraper reads.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    /// Counts a connection for as long as what is returned is held.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }
}

/// An open connection, counted.
#[derive(Debug)]
pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Observe for Metrics {
    fn answered(&self, wire: &'static str, refusal: Option<&'static str>, took_ms: u64) {
        let outcome = if refusal.is_none() { "admitted" } else { "refused" };
        self.answers.get_or_create(&Answer { wire, outcome, reason: refusal.unwrap_or("") }).inc();
        #[expect(clippy::cast_precision_loss, reason = "a latency in a histogram")]
        self.latency.get_or_create(&Wire { wire }).observe(took_ms as f64 / 1_000.0);
    }

    fn fetched(&self, issuer: &str, ok: bool) {
        let outcome = if ok { "ok" } else { "failed" };
        self.fetches.get_or_create(&Fetch { issuer: issuer.to_owned(), outcome }).inc();
    }
}
