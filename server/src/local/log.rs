//! The log of the local server: it is nobody's child, and has no terminal.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::dir::DataDir;

/// Where the output of the local server goes, and what was put aside of it.
pub const LOGS: [&str; 2] = ["serve.log", "serve.log.1"];
/// A log grown beyond this is put aside when a server starts, so that two of them are the most.
const LOG_BYTES_MAX: u64 = 8 << 20;
const TAIL_LINES: usize = 8;

/// The log, and how long it was before the server wrote there.
pub(super) struct Log {
    path: PathBuf,
    start: u64,
}

impl Log {
    pub(super) fn open(dir: &DataDir) -> anyhow::Result<Self> {
        let path = dir.log();
        let length = || std::fs::metadata(&path).map_or(0, |file| file.len());
        if length() > LOG_BYTES_MAX {
            let aside = path.with_file_name(LOGS[1]);
            std::fs::rename(&path, &aside)
                .with_context(|| format!("cannot put {} aside", path.display()))?;
        }
        Ok(Self { start: length(), path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// To be the standard output of the server, and its standard error.
    pub(super) fn writers(&self) -> anyhow::Result<[File; 2]> {
        let open = || -> io::Result<[File; 2]> {
            let mut options = OpenOptions::new();
            let file = options.create(true).append(true).mode(0o600).open(&self.path)?;
            Ok([file.try_clone()?, file])
        };
        open().with_context(|| format!("cannot write to {}", self.path.display()))
    }

    /// The last lines written since the server was started.
    pub(super) fn tail(&self) -> String {
        let read = || -> io::Result<Vec<u8>> {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(self.start))?;
            let mut bytes = Vec::new();
            file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}
