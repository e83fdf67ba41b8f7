//! `GET /v1/events:watch`: changes as server-sent events.
//!
//! `event: change` has a Change as `data`, `event: bookmark` a Bookmark with its token as `id`, so that a browser's
//! `EventSource` resumes by itself. An error that ends the stream is `event: error`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hitl_core::Channel;
use hitl_proto::v1;
use hitl_proto::v1::watch_events_response::Update;
use hitl_service::{Error, Watch};

use super::error::Failure;
use super::request::{Peer, Query};
use crate::api::Api;
use crate::json::to_json;

/// With what a browser resumes.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) async fn watch(
    State(api): State<Api>,
    peer: Peer,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Failure> {
    let mut request: v1::WatchEventsRequest = query.message()?;
    if let Some(last) = headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok()) {
        last.clone_into(&mut request.resume_token);
    }
    let watch = api.watch_events(request, &peer.caller(Channel::Http), peer.waits())?;
    let frames = stream::unfold(Some((api, watch)), |watch| async {
        let (api, mut watch) = watch?;
        let (frame, goes_on) = next(&api, &mut watch).await;
        Some((Ok::<_, std::convert::Infallible>(frame), goes_on.then_some((api, watch))))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

/// The next frame, and whether it is not the last.
async fn next(api: &Api, watch: &mut Watch) -> (Bytes, bool) {
    match watch.next().await {
        Ok(watched) => (frame(api.watched(watched).await.update), true),
        Err(error) => (failed(error), false),
    }
}

fn frame(update: Option<Update>) -> Bytes {
    let text = match update {
        Some(Update::Change(change)) => format!("event: change\ndata: {}\n\n", to_json(&change)),
        Some(Update::Bookmark(bookmark)) => {
            let token = bookmark.resume_token.clone();
            format!("event: bookmark\nid: {token}\ndata: {}\n\n", to_json(&bookmark))
        }
        None => String::new(),
    };
    text.into()
}

fn failed(error: Error) -> Bytes {
    let (_, body) = Failure::from(error).status_and_body();
    format!("event: error\ndata: {body}\n\n").into()
}
