//! Objects: several fields answered together, as a struct on this side and a flat schema on the other.

use std::fmt::Display;
use std::ops::Deref;

use hitl_proto::v1::input::Kind as InputKind;
use hitl_proto::v1::value::Kind;
use hitl_proto::v1::{ObjectInput, ObjectValue, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::bounds;
use crate::error::{Error, Result};
use crate::value::{DataType, IntoValue, mismatch, picked};

/// Several fields answered together, as a struct (or a `serde_json::Value`). Serialized, it is that struct.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object<T>(pub T);

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> DataType for Object<T> {
    type Input = ObjectInput;

    fn input(input: ObjectInput) -> InputKind {
        let json_schema = bounds::narrowed::<T>(input.json_schema);
        InputKind::Object(ObjectInput { json_schema })
    }

    fn from_value(value: Value, input: &InputKind) -> Result<Self> {
        let Some(Kind::Object(object)) = value.kind else {
            return Err(mismatch("Object", value.kind.as_ref()));
        };
        let schema = schema(input);
        let fields = object.fields.into_iter();
        let json: Json = fields
            .map(|(name, value)| {
                let field = to_json(value, &schema["properties"][&name]);
                (name, field)
            })
            .collect();
        let object = serde_json::from_value(json.clone()).map_err(|error| does_not_fit(&error))?;
        match overflown(&json, &object) {
            None => Ok(Self(object)),
            Some(name) => Err(does_not_fit(&format_args!("`{name}` is too large a number"))),
        }
    }

    fn to_value(&self, input: &InputKind) -> Result<Value> {
        let schema = schema(input);
        let json = serde_json::to_value(&self.0)
            .map_err(|error| Error::config(format!("the object is not JSON: {error}")))?;
        let Json::Object(members) = json else {
            return Err(Error::config("the object must be a struct or map".to_owned()));
        };
        let present = members.into_iter().filter(|(_, json)| !json.is_null());
        let fields = present.map(|(name, json)| {
            let field = of_json(json, &schema["properties"][&name])
                .ok_or_else(|| Error::config(format!("{name}: an object's fields must be flat")))?;
            Ok((name, field))
        });
        Ok(Kind::Object(ObjectValue { fields: fields.collect::<Result<_>>()? }).into_value())
    }
}

fn does_not_fit(why: &dyn Display) -> Error {
    let help = "the struct and the schema must agree";
    Error::internal(format!("the answer does not fit its struct: {why}; {help}"))
}

/// The field whose number became infinite in the struct, which serde lets a large one do, and which JSON has no
/// number for.
fn overflown<'a, T: Serialize>(answer: &'a Json, object: &T) -> Option<&'a String> {
    let held = serde_json::to_value(object).ok()?;
    let infinite = |(name, field): &(&String, &Json)| {
        field.is_number() && held.get(name).is_some_and(Json::is_null)
    };
    answer.as_object()?.iter().find(infinite).map(|(name, _)| name)
}

/// The schema of an object's fields. What is not JSON is the server's to refuse.
fn schema(input: &InputKind) -> Json {
    match input {
        InputKind::Object(object) => serde_json::from_str(&object.json_schema).unwrap_or_default(),
        _ => Json::Null,
    }
}

/// A field as JSON. An enum travels as a choice even when one alone can be picked: whether it is
/// a string or an array is for its property to say.
fn to_json(value: Value, property: &Json) -> Json {
    match value.kind {
        Some(Kind::Int(number)) => number.into(),
        Some(Kind::Float(number)) => number.into(),
        Some(Kind::Str(text)) => text.into(),
        Some(Kind::Bool(truth)) => truth.into(),
        Some(Kind::Choice(choice)) if property["type"] == "string" => {
            choice.selected.concat().into()
        }
        Some(Kind::Choice(choice)) => choice.selected.into(),
        // A field is never one of those.
        Some(Kind::Object(_) | Kind::Review(_)) | None => Json::Null,
    }
}

/// The reverse of [`to_json`]. None if the JSON is not flat.
fn of_json(json: Json, property: &Json) -> Option<Value> {
    let kind = match json {
        Json::Bool(truth) => Kind::Bool(truth),
        Json::Number(number) if property["type"] == "number" => Kind::Float(number.as_f64()?),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Kind::Int(whole),
            None => Kind::Float(number.as_f64()?),
        },
        Json::String(text) if property["enum"].is_array() || property["oneOf"].is_array() => {
            return Some(picked(vec![text]));
        }
        Json::String(text) => Kind::Str(text),
        Json::Array(items) => {
            let strings = items.iter().map(|item| item.as_str().map(str::to_owned));
            return strings.collect::<Option<_>>().map(picked);
        }
        Json::Null | Json::Object(_) => return None,
    };
    Some(kind.into_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Deploy {
        replicas: i64,
        share: f64,
        region: String,
        checks: Vec<String>,
        note: Option<String>,
    }

    #[test]
    fn an_object_returns_as_its_struct() {
        let schema = json!({"type": "object", "properties": {
            "replicas": {"type": "integer"},
            "share": {"type": "number"},
            "region": {"type": "string", "enum": ["eu", "us"]},
            "checks": {"type": "array", "items": {"enum": ["lint", "test"]}},
            "note": {"type": "string"},
        }});
        let input = InputKind::Object(ObjectInput { json_schema: schema.to_string() });
        let deploy = Deploy {
            replicas: i64::MAX,
            share: 1.0,
            region: "eu".to_owned(),
            checks: vec!["lint".to_owned()],
            note: None,
        };
        let value = Object(deploy).to_value(&input).unwrap();
        let Some(Kind::Object(object)) = &value.kind else { panic!("{value:?}") };
        assert_eq!(object.fields["region"], picked(vec!["eu".to_owned()]));
        assert!(!object.fields.contains_key("note"));
        let Object(deploy) = Object::<Deploy>::from_value(value, &input).unwrap();
        assert_eq!((deploy.replicas, deploy.region.as_str()), (i64::MAX, "eu"));

        let whole = Object(json!({"share": 1})).to_value(&input).unwrap();
        let Some(Kind::Object(object)) = whole.kind else { panic!() };
        assert_eq!(object.fields["share"].kind, Some(Kind::Float(1.0)));
    }

    #[test]
    fn a_schema_asks_for_what_the_struct_can_hold() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Small {
            replicas: u16,
        }
        let schema = r#"{"properties":{"replicas":{"type":"integer"}}}"#.to_owned();
        let InputKind::Object(asked) = Object::<Small>::input(ObjectInput { json_schema: schema })
        else {
            panic!()
        };
        let schema: Json = serde_json::from_str(&asked.json_schema).unwrap();
        assert_eq!(schema["properties"]["replicas"]["maximum"], 65535);
    }

    #[test]
    fn an_answer_that_its_struct_cannot_hold_is_an_error() {
        #[derive(Debug, Serialize, Deserialize)]
        struct Small {
            replicas: Option<u16>,
            share: Option<f32>,
        }
        let input = InputKind::Object(ObjectInput::default());
        for (name, kind) in [("replicas", Kind::Int(70_000)), ("share", Kind::Float(1e39))] {
            let fields = [(name.to_owned(), kind.into_value())].into();
            let answer = Kind::Object(ObjectValue { fields }).into_value();
            let error = Object::<Small>::from_value(answer, &input).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Internal);
            assert!(error.message().contains("must agree") && !error.is_retryable(), "{error}");
        }
    }

    #[test]
    fn what_is_not_flat_is_an_error() {
        let input = InputKind::Object(ObjectInput::default());
        assert!(Object(json!({"a": {"b": 1}})).to_value(&input).is_err());
        assert!(Object(json!([1])).to_value(&input).is_err());
    }
}
