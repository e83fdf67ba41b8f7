//! Dialogs of clients of before 2026-07-28, which are asked while they wait for a call.
//!
//! A dialog outlives the call that opened it, since people take longer than clients wait: what the user says is
//! recorded whenever they say it, and whoever waits for the question hears of it. It is closed when the question ends
//! otherwise.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hitl_proto::v1;
use rmcp::RoleServer;
use rmcp::model::{ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ServerRequest};
use rmcp::service::{Peer, PeerRequestOptions, RequestHandle};

use super::HOLD_MAX;
use super::desk::Desk;
use super::elicit::{self, Said};
use super::refused::Why;

/// How often the user is asked again whose answer does not fit.
pub(super) const MISSES_MAX: u8 = 3;
/// Most dialogs that are open at a time.
const OPEN_MAX: usize = 16;
/// Pause before a wait that failed is begun again.
const PAUSE: Duration = Duration::from_secs(5);

/// The dialogs that are open, by the ids of their events.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialogs(Arc<Mutex<BTreeSet<String>>>);

/// An open dialog: it is closed when this is dropped.
struct Open {
    dialogs: Dialogs,
    id: String,
}

/// Who is asked, and how.
pub(super) struct Asked {
    pub(super) peer: Peer<RoleServer>,
    /// In whose name the answer is recorded.
    pub(super) responder: String,
    /// The first dialog.
    pub(super) params: ElicitRequestParams,
}

impl Dialogs {
    /// Asks the user for the answer to `event`, unless they are being asked already or are asked too much.
    pub(super) fn open<D: Desk>(&self, desk: &D, event: v1::Event, asked: Asked) {
        let Some(open) = self.take(&event.id) else { return };
        let desk = desk.clone();
        tokio::spawn(async move {
            let _open = open;
            tokio::select! {
                () = ask(&desk, &event, asked) => {}
                () = ended(&desk, &event.id) => {}
            }
        });
    }

    fn take(&self, id: &str) -> Option<Open> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = all.len() < OPEN_MAX && all.insert(id.to_owned());
        is_new.then(|| Open { dialogs: self.clone(), id: id.to_owned() })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.dialogs.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Shows the dialog until it brings an answer that fits, or none. Dropped, it is withdrawn.
async fn ask<D: Desk>(desk: &D, event: &v1::Event, asked: Asked) {
    let Asked { peer, responder, mut params } = asked;
    for _ in 0..=MISSES_MAX {
        let Some(result) = show(&peer, params.clone()).await else { return };
        let recorded = match elicit::said(event, &result) {
            Said::Answer(json) => desk.answer(&event.id, json, &responder).await,
            Said::Declined => desk.decline(&event.id, "", &responder).await,
            Said::Nothing => return,
        };
        match recorded {
            Err(refused) if refused.why == Why::InvalidAnswer => {
                if let ElicitRequestParams::FormElicitationParams { message, .. } = &mut params {
                    *message = format!("{}\n\n{}", event.prompt, refused.message());
                }
            }
            Err(refused) if refused.why != Why::Ended => {
                tracing::warn!(why = refused.message(), "what the user said was not recorded");
                return;
            }
            _ => return,
        }
    }
}

/// What the client gives for the dialog; none if it cannot show it.
async fn show(peer: &Peer<RoleServer>, params: ElicitRequestParams) -> Option<ElicitResult> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(params));
    let handle = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
    let mut shown = Shown(Some(handle.ok()?));
    let reply = (&mut shown.0.as_mut()?.rx).await;
    shown.0 = None;
    match reply.ok()?.ok()? {
        ClientResult::ElicitResult(result) => Some(result),
        _ => None,
    }
}

/// A dialog on the client's screen, which is told to take it away if nobody waits for it any more.
struct Shown(Option<RequestHandle<RoleServer>>);

impl Drop for Shown {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            tokio::spawn(handle.cancel(Some("the question has ended".to_owned())));
        }
    }
}

/// Completes when the event has ended, or is gone.
async fn ended<D: Desk>(desk: &D, id: &str) {
    loop {
        match desk.wait(id, HOLD_MAX).await {
            Ok(event) if event.response.is_none() => {}
            Ok(_) => return,
            Err(refused) if refused.why == Why::NotFound => return,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
