//! What the process takes of its machine.

/// Descriptors of files and connections that are open, if the system tells.
pub(super) fn open_descriptors() -> Option<usize> {
    // The one with which they are counted is closed again.
    std::fs::read_dir("/proc/self/fd").ok().map(|open| open.count().saturating_sub(1))
}

/// How many descriptors may be open, if there is a limit.
pub(super) fn descriptors_max() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

/// Tasks of the runtime that have not ended.
pub(super) fn tasks() -> usize {
    tokio::runtime::Handle::try_current().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
}
