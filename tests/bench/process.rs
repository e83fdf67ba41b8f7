//! What a process has taken from the machine.

use std::time::Duration;

use anyhow::{Context, Result};

/// The resident set of process `pid`, in bytes.
pub(crate) fn rss(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: f64 = kib.context("a running process has VmRSS")?.parse()?;
    Ok(kib * 1024.0)
}

/// The processor time that process `pid` has taken so far, to the hundredth of a second.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name stands in parentheses and may hold anything; user and system time are 11 and 12 after it.
    let (_, fields) = stat.rsplit_once(')').context("the name stands in parentheses")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

/// Bytes as a person reads them.
pub(crate) fn human(bytes: f64) -> String {
    match bytes {
        _ if bytes.abs() < 1_024.0 => format!("{bytes:.0} B"),
        _ if bytes.abs() < 1_048_576.0 => format!("{:.1} KiB", bytes / 1_024.0),
        _ => format!("{:.1} MiB", bytes / 1_048_576.0),
    }
}
