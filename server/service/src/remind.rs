//! Reminding at once, as whoever asked may do, but not so often that it annoys.
//!
//! The time since the creation is cut into spans, and there is one reminder for each: its number is that of the span,
//! so that two calls, at two replicas too, remind once.

use hitl_core::{Action, Event, EventKey, Told, limits};

use crate::deliveries::{Notice, To};
use crate::error::Error;
use crate::{Service, Session};
use hitl_core::create::one_line_words;
use hitl_core::reminder::RUNG_FROM;

impl Session {
    /// Tells those again who were asked about the event at `key`, with a `note` that may be empty.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::AlreadyFinal`], [`Error::RemindedRecently`], [`Error::InvalidRequest`],
    /// [`Error::ClockOff`], [`Error::LinkInvalid`], [`Error::PermissionDenied`], and those of the store.
    pub async fn remind(&self, key: &EventKey, note: String) -> Result<Event, Error> {
        // Whoever may withdraw the question may press for an answer.
        self.may(Action::Cancel(key))?;
        let broken = one_line_words("note", &note, limits::REMINDER_NOTE_CHARS_MAX);
        if !broken.is_empty() {
            return Err(Error::invalid_fields(broken));
        }
        self.service().remind(key, note).await
    }
}

impl Service {
    async fn remind(&self, key: &EventKey, note: String) -> Result<Event, Error> {
        let event = self.get(key).await?;
        if let Some(response) = &event.response {
            let (state, time) = (event.state(), response.time);
            return Err(Error::AlreadyFinal { key: key.clone(), state, time });
        }
        let age_ms = self.now()?.ms_since(event.request.create_time).max(0);
        let span = age_ms / limits::REMINDER_PAUSE_MS;
        let place = u16::try_from(i64::from(RUNG_FROM) + span).unwrap_or(u16::MAX - 1);
        let notice = Notice { told: Told::Reminder, place, note, to: To::Matching };
        if self.is_owed(&event, &notice).await? {
            let wait_ms = (span + 1) * limits::REMINDER_PAUSE_MS - age_ms;
            return Err(Error::RemindedRecently { wait_ms });
        }
        self.owe(&event, &notice).await?;
        Ok(event)
    }
}
