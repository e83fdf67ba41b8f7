//! What all parts of a run share.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitl_core::{EventKey, Namespace};
use rand::RngExt;
use rand::rngs::StdRng;
use support::history::{Op, Outcome};
use support::load::common::Shared;
use support::load::target::{Held, Target, Watched};
use tokio::time::sleep;

use crate::call::{Way, call};
use crate::fault_store::{Bucket, millis};
use crate::replica::{Process, Replica};
use crate::scenario::Scenario;
use crate::trouble::Trouble;
use crate::wait::Stream;
use crate::watch::Watch;

/// Longest pause after the first call of unknown outcome; after the fifth it is the sixteenfold.
const BACK_OFF_MS: u64 = 100;

/// See the module.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) shared: Shared,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) troubles: Mutex<BTreeMap<Trouble, u64>>,
}

impl World {
    /// Any replica; its process, if one runs.
    pub(crate) fn pick(&self, rng: &mut StdRng) -> Option<Process> {
        let replica = self.replicas.get(rng.random_range(0..self.replicas.len()))?;
        replica.process()
    }

    pub(crate) fn count(&self, trouble: Trouble) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        *troubles.entry(trouble).or_default() += 1;
    }

    /// How often each trouble was made.
    pub(crate) fn troubles(&self) -> BTreeMap<Trouble, u64> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Target for World {
    /// A replica, if its process runs, and what is to happen to a call on its way. Streams are broken off instead.
    type Route = Option<(Process, Way)>;
    type Stream = Stream;
    type Watch = Watch;

    const SILENCE_MAX: Duration = Duration::from_secs(40);

    fn route(&self, rng: &mut StdRng) -> Self::Route {
        let process = self.pick(rng)?;
        let way = Way::draw(rng, &process);
        Some((process, way))
    }

    async fn call(&self, route: Self::Route, event: Option<&str>, op: &Op) -> Outcome {
        match route {
            Some((process, way)) => call(&process, way, event.and_then(key).as_ref(), op).await,
            None => Outcome::Unreached,
        }
    }

    async fn attach(
        &self,
        route: Self::Route,
        event: &str,
        held: Held,
    ) -> (Outcome, Option<Stream>) {
        match route {
            Some((process, _)) => Stream::begin(process, event, held).await,
            None => (Outcome::Unreached, None),
        }
    }

    async fn told(&self, stream: Stream) -> Outcome {
        stream.told().await
    }

    async fn watch(&self, route: Self::Route, token: &str) -> Result<Watch, Outcome> {
        let (process, _) = route.ok_or(Outcome::Unreached)?;
        Watch::begin(process, token).await
    }

    async fn watched(&self, watch: &mut Watch) -> Result<Watched, Outcome> {
        watch.next().await
    }

    async fn back_off(&self, rng: &mut StdRng, attempt: u32) {
        let longest_ms = BACK_OFF_MS << attempt.min(4);
        sleep(millis(rng.random_range(5..longest_ms))).await;
    }

    fn note(&self, what: fmt::Arguments<'_>) {
        self.bucket.trace().note(what);
    }
}

/// The key of the event with this id.
pub(crate) fn key(id: &str) -> Option<EventKey> {
    Some(EventKey { namespace: Namespace::default(), id: id.parse().ok()? })
}
