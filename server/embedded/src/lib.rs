//! An [`ObjectStore`](object_store::ObjectStore) in a directory on this machine.
//!
//! Why not one file per object: every acknowledged write must survive a power cut, a sync costs
//! about 0.2 ms whatever it carries, and a file and its directory entry need one each. Here the
//! writes of all callers that wait at the same moment share one sync (group commit), and the
//! objects live in one log-structured engine (`fjall`) whose space comes back after deletes.
//!
//! How a write travels: [`EmbeddedStore`] queues it (`queue`), the only writer thread takes
//! whatever is queued (`writer`), decides every condition in order against the engine and the
//! earlier writes of the batch (`batch`), makes the batch durable with one sync (`commit`),
//! publishes it to readers (`shared`), and only then answers. So three things hold:
//!
//! * whoever was told `Ok` finds the write after `kill -9` or a power cut;
//! * whoever was told `AlreadyExists` was refused by an object that is durable itself;
//! * nobody ever reads a write that a power cut could still take back.
//!
//! Room on the disk is looked for before each batch (`reserve`): a write that has none is refused, and the store
//! goes on. A failed write or sync is never retried, because the kernel may have dropped the pages it
//! could not write: from then on every operation fails, and [`Options::on_fatal`] is called so
//! that the process can end and recover from what the disk holds.

mod batch;
mod commit;
mod compaction;
mod damage;
#[cfg(test)]
mod damage_tests;
mod dir;
mod engine;
mod error;
mod journal;
mod key;
mod list;
mod multipart;
mod options;
mod place;
pub mod private;
mod queue;
mod read;
mod reclaim;
mod record;
mod reserve;
mod shared;
#[cfg(test)]
mod space_tests;
mod store;
#[cfg(test)]
mod tests;
mod together;
mod versions;
mod writer;

pub use error::{OpenError, StoreError, is_full};
pub use options::{Clock, Durability, OnFatal, Options, Purpose};
pub use place::Place;
pub use reserve::{Floor, NewWork, Reserve, Room, Usage};
pub use store::EmbeddedStore;
pub use together::Write;
