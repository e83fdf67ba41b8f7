//! How several people decide: what their votes come to.
//!
//! [`tally`] looks at votes and at nothing else, in the order of their time, so that the same votes come to the same
//! end in whichever order they are met.

use serde::{Deserialize, Serialize};

use crate::assignees::Quorum;
use crate::event::{Event, Outcome, Responder, Response};
use crate::person::Person;
use crate::thread::{Thread, is_called};
use crate::time::Timestamp;
use crate::value::Value;
use crate::weight::Weight;

/// What one person has said to an event for which several have to agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vote {
    /// What.
    pub ballot: Ballot,
    /// When.
    pub time: Timestamp,
    /// Who.
    pub responder: Responder,
    /// The caller's own id of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_id: Option<String>,
}

/// What a vote says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ballot {
    /// This value.
    Answer {
        /// The value, of the input's kind.
        value: Value,
        /// What was said beside it; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        comment: String,
    },
    /// None.
    Decline {
        /// Why; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
}

/// What several people have done so far about a pending event. Empty for an event that is for everybody and that one
/// person ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliberation {
    /// What was voted, in any order.
    pub votes: Vec<Vote>,
    /// What was said and done beside that.
    pub thread: Thread,
}

impl Deliberation {
    /// The votes that count, in the order of their time: of one person the first.
    pub fn counted(&self) -> Vec<&Vote> {
        let mut votes: Vec<_> = self
            .votes
            .iter()
            .filter_map(|vote| Some((Person::of(&vote.responder)?, vote)))
            .collect();
        votes.sort_by(|(a, at), (b, bt)| (at.time, a.key()).cmp(&(bt.time, b.key())));
        let mut counted: Vec<(Person, &Vote)> = Vec::new();
        for (person, vote) in votes {
            if !counted.iter().any(|(other, _)| other.is(&person)) {
                counted.push((person, vote));
            }
        }
        counted.into_iter().map(|(_, vote)| vote).collect()
    }

    /// What `person` has voted.
    pub fn vote_of(&self, person: &Person) -> Option<&Vote> {
        vote_of(&self.votes, person)
    }
}

/// What `person` has voted among `votes`.
pub(crate) fn vote_of<'a>(votes: &'a [Vote], person: &Person) -> Option<&'a Vote> {
    votes.iter().find(|vote| Person::of(&vote.responder).is_some_and(|other| other.is(person)))
}

/// How the pending `event` ends by what was voted; `None` if that does not end it.
///
/// The first value that enough people gave ends it, and so does a decline unless the event says otherwise. If it is
/// known who votes, it also ends, as declined, when no value can be given by enough of them any more.
pub fn tally(event: &Event, deliberation: &Deliberation) -> Option<Response> {
    let quorum = event.request.quorum?;
    let votes = deliberation.counted();
    let roster = deliberation.thread.roster(&event.request);
    let people: Option<Vec<&str>> = roster.people().map(Iterator::collect);
    let (last, outcome) = (1..=votes.len())
        .find_map(|n| Some((votes[n - 1], outcome(quorum, &votes[..n], people.as_deref())?)))?;
    let comment = match &last.ballot {
        Ballot::Answer { comment, .. } => comment.clone(),
        Ballot::Decline { .. } => String::new(),
    };
    Some(Response {
        outcome,
        time: last.time,
        responder: Some(last.responder.clone()),
        answer_id: last.answer_id.clone(),
        comment,
        votes: votes.into_iter().cloned().collect(),
        weight: Weight::default(),
    })
}

/// The most people that agree on one value.
pub fn agreed(votes: &[&Vote]) -> usize {
    votes.iter().map(|vote| agreeing(votes, vote)).max().unwrap_or(0)
}

/// How many gave the value that `vote` gives.
fn agreeing(votes: &[&Vote], vote: &Vote) -> usize {
    let Ballot::Answer { value, .. } = &vote.ballot else { return 0 };
    let is_equal =
        |other: &&&Vote| matches!(&other.ballot, Ballot::Answer { value: it, .. } if it == value);
    votes.iter().filter(is_equal).count()
}

/// What `votes` come to with the last of them, if they came to nothing before.
fn outcome(quorum: Quorum, votes: &[&Vote], people: Option<&[&str]>) -> Option<Outcome> {
    let required = quorum.required as usize;
    let last = votes.last()?;
    match &last.ballot {
        Ballot::Decline { reason } if quorum.decline_ends => {
            return Some(Outcome::Declined { reason: reason.clone() });
        }
        Ballot::Answer { value, .. } if agreeing(votes, last) >= required => {
            return Some(Outcome::Answered { value: value.clone() });
        }
        Ballot::Decline { .. } | Ballot::Answer { .. } => {}
    }
    let has_voted = |name: &str| votes.iter().any(|vote| is_called(&vote.responder, name));
    let left = people?.iter().filter(|name| !has_voted(name)).count();
    (agreed(votes) + left < required)
        .then(|| Outcome::Declined { reason: out_of_reach(votes, required) })
}

/// Why no value can win any more: what was said last by somebody who declined, or else that they do not agree.
fn out_of_reach(votes: &[&Vote], required: usize) -> String {
    let declined = votes.iter().rev().find_map(|vote| match &vote.ballot {
        Ballot::Decline { reason } => Some(reason.clone()),
        Ballot::Answer { .. } => None,
    });
    declined
        .filter(|reason| !reason.is_empty())
        .unwrap_or_else(|| format!("No answer can be given by {required} of the people any more."))
}

#[cfg(test)]
#[path = "votes_tests.rs"]
mod tests;
