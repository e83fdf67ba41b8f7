//! A call that is held until its question ends, or for as long as clients wait.

use std::pin::pin;
use std::time::Duration;

use hitl_proto::v1;
use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;

use super::desk::Desk;
use super::refused::Refused;

/// Time between two signs of life.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
/// Longest that one is waited for to be taken.
const PROGRESS_PATIENCE: Duration = Duration::from_secs(5);

/// The event once it has ended, or as it stands when `limit` has passed.
///
/// # Errors
/// The wait failed or was given up; the question stays open.
pub(super) async fn hold<D: Desk>(
    desk: &D,
    event: v1::Event,
    limit: Duration,
    context: &RequestContext<RoleServer>,
) -> Result<v1::Event, Refused> {
    if event.response.is_some() || limit.is_zero() {
        return Ok(event);
    }
    let mut wait = pin!(desk.wait(&event.id, limit));
    let mut beat = tokio::time::interval(PROGRESS_INTERVAL);
    let mut beats = 0;
    loop {
        tokio::select! {
            biased;
            waited = &mut wait => {
                let advice = format!("The question stays open: call wait_for_answer with the id {}", event.id);
                return waited.map_err(|refused| refused.followed_by(&advice));
            }
            () = context.ct.cancelled() => return Err(Refused::other("the call was given up")),
            _ = beat.tick() => {
                tell(context, beats, limit).await;
                beats += 1;
            }
        }
    }
}

/// Shows that the call is alive, if the client wants to know.
async fn tell(context: &RequestContext<RoleServer>, beats: u32, limit: Duration) {
    let Some(token) = context.meta.get_progress_token() else { return };
    let elapsed = (PROGRESS_INTERVAL * beats).as_secs_f64();
    let progress = ProgressNotificationParam::new(token, elapsed)
        .with_total(limit.as_secs_f64())
        .with_message("Waiting for a person to answer");
    let told = context.peer.notify_progress(progress);
    // A client that does not listen is found out by its connection.
    let _ = tokio::time::timeout(PROGRESS_PATIENCE, told).await;
}
