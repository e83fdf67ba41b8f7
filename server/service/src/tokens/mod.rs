//! Tokens: which are good, and what their holders may do.
//!
//! What the store says of a token is remembered for three seconds, so that a call costs no read and a token that was
//! revoked is refused by every replica within five. While a token is in use it is read again before its time is over,
//! by a task of its own, so that no call waits for that. That a token is not there is remembered apart from those that
//! are: whoever guesses ids is held to a few reads at a time, can crowd nothing out, and is answered as fast as whoever
//! has a token that was revoked, so that nobody learns which ids there are.

mod manage;
mod standing;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hitl_core::{
    Known, KnownKind, Namespace, Namespaces, Principal, Rights, Timestamp, TokenId, TokenText,
};
use hitl_store::clock::Monotonic;
use hitl_store::{StoredToken, TokenState};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::Service;
use crate::error::Error;
pub use manage::{Made, NewToken, TokenPage};
pub use standing::Standing;
use standing::Watched;

/// For how long what the store says of a token is believed.
const BELIEVED_MS: i64 = 3_000;
/// After so long it is read again while it is in use.
const REFRESHED_MS: i64 = 2_000;
/// Tokens that are remembered.
const REMEMBERED_MAX: usize = 4_096;
/// Ids of which it is remembered that they are of no token.
const ABSENT_MAX: usize = 1_024;
/// Tokens that are read at a time: of those that were good before, and of others.
const READING_MAX: usize = 64;
/// How long a call waits for its turn to read one.
const PATIENCE: Duration = Duration::from_secs(2);
/// All namespaces.
pub(crate) const EVERYWHERE: &str = "*";

/// What this process knows of tokens.
#[derive(Debug)]
pub(crate) struct Tokens {
    known: Cache<TokenId, Arc<KnownToken>>,
    /// When it was seen that there is no such token.
    absent: Cache<TokenId, Monotonic>,
    /// Turns to read tokens that were good before.
    again: Semaphore,
    /// Turns to read tokens of which nothing is known.
    new: Semaphore,
    watched: Watched,
}

/// A token that is or was good.
#[derive(Debug)]
struct KnownToken {
    token: StoredToken,
    secret_sha256: [u8; 32],
    principal: Arc<Known>,
    /// From when on it is not good any more.
    end: Option<Timestamp>,
    read_at: Monotonic,
    /// Whether somebody reads it again.
    is_being_read: AtomicBool,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            known: Cache::new(REMEMBERED_MAX),
            absent: Cache::new(ABSENT_MAX),
            again: Semaphore::new(READING_MAX),
            new: Semaphore::new(READING_MAX),
            watched: Watched::default(),
        }
    }
}

impl Service {
    /// Who holds `token`, if that is known without a look at the store: `Some(None)` if the token is not good.
    pub fn remembered_holder(&self, token: &TokenText) -> Option<Option<Principal>> {
        let now = self.0.clock.monotonic();
        let Some(known) = self.0.tokens.known.get(&token.id) else {
            let seen = self.0.tokens.absent.get(&token.id)?;
            return (now.ms_since(seen) < BELIEVED_MS).then_some(None);
        };
        let age_ms = now.ms_since(known.read_at);
        if age_ms >= BELIEVED_MS {
            return None;
        }
        if age_ms >= REFRESHED_MS && !known.is_being_read.swap(true, Ordering::Relaxed) {
            self.refresh(token.id, known.clone());
        }
        Some(known.admit(token, self.0.clock.now()))
    }

    /// Who holds `token`; `None` if it is unknown, wrong, expired or revoked.
    ///
    /// # Errors
    /// [`Error::Overloaded`], and those of the store.
    pub async fn holder(&self, token: &TokenText) -> Result<Option<Principal>, Error> {
        if let Some(holder) = self.remembered_holder(token) {
            return Ok(holder);
        }
        let tokens = &self.0.tokens;
        let was_known = tokens.known.get(&token.id).is_some();
        let turns = if was_known { &tokens.again } else { &tokens.new };
        let turn = tokio::time::timeout(PATIENCE, turns.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(Error::Overloaded)?;
        // Somebody else may have read it meanwhile.
        if let Some(holder) = self.remembered_holder(token) {
            return Ok(holder);
        }
        let known = self.read_token(token.id).await?;
        Ok(known.and_then(|known| known.admit(token, self.0.clock.now())))
    }

    /// Reads a token that is in use once more, while calls go on with what is known of it.
    fn refresh(&self, id: TokenId, known: Arc<KnownToken>) {
        let service = self.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = service.read_token(id).await {
                tracing::debug!(%error, "a token could not be read again");
                known.is_being_read.store(false, Ordering::Relaxed);
            }
        });
    }

    /// What the store says of a token now, which is remembered.
    async fn read_token(&self, id: TokenId) -> Result<Option<Arc<KnownToken>>, Error> {
        // Before it is read: what is written meanwhile may not be seen.
        let read_at = self.0.clock.monotonic();
        let tokens = &self.0.tokens;
        let state = match tokens.known.get(&id) {
            Some(known) => Some(self.0.store.token_again(known.token.clone()).await?),
            None => self.0.store.token(id).await?,
        };
        let known = state.and_then(|state| KnownToken::new(state, read_at)).map(Arc::new);
        match &known {
            Some(known) => tokens.known.insert(id, known.clone()),
            None => {
                tokens.known.remove(&id);
                tokens.absent.insert(id, read_at);
            }
        }
        let is_good = known.as_ref().is_some_and(|known| known.is_good(self.0.clock.now()));
        if !is_good {
            tokens.watched.end(id);
        }
        Ok(known)
    }
}

impl KnownToken {
    /// `None` for one that cannot be understood, and so is not good.
    fn new(state: TokenState, read_at: Monotonic) -> Option<Self> {
        Some(Self {
            secret_sha256: from_hex(&state.token.secret_sha256)?,
            principal: Arc::new(known(&state.token)?),
            end: state.end(),
            token: state.token,
            read_at,
            is_being_read: AtomicBool::new(false),
        })
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.end.is_none_or(|end| now < end)
    }

    fn admit(&self, token: &TokenText, now: Timestamp) -> Option<Principal> {
        let hash: [u8; 32] = Sha256::digest(token.secret).into();
        let is_right = bool::from(hash.ct_eq(&self.secret_sha256));
        (is_right && self.is_good(now)).then(|| Principal::Known(self.principal.clone()))
    }
}

/// Who holds `token`.
fn known(token: &StoredToken) -> Option<Known> {
    let namespaces = match token.namespaces.as_slice() {
        [all] if all == EVERYWHERE => Namespaces::All,
        some => Namespaces::Only(
            some.iter().map(|name| name.parse::<Namespace>().ok()).collect::<Option<_>>()?,
        ),
    };
    Some(Known {
        kind: KnownKind::Token(token.id),
        id: token.principal.to_string(),
        name: token.name.clone(),
        rights: Rights::of(token.roles.iter().copied().collect(), namespaces),
        groups: Vec::new(),
        until: None,
    })
}

/// The hash of a secret as it is stored.
fn hash_of(token: &TokenText) -> String {
    Sha256::digest(token.secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
