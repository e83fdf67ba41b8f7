//! The budget in numbers, for those who run the server.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::Budget;

impl Collector for Budget {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let numbers = [
            ("held_bytes", "Bytes that callers make this server hold now", self.used()),
            ("held_max_bytes", "Most of them that there may be", self.bytes_max()),
            ("connections", "Connections to this server now", self.connections()),
        ];
        for (name, help, number) in numbers {
            let gauge = ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
