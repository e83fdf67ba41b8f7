//! The types an answer can have, and how each travels as an input and a value of the API.

use std::ops::Deref;

use hitl_proto::v1::input::Kind as InputKind;
use hitl_proto::v1::value::Kind;
use hitl_proto::v1::{
    BoolInput, ChoiceInput, ChoiceValue, FloatInput, IntInput, ObjectInput, ObjectValue, StrInput,
    Value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::error::{Error, Result};

/// A type that an answer can have: `i64`, `f64`, `String`, `bool`, [`Choice`], [`Choices`], or
/// [`Object`] of a struct.
pub trait DataType: Sized + Send + Sync + 'static {
    /// The input that asks for it, without any restriction.
    type Input: Default + Clone + Send + Sync;

    /// The input as a field of a request.
    fn input(input: Self::Input) -> InputKind;

    /// Reads an answer to `input`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Internal`] if the value is of another kind.
    fn from_value(value: Value, input: &InputKind) -> Result<Self>;

    /// The value as an answer to `input`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Invalid`] if an object is not a flat struct.
    fn to_value(&self, input: &InputKind) -> Result<Value>;
}

/// The one option that was picked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Choice(pub String);

/// The options that were picked, in the order in which they were offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Choices(pub Vec<String>);

/// Several fields answered together, as a struct (or a `serde_json::Value`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl Deref for Choice {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Deref for Choices {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

macro_rules! scalar {
    ($type:ty, $input:ty, $kind:ident) => {
        impl DataType for $type {
            type Input = $input;

            fn input(input: $input) -> InputKind {
                InputKind::$kind(input)
            }

            fn from_value(value: Value, _: &InputKind) -> Result<Self> {
                match value.kind {
                    Some(Kind::$kind(value)) => Ok(value),
                    other => Err(mismatch(stringify!($kind), other.as_ref())),
                }
            }

            fn to_value(&self, _: &InputKind) -> Result<Value> {
                Ok(Kind::$kind(self.clone()).into_value())
            }
        }
    };
}

scalar!(i64, IntInput, Int);
scalar!(f64, FloatInput, Float);
scalar!(String, StrInput, Str);
scalar!(bool, BoolInput, Bool);

impl DataType for Choices {
    type Input = ChoiceInput;

    fn input(input: ChoiceInput) -> InputKind {
        InputKind::Choice(input)
    }

    fn from_value(value: Value, _: &InputKind) -> Result<Self> {
        match value.kind {
            Some(Kind::Choice(value)) => Ok(Self(value.selected)),
            other => Err(mismatch("Choice", other.as_ref())),
        }
    }

    fn to_value(&self, _: &InputKind) -> Result<Value> {
        Ok(picked(self.0.clone()))
    }
}

impl DataType for Choice {
    type Input = ChoiceInput;

    fn input(input: ChoiceInput) -> InputKind {
        InputKind::Choice(input)
    }

    fn from_value(value: Value, input: &InputKind) -> Result<Self> {
        let mut selected = Choices::from_value(value, input)?.0;
        match (selected.pop(), selected.is_empty()) {
            (Some(option), true) => Ok(Self(option)),
            _ => Err(Error::internal(
                "the answer is not exactly one option".to_owned(),
            )),
        }
    }

    fn to_value(&self, _: &InputKind) -> Result<Value> {
        Ok(picked(vec![self.0.clone()]))
    }
}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> DataType for Object<T> {
    type Input = ObjectInput;

    fn input(input: ObjectInput) -> InputKind {
        InputKind::Object(input)
    }

    fn from_value(value: Value, input: &InputKind) -> Result<Self> {
        let Some(Kind::Object(object)) = value.kind else {
            return Err(mismatch("Object", value.kind.as_ref()));
        };
        let schema = schema(input);
        let fields = object.fields.into_iter();
        let json = fields.map(|(name, value)| {
            let field = to_json(value, &schema["properties"][&name]);
            (name, field)
        });
        serde_json::from_value(json.collect())
            .map(Self)
            .map_err(|error| {
                let help = "the struct and the schema must agree";
                Error::internal(format!(
                    "the answer does not fit its struct: {error}; {help}"
                ))
            })
    }

    fn to_value(&self, input: &InputKind) -> Result<Value> {
        let schema = schema(input);
        let json = serde_json::to_value(&self.0)
            .map_err(|error| Error::config(format!("the object is not JSON: {error}")))?;
        let Json::Object(members) = json else {
            return Err(Error::config(
                "the object must be a struct or map".to_owned(),
            ));
        };
        let present = members.into_iter().filter(|(_, json)| !json.is_null());
        let fields = present.map(|(name, json)| {
            let field = of_json(json, &schema["properties"][&name])
                .ok_or_else(|| Error::config(format!("{name}: an object's fields must be flat")))?;
            Ok((name, field))
        });
        Ok(Kind::Object(ObjectValue {
            fields: fields.collect::<Result<_>>()?,
        })
        .into_value())
    }
}

/// Spares the wrapping of each kind.
trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Kind {
    fn into_value(self) -> Value {
        Value { kind: Some(self) }
    }
}

fn picked(selected: Vec<String>) -> Value {
    Kind::Choice(ChoiceValue { selected }).into_value()
}

fn mismatch(wanted: &str, found: Option<&Kind>) -> Error {
    Error::internal(format!(
        "the server sent {found:?} where the event asks for {wanted}"
    ))
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
        // A field is never an object.
        Some(Kind::Object(_)) | None => Json::Null,
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
    use serde::Deserialize;
    use serde_json::json;

    fn returns<T: DataType + PartialEq + std::fmt::Debug>(value: &T, input: &InputKind) {
        let travelled = T::from_value(value.to_value(input).unwrap(), input).unwrap();
        assert_eq!(&travelled, value);
    }

    #[test]
    fn every_type_returns_as_it_was() {
        let any = InputKind::Int(IntInput::default());
        for number in [i64::MIN, -1, 0, 9_007_199_254_740_993, i64::MAX] {
            returns(&number, &any);
        }
        returns(&f64::MIN_POSITIVE, &any);
        returns(&"\u{202e}text\n".to_owned(), &any);
        returns(&true, &any);
        returns(&Choice("a".to_owned()), &any);
        returns(&Choices(vec!["a".to_owned(), "b".to_owned()]), &any);
    }

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
        let input = InputKind::Object(ObjectInput {
            json_schema: schema.to_string(),
        });
        let deploy = Deploy {
            replicas: i64::MAX,
            share: 1.0,
            region: "eu".to_owned(),
            checks: vec!["lint".to_owned()],
            note: None,
        };
        let value = Object(deploy).to_value(&input).unwrap();
        let Some(Kind::Object(object)) = &value.kind else {
            panic!("{value:?}")
        };
        assert_eq!(object.fields["region"], picked(vec!["eu".to_owned()]));
        assert!(!object.fields.contains_key("note"));
        let Object(deploy) = Object::<Deploy>::from_value(value, &input).unwrap();
        assert_eq!((deploy.replicas, deploy.region.as_str()), (i64::MAX, "eu"));

        let whole = Object(json!({"share": 1})).to_value(&input).unwrap();
        let Some(Kind::Object(object)) = whole.kind else {
            panic!()
        };
        assert_eq!(object.fields["share"].kind, Some(Kind::Float(1.0)));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let input = InputKind::Object(ObjectInput::default());
        assert!(i64::from_value(Kind::Bool(true).into_value(), &input).is_err());
        assert!(Choice::from_value(picked(vec![]), &input).is_err());
        assert!(Object(json!({"a": {"b": 1}})).to_value(&input).is_err());
        assert!(Object(json!([1])).to_value(&input).is_err());
    }
}
