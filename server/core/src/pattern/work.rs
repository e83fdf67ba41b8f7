//! How much work the matching of one answer may take.

use crate::limits;

/// Steps that are left, of all the patterns that one answer is matched against.
#[derive(Debug)]
pub(crate) struct Work {
    steps_left: u64,
}

/// More work would be needed than is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuchWork {
    /// Longest text, in bytes, that the pattern could still be matched against.
    pub(crate) text_bytes_max: u64,
}

impl Work {
    /// What one answer may take.
    pub(crate) fn of_one_answer() -> Self {
        Self { steps_left: limits::MATCH_STEPS_MAX }
    }

    /// Takes what it costs to follow so many states along so much text.
    pub(super) fn take(&mut self, states: u64, text_bytes: usize) -> Result<(), TooMuchWork> {
        let steps = u64::try_from(text_bytes).unwrap_or(u64::MAX).saturating_mul(states);
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => Err(TooMuchWork { text_bytes_max: self.steps_left / states }),
        }
    }
}
