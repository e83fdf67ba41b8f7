//! An event and its life: asked once, ended once, and immutable on both sides of that.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::assignees::{Assignee, Quorum};
use crate::create::Expiration;
use crate::evidence::{Evidence, Risk};
use crate::id::{EventId, EventKey, Namespace};
use crate::input::Input;
use crate::principal::Proof;
use crate::reminder::Alarms;
use crate::tell::{ChannelId, OnEnd};
use crate::time::Timestamp;
use crate::value::Value;
use crate::votes::Vote;
use crate::weight::Weight;

/// What a task asked. Immutable from the moment it is durable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Identifies the event in its namespace.
    pub id: EventId,
    /// The partition the event belongs to.
    pub namespace: Namespace,
    /// What the event is called in lists and logs.
    pub name: String,
    /// The question in a few words; empty if the prompt is all there is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The question the person sees.
    pub prompt: String,
    /// How the prompt is to be read.
    #[serde(default)]
    pub prompt_format: PromptFormat,
    /// What is shown beside the prompt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// How much is at stake.
    #[serde(default, skip_serializing_if = "Risk::is_low")]
    pub risk: Risk,
    /// Whether an answer on a page has to be confirmed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub require_confirmation: bool,
    /// The kind of answer wanted.
    pub input: Input,
    /// The run the event belongs to.
    pub scope: String,
    /// Labels given at create.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// What was asked about the deadline, kept so that a repeated create can be told from a different one.
    pub expiration: Expiration,
    /// What happens at the deadline.
    #[serde(default)]
    pub on_timeout: OnTimeout,
    /// What makes the create safe to repeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Whether whoever created the event may also answer it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_self_answer: bool,
    /// Whom the event is for; everybody who may answer if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<Assignee>,
    /// How many have to agree; the first answer ends it if `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<Quorum>,
    /// Who created the event; `None` if the server asked for no credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Proof>,
    /// What the requester wants to be told when the event ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_end: Option<OnEnd>,
    /// When those who were asked are told again, and when others are.
    #[serde(default, skip_serializing_if = "Alarms::is_empty")]
    pub alarms: Alarms,
    /// The channels that owe word of it from its creation on, as their rules were then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelId>,
    /// When the event was created.
    pub create_time: Timestamp,
    /// When the event times out.
    pub deadline: Timestamp,
    /// What the request weighs, once somebody has asked.
    #[serde(skip)]
    pub weight: Weight,
}

/// For fields that are left out of records while they are false, as they were before there were such fields.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Request {
    /// Whether it matters who answers, or what others have said: then what there is of that has to be read before
    /// anything is decided.
    pub fn is_deliberated(&self) -> bool {
        self.quorum.is_some() || !self.assignees.is_empty()
    }

    /// Where the event lives.
    pub fn key(&self) -> EventKey {
        EventKey { namespace: self.namespace.clone(), id: self.id }
    }
}

/// How a prompt is to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptFormat {
    /// Plain text with line breaks.
    #[default]
    Text,
    /// CommonMark.
    Markdown,
}

/// What happens at the deadline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// The event ends without a value.
    #[default]
    Fail,
    /// The event ends, still as timed out, with this value.
    Default(Value),
}

/// The one final record of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// How the event ended.
    pub outcome: Outcome,
    /// When it ended. For a timeout its deadline, however late that was noticed.
    pub time: Timestamp,
    /// Who ended it; `None` if the deadline did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responder: Option<Responder>,
    /// The caller's own id of the call that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_id: Option<String>,
    /// What the person said beside the value; empty if nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// What everybody voted, the first first; empty if one person ended it alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub votes: Vec<Vote>,
    /// What the response weighs, once somebody has asked.
    #[serde(skip)]
    pub weight: Weight,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A person gave a value.
    Answered {
        /// The value, of the input's kind.
        value: Value,
    },
    /// A person refused to give a value.
    Declined {
        /// Why; may be empty.
        reason: String,
    },
    /// Whoever asked withdrew the question.
    Cancelled {
        /// Why; may be empty.
        reason: String,
    },
    /// Nobody answered in time.
    TimedOut {
        /// The default that the request named for this case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<Value>,
    },
}

/// Who ended an event, and by what way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// The name the caller gave, or the one its link was made for; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The door through which the response came.
    pub channel: Channel,
    /// The network address of the caller, or the message in a chat; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Who that was proved to be; `None` in records of before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
}

impl Responder {
    /// Somebody of whom it is not known yet who that is.
    pub fn claimed(name: String, channel: Channel, address: String) -> Self {
        Self { name, channel, address, proof: None }
    }
}

/// A door through which a response can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// gRPC or gRPC-Web.
    Grpc,
    /// JSON over HTTP.
    Http,
    /// The web form.
    Form,
    /// A dialog of a client of the Model Context Protocol.
    Mcp,
    /// A button in Slack.
    Slack,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a person. The only state that can change.
    Pending,
    /// A person gave a value.
    Answered,
    /// A person refused to give a value.
    Declined,
    /// Whoever asked withdrew the question.
    Cancelled,
    /// Nobody answered in time.
    TimedOut,
}

impl Outcome {
    /// The state that this outcome leads to.
    pub fn state(&self) -> State {
        match self {
            Self::Answered { .. } => State::Answered,
            Self::Declined { .. } => State::Declined,
            Self::Cancelled { .. } => State::Cancelled,
            Self::TimedOut { .. } => State::TimedOut,
        }
    }
}

/// What an event takes beside what is stored of it: its links, and the room of its parts in memory.
const EVENT_BYTES: usize = 1024;

/// An event as it stands: what was asked, and how it ended if it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What was asked.
    pub request: Arc<Request>,
    /// How it ended; `None` while it is pending.
    pub response: Option<Arc<Response>>,
}

impl Event {
    /// Where the event stands.
    pub fn state(&self) -> State {
        self.response.as_ref().map_or(State::Pending, |response| response.outcome.state())
    }

    /// Bytes that the event takes, in memory and in a message: those of its records as they are stored, so that no
    /// field can be left out, and a fixed part.
    pub fn weight_bytes(&self) -> usize {
        let request = self.request.weight.of(&*self.request);
        let response = self.response.as_ref().map_or(0, |response| response.weight.of(&**response));
        EVENT_BYTES + request + response
    }

    /// Whether the event still waits although its deadline has come.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.response.is_none() && now >= self.request.deadline
    }
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
