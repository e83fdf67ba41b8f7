//! One span and one line for each request.
//!
//! They name the route's template, never the path: the path of a link is a secret.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

/// Runs the request in its span, and says how it went.
pub(super) async fn trace(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("(none)", MatchedPath::as_str).to_owned();
    let span = tracing::debug_span!("http", %method, route);
    let start = Instant::now();
    async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        let ms = start.elapsed().as_millis();
        tracing::debug!(status, ms, "answered");
        response
    }
    .instrument(span)
    .await
}
