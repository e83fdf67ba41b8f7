//! The lock that has one local server at a time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::process::Stdio;

use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::dir::{DataDir, refuse_exposed};

/// Longest note that is read: the number of a process.
const NOTE_BYTES_MAX: u64 = 20;

/// The lock, held for as long as this process or one that it was handed to keeps it open.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Takes it, unless somebody has it.
    pub(super) fn try_take(dir: &DataDir) -> anyhow::Result<Option<Self>> {
        let path = dir.lock();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file =
            options.open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        let meta = file.metadata().with_context(|| format!("cannot look at {}", path.display()))?;
        refuse_exposed(&path, &meta)?;
        let lock = Self(file);
        match flock(&lock.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                lock.note("")?;
                Ok(Some(lock))
            }
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    /// The lock with which this process was started, as its standard input.
    pub(super) fn inherited(dir: &DataDir) -> Option<Self> {
        let stdin = File::from(std::io::stdin().as_fd().try_clone_to_owned().ok()?);
        let (ours, theirs) = (stdin.metadata().ok()?, std::fs::metadata(dir.lock()).ok()?);
        let same = (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino());
        let held = same && flock(&stdin, FlockOperation::NonBlockingLockExclusive).is_ok();
        held.then_some(Self(stdin))
    }

    /// Notes in the file who has the lock, for the error of whoever waits for it in vain.
    pub(super) fn note(&self, who: &str) -> anyhow::Result<()> {
        let mut file = &self.0;
        let noted = file.set_len(0).and_then(|()| file.write_all(who.as_bytes()));
        noted.context("cannot write to the lock of the local server")
    }

    /// The process that holds it, if that is known.
    pub(super) fn holder(dir: &DataDir) -> Option<u32> {
        let mut text = String::new();
        File::open(dir.lock()).ok()?.take(NOTE_BYTES_MAX).read_to_string(&mut text).ok()?;
        text.parse().ok()
    }

    /// Hands it over to a process that is to be started.
    pub(super) fn into_stdin(self) -> Stdio {
        self.0.into()
    }
}
