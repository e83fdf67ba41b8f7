//! What becomes of the events when their disk is full, read-only, gone, or damaged: the real binary on file systems of
//! its own. Nothing acknowledged is lost, what can go on does, and whatever cannot says why.
//!
//! File systems are mounted, which takes root, or `sudo` without a password. Without it the suite fails.

mod caller;
mod damaged;
mod disks;
mod full;
mod gone;
mod private;
mod read_only;
