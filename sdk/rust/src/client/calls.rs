//! How a client calls: over which connection, for how long, and how often.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, timeout};
use tonic::{Response, Status};

use super::{Client, MAX_MESSAGE_BYTES, Stub};
use crate::channel;
use crate::config::{Server, Settings};
use crate::credential::Authorized;
use crate::error::{Error, ErrorKind, Result};
use crate::limits::Silence;
use crate::log;
use crate::retry::Backoff;

impl Client {
    /// Makes a call, repeated while the server cannot be reached.
    pub(crate) async fn call<Q, R, F>(&self, request: Q, rpc: impl Fn(Stub, Q) -> F) -> Result<R>
    where
        Q: Clone,
        F: Future<Output = Result<Response<R>, Status>>,
    {
        let begun = Instant::now();
        let mut backoff = Backoff::new();
        let goes_on = |error: &Error, elapsed| self.worth_another(error, elapsed);
        loop {
            match self.round(begun, |stub| rpc(stub, request.clone())).await {
                Ok(reply) => return Ok(reply.into_inner()),
                Err(error) => {
                    let told = error.message().to_owned();
                    backoff.pause(error, goes_on).await?;
                    log::hindered(|| format!("calls again: {told}"));
                }
            }
        }
    }

    /// Makes a call that began then once; of several servers to each in turn, until one serves.
    pub(crate) async fn round<R, F>(&self, begun: Instant, rpc: impl Fn(Stub) -> F) -> Result<R>
    where
        F: Future<Output = Result<R, Status>>,
    {
        let mut others = self.shared.channels.len() - 1;
        loop {
            let place = self.place();
            let silence = self.limits.of_attempt(begun);
            match self.hear(place, silence, rpc(self.stub(place)?)).await {
                Err(error)
                    if error.kind() == ErrorKind::Unavailable
                        && others > 0
                        && !self.limits.are_over(begun) =>
                {
                    others -= 1;
                }
                heard => return heard,
            }
        }
    }

    /// What the server at `place` sends next, if that comes in time; and notes that there is a server. Where none
    /// serves, and there is another one, later calls go there.
    pub(crate) async fn hear<R>(
        &self,
        place: usize,
        silence: Silence,
        next: impl Future<Output = Result<R, Status>>,
    ) -> Result<R> {
        let Ok(heard) = timeout(silence.limit(), next).await else {
            return Err(self.silent(place, silence));
        };
        let heard = heard.map_err(|status| self.error(place, &status))?;
        self.shared.reached.store(true, Ordering::Relaxed);
        Ok(heard)
    }

    /// That the server has sent nothing for so long.
    pub(crate) fn silent(&self, place: usize, silence: Silence) -> Error {
        self.leave(place);
        let server = self.shared.settings.server.name(place);
        Error::unavailable(format!("the server at {server} sent nothing {silence}"))
    }

    /// What the end of a call means.
    pub(crate) fn error(&self, place: usize, status: &Status) -> Error {
        let error = Error::from_status(status, &self.shared.settings.server.name(place));
        if error.kind() == ErrorKind::Unavailable {
            self.leave(place);
        }
        error
    }

    /// The server that is called now.
    pub(crate) fn place(&self) -> usize {
        self.shared.place.load(Ordering::Relaxed)
    }

    /// Goes on to the next server, unless some other call has done so.
    fn leave(&self, place: usize) {
        let next = (place + 1) % self.shared.channels.len();
        let moved =
            self.shared.place.compare_exchange(place, next, Ordering::Relaxed, Ordering::Relaxed);
        if next != place && moved.is_ok() {
            let server = &self.shared.settings.server;
            log::hindered(|| {
                format!("no server at {}, tries {}", server.name(place), server.name(next))
            });
        }
    }

    /// Whether any call ever got a reply.
    pub(crate) fn has_reached_server(&self) -> bool {
        self.shared.reached.load(Ordering::Relaxed)
    }

    /// Whether a call is made again after `error`, when so much time will have passed.
    pub(crate) fn worth_another(&self, error: &Error, elapsed: Duration) -> bool {
        let is_here = matches!(self.shared.settings.server, Server::Local(_));
        // Where no server was ever met, nobody who listens means a wrong address.
        let is_known = self.has_reached_server() || self.limits.is_patient || is_here;
        error.is_retryable()
            && elapsed <= self.limits.patience()
            && (is_known || !error.is_nobody())
    }

    /// Whether what goes on for as long as a program wants it, such as a wait, goes on after `error`. Once the
    /// client has reached its server, no loss of it is the end: people may take longer than any outage.
    pub(crate) fn outlasts(&self, error: &Error, elapsed: Duration) -> bool {
        let Settings { server, limits, .. } = &self.shared.settings;
        // Where one server is dead, another one may serve.
        let may_serve = server.count() > 1 && error.is_retryable() && elapsed <= limits.retry_for;
        // The limits of the client that others were made of count, for what goes on is shared.
        let first = Self { limits: *limits, ..self.clone() };
        error.is_loss() && self.has_reached_server()
            || may_serve
            || first.worth_another(error, elapsed)
    }

    pub(crate) fn stub(&self, place: usize) -> Result<Stub> {
        Ok(Stub::new(self.authorized(place)?).max_decoding_message_size(MAX_MESSAGE_BYTES))
    }

    /// The connection, on which every call carries the token.
    pub(crate) fn authorized(&self, place: usize) -> Result<Authorized> {
        let shared = &self.shared;
        let channel = match shared.channels[place].get() {
            Some(channel) => channel,
            None => {
                let channel = channel::connect(&shared.settings, place)?;
                shared.channels[place].get_or_init(|| channel)
            }
        };
        Ok(Authorized::new(channel.clone(), &shared.settings))
    }
}
