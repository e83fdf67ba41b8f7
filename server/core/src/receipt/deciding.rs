//! What a receipt says of whom a question was for, and of what each of them said.

use serde_json::{Value as Json, json};

use super::{Members, instant, value, who};
use crate::assignees::{Assignee, Quorum};
use crate::votes::{Ballot, Vote};

/// As in the JSON of the API, of which one member is always there.
pub(super) fn assignee(assignee: &Assignee) -> Json {
    match assignee {
        Assignee::Person(name) => json!({"person": name}),
        Assignee::Group(name) => json!({"group": name}),
    }
}

pub(super) fn quorum(Quorum { required, decline_ends }: Quorum) -> Json {
    json!({"required": required, "declineEnds": decline_ends})
}

/// What one person said. The caller's own id of the call is between the two of them.
pub(super) fn vote(Vote { ballot, time, responder, answer_id: _ }: &Vote) -> Json {
    let mut members = Members::default();
    members.add("responder", who(responder));
    members.add("time", instant(*time));
    match ballot {
        Ballot::Answer { value: given, comment } => {
            members.add("value", value(given));
            members.add_unless_empty("comment", comment);
        }
        Ballot::Decline { reason } => {
            let mut declined = Members::default();
            declined.add_unless_empty("reason", reason);
            members.add("decline", declined);
        }
    }
    members.into()
}
