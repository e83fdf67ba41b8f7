//! What the machine gives: memory and descriptors.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is assumed of a machine that does not tell: 1 GiB.
const MEMORY_BYTES_UNKNOWN: u64 = 1 << 30;
/// What a server takes for itself: the store's buffers, compiled patterns and schemas, and the program.
const OWN_BYTES: u64 = 128 << 20;
/// Descriptors that are kept for the store, the log and the listener.
const DESCRIPTORS_RESERVED: u64 = 384;

/// Three quarters of the memory of this machine, or of what its control group may use if that is less, in bytes.
pub fn default_memory_bytes() -> u64 {
    let machine = read("/proc/meminfo").and_then(|text| total(&text));
    let group = group_limit();
    let least = machine.into_iter().chain(group).min().unwrap_or(MEMORY_BYTES_UNKNOWN);
    least / 4 * 3
}

/// What callers may make a server hold that may use `memory_bytes`: a third of what is left beside what it takes with
/// nobody there. The rest is for what the allocator keeps of memory that was given back, and for what is made of a
/// reply before it is one.
pub fn bytes_for_callers(memory_bytes: u64) -> u64 {
    (memory_bytes - OWN_BYTES.min(memory_bytes / 4)) / 3
}

/// Raises the soft limit on open descriptors to the hard one: the usual soft limit of 1,024 is for programs that use
/// `select`. Returns the limit that holds then.
pub fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let now = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit on open files could not be raised");
            limit.current
        }
    };
    now.unwrap_or(u64::MAX)
}

/// How many connections fit beside what the store needs, if `limit` descriptors may be open: all but a reserve of 384,
/// and half of a limit that is too small for that.
pub fn descriptors_max(limit: u64) -> usize {
    let connections = limit.saturating_sub(DESCRIPTORS_RESERVED).max(limit / 2).max(1);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

/// The least limit on memory of the control groups that this process is in.
fn group_limit() -> Option<u64> {
    let groups = read("/proc/self/cgroup")?;
    let limits = groups.lines().flat_map(|line| {
        // `0::/path` of version 2, `4:memory:/path` of version 1.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) =
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => return Vec::new(),
        };
        let own = Path::new(root).join(path.trim_start_matches('/'));
        own.ancestors()
            .take_while(|directory| directory.starts_with(root))
            .filter_map(|directory| fs::read_to_string(directory.join(file)).ok())
            .filter_map(|text| text.trim().parse().ok())
            .collect::<Vec<u64>>()
    });
    limits.min()
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_get_a_third_of_what_the_server_leaves_of_its_memory() {
        assert_eq!(bytes_for_callers(512 << 20), 128 << 20);
        assert_eq!(bytes_for_callers(8 << 30), 2_688 << 20);
        assert_eq!(bytes_for_callers(64 << 20), 16 << 20);
        assert_eq!(bytes_for_callers(0), 0);
    }

    #[test]
    fn the_memory_of_the_machine_is_read() {
        let meminfo = "MemFree:  1 kB\nMemTotal:       16384 kB\n";
        assert_eq!(total(meminfo), Some(16 << 20));
        assert_eq!(total("MemTotal: many kB"), None);
        assert!(default_memory_bytes() > 64 << 20);
    }

    #[test]
    fn the_store_keeps_its_descriptors() {
        assert_eq!(descriptors_max(1_024), 640);
        assert_eq!(descriptors_max(256), 128);
        assert_eq!(descriptors_max(0), 1);
    }
}
