//! What a client is told of the tools. A model reads this and nothing else, so it says when to use a tool, and how to
//! go on.

use std::sync::{Arc, LazyLock};

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

pub(super) const ASK: &str = "ask_human";
pub(super) const WAIT: &str = "wait_for_answer";
pub(super) const CANCEL: &str = "cancel_question";
pub(super) const LIST: &str = "list_questions";

/// What is said of all tools together.
pub(super) const INSTRUCTIONS: &str = "\
Ask a person with ask_human where a decision, an approval or a fact is theirs to give. A call is held for at most 50 \
seconds; if nobody has answered by then, the result has the state \"pending\" and an id: call wait_for_answer with it. \
Questions are durable: they outlive this client and the server. Only the state \"answered\" has the answer of a \
person.";

/// The tools, in the order in which they are used.
pub(super) fn tools() -> &'static [Tool] {
    static TOOLS: LazyLock<[Tool; 4]> = LazyLock::new(|| [ask(), wait(), cancel(), list()]);
    &*TOOLS
}

fn ask() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "prompt": text("The question, with all that a person needs to know to answer it: they see nothing else. \
                            Never ask for a password or another secret."),
            "kind": {
                "type": "string",
                "enum": ["yes_no", "choice", "text", "long_text", "integer", "number", "form", "review"],
                "description": "The kind of answer. Taken as review if there is an action, as choice if there are \
                                options, as form if there is a schema, else as text.",
            },
            "options": {"type": "array", "description": "What to choose from.", "items": option()},
            "multiple": {"type": "boolean", "description": "Whether several options may be chosen. Default: false."},
            "min": {"type": "number", "description": "Least number, fewest characters, or fewest options."},
            "max": {"type": "number", "description": "Greatest number, most characters, or most options."},
            "schema": {
                "type": "object",
                "description": "For a form: a JSON Schema of type object, whose properties are strings, numbers, \
                                integers, booleans, enums or arrays of enums. For a review: any JSON Schema that the \
                                arguments fit.",
            },
            "action": text("For a review: what you are about to do, such as the name of a tool. Do it only if the \
                            value says approve or edit, and with exactly the arguments that it has."),
            "arguments": {"description": "For a review: what it would be done with, as JSON. The person sees all."},
            "decisions": {
                "type": "array",
                "items": {"type": "string", "enum": ["approve", "edit", "reject", "respond"]},
                "description": "For a review: which decisions may be made. Default: all.",
            },
            "default": {"description": "The answer if nobody gives one in time. Without it there is none then."},
            "timeout_seconds": {
                "type": "integer",
                "minimum": 1,
                "maximum": 31_622_400,
                "description": "How long the question stays open. Default: 3600, an hour.",
            },
            "of": {
                "type": "string",
                "enum": ["anyone", "user"],
                "description": "Who is to answer: anyone who may, in the inbox or at the link (default); or the user \
                                of this very client, who is then asked in a dialog of it if it can show one.",
            },
            "title": text("What lists call the question. Default: the start of the prompt."),
            "markdown": {"type": "boolean", "description": "Whether the prompt is Markdown. Default: false."},
            "labels": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "To find the question by.",
            },
            "idempotency_key": text("Names this question, so that asking again with the same key meets it, even if it \
                                     has ended. Without it the same question meets the one that is open or has ended \
                                     less than 10 minutes ago."),
            "wait_seconds": wait_seconds(),
        },
        "required": ["prompt"],
        "additionalProperties": false,
    });
    tool(
        ASK,
        "Ask a person",
        "Asks a person a question and returns what they answer. People may take long: if the \
          state is \"pending\", call wait_for_answer with the id.",
        input,
        &question(),
    )
    .with_annotations(hints().read_only(false).destructive(false).idempotent(true).open_world(true))
}

fn option() -> Value {
    json!({"anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {
                "value": text("What the answer holds."),
                "label": text("What the person sees."),
                "description": text("One line of help."),
            },
            "required": ["value"],
            "additionalProperties": false,
        },
    ]})
}

fn wait() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {"id": id(), "wait_seconds": wait_seconds()},
        "required": ["id"],
        "additionalProperties": false,
    });
    tool(
        WAIT,
        "Wait for an answer",
        "Waits for the answer to a question that was asked before, and returns it. Call \
          it again while the state is \"pending\".",
        input,
        &question(),
    )
    .with_annotations(hints().read_only(true).open_world(true))
}

fn cancel() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {"id": id(), "reason": text("Why, for the people who were asked.")},
        "required": ["id"],
        "additionalProperties": false,
    });
    tool(
        CANCEL,
        "Withdraw a question",
        "Withdraws a question whose answer is not needed any more. An answer that came \
          before stays, and is returned.",
        input,
        &question(),
    )
    .with_annotations(hints().read_only(false).destructive(true).idempotent(true).open_world(false))
}

fn list() -> Tool {
    let input = json!({
        "type": "object",
        "properties": {
            "state": {
                "type": "string",
                "enum": ["pending", "answered", "declined", "cancelled", "timed_out", "all"],
                "description": "Only questions in this state. Default: pending.",
            },
            "labels": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "Only questions that have all of these labels.",
            },
            "limit": {"type": "integer", "minimum": 1, "maximum": 50, "description": "Default: 20."},
            "cursor": text("The next_cursor of the page before, with the same arguments."),
        },
        "additionalProperties": false,
    });
    let row = json!({
        "type": "object",
        "properties": {
            "id": id(),
            "title": {"type": "string"},
            "prompt": text("Its start."),
            "state": state(),
            "value": {"description": "The answer, unless it is long: wait_for_answer has all of it."},
        },
        "required": ["id", "title", "prompt", "state"],
    });
    let output = json!({
        "type": "object",
        "properties": {
            "questions": {"type": "array", "items": row},
            "next_cursor": text("There may be more: call again with it."),
        },
        "required": ["questions"],
    });
    tool(
        LIST,
        "List questions",
        "Lists questions: those that are open, nearest deadline first, then those that have \
          ended, latest first.",
        input,
        &output,
    )
    .with_annotations(hints().read_only(true).open_world(false))
}

/// What the tools for one question return.
fn question() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": id(),
            "state": state(),
            "message": text("What that means, and how to go on."),
            "value": {"description": "The answer; or the default, if the state is timed_out and the question has one."},
            "reason": text("Why it was declined or withdrawn."),
            "by": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "channel": {"type": "string"}},
                "description": "Who has ended it, and by which way.",
            },
            "time": text("When it ended."),
            "deadline": text("Until when it is open."),
            "link": text("Where a person answers."),
            "repeated": {"type": "boolean", "description": "Whether an earlier call had asked the same."},
        },
        "required": ["id", "state", "message"],
    })
}

fn state() -> Value {
    json!({"type": "string", "enum": ["pending", "answered", "declined", "cancelled", "timed_out"]})
}

fn id() -> Value {
    text("The id of the question: 32 hexadecimal digits.")
}

fn wait_seconds() -> Value {
    json!({
        "type": "integer",
        "minimum": 0,
        "maximum": 50,
        "description": "How long this call is held for the answer. Default: 50.",
    })
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn hints() -> ToolAnnotations {
    ToolAnnotations::new()
}

fn tool(
    name: &'static str,
    title: &str,
    description: &'static str,
    input: Value,
    output: &Value,
) -> Tool {
    let object = |schema: Value| -> Arc<JsonObject> { Arc::new(rmcp::model::object(schema)) };
    Tool::new(name, description, object(input))
        .with_title(title)
        .with_raw_output_schema(object(output.clone()))
}
