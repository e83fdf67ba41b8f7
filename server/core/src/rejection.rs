//! What the domain refuses, and why, in words for the one who has to mend it.

use crate::event::State;
use crate::time::Timestamp;

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field, such as `input.choice.options[2].value` or `value.age`.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Violation {
    /// A violation of the rule `message` at `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same violation, seen from the object that holds `field` as `parent`.
    #[must_use]
    pub fn below(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field), message: self.message }
    }
}

/// Why a command was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The request itself breaks rules.
    InvalidRequest(Vec<Violation>),
    /// The answer does not fit the event's input.
    InvalidAnswer(Vec<Violation>),
    /// The event ended before.
    AlreadyFinal {
        /// How it ended.
        state: State,
        /// When it ended.
        time: Timestamp,
    },
    /// Whoever created the event may not answer or decline it.
    SelfAnswer,
    /// The deadline has not come yet.
    NotDue,
    /// The event is for others.
    NotAssigned,
    /// The event is for people who are known, and nothing shows who this is.
    NobodyInParticular,
    /// That person has voted before.
    AlreadyVoted {
        /// When.
        time: Timestamp,
    },
    /// As many people have voted as may.
    VotesFull,
    /// Somebody else is at it.
    Claimed {
        /// Until when.
        until: Timestamp,
    },
    /// The thread has as many entries as it may, or as one person may add.
    ThreadFull,
}
