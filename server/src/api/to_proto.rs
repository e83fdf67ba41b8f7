//! From the domain to messages.

use hitl_core::Risk;
use hitl_core::{
    Channel, ChoiceInput, CredentialKind, Event, Input, OnTimeout, Outcome, PromptFormat, Proof,
    Responder, Response, Role, State, StrFormat, StrInput, Timestamp, Value,
};
use hitl_proto::v1;
use hitl_receipt::Receipt;
use hitl_service::ChangeKind;
use hitl_store::PublishedKey;

use super::{alarms, deciding, evidence, review};
use crate::auth::Links;

/// `event` whole, with its links if there are `links` to show.
pub(super) fn event(event: &Event, links: Option<&Links>) -> v1::Event {
    let evidence = event.request.evidence.iter().map(evidence::item).collect();
    v1::Event { evidence, ..summary(event, links) }
}

/// The same without its evidence, for where many events are sent.
pub(super) fn summary(event: &Event, links: Option<&Links>) -> v1::Event {
    let request = &event.request;
    let urls = links.map(|links| links.urls(request));
    let (form_url, api_url) = urls.map(|urls| (urls.form, urls.api)).unwrap_or_default();
    v1::Event {
        id: request.id.to_string(),
        namespace: request.namespace.to_string(),
        name: request.name.clone(),
        prompt: request.prompt.clone(),
        prompt_format: match request.prompt_format {
            PromptFormat::Text => v1::PromptFormat::Text,
            PromptFormat::Markdown => v1::PromptFormat::Markdown,
        }
        .into(),
        input: Some(v1::Input { kind: Some(input(&request.input)) }),
        scope: request.scope.clone(),
        labels: request.labels.clone(),
        on_timeout: Some(v1::OnTimeout {
            action: Some(match &request.on_timeout {
                OnTimeout::Fail => v1::on_timeout::Action::Fail(v1::FailOnTimeout {}),
                OnTimeout::Default(default) => v1::on_timeout::Action::DefaultValue(value(default)),
            }),
        }),
        idempotency_key: request.idempotency_key.clone().unwrap_or_default(),
        create_time: Some(timestamp(request.create_time)),
        deadline: Some(timestamp(request.deadline)),
        state: state(event.state()).into(),
        response: event.response.as_ref().map(|ended| response(ended)),
        form_url,
        api_url,
        created_by: request.created_by.as_ref().map(creator),
        allow_self_answer: request.allow_self_answer,
        title: request.title.clone(),
        evidence: Vec::new(),
        risk: risk(request.risk).into(),
        require_confirmation: request.require_confirmation,
        assignees: request.assignees.iter().map(deciding::to_proto).collect(),
        quorum: request.quorum.map(deciding::quorum_to_proto),
        votes: Vec::new(),
        claim: None,
        delegates: Vec::new(),
        reminders: alarms::reminders(&request.alarms),
        escalations: alarms::escalations(&request.alarms),
    }
}

pub(super) fn receipt(receipt: Receipt) -> v1::Receipt {
    let Receipt { text, algorithm, key_id, signature } = receipt;
    v1::Receipt { text, algorithm, key_id, signature }
}

pub(super) fn receipt_key(published: &PublishedKey) -> v1::ReceiptKey {
    v1::ReceiptKey {
        id: published.key.id(),
        algorithm: hitl_receipt::ALGORITHM.to_owned(),
        public_key: published.key.bytes().to_vec(),
        create_time: Some(timestamp(published.time)),
    }
}

pub(super) fn risk(risk: Risk) -> v1::Risk {
    match risk {
        Risk::Low => v1::Risk::Low,
        Risk::Medium => v1::Risk::Medium,
        Risk::High => v1::Risk::High,
    }
}

pub(super) fn change_kind(kind: ChangeKind) -> v1::ChangeKind {
    match kind {
        ChangeKind::Created => v1::ChangeKind::Created,
        ChangeKind::Updated => v1::ChangeKind::Updated,
        ChangeKind::Ended => v1::ChangeKind::Ended,
    }
}

pub(crate) fn state(state: State) -> v1::EventState {
    match state {
        State::Pending => v1::EventState::Pending,
        State::Answered => v1::EventState::Answered,
        State::Declined => v1::EventState::Declined,
        State::Cancelled => v1::EventState::Cancelled,
        State::TimedOut => v1::EventState::TimedOut,
    }
}

pub(crate) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    let ms = instant.ms();
    let nanos = i32::try_from(ms % 1000 * 1_000_000).expect("less than a second");
    prost_types::Timestamp { seconds: ms / 1000, nanos }
}

fn response(response: &Response) -> v1::Response {
    let (ended_with, reason) = match &response.outcome {
        Outcome::Answered { value } => (Some(value), String::new()),
        Outcome::TimedOut { default } => (default.as_ref(), String::new()),
        Outcome::Declined { reason } | Outcome::Cancelled { reason } => (None, reason.clone()),
    };
    v1::Response {
        state: state(response.outcome.state()).into(),
        value: ended_with.map(value),
        reason,
        time: Some(timestamp(response.time)),
        responder: response.responder.as_ref().map(responder),
        answer_id: response.answer_id.clone().unwrap_or_default(),
        comment: response.comment.clone(),
        votes: response.votes.iter().map(|vote| deciding::vote(vote, true)).collect(),
    }
}

pub(super) fn responder(responder: &Responder) -> v1::Responder {
    let channel = match responder.channel {
        Channel::Grpc => v1::Channel::Grpc,
        Channel::Http => v1::Channel::Http,
        Channel::Form => v1::Channel::Form,
        Channel::Mcp => v1::Channel::Mcp,
        Channel::Slack => v1::Channel::Slack,
    };
    let proof = responder.proof.as_ref();
    let known_by = proof.map(|proof| credential_kind(proof.known_by)).unwrap_or_default();
    v1::Responder {
        name: responder.name.clone(),
        channel: channel.into(),
        address: responder.address.clone(),
        known_by: known_by.into(),
        principal: proof.map(|proof| proof.name.clone()).unwrap_or_default(),
    }
}

fn creator(proof: &Proof) -> v1::Creator {
    let known_by = credential_kind(proof.known_by).into();
    v1::Creator { known_by, principal: proof.name.clone() }
}

pub(super) fn credential_kind(kind: CredentialKind) -> v1::CredentialKind {
    match kind {
        CredentialKind::None => v1::CredentialKind::None,
        CredentialKind::Link => v1::CredentialKind::Link,
        CredentialKind::Token => v1::CredentialKind::Token,
        CredentialKind::Person => v1::CredentialKind::Person,
        CredentialKind::Owner => v1::CredentialKind::Owner,
        CredentialKind::ClientCertificate => v1::CredentialKind::ClientCertificate,
    }
}

pub(super) fn role(role: Role) -> v1::Role {
    match role {
        Role::Requester => v1::Role::Requester,
        Role::Responder => v1::Role::Responder,
        Role::Notifier => v1::Role::Notifier,
        Role::Auditor => v1::Role::Auditor,
        Role::Admin => v1::Role::Admin,
    }
}

fn input(input: &Input) -> v1::input::Kind {
    use v1::input::Kind;
    match input {
        Input::Int(int) => Kind::Int(v1::IntInput { min: int.min, max: int.max }),
        Input::Float(float) => Kind::Float(v1::FloatInput { min: float.min, max: float.max }),
        Input::Str(str) => Kind::Str(str_input(str)),
        Input::Bool(bool) => Kind::Bool(v1::BoolInput {
            true_label: bool.true_label.clone(),
            false_label: bool.false_label.clone(),
        }),
        Input::Choice(choice) => Kind::Choice(choice_input(choice)),
        Input::Object(object) => {
            Kind::Object(v1::ObjectInput { json_schema: object.json_schema.clone() })
        }
        Input::Review(review) => Kind::Review(review::input(review)),
    }
}

fn str_input(str: &StrInput) -> v1::StrInput {
    let format = match str.format {
        None => v1::StrFormat::Unspecified,
        Some(StrFormat::Email) => v1::StrFormat::Email,
        Some(StrFormat::Uri) => v1::StrFormat::Uri,
        Some(StrFormat::Date) => v1::StrFormat::Date,
        Some(StrFormat::DateTime) => v1::StrFormat::DateTime,
    };
    v1::StrInput {
        min_length: str.min_length,
        max_length: str.max_length,
        pattern: str.pattern.clone().unwrap_or_default(),
        multiline: str.multiline,
        format: format.into(),
    }
}

fn choice_input(choice: &ChoiceInput) -> v1::ChoiceInput {
    let option = |option: &hitl_core::ChoiceOption| v1::ChoiceOption {
        value: option.value.clone(),
        label: option.label.clone(),
        description: option.description.clone(),
    };
    v1::ChoiceInput {
        options: choice.options.iter().map(option).collect(),
        min_selected: Some(choice.min_selected),
        max_selected: Some(choice.max_selected),
    }
}

pub(super) fn value(value: &Value) -> v1::Value {
    use v1::value::Kind;
    let kind = match value {
        Value::Int(number) => Kind::Int(*number),
        Value::Float(number) => Kind::Float(*number),
        Value::Str(text) => Kind::Str(text.clone()),
        Value::Bool(truth) => Kind::Bool(*truth),
        Value::Choice(selected) => Kind::Choice(v1::ChoiceValue { selected: selected.clone() }),
        Value::Object(fields) => Kind::Object(v1::ObjectValue {
            fields: fields.iter().map(|(name, field)| (name.clone(), self::value(field))).collect(),
        }),
        Value::Review(value) => Kind::Review(review::value(value)),
    };
    v1::Value { kind: Some(kind) }
}

#[cfg(test)]
#[path = "to_proto_tests.rs"]
mod tests;
