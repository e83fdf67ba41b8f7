//! Serves the stream that all waits of a client share.

use std::sync::Arc;
use std::time::Duration;

use hitl_proto::v1;
use hitl_proto::v1::wait_events_response::Update;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

use super::{Waits, is_final};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::limits::Silence;
use crate::log;
use crate::retry::Backoff;

/// Three of the server's default heartbeats.
const SILENCE: Silence = Silence::For(Duration::from_secs(45));

/// Serves the waits of `client` until there are none.
pub(super) async fn serve(client: Client) {
    let mut served = Served { waits: client.waits().clone(), is_done: false };
    let waits = client.waits();
    let mut backoff = Backoff::new();
    loop {
        let lost = attend(&client, waits, &mut backoff).await;
        if let Err(error) = lost {
            let delay = backoff.delay(&error);
            let again = delay.as_secs_f32();
            log::hindered(|| {
                format!(
                    "lost the server at {}, tries again in {again:.1} s: {error}",
                    client.endpoint()
                )
            });
            waits.give_up(&error, |elapsed| client.outlasts(&error, elapsed + delay));
            tokio::select! {
                biased;
                () = waits.until_empty() => {}
                () = sleep(delay) => {}
            }
        }
        if waits.stop() {
            served.is_done = true;
            return;
        }
    }
}

/// Ends every wait if the task that serves them is dropped, which it is with its runtime.
struct Served {
    waits: Arc<Waits>,
    is_done: bool,
}

impl Drop for Served {
    fn drop(&mut self) {
        if !self.is_done {
            let waits = std::mem::take(&mut *self.waits.state());
            drop(waits);
        }
    }
}

/// Follows one stream until nothing is waited for or it is lost.
async fn attend(client: &Client, waits: &Waits, backoff: &mut Backoff) -> Result<()> {
    waits.begin();
    log::happened(|| format!("waits for {} events at {}", waits.count(), client.endpoint()));
    let (say, said) = mpsc::channel(1);
    if let Some(message) = waits.message(client.namespace()) {
        say.try_send(message).expect("there is room for one");
    }
    let place = client.place();
    let mut stub = client.stub(place)?;
    let opened = client.hear(place, SILENCE, stub.wait_events(ReceiverStream::new(said)));
    let mut stream = tokio::select! {
        biased;
        opened = opened => opened?.into_inner(),
        () = waits.until_empty() => return Ok(()),
    };
    let mut heard = Instant::now();
    while !waits.is_empty() {
        let again = waits.ask_again(Instant::now());
        tokio::select! {
            biased;
            message = stream.message() => {
                let message = message.map_err(|status| client.error(place, &status))?;
                let Some(message) = message else {
                    return Err(Error::unavailable("the stream ended before the event".to_owned()));
                };
                heard = Instant::now();
                *backoff = Backoff::new();
                take(waits, message);
            }
            place = say.reserve(), if waits.has_message() => {
                let place = place.map_err(|_| {
                    Error::unavailable("the stream takes no more waits".to_owned())
                })?;
                if let Some(message) = waits.message(client.namespace()) {
                    place.send(message);
                }
            }
            () = waits.changed.notified() => {}
            () = until(again) => {}
            () = sleep_until(heard + SILENCE.limit()) => return Err(client.silent(place, SILENCE)),
        }
    }
    Ok(())
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn take(waits: &Waits, message: v1::WaitEventsResponse) {
    match message.update {
        Some(Update::Event(event)) if is_final(&event) => {
            let event_id = event.id.clone();
            waits.end(&event_id, Ok(event));
        }
        Some(Update::Failed(v1::FailedWait { key: Some(key), failure: Some(failure) })) => {
            waits.failed(&key.event_id, Error::from_failure(failure));
        }
        _ => {}
    }
}
