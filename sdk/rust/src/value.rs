//! The types an answer can have, and how each travels as an input and a value of the API.

use std::ops::Deref;

use hitl_proto::v1::input::Kind as InputKind;
use hitl_proto::v1::value::Kind;
use hitl_proto::v1::{BoolInput, ChoiceInput, ChoiceValue, FloatInput, IntInput, StrInput, Value};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A type that an answer can have: `i64`, `f64`, `String`, `bool`, [`Choice`], [`Choices`], [`crate::Object`] of a
/// struct, or [`crate::Review`].
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

/// The one option that was picked. Serialized, it is that string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choice(pub String);

/// The options that were picked, in the order in which they were offered. Serialized, they are a list of strings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Choices(pub Vec<String>);

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
            _ => Err(Error::internal("the answer is not exactly one option".to_owned())),
        }
    }

    fn to_value(&self, _: &InputKind) -> Result<Value> {
        Ok(picked(vec![self.0.clone()]))
    }
}

/// Spares the wrapping of each kind.
pub(crate) trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for Kind {
    fn into_value(self) -> Value {
        Value { kind: Some(self) }
    }
}

pub(crate) fn picked(selected: Vec<String>) -> Value {
    Kind::Choice(ChoiceValue { selected }).into_value()
}

pub(crate) fn mismatch(wanted: &str, found: Option<&Kind>) -> Error {
    Error::internal(format!("the server sent {found:?} where the event asks for {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_picked_is_serialized_as_plain_strings() {
        let picked = (Choice("a".to_owned()), Choices(vec!["b".to_owned()]));
        let json = serde_json::to_string(&picked).unwrap();
        assert_eq!(json, r#"["a",["b"]]"#);
        assert_eq!(serde_json::from_str::<(Choice, Choices)>(&json).unwrap(), picked);
    }

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

    #[test]
    fn what_does_not_fit_is_an_error() {
        let input = InputKind::Bool(BoolInput::default());
        assert!(i64::from_value(Kind::Bool(true).into_value(), &input).is_err());
        assert!(Choice::from_value(picked(vec![]), &input).is_err());
    }
}
