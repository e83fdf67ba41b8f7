//! Messages of the API, which adapters only pass on: as the bytes that they are, in whatever way JSON of their language
//! has bytes. What is in them is written and read here, once for all languages.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use hitl_proto::v1::answer_event_request::Answer;
use hitl_proto::v1::{self, value::Kind};
use prost::Message;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// The command for `op`: where the SDK takes a message of the API, it has the bytes of one.
pub(crate) fn pack(mut op: Json) -> Result<Json> {
    match op["op"].as_str() {
        Some("answer") => {
            let answer = Some(answer(&op)?);
            op["message"] = bytes(&v1::AnswerEventRequest { answer, ..Default::default() });
        }
        Some("create") if op.get("evidence").is_some() => {
            op["evidence"] = evidence(&op["evidence"])?;
        }
        Some("list" | "events") => op["message"] = bytes(&filter(&op)?),
        Some("watch") => op["message"] = bytes(&watched(&op)?),
        Some("verify") => op["receipt"]["text"] = changed_text(&op)?,
        Some("create_many") => op["messages"] = questions(&op)?,
        Some("answer_many") => op["messages"] = answers(&op)?,
        _ => {}
    }
    Ok(op)
}

/// The reply with what its messages say in their place, and the kind of an error as scenarios write it.
pub(crate) fn unpack(mut reply: Json) -> Result<Json> {
    if let Some(event) = reply["ok"].get("event") {
        reply["ok"] = shown(&message(event)?);
    } else if let Some(page) = reply["ok"].get("page") {
        let page: v1::ListEventsResponse = message(page)?;
        let events: Vec<_> = page.events.iter().map(shown).collect();
        reply["ok"] = json!({
            "events": events,
            "next_page_token": page.next_page_token,
            "resume_token": page.resume_token,
        });
    } else if let Some(changes) = reply["ok"].get("changes").and_then(Json::as_array) {
        reply["ok"] = changed(changes)?;
    } else if let Some(listed) = reply["ok"].get("listed").and_then(Json::as_array) {
        let names: Vec<_> = listed
            .iter()
            .map(|event| Ok(message::<v1::Event>(event)?.name))
            .collect::<Result<_>>()?;
        reply["ok"] = json!({"count": names.len(), "names": names});
    } else if let Some(events) = reply["ok"].get("events").and_then(Json::as_array) {
        let events: Vec<_> =
            events.iter().map(|event| Ok(shown(&message(event)?))).collect::<Result<_>>()?;
        let values: Vec<_> = events.iter().map(|event| event["value"].clone()).collect();
        reply["ok"] = json!({"count": events.len(), "values": values});
    } else if let Some(results) = reply["ok"].get("results").and_then(Json::as_array) {
        reply["ok"] = outcomes(results)?;
    } else if let Some(error) = reply.get_mut("error").filter(|error| !error.is_null()) {
        error["kind"] = kind(error["kind"].as_str().context("an error is of a kind")?).into();
        error["response"] = ended(&error["response"])?;
        for violation in error["fields"].as_array_mut().into_iter().flatten() {
            let field = violation.get("field").or_else(|| violation.get("Field"));
            *violation = field.unwrap_or(violation).clone();
        }
    }
    Ok(reply)
}

/// The results of a batch: of those that succeeded the ids of the events, or the values; of the others the kinds of
/// their errors, with their places.
fn outcomes(results: &[Json]) -> Result<Json> {
    let (mut event_ids, mut existed, mut values) = (Vec::new(), 0, Vec::new());
    let mut errors = serde_json::Map::new();
    for (at, result) in results.iter().enumerate() {
        if let Some(created) = result.get("created") {
            let created: v1::CreateEventResponse = message(created)?;
            event_ids.push(created.event.context("what was created")?.id);
            existed += usize::from(created.existed);
        } else if let Some(response) = result.get("response") {
            let response: v1::Response = message(response)?;
            values.push(response.value.and_then(Value::of));
        } else {
            let of = result["error"]["kind"].as_str().context("an error is of a kind")?;
            errors.insert(at.to_string(), kind(of).into());
        }
    }
    Ok(json!({"event_ids": event_ids, "existed": existed, "values": values, "errors": errors}))
}

/// The text of a receipt, in which the first of `change` is now the second.
fn changed_text(op: &Json) -> Result<Json> {
    let text = op["receipt"]["text"].as_str().context("a receipt has a text")?;
    let Some(change) = op.get("change") else { return Ok(text.into()) };
    let [from, to] = <[String; 2]>::deserialize(change)?;
    ensure!(text.contains(&from), "{text} has no {from} to change");
    Ok(text.replace(&from, &to).into())
}

/// The changes, each once, for one may come twice; and what happened to each event, by its name.
fn changed(changes: &[Json]) -> Result<Json> {
    let (mut each, mut of) = (Vec::new(), BTreeMap::<String, Vec<&str>>::new());
    for change in changes {
        let event: v1::Event = message(&change["event"])?;
        let kind = v1::ChangeKind::try_from(i32::deserialize(&change["kind"])?)?;
        let kind = kind.as_str_name().trim_start_matches("CHANGE_KIND_");
        let kinds = of.entry(event.name.clone()).or_default();
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        let mut once = shown(&event);
        once["kind"] = kind.into();
        once["resume_token"] = change["resume_token"].clone();
        each.push(once);
    }
    Ok(json!({"changes": each, "of": of}))
}

/// `count` questions for an int, each called `name` and its number, but for the names that `named` gives by place.
fn questions(op: &Json) -> Result<Json> {
    let (count, name) = (u64::deserialize(&op["count"])?, text(op, "name"));
    let input = Some(v1::Input { kind: Some(v1::input::Kind::Int(v1::IntInput::default())) });
    let question = |number: u64| {
        let given = op["named"].get(number.to_string()).and_then(Json::as_str);
        bytes(&v1::CreateEventRequest {
            name: given.map_or_else(|| format!("{name}{number}"), str::to_owned),
            prompt: "How many?".to_owned(),
            input: input.clone(),
            idempotency_key: format!("{name}{number}"),
            ..Default::default()
        })
    };
    Ok((0..count).map(question).collect())
}

/// For each of `event_ids` its number as the answer, but for the JSON that `json` gives by place.
fn answers(op: &Json) -> Result<Json> {
    let event_ids = Vec::<String>::deserialize(&op["event_ids"])?;
    let answer = |(number, event_id): (usize, String)| {
        let given = op["json"].get(number.to_string());
        let json = given.map_or_else(|| number.to_string(), Json::to_string);
        let answer = Some(Answer::Json(json));
        bytes(&v1::AnswerEventRequest { event_id, answer, ..Default::default() })
    };
    Ok(event_ids.into_iter().enumerate().map(answer).collect())
}

fn bytes(message: &impl Message) -> Json {
    message.encode_to_vec().into()
}

/// A message whose bytes came as a list or in base64.
fn message<M: Message + Default>(json: &Json) -> Result<M> {
    let bytes = match json {
        Json::String(text) => BASE64_STANDARD.decode(text)?,
        // Those of Java have a sign.
        _ => Vec::<i16>::deserialize(json)?.iter().map(|byte| byte.to_le_bytes()[0]).collect(),
    };
    M::decode(bytes.as_slice()).context("an adapter sent what is not the message")
}

fn answer(op: &Json) -> Result<Answer> {
    Ok(if let Some(value) = op.get("value") {
        Answer::Value(Value::deserialize(value)?.message())
    } else if let Some(json) = op.get("json") {
        Answer::Json(json.to_string())
    } else {
        Answer::Text(text(op, "text"))
    })
}

/// Items of evidence: each with a `title`, and a `text` or a `diff` of two texts.
fn evidence(items: &Json) -> Result<Json> {
    let item = |item: &Json| {
        let title = text(item, "title");
        Ok(bytes(&match Option::<[String; 2]>::deserialize(&item["diff"])? {
            Some([before, after]) => v1::Evidence::diff(title, before, after),
            None => v1::Evidence::text(title, text(item, "text")),
        }))
    };
    items.as_array().context("evidence is a list")?.iter().map(item).collect()
}

fn filter(op: &Json) -> Result<v1::ListEventsRequest> {
    let state = format!("EVENT_STATE_{}", op["state"].as_str().unwrap_or("UNSPECIFIED"));
    Ok(v1::ListEventsRequest {
        state: v1::EventState::from_str_name(&state).context("no such state")?.into(),
        name: text(op, "name"),
        scope: text(op, "scope"),
        labels: Option::deserialize(&op["labels"])?.unwrap_or_default(),
        page_size: Option::deserialize(&op["page_size"])?.unwrap_or_default(),
        page_token: text(op, "page_token"),
        ..Default::default()
    })
}

fn watched(op: &Json) -> Result<v1::WatchEventsRequest> {
    let v1::ListEventsRequest { state, name, scope, labels, .. } = filter(op)?;
    let resume_token = text(op, "resume_token");
    Ok(v1::WatchEventsRequest { resume_token, state, name, scope, labels, ..Default::default() })
}

fn text(op: &Json, member: &str) -> String {
    op[member].as_str().unwrap_or_default().to_owned()
}

fn assignee(assignee: &v1::Assignee) -> Json {
    match &assignee.kind {
        Some(v1::assignee::Kind::Person(name)) => json!({"person": name}),
        Some(v1::assignee::Kind::Group(name)) => json!({"group": name}),
        None => Json::Null,
    }
}

/// Who has voted so far, or by the end.
fn voters(event: &v1::Event) -> Vec<String> {
    let votes = event.response.as_ref().map_or(&event.votes, |response| &response.votes);
    let name = |vote: &v1::Vote| vote.responder.clone().unwrap_or_default().name;
    votes.iter().map(name).collect()
}

fn shown(event: &v1::Event) -> Json {
    let deadline = event.deadline.unwrap_or_default();
    let response = event.response.clone().unwrap_or_default();
    json!({
        "event_id": event.id,
        "name": event.name,
        "deadline_ms": deadline.seconds * 1000 + i64::from(deadline.nanos) / 1_000_000,
        "state": state(event.state()),
        "value": response.value.and_then(Value::of),
        "reason": response.reason,
        "responder": response.responder.unwrap_or_default().name,
        "comment": response.comment,
        "title": event.title,
        "risk": event.risk().as_str_name().trim_start_matches("RISK_"),
        "require_confirmation": event.require_confirmation,
        "facts": event.evidence.iter().flat_map(facts).collect::<Vec<_>>(),
        "evidence": event.evidence.iter().map(|item| &item.title).collect::<Vec<_>>(),
        "assignees": event.assignees.iter().map(assignee).collect::<Vec<_>>(),
        "required": event.quorum.as_ref().map(|quorum| quorum.required),
        "voters": voters(event),
    })
}

fn facts(item: &v1::Evidence) -> Vec<[&str; 2]> {
    match &item.content {
        Some(v1::evidence::Content::Facts(v1::FactsEvidence { facts })) => {
            facts.iter().map(|fact| [fact.label.as_str(), fact.value.as_str()]).collect()
        }
        _ => Vec::new(),
    }
}

/// The response of an error. What has no bytes is none.
fn ended(bytes: &Json) -> Result<Json> {
    if [Json::Null, "".into(), json!([])].contains(bytes) {
        return Ok(Json::Null);
    }
    let response: v1::Response = message(bytes)?;
    let state = state(response.state());
    let responder = response.responder.unwrap_or_default().name;
    Ok(json!({"state": state, "reason": response.reason, "responder": responder}))
}

fn state(state: v1::EventState) -> &'static str {
    state.as_str_name().trim_start_matches("EVENT_STATE_")
}

/// `timed_out` for what languages call `TimedOut`, `TIMED_OUT` or `timed out`.
fn kind(written: &str) -> String {
    let is_one_word = |c: char| c.is_ascii_lowercase();
    let mut kind = String::new();
    for c in written.chars() {
        if c.is_ascii_uppercase() && written.contains(is_one_word) && !kind.is_empty() {
            kind.push('_');
        }
        kind.push(if c == ' ' { '_' } else { c.to_ascii_lowercase() });
    }
    kind
}

/// A value as scenarios write it, such as `{int: 7}`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Value {
    Int(i64),
    Float(f64),
    Str(String),
    Bool(bool),
    Choice(Vec<String>),
    Object(BTreeMap<String, Self>),
    Review(Review),
}

/// A decision, its arguments as JSON text.
#[derive(Serialize, Deserialize)]
struct Review {
    decision: String,
    #[serde(default)]
    arguments: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    shown_digest: String,
    #[serde(default)]
    approved_digest: String,
}

impl Review {
    fn of(value: v1::ReviewValue) -> Self {
        let decision = value.decision().as_str_name().trim_start_matches("REVIEW_DECISION_");
        Self {
            decision: decision.to_lowercase(),
            arguments: value.arguments,
            message: value.message,
            shown_digest: value.shown_digest,
            approved_digest: value.approved_digest,
        }
    }

    fn message(self) -> v1::ReviewValue {
        let name = format!("REVIEW_DECISION_{}", self.decision.to_uppercase());
        v1::ReviewValue {
            decision: v1::ReviewDecision::from_str_name(&name).unwrap_or_default().into(),
            arguments: self.arguments,
            message: self.message,
            shown_digest: self.shown_digest,
            approved_digest: self.approved_digest,
        }
    }
}

impl Value {
    fn of(value: v1::Value) -> Option<Self> {
        Some(match value.kind? {
            Kind::Int(number) => Self::Int(number),
            Kind::Float(number) => Self::Float(number),
            Kind::Str(text) => Self::Str(text),
            Kind::Bool(truth) => Self::Bool(truth),
            Kind::Choice(choice) => Self::Choice(choice.selected),
            Kind::Object(object) => {
                let fields = object.fields.into_iter();
                let fields = fields.map(|(name, value)| Some((name, Self::of(value)?)));
                Self::Object(fields.collect::<Option<_>>()?)
            }
            Kind::Review(review) => Self::Review(Review::of(review)),
        })
    }

    fn message(self) -> v1::Value {
        let kind = match self {
            Self::Int(number) => Kind::Int(number),
            Self::Float(number) => Kind::Float(number),
            Self::Str(text) => Kind::Str(text),
            Self::Bool(truth) => Kind::Bool(truth),
            Self::Choice(selected) => Kind::Choice(v1::ChoiceValue { selected }),
            Self::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, value.message()));
                Kind::Object(v1::ObjectValue { fields: fields.collect() })
            }
            Self::Review(review) => Kind::Review(review.message()),
        };
        v1::Value { kind: Some(kind) }
    }
}
