//! Values of the API as plain JSON: what a person or a model would write.

use hitl_core::parse;
use hitl_proto::v1;
use hitl_service::Error;
use serde_json::Value as Json;

use super::{from_proto, to_proto};

/// Reads `json` as an answer to `input`. The rules of the input are not looked at.
///
/// # Errors
/// [`Error::InvalidAnswer`] if it is of another kind, [`Error::InvalidRequest`] if the input is none.
pub(crate) fn read(input: v1::Input, json: &str) -> Result<v1::Value, Error> {
    let input = from_proto::input(Some(input))?;
    parse::json(&input, json).map(|value| to_proto::value(&value)).map_err(Error::InvalidAnswer)
}

/// `value` as plain JSON; null if it has none.
pub(crate) fn json(value: v1::Value) -> Json {
    from_proto::value(Some(value), "value").map_or(Json::Null, |value| value.to_json())
}
