//! The types of JSON, by the names of JSON Schema and in words for people.

use serde_json::Value as Json;

use super::numbers;

/// Whether the value is of one of `types`: a name, or a list of names.
pub(super) fn is_of_type(value: &Json, types: &Json) -> bool {
    let is = |name: &Json| match (name.as_str(), value) {
        (Some("null"), Json::Null)
        | (Some("boolean"), Json::Bool(_))
        | (Some("number"), Json::Number(_))
        | (Some("string"), Json::String(_))
        | (Some("array"), Json::Array(_))
        | (Some("object"), Json::Object(_)) => true,
        (Some("integer"), Json::Number(number)) => numbers::is_whole(number),
        _ => false,
    };
    types.as_array().map_or_else(|| is(types), |types| types.iter().any(is))
}

/// What `types` want, in words.
pub(super) fn in_words(types: &Json) -> String {
    let word = |name: &Json| match name.as_str() {
        Some("null") => "null",
        Some("boolean") => "true or false",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("string") => "text in quotes",
        Some("array") => "an array",
        _ => "an object",
    };
    match types {
        Json::Array(types) => types.iter().map(word).collect::<Vec<_>>().join(" or "),
        one => word(one).to_owned(),
    }
}

/// What the value is, in words.
pub(super) fn kind(value: &Json) -> String {
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => truth.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(_) => "text".to_owned(),
        Json::Array(_) => "an array".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    }
}
