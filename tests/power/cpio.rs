//! The archive that a kernel unpacks into memory before it starts anything: "newc", as in "initramfs buffer format" of
//! the kernel's documentation.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};

const DIRECTORY: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LAST: &str = "TRAILER!!!";

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Archive {
    bytes: Vec<u8>,
    entries: u32,
    directories: BTreeSet<String>,
}

impl Archive {
    /// Adds a directory, and those that it is in.
    pub(crate) fn directory(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        if !path.is_empty() && self.directories.insert(path.to_owned()) {
            self.entry(path, DIRECTORY, &[]);
        }
    }

    /// Adds a file that may be run, and the directories that it is in.
    pub(crate) fn file(&mut self, path: &str, data: &[u8]) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
        self.entry(path, PROGRAM, data);
    }

    /// Adds the file at `from`.
    pub(crate) fn copy(&mut self, path: &str, from: &Path) -> Result<()> {
        let data =
            std::fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
        self.file(path, &data);
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.entry(LAST, 0, &[]);
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, data: &[u8]) {
        self.entries += 1;
        let length = u32::try_from(data.len()).expect("what goes into memory is not that large");
        let name_length = u32::try_from(path.len() + 1).expect("names are short");
        // Number, mode, owner, group, links, time, length, four of devices, length of the name, and no checksum.
        let header = [self.entries, mode, 0, 0, 1, 0, length, 0, 0, 0, 0, name_length, 0];
        self.bytes.extend(b"070701");
        for number in header {
            self.bytes.extend(format!("{number:08x}").bytes());
        }
        self.bytes.extend(path.bytes().chain([0]));
        self.pad();
        self.bytes.extend(data);
        self.pad();
    }

    fn pad(&mut self) {
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
    }
}
