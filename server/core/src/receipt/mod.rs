//! What a receipt says of an event that has ended, byte for byte.
//!
//! The text is the event as the API shows it in JSON, without what nobody was shown, in the one canonical form of that
//! JSON. It is made anew from the records whenever somebody wants it, so a format that was signed once is never
//! changed: what it does not say yet becomes part of a new format, and the old one stays beside it.

mod deciding;
mod evidence;

use hitl_canonical as canonical;
use serde_json::{Map, Value as Json, json};

use crate::choice::{ChoiceInput, ChoiceOption};
use crate::event::{
    Channel, OnTimeout, Outcome, PromptFormat, Request, Responder, Response, State,
};
use crate::evidence::Risk;
use crate::input::{BoolInput, FloatInput, Input, IntInput, ObjectInput, StrFormat, StrInput};
use crate::principal::{CredentialKind, Proof};
use crate::review::{ReviewDecision, ReviewInput, ReviewValue};
use crate::time::Timestamp;
use crate::value::Value;

/// The format of the receipts that are made.
pub const FORMAT: u32 = 3;
/// The first format. It knows of no title, evidence, risk, confirmation and comment.
const FIRST: u32 = 1;
/// The second format. It knows of no assignees, quorum and votes.
const SECOND: u32 = 2;

/// What a receipt of this `format` says of an event: what was asked, and how it ended. `None` if this program does not
/// know the format.
pub fn text(format: u32, request: &Request, response: &Response) -> Option<String> {
    (FIRST..=FORMAT).contains(&format).then(|| {
        canonical::text(&json!({
            "format": format!("hitl.receipt.v{format}"),
            "question": question(format, request),
            "response": ended(format, response),
        }))
    })
}

/// What the receipts that are made say of what `request` asks: the member `question` of their text, byte for byte.
pub fn question_text(request: &Request) -> String {
    canonical::text(&question(FORMAT, request))
}

/// What was asked. Left out are the idempotency key, which is between the program and the server, how the deadline was
/// asked for, and who is told.
fn question(format: u32, request: &Request) -> Json {
    let Request {
        id,
        namespace,
        name,
        title,
        prompt,
        prompt_format,
        evidence,
        risk,
        require_confirmation,
        input,
        scope,
        labels,
        expiration: _,
        on_timeout,
        idempotency_key: _,
        allow_self_answer,
        assignees,
        quorum,
        created_by,
        on_end: _,
        alarms: _,
        channels: _,
        create_time,
        deadline,
        weight: _,
    } = request;
    let prompt_format = match prompt_format {
        PromptFormat::Text => "PROMPT_FORMAT_TEXT",
        PromptFormat::Markdown => "PROMPT_FORMAT_MARKDOWN",
    };
    let on_timeout = match on_timeout {
        OnTimeout::Fail => json!({"fail": {}}),
        OnTimeout::Default(default) => json!({"defaultValue": value(default)}),
    };
    let mut members = Members::default();
    members.add("id", id.to_string());
    members.add("namespace", namespace.as_str());
    members.add("name", name.as_str());
    members.add("prompt", prompt.as_str());
    members.add("promptFormat", prompt_format);
    members.add("input", kind_of_answer(input));
    members.add_unless_empty("scope", scope);
    if !labels.is_empty() {
        members.add("labels", json!(labels));
    }
    members.add("onTimeout", on_timeout);
    members.add("createTime", instant(*create_time));
    members.add("deadline", instant(*deadline));
    if let Some(creator) = created_by {
        let mut proved = Members::default();
        proved.add_proof(creator);
        members.add("createdBy", proved);
    }
    members.add_some("allowSelfAnswer", allow_self_answer.then_some(true));
    if format > FIRST {
        members.add_unless_empty("title", title);
        members.add_list("evidence", evidence.iter().map(evidence::item));
        members.add("risk", stake(*risk));
        members.add_some("requireConfirmation", require_confirmation.then_some(true));
    }
    if format > SECOND {
        members.add_list("assignees", assignees.iter().map(deciding::assignee));
        members.add_some("quorum", quorum.map(deciding::quorum));
    }
    members.into()
}

fn stake(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "RISK_LOW",
        Risk::Medium => "RISK_MEDIUM",
        Risk::High => "RISK_HIGH",
    }
}

/// How the event ended.
fn ended(format: u32, response: &Response) -> Json {
    let Response { outcome, time, responder, answer_id, comment, votes, weight: _ } = response;
    let state = match outcome.state() {
        State::Pending => unreachable!("no outcome leads there"),
        State::Answered => "EVENT_STATE_ANSWERED",
        State::Declined => "EVENT_STATE_DECLINED",
        State::Cancelled => "EVENT_STATE_CANCELLED",
        State::TimedOut => "EVENT_STATE_TIMED_OUT",
    };
    let mut members = Members::default();
    members.add("state", state);
    match outcome {
        Outcome::Answered { value: given } | Outcome::TimedOut { default: Some(given) } => {
            members.add("value", value(given));
        }
        Outcome::Declined { reason } | Outcome::Cancelled { reason } => {
            members.add_unless_empty("reason", reason);
        }
        Outcome::TimedOut { default: None } => {}
    }
    members.add("time", instant(*time));
    if let Some(responder) = responder {
        members.add("responder", who(responder));
    }
    members.add_unless_empty("answerId", answer_id.as_deref().unwrap_or_default());
    if format > FIRST {
        members.add_unless_empty("comment", comment);
    }
    if format > SECOND {
        members.add_list("votes", votes.iter().map(deciding::vote));
    }
    members.into()
}

/// Who ended it, and by what way.
fn who(responder: &Responder) -> Json {
    let Responder { name, channel, address, proof } = responder;
    let channel = match channel {
        Channel::Grpc => "CHANNEL_GRPC",
        Channel::Http => "CHANNEL_HTTP",
        Channel::Form => "CHANNEL_FORM",
        Channel::Mcp => "CHANNEL_MCP",
        Channel::Slack => "CHANNEL_SLACK",
    };
    let mut members = Members::default();
    members.add_unless_empty("name", name);
    members.add("channel", channel);
    members.add_unless_empty("address", address);
    if let Some(proof) = proof {
        members.add_proof(proof);
    }
    members.into()
}

/// Whole numbers are text, since a number of canonical JSON is a double and would lose digits.
fn value(given: &Value) -> Json {
    match given {
        Value::Int(number) => json!({"int": number.to_string()}),
        Value::Float(number) => json!({"float": number}),
        Value::Str(text) => json!({"str": text}),
        Value::Bool(truth) => json!({"bool": truth}),
        Value::Choice(selected) => {
            let mut members = Members::default();
            members.add_list("selected", selected.iter().map(|it| json!(it)));
            json!({"choice": Json::from(members)})
        }
        Value::Object(fields) => {
            let mut members = Members::default();
            if !fields.is_empty() {
                let fields = fields.iter().map(|(name, it)| (name.clone(), value(it)));
                members.add("fields", Json::Object(fields.collect()));
            }
            json!({"object": Json::from(members)})
        }
        Value::Review(ReviewValue {
            decision,
            arguments,
            message,
            shown_digest,
            approved_digest,
        }) => {
            let mut members = Members::default();
            members.add("decision", review_decision(*decision));
            members.add_unless_empty("arguments", arguments);
            members.add_unless_empty("message", message);
            members.add_unless_empty("shownDigest", shown_digest);
            members.add_unless_empty("approvedDigest", approved_digest);
            json!({"review": Json::from(members)})
        }
    }
}

fn review_decision(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::Approve => "REVIEW_DECISION_APPROVE",
        ReviewDecision::Edit => "REVIEW_DECISION_EDIT",
        ReviewDecision::Reject => "REVIEW_DECISION_REJECT",
        ReviewDecision::Respond => "REVIEW_DECISION_RESPOND",
    }
}

fn kind_of_answer(input: &Input) -> Json {
    let mut members = Members::default();
    match input {
        Input::Int(IntInput { min, max }) => {
            members.add_some("min", min.map(|it| it.to_string()));
            members.add_some("max", max.map(|it| it.to_string()));
        }
        Input::Float(FloatInput { min, max }) => {
            members.add_some("min", *min);
            members.add_some("max", *max);
        }
        Input::Str(StrInput { min_length, max_length, pattern, multiline, format }) => {
            members.add_some("minLength", *min_length);
            members.add_some("maxLength", *max_length);
            members.add_unless_empty("pattern", pattern.as_deref().unwrap_or_default());
            members.add_some("multiline", multiline.then_some(true));
            members.add_some("format", format.map(format_of_text));
        }
        Input::Bool(BoolInput { true_label, false_label }) => {
            members.add_unless_empty("trueLabel", true_label);
            members.add_unless_empty("falseLabel", false_label);
        }
        Input::Choice(ChoiceInput { options, min_selected, max_selected }) => {
            members.add_list("options", options.iter().map(option));
            members.add("minSelected", *min_selected);
            members.add("maxSelected", *max_selected);
        }
        Input::Object(ObjectInput { json_schema }) => {
            members.add_unless_empty("jsonSchema", json_schema);
        }
        Input::Review(review) => {
            let ReviewInput { action, arguments, json_schema, allow } = review;
            members.add("action", action.as_str());
            members.add("arguments", arguments.as_str());
            members.add_unless_empty("jsonSchema", json_schema);
            members.add_list("allow", allow.iter().map(|it| json!(review_decision(*it))));
            members.add("digest", review.digest());
        }
    }
    json!({input.kind(): Json::from(members)})
}

fn format_of_text(format: StrFormat) -> &'static str {
    match format {
        StrFormat::Email => "STR_FORMAT_EMAIL",
        StrFormat::Uri => "STR_FORMAT_URI",
        StrFormat::Date => "STR_FORMAT_DATE",
        StrFormat::DateTime => "STR_FORMAT_DATE_TIME",
    }
}

fn option(ChoiceOption { value, label, description }: &ChoiceOption) -> Json {
    let mut members = Members::default();
    members.add_unless_empty("value", value);
    members.add_unless_empty("label", label);
    members.add_unless_empty("description", description);
    members.into()
}

/// RFC 3339 in UTC, with three digits of a fraction of a second, or none if all are zero.
fn instant(time: Timestamp) -> String {
    time.to_string().replace(".000Z", "Z")
}

/// The members of an object, of which those at their default are left out as in the JSON of the API.
#[derive(Default)]
struct Members(Map<String, Json>);

impl Members {
    fn add(&mut self, name: &str, value: impl Into<Json>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn add_some(&mut self, name: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn add_unless_empty(&mut self, name: &str, text: &str) {
        self.add_some(name, Some(text).filter(|text| !text.is_empty()));
    }

    /// Who somebody was proved to be. Names are not unique, so that the id is there too, which the API does not show.
    fn add_proof(&mut self, Proof { known_by, id, name }: &Proof) {
        let known_by = match known_by {
            CredentialKind::None => "CREDENTIAL_KIND_NONE",
            CredentialKind::Link => "CREDENTIAL_KIND_LINK",
            CredentialKind::Token => "CREDENTIAL_KIND_TOKEN",
            CredentialKind::Person => "CREDENTIAL_KIND_PERSON",
            CredentialKind::Owner => "CREDENTIAL_KIND_OWNER",
            CredentialKind::ClientCertificate => "CREDENTIAL_KIND_CLIENT_CERTIFICATE",
        };
        self.add("knownBy", known_by);
        self.add_unless_empty("principal", name);
        self.add_unless_empty("principalId", id);
    }

    fn add_list(&mut self, name: &str, items: impl Iterator<Item = Json>) {
        self.add_some(name, Some(items.collect::<Vec<_>>()).filter(|items| !items.is_empty()));
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        Self::Object(members.0)
    }
}

#[cfg(test)]
mod tests;
