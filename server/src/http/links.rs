//! The link of an event for programs: see it, wait for it, answer it with plain JSON.
//!
//! Whoever holds a link learns what a person who answers must know, and no more: not the address of
//! the one who answered, not what anybody else has said, not the key that made the create idempotent,
//! and no link that is made for anybody else.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use hitl_core::{Answer, Channel, Command, Event, LinkHolder, Principal};
use hitl_proto::v1;

use super::Site;
use super::error::{self, Failure};
use super::members::Members;
use super::request::{JsonBody, LinkPath, Peer, Query};
use hitl_service::error::Error;

/// The event as it stands; with `wait`, as soon as it has ended.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    link: LinkPath,
    peer: Peer,
    mut query: Query,
) -> Result<Response, Failure> {
    let holder = site.link(&link).await?;
    let wait = query.wait()?;
    query.nothing_else()?;
    if wait.is_zero() {
        let background = site.background().clone();
        let look = async move {
            let event = site.event(principal(&holder), &holder.key).await.map_err(hide)?;
            Ok(reply(&site, &holder, &event))
        };
        return background.run(look).await?;
    }
    let event = site.poll(principal(&holder), &holder.key, wait, peer.waits()).await;
    // It may have been revoked meanwhile.
    let holder = site.link(&link).await?;
    Ok(reply(&site, &holder, &event.map_err(hide)?))
}

/// Answers or declines.
pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    link: LinkPath,
    peer: Peer,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let holder = site.link(&link).await?;
    let command = command(&body, &holder, &peer)?;
    let event = site.end(principal(&holder), &holder.key, command).await.map_err(hide)?;
    Ok(reply(&site, &holder, &event))
}

/// What is posted to a link: exactly one of `value`, perhaps with a `comment`, and `decline`; and who says so.
fn command(body: &[u8], holder: &LinkHolder, peer: &Peer) -> Result<Command, Failure> {
    let mut members = Members::read(body)?;
    let value = members.json("value").filter(|json| json != "null");
    let decline = members.text("decline")?;
    let comment = members.text("comment")?;
    let answer_id = members.text("answer_id")?.unwrap_or_default();
    let claimed = members.text("responder")?.unwrap_or_default();
    // What programs that were written for the plugin send along. The link says which event, and the event which type.
    let named = members.text("request_id")?;
    let _ = (members.json("response_path"), members.json("data_type"));
    if named.is_some_and(|named| named != holder.key.id.to_string()) {
        return Err(Failure::invalid(
            "request_id",
            "must be that of the link's event, or left out",
        ));
    }
    members.nothing_else()?;
    let identity = peer.identity(Channel::Http, responder(holder, claimed), answer_id);
    match (value, decline, comment) {
        (Some(value), None, comment) => {
            let comment = comment.unwrap_or_default();
            Ok(Command::Answer { answer: Answer::Json(value), comment, identity })
        }
        (None, Some(reason), None) => Ok(Command::Decline { reason, identity }),
        (None, Some(_), Some(_)) => {
            Err(Failure::invalid("comment", "goes with a value: give the reason in decline"))
        }
        _ => Err(Failure::invalid("body", "must have either value or decline, and not null")),
    }
}

/// Whom a response through a link comes from: whom it was made for, or else whoever the caller says.
fn responder(holder: &LinkHolder, claimed: String) -> String {
    if holder.responder.is_empty() { claimed } else { holder.responder.clone() }
}

fn principal(holder: &LinkHolder) -> Principal {
    Principal::Link(holder.clone())
}

/// To a link, an event that is not there is a link that is not valid.
pub(super) fn hide(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::LinkInvalid,
        other => other,
    }
}

fn reply(site: &Site, holder: &LinkHolder, event: &Event) -> Response {
    let is_own = event.response.as_ref().is_some_and(|response| holder.gave(response));
    let mut event = site.api.to_proto_with_links(event);
    event.idempotency_key.clear();
    if !holder.responder.is_empty() {
        event.form_url.clear();
        event.api_url.clear();
    }
    if let Some(response) = &mut event.response {
        if !is_own {
            say_no_more_than_how(response);
        }
        if let Some(responder) = &mut response.responder {
            responder.address.clear();
        }
        // Who else took part is between them and whoever asked.
        response.votes.clear();
    }
    error::message(&event)
}

/// Leaves out what somebody else has said. Why the question was withdrawn is for everybody who was asked.
fn say_no_more_than_how(response: &mut v1::Response) {
    response.value = None;
    response.answer_id.clear();
    response.comment.clear();
    if response.state() == v1::EventState::Declined {
        response.reason.clear();
    }
}
