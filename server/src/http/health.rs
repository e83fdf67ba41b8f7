//! Whether the process lives, whether it can work, and what it does, for supervisors, load balancers and monitoring.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Site;
use super::error::Failure;

/// Alive: nothing but this process is looked at, since a restart cures nothing else.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Ready: the store can be reached and has room, and the server is not shutting down. Whatever the reason, a server
/// that is not ready is unavailable to whoever asks.
pub(super) async fn ready(State(site): State<Arc<Site>>) -> Response {
    match site.service.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            let mut reply = Failure::from(error).into_response();
            *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            reply
        }
    }
}

/// What the server does, in numbers; nothing of any event.
pub(super) async fn metrics(State(site): State<Arc<Site>>) -> Response {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match site.service.metrics(&site.registry) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => Failure::from(error).into_response(),
    }
}
