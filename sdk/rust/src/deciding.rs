//! Events for particular people, and for several who have to agree: who is at one, and what is said about it.

use std::time::Duration;

use hitl_proto::v1;

use crate::client::{Client, present};
use crate::create::EventBuilder;
use crate::error::{Error, Result};
use crate::value::DataType;

impl<T: DataType, C> EventBuilder<T, C> {
    /// Lets this person answer, and nobody else but those who are named too: by the name or the id of who signs in, of
    /// a token, or whom a link is made for.
    pub fn assignee(mut self, person: impl Into<String>) -> Self {
        self.request_mut().assignees.push(v1::Assignee::person(person));
        self
    }

    /// Lets everybody in this group answer, and nobody else but those who are named too.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.request_mut().assignees.push(v1::Assignee::group(group));
        self
    }

    /// Lets the event end only once so many distinct people have given the same value, 1 to 20, or one has declined.
    pub fn required(mut self, people: u32) -> Self {
        self.request_mut().quorum.get_or_insert_default().required = people;
        self
    }

    /// Lets no single decline end an event for which several have to agree.
    pub fn outvotes_declines(mut self) -> Self {
        self.request_mut().quorum.get_or_insert_default().decline_ends = Some(false);
        self
    }
}

impl Client {
    /// Says something in the thread of a pending event: whoever waits for it with updates hears it, and its page shows
    /// it. With
    /// `needs_info` it is said that whoever asked is to say more before it can be answered. `author` is the name of
    ///   the person
    /// who says it, empty if unknown.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] for a text that is empty or has more than 4,096 bytes,
    /// [`crate::ErrorKind::Conflict`] if the event has ended, [`crate::ErrorKind::NotFound`], and those of reaching the
    /// server.
    pub async fn comment(
        &self,
        event_id: &str,
        text: &str,
        needs_info: bool,
        author: &str,
    ) -> Result<v1::Comment> {
        let request = v1::AddCommentRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            text: text.to_owned(),
            needs_info,
            author: author.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.add_comment(request).await })
            .await?;
        reply.comment.ok_or_else(|| Error::internal("the server's reply has no comment".to_owned()))
    }

    /// What was said in the thread of an event, the first first.
    ///
    /// # Errors
    /// [`crate::ErrorKind::NotFound`], and those of reaching the server.
    pub async fn comments(&self, event_id: &str) -> Result<Vec<v1::Comment>> {
        let request = v1::ListCommentsRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.list_comments(request).await })
            .await?;
        Ok(reply.comments)
    }

    /// Says that the caller is at an event that is for several, for `ttl` or a quarter of an hour. It keeps nobody from
    /// answering.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Conflict`] if somebody else is at it or the event has ended, [`crate::ErrorKind::NotFound`],
    /// and those of reaching the server.
    pub async fn claim(
        &self,
        event_id: &str,
        ttl: Option<Duration>,
        responder: &str,
    ) -> Result<v1::Event> {
        let longest = prost_types::Duration { seconds: i64::MAX, nanos: 0 };
        let request = v1::ClaimEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            ttl: ttl.map(|ttl| ttl.try_into().unwrap_or(longest)),
            responder: responder.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.claim_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Ends the caller's claim, or, for an admin, that of anybody.
    ///
    /// # Errors
    /// Those of [`Client::claim`].
    pub async fn release(&self, event_id: &str, responder: &str) -> Result<v1::Event> {
        let request = v1::ReleaseEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            responder: responder.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.release_event(request).await })
            .await?;
        present(reply.event)
    }

    /// Names somebody whom an event with assignees is for from now on, in the stead of the caller if it was one of
    /// them.
    ///
    /// # Errors
    /// Those of [`Client::claim`].
    pub async fn delegate(
        &self,
        event_id: &str,
        to: v1::Assignee,
        responder: &str,
    ) -> Result<v1::Event> {
        let request = v1::DelegateEventRequest {
            namespace: self.namespace().to_owned(),
            event_id: event_id.to_owned(),
            to: Some(to),
            responder: responder.to_owned(),
        };
        let reply = self
            .call(request, |mut stub, request| async move { stub.delegate_event(request).await })
            .await?;
        present(reply.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_named_and_how_many_have_to_agree_go_into_the_request() {
        let builder = EventBuilder::<bool, ()>::new((), "go".into(), "Go?".into());
        let (_, request) = builder
            .assignee("ada")
            .group("sre")
            .required(2)
            .outvotes_declines()
            .into_request()
            .unwrap();
        assert_eq!(request.assignees, [v1::Assignee::person("ada"), v1::Assignee::group("sre")]);
        assert_eq!(request.quorum, Some(v1::Quorum { required: 2, decline_ends: Some(false) }));
    }
}
