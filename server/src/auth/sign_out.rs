//! Whether a session was ended, asked of the store at most every three seconds for each.
//!
//! So every replica knows of a sign-out within five seconds, wherever it was.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use hitl_core::Timestamp;
use hitl_service::Service;
use hitl_service::error::Error;
use hitl_store::clock::Monotonic;
use hitl_store::{SESSION_MS_MAX, SessionMark};

use super::oidc::SignedOut;
use super::session::{Session, heeded_mark, issuer_session_mark, person_mark};

/// How long the store's word that a session goes on is taken.
const VOUCHED_MS: i64 = 3_000;

/// Most marks that are remembered.
const MARKS_MAX: usize = 20_000;

/// How often all sessions of one person can be ended in a day. More come from an issuer that has gone wrong.
const GENERATIONS_MAX: u32 = 1_000;

/// What the store said of sessions a moment ago.
#[derive(Debug, Default)]
pub struct SignOuts(Mutex<HashMap<SessionMark, (Monotonic, bool)>>);

impl SignOuts {
    /// Whether `session` was ended.
    ///
    /// # Errors
    /// Those of the store: then nobody knows.
    pub async fn has_ended(&self, service: &Service, session: &Session) -> Result<bool, Error> {
        for mark in session.marks() {
            if self.is_marked(service, mark).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_marked(&self, service: &Service, mark: SessionMark) -> Result<bool, Error> {
        let now = service.clock().monotonic();
        if let Some(known) = self.known(&mark, now) {
            return Ok(known);
        }
        let is_ended = service.is_session_ended(&mark).await?;
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= MARKS_MAX {
            marks.retain(|_, (asked, _)| now.ms_since(*asked) < VOUCHED_MS);
        }
        if marks.len() < MARKS_MAX {
            marks.insert(mark, (now, is_ended));
        }
        Ok(is_ended)
    }

    fn known(&self, mark: &SessionMark, now: Monotonic) -> Option<bool> {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (asked, is_ended) = *marks.get(mark)?;
        // What has ended stays so.
        (is_ended || now.ms_since(asked) < VOUCHED_MS).then_some(is_ended)
    }

    /// Ends `session` alone.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end(&self, service: &Service, session: &Session) -> Result<(), Error> {
        self.end_mark(service, session.own_mark()).await
    }

    /// Ends what the issuer says has ended by `token`: one session, or all of a person that have begun. The same token
    /// a second time ends nothing more.
    ///
    /// # Errors
    /// Those of the store; then the issuer may send it again.
    pub async fn heed(&self, service: &Service, out: &SignedOut, token: &str) -> Result<(), Error> {
        let now = service.clock().now();
        let heeded = heeded_mark(now, token);
        if service.is_session_ended(&heeded).await? {
            return Ok(());
        }
        for begun in begun_days(now) {
            let mark = match issuer_session_mark(begun, out) {
                Some(mark) => mark,
                None => {
                    let last = generation(service, begun, &out.issuer, &out.subject).await?;
                    person_mark(begun, &out.issuer, &out.subject, last)
                }
            };
            self.end_mark(service, mark).await?;
        }
        service.end_session(&heeded).await
    }

    async fn end_mark(&self, service: &Service, mark: SessionMark) -> Result<(), Error> {
        service.end_session(&mark).await?;
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        marks.remove(&mark);
        Ok(())
    }
}

/// Instants on the days on which a session that lasts now can have begun.
fn begun_days(now: Timestamp) -> [Timestamp; 2] {
    [now, now.plus_ms(-SESSION_MS_MAX)]
}

/// How often all sessions of a person that began on the day of `begun` were ended: those that begin next are of this
/// generation.
///
/// # Errors
/// Those of the store, and [`Error::Overloaded`] if that was far too often.
pub async fn generation(
    service: &Service,
    begun: Timestamp,
    issuer: &str,
    subject: &str,
) -> Result<u32, Error> {
    for generation in 0..GENERATIONS_MAX {
        let mark = person_mark(begun, issuer, subject, generation);
        if !service.is_session_ended(&mark).await? {
            return Ok(generation);
        }
    }
    Err(Error::Overloaded)
}
