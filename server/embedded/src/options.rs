//! What a caller may choose. The engine's own tuning is in `engine`: it follows from
//! measurements, not from taste.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::error::OpenError;

/// The most that [`Options::max_object_bytes`] may be, 1 GiB: a write batch is held in memory.
const MAX_OBJECT_BYTES: usize = 1 << 30;
/// The most that [`Options::max_key_bytes`] may be; the engine ends at 64 KiB.
const MAX_KEY_BYTES: usize = 32 << 10;
/// The most that [`Options::max_queued_ops`] may be.
const MAX_QUEUED_OPS: usize = 1 << 20;

/// Where `last_modified` comes from.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// Told once, with the reason, when the store can accept nothing any more.
pub type OnFatal = Box<dyn Fn(&str) + Send + Sync>;

/// How an [`EmbeddedStore`](crate::EmbeddedStore) behaves.
pub struct Options {
    /// The largest object accepted, in bytes: 1 to 1 GiB, default 64 MiB.
    pub max_object_bytes: usize,
    /// The longest object path accepted, in bytes: 1 to 32 KiB, default 1 KiB as on S3.
    pub max_key_bytes: usize,
    /// How many writes may wait for the writer thread: 1 to 1 Mi, default 1,024. Callers beyond
    /// that wait for room. All waiting writes together also hold at most 64 MiB, or one largest
    /// object if that is more.
    pub max_queued_ops: usize,
    /// How many bytes of the disk are kept for writes that are no [`NewWork`](crate::NewWork). Default: an eighth of
    /// the disk, and 64 MiB at most.
    pub reserve_bytes: Option<u64>,
    /// Gives `last_modified`, kept to the millisecond. Default: the system clock. It decides
    /// nothing: ordering is by etag.
    pub clock: Clock,
    /// Called once, on whatever thread, after a write or sync failed or the directory was found to be gone: all
    /// waiting callers have got their error, and every later operation fails. The process should log the reason and
    /// end; starting again recovers what is durable. Default: an error in the log.
    pub on_fatal: OnFatal,
    /// What the store is opened for. Default: to be served.
    pub purpose: Purpose,
    /// When a write counts as done. Default: once the disk has it.
    pub durability: Durability,
}

/// When a write counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Once the disk has it: whoever was told so finds it after a power cut.
    Synced,
    /// Once the operating system has it: whoever was told so finds it after the process has ended in whatever way, but
    /// a power cut may take it back. For what can be made again, and for tests.
    Buffered,
}

/// What a store is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be used.
    Serve,
    /// To be looked at: nothing is moved or merged.
    Check,
    /// To save what can be read of it. Nothing is moved or merged. The damaged parts of the journal, or all of it if it
    /// is missing, are left out, and the journal is kept beside as it was.
    Salvage,
}

impl Options {
    pub(crate) fn validate(&self) -> Result<(), OpenError> {
        check("max_object_bytes", self.max_object_bytes, MAX_OBJECT_BYTES)?;
        check("max_key_bytes", self.max_key_bytes, MAX_KEY_BYTES)?;
        check("max_queued_ops", self.max_queued_ops, MAX_QUEUED_OPS)
    }
}

fn check(name: &'static str, value: usize, max: usize) -> Result<(), OpenError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(OpenError::InvalidOption { name, value, max })
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_object_bytes: 64 << 20,
            max_key_bytes: 1 << 10,
            max_queued_ops: 1 << 10,
            reserve_bytes: None,
            clock: Arc::new(system_clock),
            on_fatal: Box::new(|reason| tracing::error!(reason, "the embedded store stopped")),
            purpose: Purpose::Serve,
            durability: Durability::Synced,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default of the door itself; a caller that owns time passes its own clock"
)]
fn system_clock() -> DateTime<Utc> {
    Utc::now()
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_object_bytes", &self.max_object_bytes)
            .field("max_key_bytes", &self.max_key_bytes)
            .field("max_queued_ops", &self.max_queued_ops)
            .field("purpose", &self.purpose)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}
