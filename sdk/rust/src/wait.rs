//! Waits that outlive connections.
//!
//! A wait is one server stream: the event as it stands, heartbeats, the final event. To resume after
//! any loss is to call again, so there is nothing to remember but the event's id.

use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::wait_event_response::Update;

use crate::client::{Client, Stub};
use crate::error::{Error, ErrorKind, Result};
use crate::retry::Backoff;

/// Three of the server's default heartbeats.
const SILENCE_LIMIT: Duration = Duration::from_secs(45);

/// Waits until the event has ended, and returns it.
///
/// Once the client has reached its server, no loss of it ends the wait: the program waits for a
/// person, who may take longer than any outage. Before that, a wrong address is the likelier cause.
pub(crate) async fn wait(client: &Client, event_id: &str) -> Result<v1::Event> {
    let stub = client.stub()?;
    let mut backoff = Backoff::new();
    let goes_on = |error: &Error, elapsed| {
        let lost = error.is_retryable() || error.kind() == ErrorKind::Unavailable;
        lost && client.has_reached_server() || client.worth_another(error, elapsed)
    };
    loop {
        match attend(client, stub.clone(), event_id, &mut backoff).await {
            Ok(event) => return Ok(event),
            Err(error) => backoff.pause(error, goes_on).await?,
        }
    }
}

/// Follows one stream until it brings the final event or is lost.
async fn attend(
    client: &Client,
    mut stub: Stub,
    event_id: &str,
    backoff: &mut Backoff,
) -> Result<v1::Event> {
    let request = v1::WaitEventRequest {
        namespace: client.namespace().to_owned(),
        event_id: event_id.to_owned(),
        heartbeat_interval: None,
    };
    let mut stream = client.hear(SILENCE_LIMIT, stub.wait_event(request)).await?.into_inner();
    loop {
        let Some(message) = client.hear(SILENCE_LIMIT, stream.message()).await? else {
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
