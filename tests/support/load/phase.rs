//! What the clients of a run are to do.

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Make calls and wait.
    Load,
    /// Make no more calls, but wait.
    Quiet,
    /// Give up the waits.
    End,
}
