//! What this replica does, in numbers, for whoever watches over it.

use hitl_core::{Event, State};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::error::Error;
use crate::service::Service;
use crate::store::StoreMetrics;

/// Upper ends of the buckets of lateness, in seconds: 1 s is promised alone, 7 s on a bucket.
const LATE_BUCKETS: [f64; 8] = [0.01, 0.05, 0.25, 1.0, 2.0, 7.0, 60.0, 3600.0];

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    pub(super) created: Counter,
    ended: Family<EndLabels, Counter>,
    timeout_late: Histogram,
    waits: Gauge,
    clock_ahead: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndLabels {
    state: &'static str,
}

impl Metrics {
    pub(super) fn new(store: &StoreMetrics) -> Self {
        let mut registry = Registry::with_prefix("hitl");
        store.register(&mut registry);
        let created = Counter::default();
        registry.register("events_created", "Events created by this server", created.clone());
        let ended = Family::default();
        registry.register("events_ended", "Events ended by this server", ended.clone());
        let timeout_late = Histogram::new(LATE_BUCKETS);
        registry.register_with_unit(
            "timeout_lateness",
            "Time from the deadline of an event to its recorded timeout",
            Unit::Seconds,
            timeout_late.clone(),
        );
        let waits = Gauge::default();
        registry.register("waits", "Waits held by this server now", waits.clone());
        let clock_ahead = Gauge::default();
        registry.register(
            "clock_ahead_milliseconds",
            "How far this server's clock is ahead of the store's, at the least; 0 while it is close enough",
            clock_ahead.clone(),
        );
        Self { registry, created, ended, timeout_late, waits, clock_ahead }
    }
}

impl Service {
    /// Every number, in the text format of OpenMetrics.
    ///
    /// # Errors
    /// [`Error::Internal`] if they cannot be written, which does not happen.
    pub fn metrics(&self) -> Result<String, Error> {
        let metrics = &self.0.metrics;
        metrics.waits.set(i64::try_from(self.0.waiters.count()).unwrap_or(i64::MAX));
        metrics.clock_ahead.set(self.0.store.skew().off_ms().unwrap_or(0));
        let mut text = String::new();
        text::encode(&mut text, &metrics.registry)
            .map_err(|error| Error::Internal(error.to_string()))?;
        Ok(text)
    }

    /// Counts an event that this replica has ended.
    pub(super) fn count_end(&self, event: &Event) {
        let state = match event.state() {
            State::Pending => return,
            State::Answered => "answered",
            State::Declined => "declined",
            State::Cancelled => "cancelled",
            State::TimedOut => "timed_out",
        };
        self.0.metrics.ended.get_or_create(&EndLabels { state }).inc();
        if event.state() == State::TimedOut {
            let late_ms = self.0.clock.now().ms_since(event.request.deadline);
            self.0.metrics.timeout_late.observe(late_ms as f64 / 1_000.0);
        }
    }
}
