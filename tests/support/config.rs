//! How a server is to be run, and on which port.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use rand::RngExt;

/// Below the range from which the kernel takes ports for outgoing connections: in that range a
/// client that redials while the server is down takes its port in the end, or even connects to
/// itself.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
const PORT_ATTEMPTS: usize = 20;

/// How to run a server.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) binary: PathBuf,
    pub(crate) store: Option<String>,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
}

impl Config {
    /// `binary`, with an embedded store of its own that goes away with the server.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self { binary: binary.into(), store: None, args: Vec::new(), env: Vec::new() }
    }

    /// Uses this `--store` instead.
    pub fn store(mut self, spec: impl Into<String>) -> Self {
        self.store = Some(spec.into());
        self
    }

    /// Adds an argument to `hitl serve`.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Sets a variable in the environment of the server.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// A port that nobody listens on, and that no other server of this process was given.
pub(crate) fn free_port() -> Result<u16> {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..PORT_ATTEMPTS {
        let port = rand::rng().random_range(PORTS);
        if !given.contains(&port) && std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.push(port);
            return Ok(port);
        }
    }
    bail!("no free port in {PORTS:?}")
}
