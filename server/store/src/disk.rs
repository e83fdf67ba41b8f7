//! The disk that a store on this machine is on: whether it is there, how full it is, and what is done about that.

use std::sync::Arc;

use hitl_embedded::{EmbeddedStore, Room, Usage};

use crate::error::Error;
use crate::files::Files;

/// With less room than this new events are refused. An event takes about as much, so that it is refused before its
/// write is tried.
const NEW_WORK_BYTES: u64 = 32 << 10;
/// About the most room that an answer takes, with its announcement and the removal of its timer.
const ANSWER_BYTES: u64 = 32 << 10;

/// See the module.
#[derive(Clone, Debug)]
pub enum Disk {
    /// Under the embedded store.
    Embedded(EmbeddedStore),
    /// Under plain files.
    Files(Arc<Files>),
}

impl Disk {
    /// Whether the directory of the store is still the one that was opened. If it is not the process is about to end.
    ///
    /// # Errors
    /// [`Error::StoreGone`].
    pub fn check_place(&self) -> Result<(), Error> {
        let checked = match self {
            Self::Embedded(store) => store.check_place(),
            Self::Files(files) => files.check_place(),
        };
        checked.map_err(|error| Error::StoreGone(error.to_string()))
    }

    /// Makes the reserve whole again when there is room. To be called every few seconds.
    pub fn tend(&self) {
        match self {
            Self::Embedded(store) => store.tend(),
            Self::Files(files) => files.reserve().grow(Files::FLOOR),
        }
    }

    /// Whether new events are refused, for lack of room.
    pub fn is_full(&self) -> bool {
        self.room_at_most().new_work < NEW_WORK_BYTES
    }

    /// Whether nothing can be written at all: the reserve is used up too.
    pub fn is_exhausted(&self) -> bool {
        self.room_at_most().rest < ANSWER_BYTES
    }

    fn room_at_most(&self) -> Room {
        match self {
            Self::Embedded(store) => store.room_at_most(),
            Self::Files(files) => files.reserve().room_at_most(Files::FLOOR),
        }
    }

    /// The disk in numbers, unless it cannot be looked at.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Embedded(store) => store.usage(),
            Self::Files(files) => files.reserve().usage(),
        }
    }

    /// How much of the disk the store takes, if it knows.
    pub fn store_bytes(&self) -> Option<u64> {
        match self {
            Self::Embedded(store) => store.disk_bytes(),
            // The files would have to be counted one by one.
            Self::Files(_) => None,
        }
    }
}

/// Whether a store's error says that there was no room for a write.
pub(crate) fn is_full(error: &object_store::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if matches!(error.downcast_ref(), Some(hitl_embedded::StoreError::DiskFull))
            || error.downcast_ref().is_some_and(hitl_embedded::is_full)
        {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_failures_however_deep_it_lies() {
        let generic = |source: Box<dyn std::error::Error + Send + Sync>| {
            object_store::Error::Generic { store: "test", source }
        };
        let io = |kind: std::io::ErrorKind| generic(Box::new(std::io::Error::from(kind)));
        assert!(is_full(&generic(Box::new(hitl_embedded::StoreError::DiskFull))));
        assert!(is_full(&generic(Box::new(io(std::io::ErrorKind::StorageFull)))));
        assert!(is_full(&io(std::io::ErrorKind::QuotaExceeded)));
        assert!(!is_full(&io(std::io::ErrorKind::PermissionDenied)));
        assert!(matches!(Error::from(io(std::io::ErrorKind::StorageFull)), Error::DiskFull));
    }
}
