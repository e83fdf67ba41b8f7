//! What this replica does, in numbers, for whoever watches over it.

use hitl_core::{Event, State};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::deliveries::DeliveryMetrics;
use crate::error::Error;
use crate::{Service, machine};
use hitl_store::{Disk, StoreMetrics};

/// Upper ends of the buckets of lateness, in seconds: 1 s is promised alone, 7 s on a bucket.
const LATE_BUCKETS: [f64; 8] = [0.01, 0.05, 0.25, 1.0, 2.0, 7.0, 60.0, 3600.0];

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    pub(super) created: Counter,
    pub(super) removed: Counter,
    ended: Family<EndLabels, Counter>,
    timeout_late: Histogram,
    waits: Gauge,
    clock_ahead: Gauge,
    tasks: Gauge,
    descriptors_open: Gauge,
    descriptors_max: Gauge,
    /// Of a store on this machine.
    disk: Option<DiskMetrics>,
    pub(super) deliveries: DeliveryMetrics,
}

#[derive(Debug, Default)]
struct DiskMetrics {
    used: Gauge,
    free: Gauge,
    reserve: Gauge,
    reserve_held: Gauge,
    full: Gauge,
    store: Gauge,
}

impl DiskMetrics {
    fn new(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let bytes = [
            (
                "disk_used",
                "What is taken of the disk that the store is on, by whomever",
                &metrics.used,
            ),
            (
                "disk_free",
                "What may still be written to that disk, without the reserve",
                &metrics.free,
            ),
            (
                "disk_reserve",
                "What is to be kept of it for the end of what is open",
                &metrics.reserve,
            ),
            ("disk_reserve_held", "What is allocated of that", &metrics.reserve_held),
            ("store", "What the store takes; 0 if it does not know", &metrics.store),
        ];
        for (name, help, gauge) in bytes {
            registry.register_with_unit(name, help, Unit::Bytes, gauge.clone());
        }
        let help = "1 while new events are refused because the disk is full, else 0";
        registry.register("disk_full", help, metrics.full.clone());
        metrics
    }

    fn set(&self, disk: &Disk) {
        if let Some(usage) = disk.usage() {
            let held = usage.reserve_held_bytes;
            let used = usage.total_bytes.saturating_sub(usage.free_bytes + held);
            self.used.set(whole(used));
            self.free.set(whole(usage.free_bytes));
            self.reserve.set(whole(usage.reserve_bytes));
            self.reserve_held.set(whole(held));
        }
        self.full.set(i64::from(disk.is_full()));
        self.store.set(whole(disk.store_bytes().unwrap_or(0)));
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndLabels {
    state: &'static str,
}

impl Metrics {
    pub(super) fn new(store: &StoreMetrics, has_disk: bool) -> Self {
        let mut registry = Registry::with_prefix("hitl");
        store.register(&mut registry);
        let created = Counter::default();
        registry.register("events_created", "Events created by this server", created.clone());
        let removed = Counter::default();
        let help = "Events removed by this server after their time of retention";
        registry.register("events_removed", help, removed.clone());
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
        let (tasks, descriptors_open, descriptors_max) = Default::default();
        let process: [(&str, &str, &Gauge); 3] = [
            ("tasks", "Tasks of this server that have not ended", &tasks),
            (
                "descriptors_open",
                "Files and connections that this server has open",
                &descriptors_open,
            ),
            (
                "descriptors_max",
                "How many it may have open; 0 if there is no limit",
                &descriptors_max,
            ),
        ];
        for (name, help, gauge) in process {
            registry.register(name, help, gauge.clone());
        }
        let disk = has_disk.then(|| DiskMetrics::new(&mut registry));
        let deliveries = DeliveryMetrics::new(&mut registry);
        Self {
            registry,
            created,
            removed,
            ended,
            timeout_late,
            waits,
            clock_ahead,
            tasks,
            descriptors_open,
            descriptors_max,
            disk,
            deliveries,
        }
    }
}

impl Service {
    /// Every number, those in `more` too, in the text format of OpenMetrics.
    ///
    /// # Errors
    /// [`Error::Internal`] if they cannot be written, which does not happen.
    pub fn metrics(&self, more: &Registry) -> Result<String, Error> {
        let metrics = &self.0.metrics;
        metrics.waits.set(i64::try_from(self.0.waiters.count()).unwrap_or(i64::MAX));
        metrics.clock_ahead.set(self.0.store.skew().off_ms().unwrap_or(0));
        metrics.deliveries.set_under_way(self.0.deliveries.under_way());
        metrics.tasks.set(whole(machine::tasks() as u64));
        metrics.descriptors_open.set(whole(machine::open_descriptors().unwrap_or(0) as u64));
        metrics.descriptors_max.set(whole(machine::descriptors_max().unwrap_or(0)));
        if let (Some(numbers), Some(disk)) = (&metrics.disk, self.0.store.disk()) {
            numbers.set(disk);
        }
        let mut text = String::new();
        let written = text::encode_registry(&mut text, &metrics.registry)
            .and_then(|()| text::encode_registry(&mut text, more))
            .and_then(|()| text::encode_eof(&mut text));
        written.map_err(|error| Error::Internal(error.to_string()))?;
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
