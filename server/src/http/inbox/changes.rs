//! `GET /inbox/changes`: which questions are new and which have ended, as server-sent events.
//!
//! Only what names a question is sent. A page that wants to show it asks for it as its reader.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hitl_service::{ChangeKind, Watch, Watched};
use serde_json::json;

use super::Wanted;
use crate::http::Site;
use crate::http::error::Failure;
use crate::http::request::Peer;
use crate::http::sign_in::Visit;

/// Longest time without a sign of life.
const SIGN_OF_LIFE: std::time::Duration = std::time::Duration::from_secs(15);
/// With what a browser resumes.
const LAST_EVENT_ID: &str = "last-event-id";

pub(in crate::http) async fn changes(
    State(site): State<Arc<Site>>,
    visit: Visit,
    peer: Peer,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Failure> {
    let query = uri.query().unwrap_or_default();
    let session = site.service.session(visit.visitor.principal);
    let mut filter = Wanted::of(query).filter(session.visible());
    filter.state = None;
    let since = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "since");
    let last = headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok()).map(str::to_owned);
    let token = last.or_else(|| since.map(|(_, token)| token.into_owned())).unwrap_or_default();
    let watch = session.watch(filter, &token, SIGN_OF_LIFE, peer.waits())?;
    let frames = stream::unfold(Some(watch), |watch| async {
        let mut watch = watch?;
        let frame = next(&mut watch).await?;
        Some((Ok::<_, std::convert::Infallible>(frame), Some(watch)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// The next frame. The stream ends with the watch, and the browser begins another one.
async fn next(watch: &mut Watch) -> Option<Bytes> {
    let text = match watch.next().await.ok()? {
        Watched::Change(change) => {
            let kind = match change.kind {
                ChangeKind::Created => "created",
                ChangeKind::Ended => "ended",
            };
            let request = &change.event.request;
            let data =
                json!({"namespace": request.namespace.to_string(), "id": request.id.to_string()});
            format!("event: {kind}\ndata: {data}\n\n")
        }
        Watched::Bookmark(token) => format!("event: bookmark\nid: {token}\ndata: \n\n"),
    };
    Some(text.into())
}
