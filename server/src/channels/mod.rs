//! Channels: the ways by which people and programs are told. Each module here sends one message in one way.
//!
//! What has to be sent is not decided here. `hitl_service::deliveries` keeps the channels and their rules, owes a
//! delivery with each change that a rule matches, and hands it over when it is due: at least once, in the order of the
//! changes of one event on one channel. A channel is a [`Channel`] that is made of its settings for each delivery, so
//! it holds nothing from one to the next; what it has to know of its earlier messages is in [`Message::earlier`].
//!
//! To add a kind of channel:
//! 1. a module with its settings (`serde`, no secret in them, every new field optional) and `impl Channel`;
//! 2. its variant of [`ChannelConfig`], with its arms there: how it is read from the API and checked, and how it is
//!    opened;
//! 3. its message in `proto/hitl/v1/notification_channel.proto`, a field of the oneof `settings`; what is secret in it
//!    is `Input only`;
//! 4. its flags in `server/src/cli/channel.rs`, and its chapter in `docs/channels.md`.
//!
//! Rules of a channel:
//! - [`Channel::send`] is called from any thread, at most once at a time for one event, and is dropped after 20 s,
//!   which counts as [`Retry::Later`]. It must be safe to repeat: an attempt whose success was not recorded is made
//!   again with the same [`Message::id`].
//! - It sends one message and returns. It does not wait, retry or remember: that is done for all channels in one place.
//! - HTTP goes through [`Outbound`], which refuses addresses that are not for us, follows no redirect, and has all
//!   bounds.
//! - Secrets come as [`Secrets`], by name. They are sealed in the store, and are never shown, logged or put in a
//!   reason.
//! - What comes from an event is others' text: escape it for the format, cut it to what the format takes, and make
//!   hidden characters visible (`hitl_proto::visible`).

mod address;
mod chat;
mod config;
mod digest;
mod exec;
mod mail;
mod ntfy;
mod outbound;
#[cfg(test)]
mod samples;
mod seal;
pub(crate) mod slack;
mod teller;
mod webhook;
mod words;

use std::fmt;

use hitl_core::Event;
pub use hitl_service::deliveries::{Message, Receipt, Retry, Told, Undelivered};

pub use config::{ChannelConfig, Secrets, Tools};
pub use outbound::{Outbound, Reply};
pub use teller::Channels;

/// One way to tell, with the settings of one channel.
#[async_trait::async_trait]
pub trait Channel: fmt::Debug + Send + Sync {
    /// Whom to tell of `event`: one message, with a link of its own, goes to each name. A channel that has no
    /// recipients, since it posts to one place, returns one empty name. With no name at all nothing is sent, and the
    /// delivery is settled.
    ///
    /// The same event must give the same names, in any attempt.
    fn recipients(&self, event: &Event) -> Vec<String> {
        let _ = event;
        vec![String::new()]
    }

    /// Sends one message.
    ///
    /// # Errors
    /// It was not sent, or that is not known.
    async fn send(&self, message: &Message) -> Result<Receipt, Undelivered>;
}
