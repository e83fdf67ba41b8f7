//! The paths and shapes of the plugin that hitl grew out of, so that scripts written for it go on working.
//!
//! They are aliases and nothing more: an event is found by its id alone, and its type, its rules
//! and the place where its answer goes are the stored event's. What a client says about those
//! (`data_type`, `response_path`, `request_path`) is not looked at.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hitl_core::{Answer, Command, Event, EventKey, Namespace, Outcome, Value as Answered};
use serde_json::{Value, json};

use super::Site;
use super::error::{self, Failure};
use super::members::Members;
use super::request::{EventPath, FormBody, JsonBody, Known, Query};
use crate::api::Caller;
use hitl_service::error::Error;

type Reply = Result<Response, Failure>;

pub(super) async fn health() -> Response {
    error::json(StatusCode::OK, &json!({"status": "healthy"}))
}

pub(super) async fn submit(
    State(site): State<Arc<Site>>,
    known: Known,
    FormBody(pairs): FormBody,
) -> Reply {
    let id = pairs.iter().find(|(name, _)| name == "request_id");
    let id = id.map(|(_, id)| id.clone()).unwrap_or_default();
    answer(&site, &id, Answer::Form(pairs), known.caller()).await
}

pub(super) async fn submit_json(
    State(site): State<Arc<Site>>,
    known: Known,
    JsonBody(body): JsonBody,
) -> Reply {
    // Members that mean nothing have never been an error on this route.
    let mut members = Members::read(&body)?;
    let required = |name| Failure::invalid(name, "is required");
    let id = members.text("request_id")?.ok_or_else(|| required("request_id"))?;
    let value = members.json("value").ok_or_else(|| required("value"))?;
    answer(&site, &id, Answer::Json(value), known.caller()).await
}

pub(super) async fn status(
    State(site): State<Arc<Site>>,
    known: Known,
    EventPath(id): EventPath,
    mut query: Query,
) -> Reply {
    query.ignore("request_path");
    query.ignore("response_path");
    query.nothing_else()?;
    let event = match key(&id) {
        Ok(key) => site.event(known.caller(), &key).await,
        Err(error) => Err(error),
    };
    let body = match event {
        Ok(event) => json!({
            "request_id": id,
            "request": request(&event),
            "response": response(&event),
            "status": state(&event),
        }),
        // The old route said so with status 200, and its callers read the body.
        Err(Error::NotFound(_) | Error::InvalidRequest(_)) => {
            json!({"request_id": id, "request": null, "response": null, "status": "not_found"})
        }
        Err(error) => return Err(error.into()),
    };
    Ok(error::json(StatusCode::OK, &body))
}

async fn answer(site: &Site, id: &str, answer: Answer, caller: &Caller) -> Reply {
    let identity = caller.identity(String::new(), String::new());
    let command = Command::Answer { answer, comment: String::new(), identity };
    let event = site.end(caller, &key(id)?, command).await?;
    let body = json!({
        "status": "submitted",
        "request_id": id,
        "value": value(&event).map(Answered::to_json),
        "data_type": event.request.input.kind(),
        "message": "Input received successfully. The workflow will continue.",
    });
    Ok(error::json(StatusCode::OK, &body))
}

fn key(id: &str) -> Result<EventKey, Error> {
    let id = id.parse().map_err(|error| Error::invalid("request_id", format!("{error}")))?;
    Ok(EventKey { namespace: Namespace::default(), id })
}

fn request(event: &Event) -> Value {
    let request = &event.request;
    json!({
        "request_id": request.id.to_string(),
        "event_name": request.name,
        "scope": request.scope,
        "prompt": request.prompt,
        "data_type": request.input.kind(),
        "status": "pending",
    })
}

fn response(event: &Event) -> Option<Value> {
    event.response.as_ref().map(|_| {
        json!({
            "request_id": event.request.id.to_string(),
            "value": value(event).map(Answered::to_json),
            "data_type": event.request.input.kind(),
            "status": state(event),
        })
    })
}

/// The old service knew one ending; the others get words of their own, so that none is taken for an answer.
fn state(event: &Event) -> &'static str {
    match event.response.as_ref().map(|response| &response.outcome) {
        None => "pending",
        Some(Outcome::Answered { .. }) => "completed",
        Some(Outcome::Declined { .. }) => "declined",
        Some(Outcome::Cancelled { .. }) => "cancelled",
        Some(Outcome::TimedOut { .. }) => "timed_out",
    }
}

fn value(event: &Event) -> Option<&Answered> {
    match &event.response.as_ref()?.outcome {
        Outcome::Answered { value } => Some(value),
        Outcome::TimedOut { default } => default.as_ref(),
        Outcome::Declined { .. } | Outcome::Cancelled { .. } => None,
    }
}
