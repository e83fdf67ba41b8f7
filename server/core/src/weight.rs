//! What a record weighs: its length as it is stored, counted once.

use std::io::{self, Write};
use std::sync::OnceLock;

use serde::Serialize;

/// The weight of the record that this is a part of, once it was asked for. All weights are alike: it is no part of what
/// the record says.
#[derive(Clone, Debug, Default)]
pub struct Weight(OnceLock<usize>);

impl Weight {
    /// The length of `record`, which this is a part of, as JSON in bytes.
    pub(crate) fn of(&self, record: &impl Serialize) -> usize {
        *self.0.get_or_init(|| {
            let mut counter = Counter(0);
            serde_json::to_writer(&mut counter, record).expect("records are stored as JSON");
            counter.0
        })
    }
}

impl PartialEq for Weight {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
