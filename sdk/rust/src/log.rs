//! What the crate says of what it does: to `tracing` if the program listens to that, else to stderr if
//! `HITL_LOG` names a level. It never gets links or tokens.

use std::sync::LazyLock;

use tracing::{Level, dispatcher, info, warn};

use hitl_proto::visible;

/// The level of `HITL_LOG`. What is none shows nothing.
static SHOWN: LazyLock<Option<Level>> =
    LazyLock::new(|| std::env::var("HITL_LOG").ok()?.to_ascii_lowercase().parse().ok());

/// That something has happened.
pub(crate) fn happened(message: impl FnOnce() -> String) {
    if dispatcher::has_been_set() {
        info!(target: "hitl", "{}", message());
    } else if SHOWN.is_some_and(|shown| shown >= Level::INFO) {
        eprintln!("hitl info: {}", visible::text(&message()));
    }
}

/// That something is in the way.
pub(crate) fn hindered(message: impl FnOnce() -> String) {
    if dispatcher::has_been_set() {
        warn!(target: "hitl", "{}", message());
    } else if SHOWN.is_some_and(|shown| shown >= Level::WARN) {
        eprintln!("hitl warn: {}", visible::text(&message()));
    }
}
