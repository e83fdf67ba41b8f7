//! The kinds of stores that `hitl serve` can keep its events in, each ready to be used: real servers where there are
//! some, started when the first test needs one.
//!
//! All servers of a test process share a bucket, each below a prefix of its own, so that no test meets another.

mod azure;
mod leash;
mod s3;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use rand::RngExt;
use tokio::sync::Mutex;

use crate::object_server::{Dialect, ObjectServer};

pub use leash::Leash;
pub use s3::{Forgetful, overwriting};

/// Names the kind that every server of a test run uses unless its test needs another.
const VARIABLE: &str = "HITL_TEST_STORE";

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A directory of the embedded store.
    Embedded,
    /// The memory of the server.
    Memory,
    /// A directory of plain files.
    Files,
    /// S3 by ministack: quick, and in memory.
    Ministack,
    /// S3 by SeaweedFS: on disk, and slow where many create the same object.
    Seaweedfs,
    /// Azure by its own emulator.
    Azurite,
    /// S3 by our own object server.
    StrictS3,
    /// Google's store by our own object server: no other that can be had speaks what its clients do.
    StrictGcs,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Embedded,
        Self::Memory,
        Self::Files,
        Self::Ministack,
        Self::Seaweedfs,
        Self::Azurite,
        Self::StrictS3,
        Self::StrictGcs,
    ];

    /// The kind that this run of the tests is about.
    ///
    /// # Panics
    /// If the environment names one that does not exist.
    pub fn of_this_run() -> Self {
        let name = std::env::var(VARIABLE).unwrap_or_default();
        let kind = if name.is_empty() { Ok(Self::Embedded) } else { name.parse() };
        kind.unwrap_or_else(|error| panic!("{VARIABLE}: {error:#}"))
    }

    /// Whether a server that comes back finds what it had stored.
    pub fn survives_restart(self) -> bool {
        self != Self::Memory
    }

    /// How many may try to create one object at the same time, and all get a reply before a request is given up.
    /// SeaweedFS takes 11 seconds for 64. Azurite deletes so slowly that three races of 64, each with what the losers
    /// clear away, keep it busy for more than 5 seconds on two cores.
    pub fn racers_max(self) -> i64 {
        match self {
            Self::Seaweedfs => 8,
            Self::Azurite => 16,
            _ => 64,
        }
    }

    /// A place of its own for a server that may keep files in `dir`.
    ///
    /// # Errors
    /// If the server of the store does not start.
    pub async fn place(self, dir: &Path) -> Result<Place> {
        let local = |url: String| Ok(Place { url, env: Vec::new() });
        match self {
            Self::Embedded => local(dir.join("store").display().to_string()),
            Self::Memory => local("memory://".to_owned()),
            Self::Files => local(format!("file://{}", dir.join("store").display())),
            Self::Ministack
            | Self::Seaweedfs
            | Self::Azurite
            | Self::StrictS3
            | Self::StrictGcs => self.below_bucket().await,
        }
    }

    /// A prefix in the bucket of this process, which is made when the first server needs it.
    async fn below_bucket(self) -> Result<Place> {
        static BUCKETS: Mutex<BTreeMap<Kind, Bucket>> = Mutex::const_new(BTreeMap::new());
        let mut buckets = BUCKETS.lock().await;
        let bucket = match buckets.entry(self) {
            Entry::Occupied(bucket) => bucket.into_mut(),
            Entry::Vacant(room) => {
                let started = self.start().await;
                room.insert(started.with_context(|| format!("no store of kind {self}"))?)
            }
        };
        Ok(bucket.place())
    }

    async fn start(self) -> Result<Bucket> {
        match self {
            Self::Ministack => s3::ministack().await,
            Self::Seaweedfs => s3::seaweedfs().await,
            Self::Azurite => azure::azurite().await,
            Self::StrictS3 => strict(Dialect::S3),
            Self::StrictGcs => strict(Dialect::Google),
            Self::Embedded | Self::Memory | Self::Files => bail!("{self} has no server"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Memory => "memory",
            Self::Files => "files",
            Self::Ministack => "ministack",
            Self::Seaweedfs => "seaweedfs",
            Self::Azurite => "azurite",
            Self::StrictS3 => "strict-s3",
            Self::StrictGcs => "strict-gcs",
        })
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.to_string() == name);
        known.with_context(|| {
            let names = Self::ALL.map(|kind| kind.to_string()).join(", ");
            format!("no kind of store `{name}`: there are {names}")
        })
    }
}

fn strict(dialect: Dialect) -> Result<Bucket> {
    let server = ObjectServer::start(dialect)?;
    let env = server.env_for(&server.door()?);
    Ok(Bucket { url: server.url("kind"), env, _server: Box::new(server) })
}

/// Where one server keeps its events.
#[derive(Debug, Clone)]
pub struct Place {
    /// The value of `--store`.
    pub url: String,
    /// What the environment must say for it.
    pub env: Vec<(String, String)>,
}

/// A bucket, and the server that has it, which ends with this value and with this process.
#[derive(Debug)]
pub struct Bucket {
    url: String,
    env: Vec<(String, String)>,
    /// Kept for its end.
    _server: Box<dyn fmt::Debug + Send>,
}

impl Bucket {
    /// A prefix that nobody else has.
    pub fn place(&self) -> Place {
        let prefix = rand::rng().random::<u64>();
        Place { url: format!("{}/{prefix:016x}", self.url), env: self.env.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_name_and_an_unknown_one_is_told_the_names() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse::<Kind>().expect("its own name"), kind);
        }
        let error = "floppy".parse::<Kind>().expect_err("no such kind");
        assert!(error.to_string().contains("azurite"), "{error}");
    }
}
