//! What is said and done about an event while it is pending, beside answers: comments, claims, and who hands it over.
//!
//! Every entry is kept, so that who may answer at an instant follows from the entries before it.

use serde::{Deserialize, Serialize};

use crate::assignees::{Assignee, Quorum};
use crate::event::{Request, Responder};
use crate::limits;
use crate::lookalike::is_blank;
use crate::person::Person;
use crate::principal::{CredentialKind, Proof};
use crate::rejection::{Rejection, Violation};
use crate::time::Timestamp;
use crate::votes::Deliberation;

/// One entry of a thread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThreadEntry {
    /// When.
    pub time: Timestamp,
    /// Who.
    pub by: Responder,
    /// What.
    pub act: Act,
}

/// What somebody does about a pending event that is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Says something.
    Comment {
        /// What.
        text: String,
        /// Whether whoever asked is to say more before it can be answered.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        needs_info: bool,
    },
    /// Says that they are at it.
    Claim {
        /// Until when that holds.
        until: Timestamp,
    },
    /// Ends the claim.
    Release,
    /// Names somebody whom the event is for from now on.
    Delegate {
        /// Who that is.
        to: Assignee,
        /// Whether the event is no longer for the one who names them.
        hands_over: bool,
    },
}

/// A claim that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Who is at it.
    pub by: Responder,
    /// Until when that holds.
    pub until: Timestamp,
}

/// Whom an event is for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    assignees: Vec<Assignee>,
    /// Who has handed it over.
    gone: Vec<Responder>,
}

/// All entries of the thread of an event, the earliest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thread(Vec<ThreadEntry>);

/// What the one who acts may do there beside what everybody may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The groups that were proved.
    pub groups: Vec<String>,
    /// Whether it is an admin there.
    pub is_admin: bool,
}

impl FromIterator<ThreadEntry> for Thread {
    fn from_iter<I: IntoIterator<Item = ThreadEntry>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by_key(|entry| entry.time);
        Self(entries)
    }
}

impl Thread {
    /// The entries, the earliest first.
    pub fn entries(&self) -> &[ThreadEntry] {
        &self.0
    }

    /// The claim that holds at `now`.
    pub fn claim(&self, now: Timestamp) -> Option<Claim> {
        let mut held: Option<Claim> = None;
        for ThreadEntry { time, by, act } in &self.0 {
            let is_held_by_another = held
                .as_ref()
                .is_some_and(|claim| *time < claim.until && !is_same_person(&claim.by, by));
            match act {
                Act::Claim { until } if !is_held_by_another => {
                    held = Some(Claim { by: by.clone(), until: *until });
                }
                Act::Release => held = None,
                Act::Claim { .. } | Act::Comment { .. } | Act::Delegate { .. } => {}
            }
        }
        held.filter(|claim| now < claim.until)
    }

    /// Whom the event of `request` is for after all of this.
    pub fn roster(&self, request: &Request) -> Roster {
        let mut roster = Roster { assignees: request.assignees.clone(), gone: Vec::new() };
        for ThreadEntry { by, act, .. } in &self.0 {
            if let Act::Delegate { to, hands_over } = act {
                roster.delegate(by, to, *hands_over);
            }
        }
        roster
    }
}

impl Roster {
    /// The people and groups.
    pub fn assignees(&self) -> &[Assignee] {
        &self.assignees
    }

    /// How many people these are, if that is known: a group has as many as it has at the time.
    pub fn people(&self) -> Option<impl Iterator<Item = &str>> {
        let is_person = |assignee: &Assignee| matches!(assignee, Assignee::Person(_));
        let is_known = !self.assignees.is_empty() && self.assignees.iter().all(is_person);
        is_known.then(|| self.assignees.iter().map(Assignee::name))
    }

    /// Whether the event is for `responder`, who was proved to be in `groups`. An event that was for nobody in
    /// particular is for everybody, and what is on the machine of its user is for its user.
    pub fn has(&self, responder: &Responder, groups: &[String]) -> bool {
        let is_owner = |proof: &Proof| proof.known_by == CredentialKind::Owner;
        self.assignees.is_empty()
            || responder.proof.as_ref().is_some_and(is_owner)
            || self.names(responder, groups)
    }

    /// Whether `responder`, who was proved to be in `groups`, is one of those named.
    pub fn names(&self, responder: &Responder, groups: &[String]) -> bool {
        let has_gone = self.gone.iter().any(|gone| is_same_person(gone, responder));
        let is_one = |assignee: &Assignee| match assignee {
            Assignee::Person(name) => is_called(responder, name),
            Assignee::Group(group) => !has_gone && groups.contains(group),
        };
        self.assignees.iter().any(is_one)
    }

    fn delegate(&mut self, by: &Responder, to: &Assignee, hands_over: bool) {
        if hands_over {
            self.assignees.retain(|assignee| match assignee {
                Assignee::Person(name) => !is_called(by, name),
                Assignee::Group(_) => true,
            });
            self.gone.push(by.clone());
        }
        if let Assignee::Person(name) = to {
            self.gone.retain(|gone| !is_called(gone, name));
        }
        if !self.assignees.contains(to) {
            self.assignees.push(to.clone());
        }
    }
}

/// Whether `responder` is the person that an assignee of this `name` is. What is claimed counts only where nothing is
/// proved.
pub fn is_called(responder: &Responder, name: &str) -> bool {
    match &responder.proof {
        Some(Proof { known_by: CredentialKind::None, .. }) | None => responder.name == name,
        Some(proof) => !name.is_empty() && (proof.name == name || proof.id == name),
    }
}

/// Whether both are one person; two of whom nothing is known are not.
pub fn is_same_person(one: &Responder, other: &Responder) -> bool {
    match (Person::of(one), Person::of(other)) {
        (Some(one), Some(other)) => one.is(&other),
        _ => false,
    }
}

/// Says whether `act` of `by` may become an entry of the thread at `now`, after the `deliberation` so far.
///
/// # Errors
/// A [`Rejection`]; nothing has changed.
pub fn check_act(
    request: &Request,
    deliberation: &Deliberation,
    by: &Responder,
    act: &Act,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), Rejection> {
    let mut broken = Vec::new();
    crate::create::one_line(&mut broken, "responder", &by.name, limits::NAME_CHARS_MAX);
    match act {
        Act::Comment { text, .. } => {
            if is_blank(text) || text.len() > limits::THREAD_COMMENT_BYTES_MAX {
                let max = limits::THREAD_COMMENT_BYTES_MAX;
                let message = format!("must have 1 to {max} bytes, and something that can be seen");
                broken.push(Violation::new("text", message));
            }
        }
        Act::Claim { until } => {
            if !(1..=limits::CLAIM_MS_MAX).contains(&until.ms_since(now)) {
                broken.push(Violation::new("ttl", "must lie between 1 ms and 24 hours"));
            }
        }
        Act::Release => {}
        Act::Delegate { to, .. } => to.check(&mut broken, "to"),
    }
    if !broken.is_empty() {
        return Err(Rejection::InvalidRequest(broken));
    }
    let thread = &deliberation.thread;
    check_room(thread, by)?;
    let roster = thread.roster(request);
    let is_one = roster.has(by, &standing.groups);
    let has_voted = Person::of(by).and_then(|person| Some(deliberation.vote_of(&person)?.time));
    let claim = thread.claim(now);
    let is_others = claim.as_ref().filter(|claim| !is_same_person(&claim.by, by));
    match act {
        Act::Comment { .. } => Ok(()),
        Act::Claim { .. } | Act::Delegate { .. } if request.assignees.is_empty() => {
            let message = "is an event without assignees: it is for everybody who may answer";
            Err(Rejection::InvalidRequest(vec![Violation::new("event_id", message)]))
        }
        Act::Claim { .. } if Person::of(by).is_none() => Err(Rejection::NobodyInParticular),
        Act::Claim { .. } if !is_one => Err(Rejection::NotAssigned),
        Act::Claim { .. } => match is_others {
            Some(claim) => Err(Rejection::Claimed { until: claim.until }),
            None => Ok(()),
        },
        Act::Release => match is_others {
            Some(claim) if !standing.is_admin => Err(Rejection::Claimed { until: claim.until }),
            _ => Ok(()),
        },
        Act::Delegate { .. } if !is_one && !standing.is_admin => Err(Rejection::NotAssigned),
        Act::Delegate { to, hands_over } => {
            if let Some(time) = has_voted.filter(|_| *hands_over) {
                return Err(Rejection::AlreadyVoted { time });
            }
            let mut after = roster;
            after.delegate(by, to, *hands_over);
            let left = after.people().map(Iterator::count);
            match (request.quorum, left) {
                (Some(Quorum { required, .. }), Some(left)) if left < required as usize => {
                    let message =
                        "has a part in it already: then fewer people are left than have to agree";
                    Err(Rejection::InvalidRequest(vec![Violation::new("to", message)]))
                }
                _ => Ok(()),
            }
        }
    }
}

/// A thread has an end, and nobody fills it alone.
fn check_room(thread: &Thread, by: &Responder) -> Result<(), Rejection> {
    let by_same = |entry: &&ThreadEntry| match (Person::of(&entry.by), Person::of(by)) {
        (Some(one), Some(other)) => one.is(&other),
        // Whoever holds the link that was made for nobody is one of many, who have one share.
        (None, None) => true,
        _ => false,
    };
    let is_full = thread.0.len() >= limits::THREAD_ENTRIES_MAX
        || thread.0.iter().filter(by_same).count() >= limits::THREAD_ENTRIES_OF_ONE_MAX;
    if is_full { Err(Rejection::ThreadFull) } else { Ok(()) }
}

#[cfg(test)]
#[path = "thread_tests.rs"]
mod tests;
