//! Values, events and errors as the scenarios write them.

use anyhow::{Context, Result};
use hitl::{Answer, Choice, Choices, Object, v1, v1::value::Kind};
use serde_json::{Map, Value as Json, json};

/// A native value that scenarios can show and give.
pub(crate) trait Shown: Sized {
    fn shown(&self, record: &v1::Event) -> Json;
    fn read(json: &Json) -> Option<Self>;
}

macro_rules! shown {
    ($type:ty, |$value:ident| $show:expr, |$json:ident| $read:expr) => {
        impl Shown for $type {
            fn shown(&self, _: &v1::Event) -> Json {
                let $value = self;
                $show
            }

            fn read($json: &Json) -> Option<Self> {
                $read
            }
        }
    };
}

shown!(i64, |v| json!({"int": v.to_string()}), |j| j["int"].as_str()?.parse().ok());
shown!(f64, |v| json!({"float": v}), |j| j["float"].as_f64());
shown!(String, |v| json!({"str": v}), |j| j["str"].as_str().map(str::to_owned));
shown!(bool, |v| json!({"bool": v}), |j| j["bool"].as_bool());
shown!(Choice, |v| json!({"choice": {"selected": [v.0]}}), |j| Some(Self(selected(j)?.pop()?)));
shown!(Choices, |v| json!({"choice": {"selected": v.0}}), |j| Some(Self(selected(j)?)));

impl Shown for Object<Json> {
    fn shown(&self, record: &v1::Event) -> Json {
        let schema = match record.input.as_ref().and_then(|input| input.kind.as_ref()) {
            Some(v1::input::Kind::Object(input)) => serde_json::from_str(&input.json_schema).ok(),
            _ => None,
        };
        let types = schema.unwrap_or(Json::Null);
        let fields = self.0.as_object().into_iter().flatten().map(|(name, field)| {
            let value = match types["properties"][name]["type"].as_str() {
                Some("integer") => json!({"int": field.to_string()}),
                Some("number") => json!({"float": field}),
                Some("boolean") => json!({"bool": field}),
                _ => json!({"str": field}),
            };
            (name.clone(), value)
        });
        json!({"object": {"fields": fields.collect::<Map<_, _>>()}})
    }

    fn read(json: &Json) -> Option<Self> {
        let fields = json["object"]["fields"].as_object()?.iter();
        let plain = fields.map(|(name, value)| {
            let int = value["int"].as_str().and_then(|n| n.parse::<i64>().ok()).map(Json::from);
            let other = value.as_object().and_then(|kinds| kinds.values().next().cloned());
            (name.clone(), int.or(other).unwrap_or_default())
        });
        Some(Self(plain.collect()))
    }
}

pub(crate) fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

fn selected(json: &Json) -> Option<Vec<String>> {
    serde_json::from_value(json["choice"]["selected"].clone()).ok()
}

pub(crate) fn answer(c: &Json) -> Result<Answer> {
    if let Some(text) = c["text"].as_str() {
        return Ok(Answer::Text(text.to_owned()));
    }
    match c.get("json") {
        Some(json) => Ok(Answer::Json(json.to_string())),
        None => Ok(Answer::Value(proto(&c["value"]).context("no such value")?)),
    }
}

fn proto(json: &Json) -> Option<v1::Value> {
    let (kind, value) = json.as_object()?.iter().next()?;
    let kind = match kind.as_str() {
        "int" => Kind::Int(value.as_str()?.parse().ok()?),
        "float" => Kind::Float(value.as_f64()?),
        "str" => Kind::Str(value.as_str()?.to_owned()),
        "bool" => Kind::Bool(value.as_bool()?),
        "choice" => Kind::Choice(v1::ChoiceValue { selected: selected(json)? }),
        _ => {
            let fields = value["fields"].as_object()?.iter();
            let fields = fields.map(|(name, value)| Some((name.clone(), proto(value)?)));
            Kind::Object(v1::ObjectValue { fields: fields.collect::<Option<_>>()? })
        }
    };
    Some(v1::Value { kind: Some(kind) })
}

pub(crate) fn shown(event: &v1::Event) -> Json {
    let response = event.response.clone().unwrap_or_default();
    let responder = response.responder.map(|responder| responder.name).unwrap_or_default();
    json!({
        "event_id": event.id, "name": event.name, "state": state(event.state()),
        "value": response.value.map_or(Json::Null, |value| of_proto(&value)),
        "reason": response.reason, "responder": responder,
    })
}

fn of_proto(value: &v1::Value) -> Json {
    match &value.kind {
        Some(Kind::Int(number)) => json!({"int": number.to_string()}),
        Some(Kind::Float(number)) => json!({"float": number}),
        Some(Kind::Str(text)) => json!({"str": text}),
        Some(Kind::Bool(truth)) => json!({"bool": truth}),
        Some(Kind::Choice(choice)) => json!({"choice": {"selected": choice.selected}}),
        Some(Kind::Object(object)) => {
            let fields = object.fields.iter().map(|(name, value)| (name.clone(), of_proto(value)));
            json!({"object": {"fields": fields.collect::<Map<_, _>>()}})
        }
        None => Json::Null,
    }
}

fn state(state: v1::EventState) -> String {
    state.as_str_name().replacen("EVENT_STATE_", "", 1)
}

pub(crate) fn error(failure: &anyhow::Error) -> Json {
    let Some(error) = failure.downcast_ref::<hitl::Error>() else {
        return json!({"kind": "adapter", "message": format!("{failure:#}")});
    };
    let kind = format!("{:?}", error.kind());
    let words = kind.chars().flat_map(|c| {
        let start = c.is_ascii_uppercase().then_some('_');
        start.into_iter().chain([c.to_ascii_lowercase()])
    });
    let fields: Vec<_> = error.field_violations().iter().map(|v| v.field.as_str()).collect();
    let response = error.response().map(|response| {
        let responder = response.responder.as_ref().map_or("", |responder| &responder.name);
        json!({"state": state(response.state()), "reason": response.reason, "responder": responder})
    });
    json!({
        "kind": words.skip(1).collect::<String>(), "reason": error.reason(), "fields": fields,
        "message": error.message(), "retryable": error.is_retryable(), "response": response,
    })
}
