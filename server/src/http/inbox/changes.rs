//! `GET /inbox/changes`: which questions are new and which have ended, as server-sent events.
//!
//! Only what names a question is sent. A page that wants to show it asks for it as its reader.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hitl_service::{ChangeKind, Watch, Watched};
use serde_json::json;

use super::Wanted;
use crate::auth::session::Session;
use crate::auth::sign_in::Visitor;
use crate::http::Site;
use crate::http::error::Failure;
use crate::http::request::Peer;
use crate::http::sign_in::Visit;

/// Longest time without a sign of life. As often it is seen whether the reader is still signed in, so that whoever
/// signs out is told nothing more within five seconds.
const SIGN_OF_LIFE: Duration = Duration::from_secs(3);
/// With what a browser resumes.
const LAST_EVENT_ID: &str = "last-event-id";

/// What a page follows.
struct Following {
    site: Arc<Site>,
    watch: Watch,
    /// The session of the reader, if that is how they are known.
    session: Option<Session>,
}

pub(in crate::http) async fn changes(
    State(site): State<Arc<Site>>,
    visit: Visit,
    peer: Peer,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let query = uri.query().unwrap_or_default();
    let Visitor { principal, session, .. } = visit.visitor;
    let reader = site.service.session(principal);
    let mut filter = Wanted::of(query).filter(reader.visible(), site.now());
    // What has ended does not become due any more.
    filter.facets.due_before = None;
    filter.state = None;
    let since = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "since");
    let last = headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok()).map(str::to_owned);
    let token = last.or_else(|| since.map(|(_, token)| token.into_owned())).unwrap_or_default();
    let watch = reader.watch(filter, &token, SIGN_OF_LIFE, peer.waits())?;
    let frames = stream::unfold(Following { site, watch, session }, |mut following| async {
        let frame = following.next().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), following))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

impl Following {
    /// The next frame. The stream ends with the watch or the session, and the browser begins another one, as whoever
    /// its reader is then.
    async fn next(&mut self) -> Option<Bytes> {
        let watched = self.watch.next().await.ok()?;
        if !self.is_signed_in().await {
            return None;
        }
        let text = match watched {
            Watched::Change(change) => {
                let kind = match change.kind {
                    ChangeKind::Created => "created",
                    ChangeKind::Updated => "updated",
                    ChangeKind::Ended => "ended",
                };
                let request = &change.event.request;
                let (namespace, id) = (request.namespace.to_string(), request.id.to_string());
                format!("event: {kind}\ndata: {}\n\n", json!({"namespace": namespace, "id": id}))
            }
            Watched::Bookmark(token) => format!("event: bookmark\nid: {token}\ndata: \n\n"),
        };
        Some(text.into())
    }

    async fn is_signed_in(&self) -> bool {
        let Some(session) = &self.session else { return true };
        let (site, sign_in) = (&self.site, &self.site.sign_in);
        let lasts = session.left_s(site.now(), sign_in.lasts) > 0;
        // Where the store does not say, the browser asks again.
        lasts && matches!(sign_in.sign_outs.has_ended(&site.service, session).await, Ok(false))
    }
}
