//! The link of an event for programs: see it, wait for it, answer it with plain JSON.
//!
//! Whoever holds a link learns what a person who answers must know, and no more: not the address of
//! the one who answered, not the key that made the create idempotent, and no link that is made for
//! anybody else.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{Answer, Channel, Command, Event};

use super::Site;
use super::error::{self, Failure};
use super::members::Members;
use super::request::{JsonBody, LinkPath, Peer, Query};
use crate::auth::Grant;
use crate::json::to_json;
use hitl_service::error::Error;

/// The event as it stands; with `wait`, as soon as it has ended.
pub(super) async fn show(
    State(site): State<Arc<Site>>,
    link: LinkPath,
    peer: Peer,
    mut query: Query,
) -> Result<Response, Failure> {
    let grant = site.links.verify(&link.id, &link.token, site.now())?;
    let wait = query.wait()?;
    query.nothing_else()?;
    if wait.is_zero() {
        let background = site.background().clone();
        let look = async move {
            let event = site.event(grant.principal(), &grant.key).await.map_err(hide)?;
            Ok(reply(&site, &grant, &event))
        };
        return background.run(look).await?;
    }
    let event = site.poll(grant.principal(), &grant.key, wait, peer.waits()).await.map_err(hide)?;
    Ok(reply(&site, &grant, &event))
}

/// Answers or declines.
pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    link: LinkPath,
    peer: Peer,
    JsonBody(body): JsonBody,
) -> Result<Response, Failure> {
    let grant = site.links.verify(&link.id, &link.token, site.now())?;
    let command = command(&body, &grant, &peer)?;
    let event = site.end(grant.principal(), &grant.key, command).await.map_err(hide)?;
    Ok(reply(&site, &grant, &event))
}

/// What is posted to a link: exactly one of `value` and `decline`, and who says so.
fn command(body: &[u8], grant: &Grant, peer: &Peer) -> Result<Command, Failure> {
    let mut members = Members::read(body)?;
    let value = members.json("value").filter(|json| json != "null");
    let decline = members.text("decline")?;
    let answer_id = members.text("answer_id")?.unwrap_or_default();
    let claimed = members.text("responder")?.unwrap_or_default();
    members.nothing_else()?;
    let identity = peer.identity(Channel::Http, responder(grant, claimed), answer_id);
    match (value, decline) {
        (Some(value), None) => Ok(Command::Answer { answer: Answer::Json(value), identity }),
        (None, Some(reason)) => Ok(Command::Decline { reason, identity }),
        _ => Err(Failure::invalid("body", "must have either value or decline, and not null")),
    }
}

/// Whom a response through a link comes from: whom it was made for, or else whoever the caller says.
pub(super) fn responder(grant: &Grant, claimed: String) -> String {
    if grant.responder.is_empty() { claimed } else { grant.responder.clone() }
}

/// To a link, an event that is not there is a link that is not valid.
pub(super) fn hide(error: Error) -> Error {
    match error {
        Error::NotFound(_) => Error::LinkInvalid,
        other => other,
    }
}

fn reply(site: &Site, grant: &Grant, event: &Event) -> Response {
    let mut event = site.api.to_proto_with_links(event);
    event.idempotency_key.clear();
    if !grant.responder.is_empty() {
        event.form_url.clear();
        event.api_url.clear();
    }
    if let Some(responder) = event.response.as_mut().and_then(|r| r.responder.as_mut()) {
        responder.address.clear();
    }
    error::json(StatusCode::OK, &to_json(&event))
}
