//! Whom a question is for, how far those who decide have come, and what was said about it.
//!
//! What others have answered is not shown to whoever is yet to answer, only how many have, so that each says what they
//! think themselves.

use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{
    Act, Assignee, Ballot, Deliberation, Event, Request, ThreadEntry, Timestamp, Vote, agreed,
};

use super::entry::Entry;
use super::reader::Reader;
use super::values::{self, When};
use crate::api::deciding::name;
use crate::http::request::Peer;
use crate::http::{Site, page};
use hitl_core::Channel;
use hitl_service::error::Error;

/// What stands below the question.
#[derive(Default)]
pub(super) struct Thread {
    /// Whom it is for; empty if for everybody who may answer.
    pub(super) for_whom: String,
    /// How far those who have to agree have come; empty if the first answer counts.
    pub(super) progress: String,
    /// Who is at it; empty if nobody.
    pub(super) claimed_by: String,
    /// Until when.
    pub(super) claimed_until: Option<When>,
    /// Whether that is the reader.
    pub(super) is_own_claim: bool,
    /// Whether the reader may claim it.
    pub(super) may_claim: bool,
    /// What was said, the first first.
    pub(super) said: Vec<Said>,
    /// What the reader has written and could not be sent.
    pub(super) draft: String,
}

/// A comment.
pub(super) struct Said {
    pub(super) by: String,
    pub(super) when: When,
    pub(super) text: String,
    pub(super) needs_info: bool,
}

impl Thread {
    /// What there is of `event`, for `reader`.
    pub(super) fn of(
        site: &Site,
        reader: &Reader,
        event: &Event,
        so_far: &Deliberation,
        now: Timestamp,
    ) -> Self {
        let session = site.session(reader.guest());
        let roster = so_far.thread.roster(&event.request);
        let claim = so_far.thread.claim(now);
        let names: Vec<String> = roster.assignees().iter().map(assignee).collect();
        Self {
            for_whom: listed(&names),
            progress: progress(event, so_far),
            is_own_claim: claim.as_ref().is_some_and(|claim| session.holds(claim)),
            may_claim: !event.request.assignees.is_empty() && !reader.named.is_empty(),
            claimed_until: claim.as_ref().map(|claim| values::when(claim.until)),
            claimed_by: claim.map(|claim| called(&name(&claim.by))).unwrap_or_default(),
            said: so_far.thread.entries().iter().filter_map(said).collect(),
            draft: String::new(),
        }
    }
}

/// How many have answered an event that several have to agree on.
fn progress(event: &Event, so_far: &Deliberation) -> String {
    let Some(quorum) = event.request.quorum else { return String::new() };
    let answered = match so_far.counted().len() {
        0 => "Nobody has answered yet".to_owned(),
        1 => "One person has answered".to_owned(),
        many => format!("{many} people have answered"),
    };
    let agree = match quorum.required {
        1 => "One answer counts".to_owned(),
        required => format!("{required} people have to give the same answer"),
    };
    format!("{agree}. {answered}.")
}

/// Who voted on `request`, and what they said, each in a line.
pub(super) fn votes(request: &Request, votes: &[Vote]) -> Vec<(String, String)> {
    let said = |vote: &Vote| match &vote.ballot {
        Ballot::Answer { value, comment } if comment.is_empty() => {
            values::summary(&request.input, value)
        }
        Ballot::Answer { value, comment } => {
            format!("{}: {comment}", values::summary(&request.input, value))
        }
        Ballot::Decline { reason } if reason.is_empty() => "declined".to_owned(),
        Ballot::Decline { reason } => format!("declined: {reason}"),
    };
    votes.iter().map(|vote| (called(&name(&vote.responder)), said(vote))).collect()
}

/// The page for whoever has answered, while the event waits for others.
pub(super) fn voted(event: &Event, so_far: &Deliberation) -> Response {
    let required = event.request.quorum.map_or(1, |quorum| quorum.required);
    let votes = so_far.counted();
    let message = format!(
        "It waits for others: {} of {required} people who have to agree have said the same so far, of {} who have \
         answered. You can look at it here again.",
        agreed(&votes),
        votes.len(),
    );
    page::notice(StatusCode::OK, "Your answer is recorded", &message)
}

/// The page for whoever the event is not for.
pub(super) fn not_for_reader(error: &Error) -> Option<Response> {
    let (title, message) = match error {
        Error::NotAssigned(_) => (
            "This question is for others",
            "It was asked of particular people. One of them, or an admin, can hand it over to you.",
        ),
        Error::NobodyInParticular(_) => (
            "It matters who answers this question",
            "This link is for whoever has it, so it does not show who you are. Sign in, or ask whoever sent it for a \
             link in your name.",
        ),
        Error::AlreadyVoted { .. } => (
            "You have answered this before",
            "Each person answers once, by whatever way. What you said before counts.",
        ),
        Error::Full { .. } => (
            "Nothing was recorded",
            "As much was said about this question as may be, or as one person may say.",
        ),
        Error::Claimed { .. } => {
            ("Somebody else is at it", "They have said so before you. Their claim ends by itself.")
        }
        _ => return None,
    };
    Some(page::notice(StatusCode::FORBIDDEN, title, message))
}

/// Does what `entry` says beside answering, if it says that.
pub(super) async fn act(
    site: &Site,
    reader: &Reader,
    peer: &Peer,
    entry: &Entry,
) -> Option<Result<(), Error>> {
    let said = reader.responder(entry.text("responder").trim());
    let by = peer.identity(Channel::Form, said, String::new()).responder;
    let session = site.session(reader.guest());
    let text = || entry.text("said").replace("\r\n", "\n").trim().to_owned();
    let done = match entry.text("action") {
        "comment" => session.comment(&reader.key, by, text(), false).await.map(drop),
        "ask" => session.comment(&reader.key, by, text(), true).await.map(drop),
        "claim" => session.claim(&reader.key, by, None).await.map(drop),
        "release" => session.release(&reader.key, by).await.map(drop),
        _ => return None,
    };
    Some(done)
}

fn said(entry: &ThreadEntry) -> Option<Said> {
    let Act::Comment { text, needs_info } = &entry.act else { return None };
    Some(Said {
        by: called(&name(&entry.by)),
        when: values::when(entry.time),
        text: text.clone(),
        needs_info: *needs_info,
    })
}

fn called(name: &str) -> String {
    if name.is_empty() { "Somebody".to_owned() } else { name.to_owned() }
}

fn assignee(assignee: &Assignee) -> String {
    match assignee {
        Assignee::Person(name) => name.clone(),
        Assignee::Group(name) => format!("the group {name}"),
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_as_one_says_them() {
        let names =
            |names: &[&str]| listed(&names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(names(&[]), "");
        assert_eq!(names(&["ada"]), "ada");
        assert_eq!(names(&["ada", "bob", "the group sre"]), "ada, bob and the group sre");
    }
}
