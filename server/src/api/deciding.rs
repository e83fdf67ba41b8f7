//! Whom an event is for and how several people decide, as messages, and the calls beside answers.

use hitl_core::{
    Act, Assignee, Ballot, Deliberation, Event, Person, Quorum, Responder, ThreadEntry, Vote,
};
use hitl_proto::v1;

use super::{Api, Caller, from_proto, to_proto};
use hitl_service::Wait;
use hitl_service::error::Error;

/// What is new about an event that is waited for.
#[derive(Debug)]
pub enum News {
    /// The event, with its votes and its claim.
    Event(Box<v1::Event>),
    /// What somebody said.
    Comment(v1::Comment),
}

/// How much of the thread and the votes of an event a stream has sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// How many updates there were when it was last looked.
    updates: Option<u64>,
    /// Whether something may be new that was not sent.
    is_outdated: bool,
    entries: usize,
    votes: usize,
    acts: usize,
}

impl Api {
    /// `EventService.AddComment`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn add_comment(
        &self,
        request: v1::AddCommentRequest,
        caller: &Caller,
    ) -> Result<v1::AddCommentResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let author = caller.identity(request.author, String::new()).responder;
        let _call = self.call(caller, &key)?;
        let session = self.session(caller);
        let said = session.comment(&key, author, request.text, request.needs_info).await?;
        Ok(v1::AddCommentResponse { comment: comment(&said) })
    }

    /// `EventService.ListComments`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn list_comments(
        &self,
        request: v1::ListCommentsRequest,
        caller: &Caller,
    ) -> Result<v1::ListCommentsResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let _call = self.call(caller, &key)?;
        let (_, deliberation) = self.session(caller).thread(&key).await?;
        let comments = deliberation.thread.entries().iter().filter_map(comment).collect();
        Ok(v1::ListCommentsResponse { comments })
    }

    /// `EventService.ClaimEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn claim_event(
        &self,
        request: v1::ClaimEventRequest,
        caller: &Caller,
    ) -> Result<v1::ClaimEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let ttl_ms = from_proto::duration_ms("ttl", request.ttl)?;
        let by = caller.identity(request.responder, String::new()).responder;
        let _call = self.call(caller, &key)?;
        let event = self.session(caller).claim(&key, by, ttl_ms).await?;
        Ok(v1::ClaimEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `EventService.ReleaseEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn release_event(
        &self,
        request: v1::ReleaseEventRequest,
        caller: &Caller,
    ) -> Result<v1::ReleaseEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let by = caller.identity(request.responder, String::new()).responder;
        let _call = self.call(caller, &key)?;
        let event = self.session(caller).release(&key, by).await?;
        Ok(v1::ReleaseEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `EventService.DelegateEvent`.
    ///
    /// # Errors
    /// As documented at the RPC.
    pub async fn delegate_event(
        &self,
        request: v1::DelegateEventRequest,
        caller: &Caller,
    ) -> Result<v1::DelegateEventResponse, Error> {
        let key = from_proto::key(&request.namespace, &request.event_id)?;
        let to = assignee(request.to.unwrap_or_default(), "to")?;
        let by = caller.identity(request.responder, String::new()).responder;
        let _call = self.call(caller, &key)?;
        let event = self.session(caller).delegate(&key, by, to).await?;
        Ok(v1::DelegateEventResponse { event: Some(self.shown(&event, caller).await?) })
    }

    /// `event` as the API shows it to `caller`, with what others have voted and done so far if that matters.
    pub(crate) async fn shown(&self, event: &Event, caller: &Caller) -> Result<v1::Event, Error> {
        let deliberation = self.session(caller).deliberation(event).await?;
        Ok(self.with_votes(event, &deliberation, caller))
    }

    fn with_votes(&self, event: &Event, so_far: &Deliberation, caller: &Caller) -> v1::Event {
        let mut shown = self.to_proto(event, caller);
        if event.response.is_some() || !event.request.is_deliberated() {
            return shown;
        }
        let by = caller.identity(String::new(), String::new()).responder;
        let are_shown = sees_votes(event, so_far, caller, &by);
        shown.votes = so_far.counted().into_iter().map(|it| vote(it, are_shown)).collect();
        let claim = so_far.thread.claim(self.now());
        shown.claim = claim.map(|claim| v1::Claim {
            name: name(&claim.by),
            expire_time: Some(to_proto::timestamp(claim.until)),
        });
        let roster = so_far.thread.roster(&event.request);
        if roster.assignees() != event.request.assignees {
            shown.delegates = roster.assignees().iter().map(to_proto).collect();
        }
        shown
    }

    /// What is new about the event of `wait` since `sent`, once something is.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn news(
        &self,
        wait: &Wait,
        sent: &mut Sent,
        caller: &Caller,
    ) -> Result<Vec<News>, Error> {
        let (event, so_far) = self.session(caller).thread(wait.key()).await?;
        if event.response.is_some() {
            sent.is_outdated = false;
            return Ok(Vec::new());
        }
        let entries = so_far.thread.entries();
        let comments = entries.iter().skip(sent.entries).filter_map(comment);
        let mut news: Vec<News> = comments.map(News::Comment).collect();
        let acts = entries.iter().filter(|entry| !matches!(entry.act, Act::Comment { .. })).count();
        let votes = so_far.counted().len();
        if (votes, acts) != (sent.votes, sent.acts) {
            let event = self.with_votes(&event, &so_far, caller);
            news.push(News::Event(Box::new(event)));
        }
        *sent = Sent { is_outdated: false, entries: entries.len(), votes, acts, ..*sent };
        Ok(news)
    }
}

impl Sent {
    /// Completes when something may be new about the event of `wait`: at once if nothing was sent yet.
    pub async fn outdated(&mut self, wait: &Wait) {
        if self.is_outdated {
            return;
        }
        self.updates = Some(match self.updates {
            None => wait.updates(),
            Some(seen) => wait.updated(seen).await,
        });
        self.is_outdated = true;
    }
}

/// Whether the caller may see what others have said: not while it may still vote itself, so that nobody says what
/// others say.
fn sees_votes(event: &Event, so_far: &Deliberation, caller: &Caller, by: &Responder) -> bool {
    let key = event.request.key();
    if caller.principal.authorize(hitl_core::Action::Respond(&key)).is_err() {
        return true;
    }
    let by = Responder { proof: Some(caller.principal.proof()), ..by.clone() };
    Person::of(&by).is_some_and(|person| so_far.vote_of(&person).is_some())
}

/// What an entry of a thread says, if it says something.
pub(crate) fn comment(entry: &ThreadEntry) -> Option<v1::Comment> {
    let Act::Comment { text, needs_info } = &entry.act else { return None };
    Some(v1::Comment {
        author: Some(to_proto::responder(&entry.by)),
        time: Some(to_proto::timestamp(entry.time)),
        text: text.clone(),
        needs_info: *needs_info,
    })
}

/// A vote, with what it says if that is to be shown.
pub(super) fn vote(vote: &Vote, is_shown: bool) -> v1::Vote {
    use v1::vote::Ballot as Shown;
    let (ballot, comment) = match &vote.ballot {
        Ballot::Answer { value, comment } => {
            (Shown::Value(to_proto::value(value)), comment.clone())
        }
        Ballot::Decline { reason } => {
            (Shown::Decline(v1::DeclineVote { reason: reason.clone() }), String::new())
        }
    };
    v1::Vote {
        responder: Some(to_proto::responder(&vote.responder)),
        time: Some(to_proto::timestamp(vote.time)),
        ballot: is_shown.then_some(ballot),
        comment: if is_shown { comment } else { String::new() },
    }
}

/// What somebody is called: as was proved, or else as they said.
pub(crate) fn name(responder: &Responder) -> String {
    let proved = responder.proof.as_ref().map(|proof| proof.name.as_str());
    proved.filter(|name| !name.is_empty()).unwrap_or(&responder.name).to_owned()
}

pub(super) fn to_proto(assignee: &Assignee) -> v1::Assignee {
    use v1::assignee::Kind;
    let kind = match assignee {
        Assignee::Person(name) => Kind::Person(name.clone()),
        Assignee::Group(name) => Kind::Group(name.clone()),
    };
    v1::Assignee { kind: Some(kind) }
}

pub(super) fn quorum_to_proto(quorum: Quorum) -> v1::Quorum {
    v1::Quorum { required: quorum.required, decline_ends: Some(quorum.decline_ends) }
}

pub(super) fn quorum(quorum: v1::Quorum) -> Quorum {
    Quorum { required: quorum.required, decline_ends: quorum.decline_ends.unwrap_or(true) }
}

pub(super) fn assignees(assignees: Vec<v1::Assignee>) -> Result<Vec<Assignee>, Error> {
    let each = assignees.into_iter().enumerate();
    each.map(|(at, it)| assignee(it, &format!("assignees[{at}]"))).collect()
}

fn assignee(assignee: v1::Assignee, field: &str) -> Result<Assignee, Error> {
    use v1::assignee::Kind;
    match assignee.kind {
        Some(Kind::Person(name)) => Ok(Assignee::Person(name)),
        Some(Kind::Group(name)) => Ok(Assignee::Group(name)),
        None => Err(Error::invalid(field, "must have a person or a group")),
    }
}
