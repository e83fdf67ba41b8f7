//! What a channel is given to send, and what it says of it.

use std::fmt;

use hitl_core::{Event, Timestamp, Told};
use hitl_store::Tag;

/// Longest reference that is kept of a message that was sent.
pub const REFERENCE_BYTES_MAX: usize = 1024;
/// Longest reason of a failure, and longest summary of a success, that is kept.
pub const SUMMARY_CHARS_MAX: usize = 500;

/// Identifies one delivery to one recipient, over all of its attempts. Letters, digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId(pub(crate) String);

/// One message for one recipient.
#[derive(Clone, Debug)]
pub struct Message {
    /// The same in every attempt, so that a receiver can drop what it has already.
    pub id: DeliveryId,
    /// What the message tells.
    pub told: Told,
    /// The event as it stands at this attempt. It may have ended although the message tells that it was asked.
    pub event: Event,
    /// Whom the message is for: one of [`recipients`] of the channel, and empty if the channel has none.
    ///
    /// [`recipients`]: super::Tell::recipients
    pub recipient: String,
    /// Where the recipient answers: the URL of a form. A secret, which lets its holder answer the event. Empty if the
    /// event has ended.
    pub link: String,
    /// What else there is to say, in plain text, such as why a reminder comes; may be empty.
    pub note: String,
    /// When that happened of which the message tells.
    pub time: Timestamp,
    /// The place of the message in the thread of its event on this channel: 0 for the first, and then always larger.
    pub sequence: u16,
    /// How often this delivery was tried before.
    pub attempts_before: u8,
    /// What earlier messages of this event on this channel to this recipient have become, oldest first: what is to be
    /// edited, or replied to. Messages that were given up are not among them.
    pub earlier: Vec<Receipt>,
}

/// What has become of a message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// By what the channel finds the message again, in a form of its own: the `ts` of Slack, the `Message-ID` of a
    /// mail. [`REFERENCE_BYTES_MAX`] at most; may be empty.
    pub reference: String,
    /// What an admin reads of it, such as `200 OK`. Cut to [`SUMMARY_CHARS_MAX`].
    pub summary: String,
}

/// A message was not sent, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undelivered {
    /// Why, in words for an admin. No secret and no link is in it. Cut to [`SUMMARY_CHARS_MAX`].
    pub reason: String,
    /// Whether it is tried again.
    pub retry: Retry,
}

/// When a message that was not sent is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// When the backoff says so.
    Later,
    /// When the backoff says so, but not before so many milliseconds have passed, as the receiver has asked. At most an
    /// hour counts.
    AfterMs(i64),
    /// Not at all: it is a dead letter at once, since no repetition would do better.
    Never,
}

impl DeliveryId {
    /// That of the delivery `id`, to the recipient with this tag.
    pub(crate) fn new(id: &hitl_store::DeliveryId, tag: Option<Tag>) -> Self {
        Self(match tag {
            Some(tag) => format!("{id}_{tag}"),
            None => id.to_string(),
        })
    }

    /// That of a message that no delivery owes, from random bytes.
    pub fn of_test(bytes: [u8; 16]) -> Self {
        Self(format!("test_{:032x}", u128::from_be_bytes(bytes)))
    }
}

impl Receipt {
    /// That of a message of which the channel knows nothing more.
    pub fn saying(summary: &str) -> Self {
        Self { reference: String::new(), summary: cut(summary) }
    }

    /// The same, cut to what is kept.
    pub(crate) fn within_bounds(self) -> Self {
        let is_short = self.reference.len() <= REFERENCE_BYTES_MAX;
        let reference = if is_short { self.reference } else { String::new() };
        Self { reference, summary: cut(&self.summary) }
    }
}

/// The beginning of `text`.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SUMMARY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Undelivered {
    /// It is tried again when the backoff says so.
    pub fn later(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Later }
    }

    /// The same, given up if that was the last attempt.
    pub(crate) fn given_up_if(self, is_last: bool) -> Self {
        if is_last { Self { retry: Retry::Never, ..self } } else { self }
    }

    /// It is given up.
    pub fn never(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Never }
    }
}
