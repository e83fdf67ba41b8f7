//! Questions as models see them: structured, with a sentence that says how to go on.

use hitl_proto::v1::{self, EventState};
use hitl_proto::visible;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use crate::api::plain;

/// Characters of a prompt in a list.
const PROMPT_CHARS_MAX: usize = 300;
/// Largest value in a list, as JSON.
const VALUE_BYTES_MAX: usize = 1_000;

const STOP: &str = "It may not be taken for a yes.";

/// One question as the result of a call; `repeated` if an earlier call had asked it.
pub(super) fn question<D: Desk>(desk: &D, event: &v1::Event, repeated: bool) -> CallToolResult {
    let mut shown = members(event);
    if event.response.is_none() {
        let link = match event.form_url.as_str() {
            "" => desk.page(event),
            link => link.to_owned(),
        };
        shown.insert("link".to_owned(), link.into());
    }
    let mut message = message(event);
    if repeated {
        shown.insert("repeated".to_owned(), true.into());
        if event.response.is_some() {
            message += " An earlier call had asked the same, and this is what came of it: to ask anew, give an \
                        idempotency_key of its own.";
        }
    }
    shown.insert("message".to_owned(), message.into());
    CallToolResult::structured(Value::Object(shown))
}

/// A page of questions as the result of a call.
pub(super) fn questions(page: &v1::ListEventsResponse) -> CallToolResult {
    let row = |event: &v1::Event| {
        let mut row = members(event);
        row.insert("title".to_owned(), event.name.as_str().into());
        row.insert("prompt".to_owned(), visible::cut_line(&event.prompt, PROMPT_CHARS_MAX).into());
        if row.get("value").is_some_and(|value| value.to_string().len() > VALUE_BYTES_MAX) {
            row.remove("value");
        }
        Value::Object(row)
    };
    let rows: Vec<_> = page.events.iter().map(row).collect();
    let mut shown = Map::new();
    shown.insert("questions".to_owned(), rows.into());
    if !page.next_page_token.is_empty() {
        shown.insert("next_cursor".to_owned(), page.next_page_token.as_str().into());
    }
    CallToolResult::structured(Value::Object(shown))
}

fn members(event: &v1::Event) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), event.id.as_str().into());
    shown.insert("state".to_owned(), state(event.state()).into());
    let Some(response) = &event.response else {
        if let Some(deadline) = event.deadline {
            shown.insert("deadline".to_owned(), deadline.to_string().into());
        }
        return shown;
    };
    if let Some(value) = &response.value {
        shown.insert("value".to_owned(), plain::json(value.clone()));
    }
    if !response.reason.is_empty() {
        shown.insert("reason".to_owned(), response.reason.as_str().into());
    }
    if let Some(time) = response.time {
        shown.insert("time".to_owned(), time.to_string().into());
    }
    if let Some(responder) = &response.responder {
        let name = match responder.principal.as_str() {
            "" => responder.name.as_str(),
            principal => principal,
        };
        let channel = responder.channel().as_str_name().trim_start_matches("CHANNEL_");
        let by = json!({"name": name, "channel": channel.to_ascii_lowercase()});
        shown.insert("by".to_owned(), by);
    }
    shown
}

pub(super) fn state(state: EventState) -> &'static str {
    match state {
        EventState::Pending | EventState::Unspecified => "pending",
        EventState::Answered => "answered",
        EventState::Declined => "declined",
        EventState::Cancelled => "cancelled",
        EventState::TimedOut => "timed_out",
    }
}

fn message(event: &v1::Event) -> String {
    let response = event.response.as_ref();
    let has_value = response.is_some_and(|response| response.value.is_some());
    match (event.state(), has_value) {
        (EventState::Answered, _) => "A person has answered.".to_owned(),
        (EventState::Declined, _) => format!("A person has declined to answer. {STOP}"),
        (EventState::Cancelled, _) => format!("The question was withdrawn. {STOP}"),
        (EventState::TimedOut, true) => {
            "Nobody has answered in time, and this is the default of the question.".to_owned()
        }
        (EventState::TimedOut, false) => format!("Nobody has answered in time. {STOP}"),
        (EventState::Pending | EventState::Unspecified, _) => {
            "Nobody has answered yet, and the question stays open. Call wait_for_answer with this id to go on \
             waiting. Whoever is to answer does so at the link or in the inbox: tell your user the link if it is \
             for them."
                .to_owned()
        }
    }
}
