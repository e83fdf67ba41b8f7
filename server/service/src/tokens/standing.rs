//! Streams end with the credential that began them.
//!
//! A stream may go on for days. One task for all looks every few seconds at the tokens that have streams, and ends
//! those of a token that is not good any more. A credential that says itself until when it is good needs no such look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hitl_core::{KnownKind, Principal, TokenId};
use hitl_store::clock::Monotonic;
use tokio_util::sync::CancellationToken;

use super::REFRESHED_MS;
use crate::Service;

/// The tokens that have streams.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched(Arc<Mutex<HashMap<TokenId, Streams>>>);

#[derive(Debug, Default)]
struct Streams {
    count: usize,
    end: CancellationToken,
}

/// Whether the credential of a stream is still good.
#[derive(Debug)]
pub struct Standing(Ends);

#[derive(Debug)]
enum Ends {
    /// As long as the server serves.
    Never,
    /// With the token.
    With(Seat),
    /// At that moment of the service's clock.
    At(Service, Monotonic),
}

/// The place of one stream among those of its token.
#[derive(Debug)]
struct Seat {
    id: TokenId,
    end: CancellationToken,
    watched: Watched,
}

impl Service {
    /// For a stream that `principal` begins.
    pub fn standing(&self, principal: &Principal) -> Standing {
        let Principal::Known(known) = principal else {
            return Standing(Ends::Never);
        };
        Standing(match (known.kind, known.until) {
            (KnownKind::Token(id), _) => Ends::With(self.0.tokens.watched.sit(id)),
            (_, Some(until)) => {
                let left_ms = until.ms_since(self.0.clock.now());
                Ends::At(self.clone(), self.0.clock.monotonic().plus_ms(left_ms))
            }
            (_, None) => Ends::Never,
        })
    }

    /// Ends the streams of tokens that are not good any more. Ends with the shutdown.
    pub(crate) async fn watch_tokens(&self) {
        loop {
            let moment = self.0.clock.monotonic().plus_ms(REFRESHED_MS);
            tokio::select! {
                biased;
                () = self.0.shutdown.cancelled() => return,
                () = self.0.clock.pause_until(moment) => {}
            }
            for id in self.0.tokens.watched.ids() {
                // Reading it ends what is to be ended. While the store fails nobody can be told from anybody.
                if let Err(error) = self.read_token(id).await {
                    tracing::debug!(%error, "a token with streams could not be read");
                }
            }
        }
    }
}

impl Standing {
    /// Completes when the credential is not good any more.
    pub async fn ended(&self) {
        match &self.0 {
            Ends::With(seat) => seat.end.cancelled().await,
            Ends::At(service, moment) => service.0.clock.pause_until(*moment).await,
            Ends::Never => std::future::pending().await,
        }
    }
}

impl Watched {
    fn sit(&self, id: TokenId) -> Seat {
        let mut all = self.all();
        let streams = all.entry(id).or_default();
        streams.count += 1;
        Seat { id, end: streams.end.clone(), watched: self.clone() }
    }

    /// Ends the streams of the token with this id.
    pub(super) fn end(&self, id: TokenId) {
        let streams = self.all().remove(&id);
        if let Some(streams) = streams {
            streams.end.cancel();
        }
    }

    fn ids(&self) -> Vec<TokenId> {
        self.all().keys().copied().collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TokenId, Streams>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // Those that were ended have no place any more, and others may have begun since.
        if self.end.is_cancelled() {
            return;
        }
        let mut all = self.watched.all();
        if let Some(streams) = all.get_mut(&self.id) {
            streams.count -= 1;
            if streams.count == 0 {
                all.remove(&self.id);
            }
        }
    }
}
