//! What can go wrong with the store.

use hitl_core::EventKey;

/// Why an operation on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed, and whether a write took effect is unknown.
    #[error("the store failed, and whether the call took effect is unknown; repeat it ({0})")]
    StoreUnavailable(Box<dyn std::error::Error + Send + Sync>),
    /// The disk has no room for the write, or only what is kept for the end of what is open. Nothing was written.
    #[error(
        "the disk is full, so nothing was written; call again when space was freed on the disk of the server"
    )]
    DiskFull,
    /// The directory of the store is not the one any more that was opened; the process ends.
    #[error(
        "the directory of the store is gone, so nothing more is written, and the server ends ({0})"
    )]
    StoreGone(String),
    /// The event has ended, and was removed after its time of retention.
    #[error("the event {} was removed after its time of retention", .0.id)]
    Removed(EventKey),
    /// A stored record cannot be read.
    #[error("the stored record {path} cannot be read: {message}")]
    RecordUnreadable {
        /// Where it is stored.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

/// A failure of the store itself, or damage to what is in it, as distinct from a record that is not there.
impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        crate::unreadable::explain(None, error)
    }
}
