//! Deliveries: who is told of what, by which channel, and that it happens.
//!
//! A channel has rules; each change that one matches owes a delivery. The job that makes it is durable with the change,
//! so nothing that happened is told of to nobody, and nothing that did not happen is told of at all. It is made at
//! least once, in the order of the changes of one event on one channel; what fails is tried again for three days, and
//! is a dead letter then. How a message is sent is for whoever gives [`Tell`] to say.
//!
//! Other work owes deliveries by [`Service::owe`](crate::Service::owe): a reminder, an escalation, a comment.

mod attempt;
mod channels;
mod list;
mod message;
mod metrics;
mod owe;
mod pace;
mod queue;
mod send;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use async_trait::async_trait;
use hitl_core::{ChannelId, Event, Namespaces, OnEnd};
use hitl_store::{StoredChannel, StoredLink, Way};

pub(crate) use attempt::run;
pub use channels::{CHANNELS_MAX, NewChannel, Tried};
pub use hitl_core::Told;
pub use list::{DeliveryPage, DeliveryQuery, DeliveryState, ListedDelivery};
pub use message::{
    DeliveryId, Message, REFERENCE_BYTES_MAX, Receipt, Retry, SUMMARY_CHARS_MAX, Undelivered,
};
pub(crate) use metrics::DeliveryMetrics;
pub use owe::{Notice, To};
use queue::Queue;

/// Sends messages, by whichever way a channel says.
#[async_trait]
pub trait Tell: fmt::Debug + Send + Sync {
    /// Whom a channel tells of `event`: one message goes to each name, and an empty name stands for the channel itself.
    /// The same event must give the same names.
    ///
    /// # Errors
    /// The settings or the secrets of the channel cannot be read.
    fn recipients(&self, way: &Way, event: &Event) -> Result<Vec<String>, Undelivered>;

    /// Sends one message by `way`.
    ///
    /// # Errors
    /// It was not sent, as far as is known.
    async fn send(&self, way: &Way, message: &Message) -> Result<Receipt, Undelivered>;

    /// By what way a requester is told, who may have named the channel that signs.
    ///
    /// # Errors
    /// In words for the requester: the address is not one that may be told, or the channel is none that signs.
    fn on_end(&self, on_end: &OnEnd, signer: Option<&Way>) -> Result<Way, String>;

    /// Where whoever has the link that `event` has of itself answers it.
    fn link(&self, event: &Event) -> String;

    /// Where whoever has the link that was made for somebody answers.
    fn link_of(&self, link: &StoredLink) -> String;
}

/// How this replica tells.
#[derive(Debug)]
pub struct Telling {
    /// What sends messages.
    pub tell: Arc<dyn Tell>,
    /// In which namespaces requesters may have themselves told of the end of their events.
    pub on_end: Namespaces,
}

/// What this replica knows of channels, and has under way for them.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    /// The last revision of each, as it was read last; of those that were removed too.
    channels: RwLock<Arc<[Arc<StoredChannel>]>>,
    telling: OnceLock<Telling>,
    queue: Mutex<Queue>,
}

impl Deliveries {
    /// The channels as they were read last.
    pub(crate) fn channels(&self) -> Arc<[Arc<StoredChannel>]> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn know(&self, channels: Vec<Arc<StoredChannel>>) {
        *self.channels.write().unwrap_or_else(PoisonError::into_inner) = channels.into();
    }

    /// The channel with this id, unless it was removed.
    fn channel(&self, id: ChannelId) -> Option<Arc<StoredChannel>> {
        let channels = self.channels();
        channels.iter().find(|it| it.id == id && it.way.is_some()).cloned()
    }

    /// The channel of this name, unless it was removed.
    fn named(&self, name: &str) -> Option<Arc<StoredChannel>> {
        let channels = self.channels();
        channels.iter().find(|it| it.name == name && it.way.is_some()).cloned()
    }

    /// Whether anything may be kept of deliveries in this store.
    pub(crate) fn are_possible(&self) -> bool {
        let tells_requesters =
            self.telling.get().is_some_and(|telling| telling.on_end != Namespaces::Only([].into()));
        tells_requesters || !self.channels().is_empty()
    }

    /// How many threads are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.queue().len()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
