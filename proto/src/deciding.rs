//! Assignees, made in one line.

use crate::v1::Assignee;
use crate::v1::assignee::Kind;

impl Assignee {
    /// The principal with this name or this id.
    pub fn person(name: impl Into<String>) -> Self {
        Self { kind: Some(Kind::Person(name.into())) }
    }

    /// Everybody in this group.
    pub fn group(name: impl Into<String>) -> Self {
        Self { kind: Some(Kind::Group(name.into())) }
    }
}
