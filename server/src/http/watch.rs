//! `GET /v1/events:watch`: changes as server-sent events.
//!
//! `event: change` has a Change as `data`, `event: bookmark` a Bookmark with its token as `id`, so that a browser's
//! `EventSource` resumes by itself. An error that ends the stream is `event: error`.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use hitl_proto::v1;
use hitl_proto::v1::watch_events_response::Update;
use hitl_service::{Error, Standing, Watch};

use super::error::Failure;
use super::request::{Known, Query};
use crate::api::{Api, Caller};
use crate::json::to_json;

/// With what a browser resumes.
const LAST_EVENT_ID: &str = "last-event-id";

/// A watch that goes on, for as long as the credential that began it is good.
struct Watching {
    api: Api,
    watch: Watch,
    caller: Caller,
    standing: Standing,
}

pub(super) async fn watch(
    State(api): State<Api>,
    known: Known,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Failure> {
    let mut request: v1::WatchEventsRequest = query.message()?;
    if let Some(last) = headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok()) {
        last.clone_into(&mut request.resume_token);
    }
    let (caller, owner) = known.waits();
    let watch = api.watch_events(request, &caller, owner)?;
    let standing = api.standing(&caller);
    let watching = Some(Watching { api, watch, caller, standing });
    let frames = stream::unfold(watching, |watching| async {
        let mut watching = watching?;
        let (frame, goes_on) = watching.next().await;
        Some((Ok::<_, std::convert::Infallible>(frame), goes_on.then_some(watching)))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(frames)).into_response())
}

impl Watching {
    /// The next frame, and whether it is not the last.
    async fn next(&mut self) -> (Bytes, bool) {
        let watched = tokio::select! {
            watched = self.watch.next() => watched,
            () = self.standing.ended() => Err(Error::Unauthenticated),
        };
        match watched {
            Ok(watched) => (frame(self.api.watched(watched, &self.caller).await.update), true),
            Err(error) => (failed(error), false),
        }
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
