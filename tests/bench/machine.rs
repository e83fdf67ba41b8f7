//! What the figures were taken on.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

const SYNCS: usize = 300;

pub(crate) struct Machine {
    cpu: String,
    cores: usize,
    memory_gib: f64,
    kernel: String,
    file_system: String,
    sync: Duration,
    /// What others had it do in the minute before.
    load: String,
}

impl Machine {
    /// Looks at this machine, and at the disk that has the directory `dir`.
    pub(crate) fn look(dir: &Path) -> Result<Self> {
        let memory = field("/proc/meminfo", "MemTotal");
        let kib = memory.trim_end_matches("kB").trim().parse().unwrap_or(0.0);
        Ok(Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory_gib: kib / 1_048_576.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            file_system: file_system(dir)?,
            sync: sync(dir)?,
            load: fs::read_to_string("/proc/loadavg")?.split(' ').take(1).collect(),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, memory_gib, kernel, file_system, sync, load } = self;
        write!(
            f,
            "{cores} cores of {cpu}, {memory_gib:.0} GiB of memory, Linux {kernel}, {file_system}; \
             appending 512 bytes and one fdatasync takes {sync:.0?}, and the load before the run was {load}"
        )
    }
}

/// The value of the first `name: value` in a file of such lines.
fn field(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let value = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    });
    value.unwrap_or_else(|| "unknown".to_owned())
}

fn file_system(dir: &Path) -> Result<String> {
    let dir = dir.canonicalize()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        dir.starts_with(point).then_some((point.len(), kind))
    });
    Ok(mounts.max().map_or("unknown", |(_, kind)| kind).to_owned())
}

/// The median of what one durable append takes with nothing else to do.
fn sync(dir: &Path) -> Result<Duration> {
    let mut file = File::create_new(dir.join("sync"))?;
    let mut took = Vec::new();
    for _ in 0..SYNCS {
        let start = Instant::now();
        file.write_all(&[b'x'; 512])?;
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(took[SYNCS / 2])
}
