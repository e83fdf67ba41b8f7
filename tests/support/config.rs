//! How a server is to be run, and on which port.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use hitl_testing::certificates::Certificates;
use rand::RngExt;

use crate::stores::{Kind, Place};

/// Below the range from which the kernel takes ports for outgoing connections: in that range a
/// client that redials while the server is down takes its port in the end, or even connects to
/// itself.
const PORTS: std::ops::Range<u16> = 12_000..32_000;
const PORT_ATTEMPTS: usize = 20;

/// The token of the file that [`Config::with_admin`] gives to a server.
pub const ADMIN: &str = "an-admin-token-for-tests-0123456789abcdef";

/// Where a server is to keep its events.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    /// In a store of this kind that no other server has.
    Own(Kind),
    /// Here.
    At(Place),
}

/// How to run a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Those that the lives of the server run, in turn.
    pub(crate) binaries: Vec<PathBuf>,
    pub(crate) store: Store,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    /// Whether callers have to prove who they are.
    pub(crate) wants_credentials: bool,
}

impl Config {
    /// `binary`, with a store of its own that is of the kind that this run of the tests is about.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        let store = Store::Own(Kind::of_this_run());
        Self {
            binaries: vec![binary.into()],
            store,
            args: Vec::new(),
            env: Vec::new(),
            wants_credentials: false,
        }
    }

    /// Has each life of the server run the next of `binaries`, and the first again after the last.
    pub fn in_turn(mut self, binaries: Vec<PathBuf>) -> Self {
        self.binaries = binaries;
        self
    }

    /// Keeps to this kind of store, whatever the run of the tests is about.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.store = Store::Own(kind);
        self
    }

    /// Uses the store at this place, which other servers may use too.
    pub fn place(mut self, place: Place) -> Self {
        self.store = Store::At(place);
        self
    }

    /// Uses this `--store`, for which the environment needs to say nothing.
    pub fn store(self, spec: impl Into<String>) -> Self {
        self.place(Place { url: spec.into(), env: Vec::new() })
    }

    /// With credentials, of which one is good at first: [`ADMIN`], in a file in `dir`.
    pub fn with_admin(self, dir: &Path) -> Self {
        let file = dir.join("admin.token");
        std::fs::write(&file, ADMIN).expect("it can be written");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("it is ours");
        self.with_credentials().arg("--admin-token-file").arg(file.display().to_string())
    }

    /// Lets in nobody without a credential, as a server does unless it is told otherwise. Most tests are about other
    /// things, and run one that is.
    pub fn with_credentials(mut self) -> Self {
        self.wants_credentials = true;
        self
    }

    /// Adds an argument to `hitl serve`.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Has the server speak TLS, with the certificate of this name, such as `server`.
    pub fn tls(mut self, certificates: &Certificates, name: &str) -> Self {
        self.args.extend(certificates.server_args(name));
        self
    }

    /// How the addresses of the server begin.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.args.iter().any(|arg| arg == "--tls-cert") { "https" } else { "http" }
    }

    /// Sets a variable in the environment of the server.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}

/// A port that nobody listens on, and that no other server of this process was given.
///
/// # Errors
/// If none is found.
pub fn free_port() -> Result<u16> {
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
