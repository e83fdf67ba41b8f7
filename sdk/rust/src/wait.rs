//! Waits that outlive connections.
//!
//! A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after
//! any loss is to call again, so there is nothing to remember but the event's id.

use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::wait_event_response::Update;
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Backoff;

/// Three of the server's default heartbeats.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// Waits until the event has ended, and returns it.
///
/// Once the client has reached its server, no loss of it ends the wait: the program waits for a
/// person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
pub(crate) async fn wait(client: &Client, event_id: &str) -> Result<v1::Event> {
    let begun = Instant::now();
    let mut backoff = Backoff::new();
    loop {
        let error = match attend(client, event_id, &mut backoff).await {
            Ok(event) => return Ok(event),
            Err(error) => error,
        };
        let delay = backoff.delay(&error);
        let lost = error.is_retryable() || error.kind() == ErrorKind::Unavailable;
        let first = !client.has_reached_server();
        let in_time = error.is_retryable() && begun.elapsed() + delay <= client.retry_for();
        if !lost || (first && !in_time) {
            return Err(error);
        }
        sleep(delay).await;
    }
}

/// Follows one stream until it brings the final event or is lost.
async fn attend(client: &Client, event_id: &str, backoff: &mut Backoff) -> Result<v1::Event> {
    let request = v1::WaitEventRequest {
        namespace: client.namespace().to_owned(),
        event_id: event_id.to_owned(),
        heartbeat_interval: None,
    };
    let silent = |_| Error::silent(SILENCE_LIMIT);
    let mut stub = client.stub()?;
    let opened = timeout(SILENCE_LIMIT, stub.wait_event(request)).await.map_err(silent)?;
    let mut stream = client.read(opened)?;
    loop {
        let message = timeout(SILENCE_LIMIT, stream.message()).await.map_err(silent)?;
        let message = message.map_err(|status| Error::from_status(&status, client.endpoint()))?;
        let Some(message) = message else {
            return Err(Error::unavailable("the stream ended before the event".to_owned()));
        };
        *backoff = Backoff::new();
        if let Some(Update::Event(event)) = message.update
            && is_final(&event)
        {
            return Ok(event);
        }
    }
}

/// A state that this version does not know counts as pending.
pub(crate) fn is_final(event: &v1::Event) -> bool {
    use v1::EventState::{Answered, Cancelled, Declined, TimedOut};
    matches!(event.state(), Answered | Declined | Cancelled | TimedOut)
}
