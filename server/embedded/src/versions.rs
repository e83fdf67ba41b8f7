//! Versions: one number per write, never given twice in the life of a directory, so that an etag
//! names one state of one object for ever, also across restarts and deletes.
//!
//! Keeping the last number with every batch would cost a key a batch; instead a whole block is
//! reserved with the first batch that needs it. A restart goes on after the reserved block: numbers
//! are skipped, never repeated.

/// How many versions one reservation covers.
const BLOCK: u64 = 1 << 20;

#[derive(Debug)]
pub(crate) struct Versions {
    next: u64,
    reserved: u64,
}

impl Versions {
    /// Goes on where the last reservation found in the engine ends.
    pub(crate) fn after(reserved: u64) -> Self {
        Self { next: reserved, reserved }
    }

    pub(crate) fn take(&mut self) -> u64 {
        let version = self.next;
        self.next += 1;
        version
    }

    /// What has to be stored in the same batch as the versions taken since the last call, if the
    /// last reservation does not cover them.
    pub(crate) fn reservation(&mut self) -> Option<u64> {
        if self.next <= self.reserved {
            return None;
        }
        self.reserved = self.next + BLOCK;
        Some(self.reserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_is_given_twice_across_a_restart() {
        let mut first = Versions::after(0);
        let taken: Vec<_> = (0..3).map(|_| first.take()).collect();
        assert_eq!(taken, [0, 1, 2]);
        let stored = first.reservation().unwrap();
        assert_eq!(first.reservation(), None);

        let mut second = Versions::after(stored);
        assert!(second.take() > 2);
        assert!(second.reservation().unwrap() > stored);
    }

    #[test]
    fn a_reservation_is_renewed_before_it_is_passed() {
        let mut versions = Versions::after(0);
        versions.take();
        let stored = versions.reservation().unwrap();
        while versions.next < stored {
            versions.take();
            assert_eq!(versions.reservation(), None);
        }
        versions.take();
        assert!(versions.reservation().unwrap() > stored);
    }
}
