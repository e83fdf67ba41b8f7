//! Durability: events and their timers on any `object_store`.
//!
//! The only primitive is create-once. Who wins between two answers, an answer and a cancel, or an
//! answer and the timer, is decided by whose `response.json` the store took first, and by nothing
//! else. This module alone names `object_store`.

pub mod announcements;
mod audit;
mod channels;
mod check;
pub mod clock;
mod copy;
mod deliberation;
mod deliveries;
mod disk;
mod error;
mod events;
mod files;
pub mod forward_clock;
mod hours;
mod index;
pub mod jobs;
mod keys;
mod left;
mod links;
pub mod marker;
mod memory;
mod meta;
mod metrics;
mod objects;
mod open;
mod paging;
mod probe;
pub mod random;
mod read_at;
mod receipts;
mod record;
mod remote;
mod removal;
mod retention;
mod scan;
mod sessions;
mod side;
mod skew;
mod tokens;
mod unreadable;
mod url;

pub use audit::{AuditBatch, BatchId};
pub use channels::{StoredChannel, Way};
pub use check::{Checked, Deep, check, check_deep};
pub use copy::{Copied, CopyError, Unreadable, copy};
pub use deliberation::{SETTLE, Voted, settle};
pub use deliveries::{
    DEAD_LETTER_KEPT_MS, DELIVER, DeadLetter, DeliveryId, DeliveryRecord, Listing, OwedDelivery,
    Stage, Step, Tag, Thread,
};
pub use disk::Disk;
pub use error::Error;
pub use events::{Created, Ended, EventStore};
pub use hitl_embedded::Durability;
pub use hitl_embedded::private::close as close_to_others;
pub use index::Listed;
pub use keys::{Entry, Index};
pub use links::{LinkId, LinkedEvent, LinksOf, REVOCATIONS_MAX, StoredLink};
pub use meta::LinkKeyPrints;
pub use metrics::StoreMetrics;
pub use open::{Layer, OpenError, Options, open};
pub use read_at::ReadAt;
pub use receipts::{PublishedKey, ReceiptOf};
pub use record::Nonce;
pub use removal::Stored;
pub use retention::{CLEAR_MS, COLLECT, FORGET, HOLD, KEPT_MS_MIN, Retention, RetentionRule};
pub use scan::Order;
pub use sessions::{SESSION_MS_MAX, SessionMark};
pub use skew::Skew;
pub use tokens::{Rotated, StoredToken, TokenState};
pub use url::{Bucket, Cloud, StoreUrl};
