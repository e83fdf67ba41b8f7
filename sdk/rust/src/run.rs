//! Runs: who asks the same again, in another process or in this one, meets the same events.

use std::future::Future;
use std::sync::Arc;

use hitl_proto::v1;

use crate::client::Client;
use crate::create::EventBuilder;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::key::{self, Counts, Ticket};
use crate::value::DataType;

tokio::task_local! {
    static CURRENT: Counted;
}

/// A run with a count of its own: its n-th event of a name is the same for all runs of its id. So an
/// attempt of a task that failed, and is repeated in the same process, meets the events that it had
/// asked for.
#[derive(Clone, Debug)]
pub struct Run {
    client: Client,
    counted: Counted,
}

/// The id of a run, and its count.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    id: Arc<str>,
    counts: Counts,
}

impl Client {
    /// A run of this id, which counts its events by itself. Its clones count together.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if the id is empty.
    pub fn run(&self, id: &str) -> Result<Run> {
        if id.is_empty() {
            let message = "a run needs an id that tells it from other runs";
            return Err(Error::config(message.to_owned()));
        }
        Ok(Run { client: self.clone(), counted: Counted::new(id.into()) })
    }
}

impl Run {
    /// The name of the run.
    pub fn id(&self) -> &str {
        &self.counted.id
    }

    /// Starts to describe an event of this run, like [`Client::event`].
    pub fn event<T: DataType>(
        &self,
        name: impl Into<String>,
        prompt: impl Into<String>,
    ) -> EventBuilder<T> {
        self.client.event(name, prompt).in_run(self.counted.clone())
    }

    /// Creates an event of this run from a request of the API, as [`Client::create`] does.
    ///
    /// # Errors
    /// Those of [`Client::create`].
    pub async fn create(&self, request: v1::CreateEventRequest) -> Result<v1::CreateEventResponse> {
        self.client.create_in(Some(&self.counted), request).await
    }

    /// Attaches to the n-th event of a name in this run, counted from 1, whichever process asked for it.
    /// It counts nothing.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if `n` is 0, and those of [`Client::attach`].
    pub async fn attach<T: DataType>(&self, name: &str, n: u64) -> Result<Event<T>> {
        if n == 0 {
            let message = "n is 0: the events of a name are counted from 1";
            return Err(Error::config(message.to_owned()));
        }
        let key = key::of_run(self.id(), name, n);
        self.client.attach(&key::event_id(self.client.namespace(), &key)).await
    }

    /// Runs `future`, in which every event that is created without a key of its own is one of this run,
    /// by whichever client; but not in tasks that it spawns. Each time is an attempt, and counts from the
    /// beginning.
    pub async fn within<F: Future>(&self, future: F) -> F::Output {
        CURRENT.scope(Counted::new(self.counted.id.clone()), future).await
    }
}

impl Counted {
    fn new(id: Arc<str>) -> Self {
        Self { id, counts: Counts::default() }
    }

    /// The one of the innermost [`Run::within`] that this code runs in.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// The place of the next event of this name.
    pub(crate) fn ticket(&self, namespace: &str, name: &str) -> Ticket {
        self.counts.ticket(namespace, &self.id, name)
    }
}
