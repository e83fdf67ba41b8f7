//! Watching: every change of a namespace, through lost connections and restarts of the server.

use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::watch_events_response::Update;
use tokio::time::sleep;
use tonic::Streaming;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::limits::Silence;
use crate::retry::Backoff;

/// Three of the server's default intervals between bookmarks.
const SILENCE_MIN: Duration = Duration::from_secs(45);

/// What has happened to an event.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// Whether it was created or has ended.
    pub kind: v1::ChangeKind,
    /// The event as it stands, which may be later than the change.
    pub event: v1::Event,
    /// With it another watch goes on from here: store it once the change is dealt with. A little before it is sent
    /// again then.
    pub resume_token: String,
}

/// Without the event, whose links are secrets.
impl std::fmt::Debug for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, event, resume_token } = self;
        let mut change = f.debug_struct("Change");
        change.field("kind", kind).field("event_id", &event.id);
        change.field("resume_token", resume_token).finish()
    }
}

/// The changes of a namespace. Dropping it ends the watch.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    /// With the token of the last bookmark.
    request: v1::WatchEventsRequest,
    stream: Option<Streaming<v1::WatchEventsResponse>>,
    /// The server that the stream is of.
    place: usize,
    backoff: Backoff,
}

impl Client {
    /// Watches events: those that are created and those that end, as they do. An empty namespace is the client's;
    /// `resume_token` is that of a [`Change`] or of a list, or empty to begin now. Every change is returned at least
    /// once, those of one event in order; a change may be returned twice.
    pub fn watch(&self, mut request: v1::WatchEventsRequest) -> Watch {
        self.fill(&mut request.namespace);
        Watch { client: self.clone(), request, stream: None, place: 0, backoff: Backoff::new() }
    }
}

impl Watch {
    /// The next change, however long it takes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if the request breaks a rule or its token has expired, and those of reaching the
    /// server for the first time.
    pub async fn next(&mut self) -> Result<Change> {
        loop {
            match self.message().await {
                Ok(Some(Update::Change(v1::Change { kind, event: Some(event) }))) => {
                    let kind = v1::ChangeKind::try_from(kind).unwrap_or_default();
                    let resume_token = self.request.resume_token.clone();
                    return Ok(Change { kind, event, resume_token });
                }
                Ok(Some(Update::Bookmark(bookmark))) => {
                    self.request.resume_token = bookmark.resume_token;
                }
                Ok(_) => {}
                Err(error) => self.lost(error).await?,
            }
        }
    }

    async fn message(&mut self) -> Result<Option<Update>> {
        let limit = Silence::For(self.silence());
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                self.place = self.client.place();
                let mut stub = self.client.stub(self.place)?;
                let opened =
                    self.client.hear(self.place, limit, stub.watch_events(self.request.clone()));
                none.insert(opened.await?.into_inner())
            }
        };
        let message = self.client.hear(self.place, limit, stream.message()).await?;
        let message =
            message.ok_or_else(|| Error::unavailable("the server ended the watch".to_owned()))?;
        self.backoff = Backoff::new();
        Ok(message.update)
    }

    /// Waits for another attempt, if one is worth it.
    async fn lost(&mut self, error: Error) -> Result<()> {
        self.stream = None;
        let delay = self.backoff.delay(&error);
        if !self.client.outlasts(&error, self.backoff.elapsed() + delay) {
            return Err(error);
        }
        sleep(delay).await;
        Ok(())
    }

    /// How long the server may say nothing: three times as long as there may be no bookmark.
    fn silence(&self) -> Duration {
        let interval = self.request.bookmark_interval.and_then(|it| Duration::try_from(it).ok());
        interval.unwrap_or_default().saturating_mul(3).max(SILENCE_MIN)
    }
}
