//! The file that says where the local server is.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::dir::{DataDir, refuse_exposed};

/// The API that a server of this version speaks, and that clients of this version need.
pub const API: &str = "hitl.v1";
/// Longest file that is read.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// What the local server says of itself. Whoever reads it ignores fields that it does not know.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
pub struct State {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// Its process.
    pub pid: u32,
    /// The version of its program.
    pub version: String,
    /// The API that it speaks.
    pub api: String,
    /// The network that its endpoint is of. A directory may be shared with other machines and containers.
    #[serde(default)]
    pub network: String,
    /// The token that makes its holder the owner of this server: the user who can read this file. Each server makes one
    /// of its own, so that one that was sent to whoever came to listen on the port of a server that is gone is void.
    #[serde(default)]
    pub token: String,
}

/// Without the token.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, pid, version, api, network, token: _ } = self;
        let mut state = f.debug_struct("State");
        state.field("endpoint", endpoint).field("pid", pid).field("version", version);
        state.field("api", api).field("network", network).finish_non_exhaustive()
    }
}

impl State {
    /// What this process says of itself as the local server.
    pub(super) fn ours(endpoint: String, token: String) -> Self {
        Self {
            endpoint,
            token,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: API.to_owned(),
            network: network(),
        }
    }

    /// The local server, if one serves.
    ///
    /// # Errors
    /// The file cannot be read, or others can; or the server is of another machine or container.
    pub(crate) fn of_living(dir: &DataDir) -> anyhow::Result<Option<Self>> {
        let path = dir.state();
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.with_context(|| format!("cannot open {}", path.display()))?,
        };
        refuse_exposed(&path, &file.metadata()?)?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            // Nobody holds it, so the process that wrote it is gone.
            Ok(()) => return Ok(None),
            Err(Errno::WOULDBLOCK) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let state = read(file).with_context(|| {
            format!(
                "{} is not understood: end the server that wrote it{}",
                path.display(),
                by_kill(dir)
            )
        })?;
        if state.network != network() {
            bail!(
                "the server that keeps its data in {} (process {}) runs on another machine or in another container, \
                 where {} is: set HITL_DATA_DIR to a directory for this one alone, or HITL_ENDPOINT to a server that \
                 can be reached from here",
                dir.path().display(),
                state.pid,
                state.endpoint,
            );
        }
        Ok(Some(state))
    }

    /// The port that the server before this one had, if it ended without taking its file away.
    pub(super) fn last_port(dir: &DataDir) -> Option<u16> {
        let file = File::open(dir.state()).ok()?;
        refuse_exposed(&dir.state(), &file.metadata().ok()?).ok()?;
        read(file).ok()?.endpoint.rsplit_once(':')?.1.parse().ok()
    }

    /// Writes the file under another name, locks it, and then gives it its own name: whoever sees it sees all of it,
    /// and locked.
    pub(super) fn publish(&self, dir: &DataDir) -> anyhow::Result<File> {
        let (path, beside) = (dir.state(), dir.state().with_extension("json.new"));
        let write = || -> anyhow::Result<File> {
            match std::fs::remove_file(&beside) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&beside)?;
            flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            std::fs::rename(&beside, &path)?;
            Ok(file)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Takes the file away, unless it is another server's by now.
pub(super) fn withdraw(dir: &DataDir, ours: &File) {
    let id = |meta: io::Result<std::fs::Metadata>| meta.map(|meta| (meta.dev(), meta.ino())).ok();
    if id(std::fs::metadata(dir.state())) == id(ours.metadata()) {
        // One that stays is seen to be nobody's.
        let _ = std::fs::remove_file(dir.state());
    }
}

/// How to end the process that holds the lock, if that is known.
pub(super) fn by_kill(dir: &DataDir) -> String {
    super::lock::Lock::holder(dir).map(|pid| format!(" with `kill {pid}`")).unwrap_or_default()
}

fn read(file: File) -> anyhow::Result<State> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// What differs between two machines, and between two containers of one. Empty where the system does not say.
fn network() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = std::fs::read_link("/proc/self/ns/net").unwrap_or_default();
    format!("{} {}", boot.trim(), space.display())
}
