//! What identifies a delivery, and the job that makes it.

use std::fmt;
use std::str::FromStr;

use hitl_core::{ChannelId, EventKey, Timestamp};
use sha2::{Digest, Sha256};

use crate::jobs::{Job, Kind};

/// The job that makes a delivery. Its number says on which channel, which step, and how often it was tried.
pub const DELIVER: Kind = Kind::new("deliver");

/// A step in the life of an event of which a channel is told. Steps are told in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(u16);

/// Tells the recipients of one delivery apart: the beginning of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u64);

/// Which delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryId {
    /// The event that it is about.
    pub key: EventKey,
    /// The channel that is told.
    pub channel: ChannelId,
    /// The step of which it is told.
    pub step: Step,
}

/// Text that identifies no delivery.
#[derive(Debug, thiserror::Error)]
#[error("is not the id of a delivery")]
pub struct ParseDeliveryIdError;

impl Step {
    /// The event was created.
    pub const ASKED: Self = Self(0);
    /// The event has ended.
    pub const ENDED: Self = Self(u16::MAX);

    /// A step between those two; none for the numbers of those.
    pub fn between(number: u16) -> Option<Self> {
        let step = Self(number);
        (step != Self::ASKED && step != Self::ENDED).then_some(step)
    }

    /// The step with this place among the steps of an event.
    pub fn of_number(number: u16) -> Self {
        Self(number)
    }

    /// Its place among the steps of an event.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}", self.0)
    }
}

impl FromStr for Step {
    type Err = ParseDeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = u16::from_str_radix(text, 16).map_err(|_| ParseDeliveryIdError)?;
        Some(Self(number)).filter(|it| it.to_string() == text).ok_or(ParseDeliveryIdError)
    }
}

impl Tag {
    /// That of this recipient.
    pub fn of(recipient: &str) -> Self {
        let hash = Sha256::digest(recipient);
        Self(u64::from_be_bytes(*hash.first_chunk().expect("a SHA-256 has 32 bytes")))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Tag {
    type Err = ParseDeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = u64::from_str_radix(text, 16).map_err(|_| ParseDeliveryIdError)?;
        Some(Self(number)).filter(|it| it.to_string() == text).ok_or(ParseDeliveryIdError)
    }
}

impl DeliveryId {
    /// The job that makes it at `due`, after so many attempts.
    pub fn job(&self, due: Timestamp, attempts: u8) -> Job {
        let Self { key, channel, step } = self;
        let n = channel.number() << 24 | u64::from(step.0) << 8 | u64::from(attempts);
        Job { due, kind: DELIVER, key: key.clone(), n }
    }

    /// The delivery that `job` makes, and how often it was tried before; none if that makes none.
    pub fn of(job: &Job) -> Option<(Self, u8)> {
        let [.., step_high, step_low, attempts] = job.n.to_be_bytes();
        let channel = ChannelId::from_number(job.n >> 24)?;
        let step = Step(u16::from_be_bytes([step_high, step_low]));
        let id = Self { key: job.key.clone(), channel, step };
        (job.kind == DELIVER).then_some((id, attempts))
    }
}

/// A text without dots, as Standard Webhooks want the id of a message.
impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, channel, step } = self;
        write!(f, "{}_{channel}_{step}_{}", key.id, key.namespace)
    }
}

impl FromStr for DeliveryId {
    type Err = ParseDeliveryIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split('_').collect();
        let [id, channel, step, namespace] = parts[..] else { return Err(ParseDeliveryIdError) };
        let id = id.parse().map_err(|_| ParseDeliveryIdError)?;
        let namespace = namespace.parse().map_err(|_| ParseDeliveryIdError)?;
        let channel = channel.parse().map_err(|_| ParseDeliveryIdError)?;
        Ok(Self { key: EventKey { namespace, id }, channel, step: step.parse()? })
    }
}
