//! Durability: events and their timers on any `object_store`.
//!
//! The only primitive is create-once. Who wins between two answers, an answer and a cancel, or an
//! answer and the timer, is decided by whose `response.json` the store took first, and by nothing
//! else. This module alone names `object_store`.

mod check;
mod copy;
mod disk;
mod events;
mod faults;
mod files;
#[cfg(test)]
mod held;
mod hours;
mod index;
mod keys;
mod left;
pub mod marker;
mod meta;
mod metrics;
mod objects;
mod open;
mod paging;
mod probe;
mod record;
mod remote;
#[cfg(test)]
pub(crate) mod scripted;
mod side;
mod skew;
mod unreadable;
mod url;

pub use check::{Checked, Deep, check, check_deep};
pub use copy::{Copied, CopyError, Unreadable, copy};
pub use disk::Disk;
pub use events::{Created, Ended, EventStore};
pub use faults::PlantedFault;
#[cfg(test)]
pub(crate) use held::HeldStore;
pub use hitl_embedded::private::close as close_to_others;
pub use index::Listed;
pub use keys::{Entry, Index};
pub use metrics::StoreMetrics;
pub use open::{OpenError, Options, open};
pub use record::Nonce;
pub use skew::Skew;
pub use url::{Bucket, Cloud, StoreUrl};

use crate::error::Error;

/// A failure of the store itself, or damage to what is in it, as distinct from a record that is not there.
impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        unreadable::explain(None, error)
    }
}
