//! The parts of the document that no proto describes: links, errors, and the document itself.

use serde_json::{Value, json};

use super::schema::Schemas;
use super::{content, operation, success};
use crate::http::routes::Route;
use crate::json::descriptors;

/// An operation that is no RPC.
pub(super) fn describe(schemas: &mut Schemas, route: &Route, name: &str, waits: bool) -> Value {
    let words = match name {
        "GetLink" => {
            "Returns the event of a link as it stands.\n\nWhoever has the link needs nothing else. An \
             invalid link fails \
             with ERROR_REASON_LINK_INVALID, whatever is wrong with it."
        }
        "AnswerLink" => {
            "Answers or declines the event of a link with plain JSON.\n\nAn invalid answer changes \
             nothing. An event that \
             has ended fails with ERROR_REASON_EVENT_ALREADY_FINAL (status 409), but for the identical retry."
        }
        _ => "Returns this document.",
    };
    let mut operation = operation(route, name, words, waits);
    let event = descriptors().get_message_by_name("hitl.v1.Event");
    let schema = match event.filter(|_| name != "GetOpenApi") {
        Some(event) => schemas.reference(&event),
        None => json!({"type": "object"}),
    };
    operation["responses"]["200"] = success(&schema);
    // Links are credentials themselves, and this document is for everybody.
    operation["security"] = json!([]);
    if route.method == "post" {
        let body = schemas.add("LinkRequest", link_request());
        operation["requestBody"] = json!({"required": true, "content": content(&body)});
    }
    operation
}

/// How a caller proves who it is.
pub(super) fn token() -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "description": "A token, as `hitl token create` prints it. A server with --insecure wants none.",
    })
}

/// The response of every call that failed.
pub(super) fn error_response() -> Value {
    let detail = json!({
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    });
    let error = json!({
        "type": "object",
        "properties": {
            "code": {"type": "integer", "description": "The HTTP status."},
            "status": {"type": "string", "description": "The name of the google.rpc.Code."},
            "message": {"type": "string", "description": "For a person."},
            "details": {
                "type": "array",
                "items": detail,
                "description": "First a google.rpc.ErrorInfo with domain hitl.v1 and a reason of \
                 ErrorReason; then, where \
                    they help, BadRequest, RetryInfo and ResourceInfo.",
            },
        },
        "required": ["code", "status", "message", "details"],
    });
    let body = json!({"type": "object", "properties": {"error": error}, "required": ["error"]});
    json!({
        "description": "The call failed. The status is that of the google.rpc.Code, but for 409 when \
         the event has ended \
            before, and HTTP's own 404, 405, 413 and 415. With retry-after, the same call may succeed later.",
        "content": content(&body),
    })
}

fn link_request() -> Value {
    let text = |words: &str| json!({"type": "string", "description": words});
    json!({
        "type": "object",
        "description": "Exactly one of value and decline.",
        "properties": {
            "value": {"description": "The answer as plain JSON: 42, 1.5, \"text\", true, [\"option\"], \
             {\"field\": 1}."},
            "comment": text("Goes with a value: what else there is to say, at most 4,096 characters."),
            "decline": text("Declines, and says why; may be empty."),
            "answer_id": text("Makes the call safe to repeat. Chosen by the caller, at most 128 bytes."),
            "responder": text(
                "The name of the person, recorded as given: nothing proves it. Not looked at if the link names one.",
            ),
        },
        "additionalProperties": false,
    })
}
