//! An object server of our own, in this process: strict where the clouds are, and it fails on command.
//!
//! It speaks the dialects of S3 and of Google's XML API over one set of objects, as far as the service uses
//! them, and refuses everything else. No server that can be had is at once strict, free of races, and willing
//! to lose the reply to a write that it has taken.

mod door;
mod fault;
mod faults;
mod handle;
mod listing;
mod objects;
mod reply;
mod request;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_faults;
mod xml;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

pub use door::{Door, Way};
pub use fault::{Fault, Op};
pub use faults::Faults;
pub use objects::Object;

use objects::Objects;
use request::ACCESS_KEY;

/// The only bucket there is.
pub const BUCKET: &str = "hitl-test";

/// Whose protocol the server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon's, path style.
    S3,
    /// The XML API of Google Cloud Storage.
    Google,
}

/// How many well-formed requests there were, of each kind; those that met a fault count as well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are named after the operations")]
pub struct Requests {
    pub puts: u64,
    pub gets: u64,
    /// The gets among them of what was not there.
    pub misses: u64,
    pub heads: u64,
    pub lists: u64,
    pub deletes: u64,
    pub bulk_deletes: u64,
}

/// A running server; everything ends when it is dropped.
#[derive(Debug)]
pub struct ObjectServer {
    shared: Arc<Shared>,
    /// Of its own, since those of tests come and go.
    runtime: Option<Runtime>,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    dialect: Dialect,
    objects: Mutex<Objects>,
    requests: Mutex<Requests>,
    faults: Faults,
    date_offset_ms: AtomicI64,
    ignores_conditions: AtomicBool,
    races: handle::Races,
    /// Writes that a fault holds back.
    held_back: AtomicUsize,
}

impl ObjectServer {
    /// Starts a server without objects, and without a door.
    ///
    /// # Errors
    /// If the machine has no more threads.
    pub fn start(dialect: Dialect) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let shared = Arc::new(Shared {
            dialect,
            objects: Mutex::default(),
            requests: Mutex::default(),
            faults: Faults::default(),
            date_offset_ms: AtomicI64::new(0),
            ignores_conditions: AtomicBool::new(false),
            races: handle::Races::default(),
            held_back: AtomicUsize::new(0),
        });
        Ok(Self { shared, runtime: Some(runtime) })
    }

    /// Another port to the same objects.
    ///
    /// # Errors
    /// If there is no free port.
    ///
    /// # Panics
    /// Never: the runtime is there until the server is dropped.
    pub fn door(&self) -> Result<Door> {
        let runtime = self.runtime.as_ref().expect("the server is not dropped");
        Door::new(runtime.handle(), self.shared.clone())
    }

    /// The value of `--store` for what is below `prefix`.
    pub fn url(&self, prefix: &str) -> String {
        match self.shared.dialect {
            Dialect::S3 => format!("s3://{BUCKET}/{prefix}"),
            Dialect::Google => format!("gs://{BUCKET}/{prefix}"),
        }
    }

    /// The environment in which `hitl serve` comes in by `door`.
    pub fn env_for(&self, door: &Door) -> Vec<(String, String)> {
        let endpoint = door.endpoint();
        let pairs = match self.shared.dialect {
            Dialect::S3 => vec![
                ("AWS_ENDPOINT", endpoint),
                ("AWS_ALLOW_HTTP", "true".to_owned()),
                ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
                ("AWS_SECRET_ACCESS_KEY", "not looked at".to_owned()),
                ("AWS_REGION", "us-east-1".to_owned()),
            ],
            Dialect::Google => vec![
                ("GOOGLE_SERVICE_ACCOUNT_KEY", service_account(&endpoint)),
                ("GOOGLE_ALLOW_HTTP", "true".to_owned()),
            ],
        };
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The requests so far, or since they were last reset.
    pub fn requests(&self) -> Requests {
        *lock(&self.shared.requests)
    }

    /// Counts requests from zero.
    pub fn reset_requests(&self) {
        *lock(&self.shared.requests) = Requests::default();
    }

    /// The keys that begin with `prefix`, in order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        lock(&self.shared.objects).keys(prefix)
    }

    /// The bytes at `key`.
    pub fn object(&self, key: &str) -> Option<Bytes> {
        lock(&self.shared.objects).get(key).map(|object| object.bytes.clone())
    }

    /// What goes wrong, and when.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Writes that were taken and not yet carried out, by [`Fault::LateLanding`] and [`Fault::Duplicate`].
    pub fn held_back(&self) -> usize {
        self.shared.held_back.load(Ordering::SeqCst)
    }

    /// Sets the server's clock so far off the real time, for the `Date` of replies and for `Last-Modified`.
    pub fn set_date_offset_ms(&self, offset_ms: i64) {
        self.shared.date_offset_ms.store(offset_ms, Ordering::SeqCst);
    }

    /// Has conditions of writes accepted and ignored, as some look-alikes do.
    pub fn set_ignores_conditions(&self, ignores: bool) {
        self.shared.ignores_conditions.store(ignores, Ordering::SeqCst);
    }

    /// Has creators of the same object wait for each other between the check and the write, so that racers both win.
    pub fn set_racy(&self, racy: bool) {
        self.shared.races.set(racy);
    }
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    /// The time by the server's clock, in milliseconds since 1970.
    #[expect(
        clippy::disallowed_methods,
        reason = "its clock is the machine's, and a set difference"
    )]
    fn now_ms(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        now_ms + self.date_offset_ms.load(Ordering::SeqCst)
    }

    fn count(&self, op: Op) {
        let mut requests = lock(&self.requests);
        *match op {
            Op::Put => &mut requests.puts,
            Op::Get => &mut requests.gets,
            Op::Head => &mut requests.heads,
            Op::List => &mut requests.lists,
            Op::Delete => &mut requests.deletes,
            Op::BulkDelete => &mut requests.bulk_deletes,
        } += 1;
    }
}

/// Credentials without a secret: the client sends no token, and comes to us instead of Google.
fn service_account(endpoint: &str) -> String {
    serde_json::json!({
        "gcs_base_url": endpoint,
        "disable_oauth": true,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    })
    .to_string()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
