//! What deliveries this replica has made, in numbers.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends of the buckets of the time from a change to its delivery, in seconds: up to the three days of all
/// attempts.
const BUCKETS: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3_600.0, 43_200.0, 259_200.0];

#[derive(Debug)]
pub(crate) struct DeliveryMetrics {
    attempts: Family<Labels, Counter>,
    lateness: Histogram,
    under_way: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    channel: String,
    outcome: &'static str,
}

impl DeliveryMetrics {
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            attempts: Family::default(),
            lateness: Histogram::new(BUCKETS),
            under_way: Gauge::default(),
        };
        registry.register(
            "deliveries",
            "Attempts to tell a channel: delivered, failed and tried again, or dead, which is given up",
            metrics.attempts.clone(),
        );
        registry.register_with_unit(
            "delivery_lateness",
            "Time from what happened to its delivery",
            Unit::Seconds,
            metrics.lateness.clone(),
        );
        let help =
            "Events of which channels are being told, or that wait for their turn to be told of";
        registry.register("deliveries_under_way", help, metrics.under_way.clone());
        metrics
    }

    /// A delivery was made so many milliseconds after what it tells of.
    pub(super) fn made(&self, channel: &str, late_ms: i64) {
        self.count(channel, "delivered");
        self.lateness.observe(late_ms.max(0) as f64 / 1_000.0);
    }

    /// An attempt has failed, and there will be another.
    pub(super) fn failed(&self, channel: &str) {
        self.count(channel, "failed");
    }

    /// A delivery was given up.
    pub(super) fn dead(&self, channel: &str) {
        self.count(channel, "dead");
    }

    pub(crate) fn set_under_way(&self, count: usize) {
        self.under_way.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    fn count(&self, channel: &str, outcome: &'static str) {
        self.attempts.get_or_create(&Labels { channel: channel.to_owned(), outcome }).inc();
    }
}
