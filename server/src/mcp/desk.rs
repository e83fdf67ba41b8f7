//! What the tools need of hitl.

use std::future::Future;
use std::time::Duration;

use hitl_core::Timestamp;
use hitl_proto::v1;

use super::refused::Refused;
use super::state::Seal;

type Done<T> = Result<T, Refused>;

/// One client's way to a server, in one namespace, with one credential.
pub(super) trait Desk: Clone + Send + Sync + 'static {
    /// Whether requests can be sent to the client while it waits for a call, so that a dialog of a revision before
    /// 2026-07-28 reaches it.
    const REACHES_CLIENT: bool;

    /// Creates an event.
    fn create(
        &self,
        request: v1::CreateEventRequest,
    ) -> impl Future<Output = Done<v1::CreateEventResponse>> + Send;

    /// The event as it stands.
    fn get(&self, id: &str) -> impl Future<Output = Done<v1::Event>> + Send;

    /// The event once it has ended, or as it stands when `limit` has passed.
    fn wait(&self, id: &str, limit: Duration) -> impl Future<Output = Done<v1::Event>> + Send;

    /// A page of events.
    fn list(
        &self,
        request: v1::ListEventsRequest,
    ) -> impl Future<Output = Done<v1::ListEventsResponse>> + Send;

    /// Answers the event with `json`, in the name of `responder`.
    fn answer(
        &self,
        id: &str,
        json: String,
        responder: &str,
    ) -> impl Future<Output = Done<v1::Event>> + Send;

    /// Declines the event, in the name of `responder`.
    fn decline(
        &self,
        id: &str,
        reason: &str,
        responder: &str,
    ) -> impl Future<Output = Done<v1::Event>> + Send;

    /// Cancels the event.
    fn cancel(&self, id: &str, reason: &str) -> impl Future<Output = Done<v1::Event>> + Send;

    /// Whether the credential lets its holder answer the event, so that what the user says in the client can be
    /// recorded.
    fn may_answer(&self, id: &str) -> impl Future<Output = Done<bool>> + Send;

    /// The page on which people who have signed in answer the event.
    fn page(&self, event: &v1::Event) -> String;

    /// The namespace of all calls; empty for the default.
    fn namespace(&self) -> &str;

    /// Whoever asks, as far as it is told from others who ask: the same question of two of them is two questions.
    fn asker(&self) -> &str;

    /// The present instant.
    fn now(&self) -> Timestamp;

    /// Seals what a client carries back.
    fn seal(&self) -> &Seal;
}
