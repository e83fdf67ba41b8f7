//! What every operation on the store took, by kind and outcome.

use object_store::Error as StoreError;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

/// Upper ends of the buckets, in seconds: from a synced write on a local disk to a request that is given up.
const BUCKETS: [f64; 10] = [0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Durations of the store's operations.
#[derive(Clone, Debug)]
pub struct StoreMetrics(Family<Labels, Histogram>);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    outcome: &'static str,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Put,
    Get,
    Head,
    List,
    Delete,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::Head => "head",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

/// What came of an operation. That nothing is there, or something is already, is often what was to be found out.
fn outcome<T>(result: &Result<T, StoreError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(StoreError::NotFound { .. }) => "absent",
        Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => "exists",
        Err(_) => "error",
    }
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self(Family::new_with_constructor(|| Histogram::new(BUCKETS)))
    }
}

impl StoreMetrics {
    /// Shows these under `registry`.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "store_operation_duration",
            "Time that operations on the store took, retries of the client included",
            Unit::Seconds,
            self.0.clone(),
        );
    }

    /// Does `work`, and notes what it took and what came of it.
    pub(crate) async fn time<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        let result = work.await;
        let labels = Labels { operation: operation.name(), outcome: outcome(&result) };
        let seconds = begun.elapsed().as_secs_f64();
        self.0.get_or_create(&labels).observe(seconds);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn operations_are_counted_by_kind_and_outcome() {
        let metrics = StoreMetrics::default();
        let mut registry = Registry::with_prefix("hitl");
        metrics.register(&mut registry);
        let absent = StoreError::NotFound { path: "p".into(), source: "absent".into() };
        metrics.time(Operation::Get, async { Ok(()) }).await.unwrap();
        metrics.time(Operation::Get, async { Err::<(), _>(absent) }).await.unwrap_err();
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for outcome in ["ok", "absent"] {
            let line = format!(
                "hitl_store_operation_duration_seconds_count{{operation=\"get\",outcome=\"{outcome}\"}} 1"
            );
            assert!(text.contains(&line), "{text}");
        }
    }
}
