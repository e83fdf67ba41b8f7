//! Whether the process lives, and whether it can work: for whatever restarts it and whatever sends it traffic.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::error::Failure;
use crate::api::Api;

/// Alive: nothing but this process is looked at, since a restart cures nothing else.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// Ready: the store can be reached, and the server is not shutting down.
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Response {
    match api.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => Failure::from(error).into_response(),
    }
}
