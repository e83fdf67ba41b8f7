//! How TLS fares, in numbers.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// See the module. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct TlsMetrics {
    pub(super) reloads: Counter,
    /// 1 while the files are not what is used.
    pub(super) reload_failing: Gauge,
    pub(super) handshakes_failed: Counter,
}

impl TlsMetrics {
    /// Numbers of which `registry` tells.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let help = "How often other certificates were taken because the files had changed";
        registry.register("tls_reloads", help, metrics.reloads.clone());
        let help = "1 while the files with certificates and key cannot be used, and what they had before is, else 0";
        registry.register("tls_reload_failing", help, metrics.reload_failing.clone());
        let help = "Connections that ended before TLS was agreed on";
        registry.register("tls_handshakes_failed", help, metrics.handshakes_failed.clone());
        metrics
    }
}
