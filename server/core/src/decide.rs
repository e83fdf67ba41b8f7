//! Who wins: every rule about the life of an event, in one pure function.

use crate::create::one_line;
use crate::event::{Event, OnTimeout, Outcome, Responder, Response};
use crate::limits;
use crate::parse;
use crate::person::Person;
use crate::rejection::{Rejection, Violation};
use crate::thread::Standing;
use crate::time::Timestamp;
use crate::value::Value;
use crate::votes::{self, Ballot, Deliberation, Vote, tally};
use crate::weight::Weight;

/// Something that may end an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A person gives a value.
    Answer {
        /// The value, in whichever form the caller had it.
        answer: Answer,
        /// What the person says beside it; may be empty.
        comment: String,
        /// Who gives it.
        identity: Identity,
    },
    /// A person refuses to give a value.
    Decline {
        /// Why; may be empty.
        reason: String,
        /// Who refuses.
        identity: Identity,
    },
    /// Whoever asked withdraws the question.
    Cancel {
        /// Why; may be empty.
        reason: String,
        /// Who withdraws it.
        responder: Responder,
    },
    /// The deadline has come.
    Expire,
}

impl Command {
    /// Who acts, if anybody does.
    pub fn responder_mut(&mut self) -> Option<&mut Responder> {
        match self {
            Self::Answer { identity, .. } | Self::Decline { identity, .. } => {
                Some(&mut identity.responder)
            }
            Self::Cancel { responder, .. } => Some(responder),
            Self::Expire => None,
        }
    }
}

/// Who acts, and under what name for this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who, and by what way.
    pub responder: Responder,
    /// The caller's own id of the call, by which a retry is recognised.
    pub answer_id: Option<String>,
}

/// An answer in the form the caller had it. All forms are read against the stored input.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Typed.
    Value(Value),
    /// Plain JSON text.
    Json(String),
    /// As a person would type it.
    Text(String),
    /// The fields of a web form, in order: `value`, or `value.<field>` for an object.
    Form(Vec<(String, String)>),
}

/// What a command does to an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Record this response, if nobody else's is recorded first.
    End(Response),
    /// The event has ended by its deadline, or by what was voted: record this first, then decide again.
    EndFirst(Response),
    /// Record this vote, unless that person has one, and then see what all votes come to.
    Vote(Vote),
    /// A retry of what is recorded already: nothing to do, and the record is the result.
    Repeat,
}

/// Says what `command` of somebody of this `standing` does to `event` at the instant `now`, after the `deliberation` so
/// far.
///
/// # Errors
/// A [`Rejection`]; the event is as it was.
pub fn decide(
    event: &Event,
    deliberation: &Deliberation,
    command: &Command,
    standing: &Standing,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    check_words(command)?;
    if let Some(response) = &event.response {
        return if is_repeat(event, command, response) {
            Ok(Decision::Repeat)
        } else {
            Err(Rejection::AlreadyFinal { state: response.outcome.state(), time: response.time })
        };
    }
    let voted = tally(event, deliberation);
    if let Some(end) = voted.or_else(|| event.is_overdue(now).then(|| timeout(event, deliberation)))
    {
        return Ok(match command {
            Command::Expire => Decision::End(end),
            Command::Answer { .. } | Command::Decline { .. } | Command::Cancel { .. } => {
                Decision::EndFirst(end)
            }
        });
    }
    refuse_self_answer(event, command)?;
    refuse_others(event, deliberation, command, standing)?;
    if event.request.quorum.is_some()
        && let Some(decision) = vote(event, deliberation, command, now)?
    {
        return Ok(decision);
    }
    let ended = |outcome, responder: &Responder, answer_id: Option<&String>, comment: &str| {
        Decision::End(Response {
            outcome,
            time: now,
            responder: Some(responder.clone()),
            answer_id: answer_id.cloned(),
            comment: comment.to_owned(),
            // Of a cancellation all, and of what one person ends none.
            votes: deliberation.counted().into_iter().cloned().collect(),
            weight: Weight::default(),
        })
    };
    match command {
        Command::Answer { answer, comment, identity: Identity { responder, answer_id } } => {
            let value = read(event, answer)?;
            Ok(ended(Outcome::Answered { value }, responder, answer_id.as_ref(), comment))
        }
        Command::Decline { reason, identity: Identity { responder, answer_id } } => {
            let outcome = Outcome::Declined { reason: reason.clone() };
            Ok(ended(outcome, responder, answer_id.as_ref(), ""))
        }
        Command::Cancel { reason, responder } => {
            Ok(ended(Outcome::Cancelled { reason: reason.clone() }, responder, None, ""))
        }
        Command::Expire => Err(Rejection::NotDue),
    }
}

/// A program that asks is there to be told by somebody else, unless it was created to allow otherwise.
fn refuse_self_answer(event: &Event, command: &Command) -> Result<(), Rejection> {
    let (Command::Answer { identity, .. } | Command::Decline { identity, .. }) = command else {
        return Ok(());
    };
    let (Some(creator), Some(responder)) = (&event.request.created_by, &identity.responder.proof)
    else {
        return Ok(());
    };
    if !event.request.allow_self_answer && creator.is_of_same_principal(responder) {
        return Err(Rejection::SelfAnswer);
    }
    Ok(())
}

/// An event that is for some is answered by them alone.
fn refuse_others(
    event: &Event,
    deliberation: &Deliberation,
    command: &Command,
    standing: &Standing,
) -> Result<(), Rejection> {
    let (Command::Answer { identity, .. } | Command::Decline { identity, .. }) = command else {
        return Ok(());
    };
    if !event.request.is_deliberated() {
        return Ok(());
    }
    if Person::of(&identity.responder).is_none() {
        return Err(Rejection::NobodyInParticular);
    }
    let roster = deliberation.thread.roster(&event.request);
    let is_one = roster.has(&identity.responder, &standing.groups);
    if is_one { Ok(()) } else { Err(Rejection::NotAssigned) }
}

/// What an answer or a decline does where several have to agree; `None` for other commands.
fn vote(
    event: &Event,
    deliberation: &Deliberation,
    command: &Command,
    now: Timestamp,
) -> Result<Option<Decision>, Rejection> {
    let (ballot, identity) = match command {
        Command::Answer { answer, comment, identity } => {
            let value = read(event, answer)?;
            if value.text_bytes() > limits::VOTE_BYTES_MAX {
                let max = limits::VOTE_BYTES_MAX;
                let message = format!("must have at most {max} bytes where several people answer");
                return Err(Rejection::InvalidAnswer(vec![Violation::new("value", message)]));
            }
            (Ballot::Answer { value, comment: comment.clone() }, identity)
        }
        Command::Decline { reason, identity } => {
            (Ballot::Decline { reason: reason.clone() }, identity)
        }
        Command::Cancel { .. } | Command::Expire => return Ok(None),
    };
    let Identity { responder, answer_id } = identity.clone();
    let person = Person::of(&responder).ok_or(Rejection::NobodyInParticular)?;
    if let Some(before) = deliberation.vote_of(&person) {
        return if answer_id.is_some() && answer_id == before.answer_id && ballot == before.ballot {
            Ok(Some(Decision::Repeat))
        } else {
            Err(Rejection::AlreadyVoted { time: before.time })
        };
    }
    if deliberation.votes.len() >= limits::VOTES_MAX {
        return Err(Rejection::VotesFull);
    }
    Ok(Some(Decision::Vote(Vote { ballot, time: now, responder, answer_id })))
}

fn read(event: &Event, answer: &Answer) -> Result<Value, Rejection> {
    let input = &event.request.input;
    let value = match answer {
        Answer::Value(value) => Ok(value.clone()),
        Answer::Json(text) => parse::json(input, text),
        Answer::Text(text) => parse::text(input, text),
        Answer::Form(pairs) => parse::form(input, pairs),
    };
    value.and_then(|value| input.check(&value)).map_err(Rejection::InvalidAnswer)
}

fn timeout(event: &Event, deliberation: &Deliberation) -> Response {
    let default = match &event.request.on_timeout {
        OnTimeout::Fail => None,
        OnTimeout::Default(value) => Some(value.clone()),
    };
    Response {
        outcome: Outcome::TimedOut { default },
        time: event.request.deadline,
        responder: None,
        answer_id: None,
        comment: String::new(),
        votes: deliberation.counted().into_iter().cloned().collect(),
        weight: Weight::default(),
    }
}

/// Whether `command` asks again for what `response` records. Only the caller who chose an answer id
/// can know it; to cancel what is cancelled, and to expire what has expired, needs no proof.
fn is_repeat(event: &Event, command: &Command, response: &Response) -> bool {
    let is_vote = matches!(command, Command::Answer { .. } | Command::Decline { .. });
    if is_vote && !response.votes.is_empty() {
        return is_repeated_vote(event, command, response);
    }
    let same_call = |identity: &Identity| {
        identity.answer_id.is_some() && identity.answer_id == response.answer_id
    };
    match (command, &response.outcome) {
        (Command::Answer { answer, comment, identity }, Outcome::Answered { value }) => {
            same_call(identity)
                && *comment == response.comment
                && read(event, answer).is_ok_and(|given| given == *value)
        }
        (Command::Decline { reason, identity }, Outcome::Declined { reason: recorded }) => {
            same_call(identity) && reason == recorded
        }
        (Command::Cancel { .. }, Outcome::Cancelled { .. })
        | (Command::Expire, Outcome::TimedOut { .. }) => true,
        _ => false,
    }
}

/// The same where several have decided: each of them may ask again for what it was part of.
fn is_repeated_vote(event: &Event, command: &Command, response: &Response) -> bool {
    let (Command::Answer { identity, .. } | Command::Decline { identity, .. }) = command else {
        return false;
    };
    let vote = Person::of(&identity.responder)
        .and_then(|person| votes::vote_of(&response.votes, &person))
        .filter(|vote| identity.answer_id.is_some() && vote.answer_id == identity.answer_id);
    match (vote.map(|vote| &vote.ballot), command) {
        (
            Some(Ballot::Answer { value, comment: said }),
            Command::Answer { answer, comment, .. },
        ) => said == comment && read(event, answer).is_ok_and(|given| given == *value),
        (Some(Ballot::Decline { reason: said }), Command::Decline { reason, .. }) => said == reason,
        _ => false,
    }
}

/// Checks what a caller says besides the value.
fn check_words(command: &Command) -> Result<(), Rejection> {
    let mut broken = Vec::new();
    let ((field, words, chars_max), responder, answer_id) = match command {
        Command::Answer { comment, identity, .. } => {
            let said = ("comment", comment, limits::COMMENT_CHARS_MAX);
            (said, &identity.responder, identity.answer_id.as_deref())
        }
        Command::Decline { reason, identity } => {
            let said = ("reason", reason, limits::REASON_CHARS_MAX);
            (said, &identity.responder, identity.answer_id.as_deref())
        }
        Command::Cancel { reason, responder } => {
            (("reason", reason, limits::REASON_CHARS_MAX), responder, None)
        }
        Command::Expire => return Ok(()),
    };
    one_line(&mut broken, "responder", &responder.name, limits::NAME_CHARS_MAX);
    let chars = words.chars().count();
    if chars > chars_max {
        let message = format!("must have at most {chars_max} characters, has {chars}");
        broken.push(Violation::new(field, message));
    }
    if answer_id.is_some_and(|id| id.len() > limits::ANSWER_ID_BYTES_MAX) {
        let message = format!("must have at most {} bytes", limits::ANSWER_ID_BYTES_MAX);
        broken.push(Violation::new("answer_id", message));
    }
    if broken.is_empty() { Ok(()) } else { Err(Rejection::InvalidRequest(broken)) }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
