//! Typed answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::review::ReviewValue;

/// A typed answer, of the kind of the input it answers.
///
/// Stored as JSON with the kind as its key, such as `{"int": 42}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text.
    Str(String),
    /// Yes or no.
    Bool(bool),
    /// Values of the picked options, in the order of the input.
    Choice(Vec<String>),
    /// Field name to value; never an object itself.
    Object(BTreeMap<String, Value>),
    /// A decision on an action.
    Review(ReviewValue),
}

impl Value {
    /// What the kind is called in messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bool(_) => "bool",
            Self::Choice(_) => "choice",
            Self::Object(_) => "object",
            Self::Review(_) => "review",
        }
    }

    /// Whether this is what an untouched form field sends.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Str(text) => text.is_empty(),
            Self::Choice(selected) => selected.is_empty(),
            Self::Int(_) | Self::Float(_) | Self::Bool(_) | Self::Object(_) | Self::Review(_) => {
                false
            }
        }
    }

    /// Bytes of all the text within, which is what a value's size is limited by.
    pub fn text_bytes(&self) -> usize {
        match self {
            Self::Int(_) | Self::Float(_) | Self::Bool(_) => 8,
            Self::Str(text) => text.len(),
            Self::Choice(selected) => selected.iter().map(String::len).sum(),
            Self::Object(fields) => {
                fields.iter().map(|(name, value)| name.len() + value.text_bytes()).sum()
            }
            Self::Review(value) => value.text_bytes(),
        }
    }

    /// The same value as plain JSON: `42`, `"text"`, `["option"]`, `{"field": 1}`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Int(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Str(text) => text.as_str().into(),
            Self::Bool(truth) => (*truth).into(),
            Self::Choice(selected) => selected.clone().into(),
            Self::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
            Self::Review(value) => value.to_json(),
        }
    }
}
