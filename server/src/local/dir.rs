//! The directory for what this machine keeps, and the files of the local server in it.

use std::fs::{DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// Which directory that is: the one given, else `hitl` in what the environment has for data.
pub fn data_dir(given: Option<PathBuf>, env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    // What is not absolute would be of wherever this program happens to run.
    let absolute = |name| env(name).filter(|path: &PathBuf| path.is_absolute());
    let shared = || absolute("XDG_DATA_HOME");
    let home = || absolute("HOME").map(|home| home.join(".local/share"));
    let default = || shared().or_else(home).map(|data| data.join("hitl"));
    given.filter(|path| !path.as_os_str().is_empty()).or_else(default)
}

/// A data directory that nobody but its owner can get into.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory at `path`, which is made if there is none.
    ///
    /// # Errors
    /// It cannot be made, or others can get into it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let unusable = || {
            let shown = path.display();
            format!(
                "the local server needs {shown}: make it writable, or set HITL_DATA_DIR to another directory"
            )
        };
        // The server runs in this directory, so a relative path would lead astray there.
        let path = std::path::absolute(path).with_context(unusable)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&path).with_context(unusable)?;
        refuse_exposed(&path, &std::fs::metadata(&path).with_context(unusable)?)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn state(&self) -> PathBuf {
        self.0.join("server.json")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.0.join("server.lock")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.0.join(super::LOGS[0])
    }
}

/// Refuses what others may read or write: whoever may could send this user's questions to a server of their own.
pub(super) fn refuse_exposed(path: &Path, meta: &Metadata) -> anyhow::Result<()> {
    let shown = path.display();
    if meta.uid() != rustix::process::geteuid().as_raw() {
        bail!("{shown} belongs to another user: set HITL_DATA_DIR to a directory of your own");
    }
    if meta.mode() & 0o077 != 0 {
        let mode = if meta.is_dir() { "700" } else { "600" };
        bail!(
            "others can get at {shown}, which is of the local server: run `chmod {mode} {shown}`"
        );
    }
    Ok(())
}
