//! Where the load goes: servers that are reached by gRPC, or replicas of the service within a simulation.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use rand::rngs::StdRng;

use crate::history::{ChangeSeen, Op, Outcome};

/// See the module.
pub trait Target: fmt::Debug + Send + Sync + 'static {
    /// The way that one call or stream takes.
    type Route: Send;
    /// A wait that has begun.
    type Stream: Send;
    /// A watch that has begun.
    type Watch: Send;

    /// How long a watch is listened to that says nothing: longer than any time between two bookmarks.
    const SILENCE_MAX: Duration;

    /// Draws the way of the next call or stream.
    fn route(&self, rng: &mut StdRng) -> Self::Route;

    /// Makes the call `op`, of `event` unless it creates one.
    fn call(
        &self,
        route: Self::Route,
        event: Option<&str>,
        op: &Op,
    ) -> impl Future<Output = Outcome> + Send;

    /// Begins a wait for `event`, and says how it stands. There is no stream if it has ended.
    fn attach(
        &self,
        route: Self::Route,
        event: &str,
        held: Held,
    ) -> impl Future<Output = (Outcome, Option<Self::Stream>)> + Send;

    /// What the stream comes to: the ended event, or why it broke.
    fn told(&self, stream: Self::Stream) -> impl Future<Output = Outcome> + Send;

    /// Begins a watch of all events from `token` on, or from now on if it is empty.
    fn watch(
        &self,
        route: Self::Route,
        token: &str,
    ) -> impl Future<Output = Result<Self::Watch, Outcome>> + Send;

    /// What comes next of a watch, or why nothing does.
    fn watched(
        &self,
        watch: &mut Self::Watch,
    ) -> impl Future<Output = Result<Watched, Outcome>> + Send;

    /// What a client does after so many calls in a row of which nothing is known.
    fn back_off(&self, rng: &mut StdRng, attempt: u32) -> impl Future<Output = ()> + Send;

    /// Writes down what a client sees, where a run is to do the same each time.
    fn note(&self, _what: fmt::Arguments<'_>) {}
}

/// How a wait is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// On a stream of its own.
    Alone,
    /// On a stream that may hold many.
    WithOthers,
}

/// What comes of a watch.
#[derive(Debug, Clone)]
pub enum Watched {
    /// Something has changed.
    Change(ChangeSeen),
    /// Everything before this token has been sent.
    Bookmark(String),
}
