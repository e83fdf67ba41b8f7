//! How a client reaches the servers: over one connection for good, or over several that it drops now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitl_proto::v1::event_service_client::EventServiceClient;
use hitl_proto::v1::watch_events_response::Update;
use hitl_proto::v1::{ChangeKind, WatchEventsRequest, WatchEventsResponse};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic::Streaming;
use tonic::transport::Channel;

use super::call::{call, classify};
use super::shared::SharedStream;
use super::stream::Stream;
use super::tally::Tally;
use super::target::{Held, Target, Watched};
use crate::history::{ChangeSeen, Op, Outcome};
use crate::server;

/// Connections of a client that has several.
const LINES: usize = 3;
/// How often such a client takes a new connection instead of one that it has.
const RENEWAL: f64 = 0.1;
/// The longest time between two bookmarks: the shortest that may be asked for.
const BOOKMARKS: prost_types::Duration = prost_types::Duration { seconds: 1, nanos: 0 };
/// Shortest pause after a call of which nothing is known.
const PAUSE: Duration = Duration::from_millis(5);
/// How much longer it is if nobody knows whether the server is up, or it is back within moments.
const IMPATIENT: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub struct Lines {
    endpoint: String,
    renewal: f64,
    channels: Mutex<Vec<EventServiceClient<Channel>>>,
    /// Where the waits are held that share a stream.
    many: Arc<SharedStream>,
    /// Whether the server is thought to be up, and for how long it is waited for that it is.
    up: Option<watch::Receiver<bool>>,
    patience: Duration,
}

impl Lines {
    /// One connection, which is made again when it is lost.
    pub fn one(endpoint: &str) -> Self {
        Self::new(endpoint, 1, 0.0)
    }

    /// Several connections, so that calls go to whichever replica a proxy at `endpoint` chose for each.
    pub fn several(endpoint: &str) -> Self {
        Self::new(endpoint, LINES, RENEWAL)
    }

    fn new(endpoint: &str, lines: usize, renewal: f64) -> Self {
        let channels = (0..lines).map(|_| connect(endpoint)).collect();
        Self {
            endpoint: endpoint.to_owned(),
            renewal,
            channels: Mutex::new(channels),
            many: Arc::default(),
            up: None,
            patience: IMPATIENT,
        }
    }

    /// The same, which counts into `tally` what its stream of many waits does.
    pub fn counted(self, tally: Arc<Tally>) -> Self {
        Self { many: Arc::new(SharedStream::new(tally)), ..self }
    }

    /// The same, with a stream of many waits that says nothing of them to the server.
    pub fn silent(self) -> Self {
        Self { many: Arc::new(SharedStream::silent()), ..self }
    }

    /// The same, whose calls are not repeated before the server is back.
    pub fn when(self, up: watch::Receiver<bool>) -> Self {
        Self { up: Some(up), ..self }
    }

    /// The same, but they are repeated after so long in any case.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

impl Lines {
    /// Has the stream of many waits, if it is open, add waits for `events`, and remove those of the last time.
    pub(super) fn pass_by(&self, events: impl Iterator<Item = String>) {
        self.many.pass_by(events);
    }
}

impl Target for Lines {
    /// A connection. Streams on one that is dropped go on.
    type Route = EventServiceClient<Channel>;
    type Stream = Stream;
    type Watch = Streaming<WatchEventsResponse>;

    const SILENCE_MAX: Duration = Duration::from_secs(5);

    fn route(&self, rng: &mut StdRng) -> Self::Route {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let at = rng.random_range(0..channels.len());
        if rng.random_bool(self.renewal) {
            channels[at] = connect(&self.endpoint);
        }
        channels[at].clone()
    }

    async fn call(&self, route: Self::Route, event: Option<&str>, op: &Op) -> Outcome {
        call(route, event, op).await
    }

    async fn attach(
        &self,
        route: Self::Route,
        event: &str,
        held: Held,
    ) -> (Outcome, Option<Stream>) {
        match held {
            Held::Alone => Stream::alone(route, event).await,
            Held::WithOthers => Stream::with_others(&self.many, route, event).await,
        }
    }

    async fn told(&self, stream: Stream) -> Outcome {
        stream.told().await
    }

    async fn watch(&self, mut route: Self::Route, token: &str) -> Result<Self::Watch, Outcome> {
        let request = WatchEventsRequest {
            resume_token: token.to_owned(),
            bookmark_interval: Some(BOOKMARKS),
            ..Default::default()
        };
        match route.watch_events(request).await {
            Ok(reply) => Ok(reply.into_inner()),
            Err(status) => Err(classify(&status)),
        }
    }

    async fn watched(&self, watch: &mut Self::Watch) -> Result<Watched, Outcome> {
        let fault = |what: &str| Outcome::Fault(what.to_owned());
        match watch.message().await {
            Ok(Some(message)) => watched(message).ok_or_else(|| fault("a change of nothing")),
            Ok(None) => Err(fault("a watch ended by itself")),
            Err(status) => Err(classify(&status)),
        }
    }

    /// A short pause, or a longer one that ends when the server is back.
    async fn back_off(&self, _rng: &mut StdRng, _attempt: u32) {
        sleep(PAUSE).await;
        match self.up.clone() {
            Some(mut up) => drop(timeout(self.patience, up.wait_for(|up| *up)).await),
            None => sleep(self.patience).await,
        }
    }
}

fn watched(message: WatchEventsResponse) -> Option<Watched> {
    match message.update? {
        Update::Bookmark(bookmark) => Some(Watched::Bookmark(bookmark.resume_token)),
        Update::Change(change) => {
            let is_end = match change.kind() {
                ChangeKind::Created => false,
                ChangeKind::Ended => true,
                ChangeKind::Updated | ChangeKind::Unspecified => return None,
            };
            Some(Watched::Change(ChangeSeen { event: change.event?.id, is_end }))
        }
    }
}

fn connect(endpoint: &str) -> EventServiceClient<Channel> {
    EventServiceClient::new(server::channel(endpoint))
}
