//! Sessions that end before their time, on every replica.

use hitl_store::SessionMark;

use crate::Service;
use crate::error::Error;

impl Service {
    /// Ends the sessions that `mark` is about. Every replica knows it as soon as it asks.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn end_session(&self, mark: &SessionMark) -> Result<(), Error> {
        Ok(self.0.store.end_session(mark).await?)
    }

    /// Whether the sessions that `mark` is about were ended.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn is_session_ended(&self, mark: &SessionMark) -> Result<bool, Error> {
        Ok(self.0.store.is_session_ended(mark).await?)
    }
}
