//! An issuer, with what it last said of itself and its keys.
//!
//! Issuers change their keys when they like, and tell nobody. So they are fetched again when a token names a key that
//! is not known, though at most once a minute, since anybody can make up such a token; and every hour, so that a key
//! that was withdrawn is not believed for ever. An issuer that is down is no reason to forget its keys, for a day.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::anyhow;
use hitl_core::Timestamp;
use hitl_store::clock::{Clock, Monotonic};
use jsonwebtoken::{Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::claims::{Claims, Kind};
use super::crypto::{self, ALGORITHMS};
use super::discovery::Discovery;
use super::fetch::Fetch;
use super::keys::KeySet;

/// Age from which keys are fetched again when they are used next: an hour.
const STALE_MS: i64 = 3_600_000;
/// Age from which they are not believed any more: a day.
const DEAD_MS: i64 = 24 * STALE_MS;
/// Least time between two fetches for the same reason: a minute.
const PAUSE_MS: i64 = 60_000;
/// The same while nothing was ever fetched, or a person waits.
const SHORT_PAUSE_MS: i64 = 2_000;

/// Longest token that is looked at.
pub(super) const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Why a token is not believed.
#[derive(Debug)]
pub enum Refused {
    /// Something is wrong with it.
    Token(&'static str),
    /// The issuer cannot be asked for its keys.
    Issuer(anyhow::Error),
}

impl From<&'static str> for Refused {
    fn from(why: &'static str) -> Self {
        Self::Token(why)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Issuer {
    name: String,
    pub(super) fetch: Fetch,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held by whoever fetches, so that one does at a time.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    said: Option<Arc<Said>>,
    /// When it was last asked for each reason.
    asked: [Option<Monotonic>; 3],
}

/// Why an issuer is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// What it said is old, or it has not said anything yet.
    Age,
    /// A token names a key that is not known.
    UnknownKey,
    /// Somebody is about to be sent there.
    SignIn,
}

/// What an issuer said.
pub(super) struct Said {
    pub(super) discovery: Discovery,
    keys: KeySet,
    at: Monotonic,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Said").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Whom `token`, shown with a call, is about, judged by the keys in `jwks` alone: that of `issuer`, for `audience`.
///
/// # Errors
/// What is wrong with it, or with the keys.
pub fn subject_of(
    token: &str,
    jwks: &[u8],
    issuer: &str,
    audience: &str,
    now: Timestamp,
) -> Result<String, String> {
    crypto::install();
    let keys = KeySet::parse(jwks)?;
    let claims = signed(token, &header(token)?, &keys)?;
    claims.check(Kind::Bearer, issuer, audience, now)?;
    Ok(claims.subject().to_owned())
}

/// The head of `token`, if it is one that may be good.
fn header(token: &str) -> Result<Header, &'static str> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err("it is too long");
    }
    let header = decode_header(token).map_err(|_| "it is no JWT")?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err("it is signed with an algorithm that is not taken");
    }
    Ok(header)
}

/// The claims of `token`, if one of `keys` has signed it.
fn signed(token: &str, header: &Header, keys: &KeySet) -> Result<Claims, &'static str> {
    let mut validation = Validation::new(header.alg);
    // All that depends on the time is judged by the clock of this server.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let mut keys = keys.fitting(header.kid.as_deref(), header.alg);
    let claims = keys.find_map(|key| decode::<Map<String, Value>>(token, key, &validation).ok());
    Ok(Claims(claims.ok_or("no key of its issuer has signed it")?.claims))
}

impl Issuer {
    pub(super) fn new(name: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        crypto::install();
        Ok(Self {
            name: name.to_owned(),
            fetch: Fetch::new()?,
            clock,
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        })
    }

    /// What the issuer says of itself, as it was at most an hour ago if it can be reached, and a day ago if not.
    pub(super) async fn said(self: &Arc<Self>) -> anyhow::Result<Arc<Said>> {
        match self.last() {
            Some(said) if self.age_ms(&said) < STALE_MS => Ok(said),
            Some(said) if self.age_ms(&said) < DEAD_MS => {
                if self.is_due(Why::Age) {
                    // Nobody waits for an issuer that may be down, as long as what it last said will do.
                    let issuer = self.clone();
                    tokio::spawn(async move { issuer.fetch_if_due(Why::Age).await });
                }
                Ok(said)
            }
            _ => {
                let said = self.fetch_if_due(Why::Age).await;
                said.ok_or_else(|| anyhow!("{} cannot be reached", self.name))
            }
        }
    }

    /// The same of an issuer that was reached a moment ago, so that nobody is sent to one that is down.
    pub(super) async fn reach(&self) -> anyhow::Result<Arc<Said>> {
        match self.last().filter(|said| self.age_ms(said) < SHORT_PAUSE_MS) {
            Some(said) => Ok(said),
            None => {
                let said = self.fetch_if_due(Why::SignIn).await;
                said.ok_or_else(|| anyhow!("{} cannot be reached", self.name))
            }
        }
    }

    /// The claims of `token`, if it is of this `kind`, for `audience`, and good.
    pub(super) async fn verify(
        self: &Arc<Self>,
        token: &str,
        kind: Kind<'_>,
        audience: &str,
    ) -> Result<Claims, Refused> {
        let header = header(token)?;
        let mut said = self.said().await.map_err(Refused::Issuer)?;
        if header.kid.as_deref().is_some_and(|id| !said.keys.knows(id)) {
            said = self.fetch_if_due(Why::UnknownKey).await.unwrap_or(said);
        }
        let claims = signed(token, &header, &said.keys)?;
        claims.check(kind, &self.name, audience, self.clock.now())?;
        Ok(claims)
    }

    /// Fetches again, unless that was tried a moment ago. None if nothing newer is known afterwards.
    async fn fetch_if_due(&self, why: Why) -> Option<Arc<Said>> {
        let before = self.last();
        let _fetching = self.fetching.lock().await;
        let last = self.last();
        let newer = |said: &Arc<Said>| before.as_ref().is_none_or(|old| said.at > old.at);
        if let Some(said) = last.filter(newer) {
            // Somebody else has fetched while we waited.
            return Some(said);
        }
        if !self.is_due(why) {
            return None;
        }
        let now = self.clock.monotonic();
        self.state().asked[why as usize] = Some(now);
        match self.ask(now).await {
            Ok(said) => {
                let said = Arc::new(said);
                self.state().said = Some(said.clone());
                Some(said)
            }
            Err(error) => {
                // Those who waited for this fetch do not each try for as long.
                self.state().asked[why as usize] = Some(self.clock.monotonic());
                tracing::warn!(issuer = self.name, "the OIDC issuer gives no keys: {error:#}");
                None
            }
        }
    }

    /// Whether the last fetch for the same reason is long enough ago for another.
    fn is_due(&self, why: Why) -> bool {
        let state = self.state();
        let pause_ms = match (why, &state.said) {
            (Why::Age | Why::UnknownKey, Some(_)) => PAUSE_MS,
            (Why::SignIn, _) | (_, None) => SHORT_PAUSE_MS,
        };
        let last = state.asked[why as usize];
        last.is_none_or(|last| self.clock.monotonic().ms_since(last) >= pause_ms)
    }

    async fn ask(&self, now: Monotonic) -> anyhow::Result<Said> {
        let discovery = Discovery::fetch(&self.fetch, &self.name).await?;
        let keys = discovery.keys(&self.fetch).await?;
        let keys = KeySet::parse(&keys).map_err(anyhow::Error::msg)?;
        Ok(Said { discovery, keys, at: now })
    }

    fn age_ms(&self, said: &Said) -> i64 {
        self.clock.monotonic().ms_since(said.at)
    }

    fn last(&self) -> Option<Arc<Said>> {
        self.state().said.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
