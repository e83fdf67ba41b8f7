//! What a power cut has cost.

use std::fmt;
use std::ops::AddAssign;

/// What became of the writes that were not flushed when the power went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) kept: u64,
    /// Some sectors of it were kept, and some not.
    pub(crate) torn: u64,
    pub(crate) dropped: u64,
}

impl AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.kept += other.kept;
        self.torn += other.torn;
        self.dropped += other.dropped;
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, torn, dropped } = self;
        write!(f, "{dropped} dropped, {torn} torn, {kept} kept")
    }
}
