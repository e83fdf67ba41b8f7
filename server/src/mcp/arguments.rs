//! The arguments of the tools for questions that were asked before.

use std::collections::BTreeMap;

use hitl_proto::v1::EventState;
use rmcp::model::JsonObject;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::refused::Refused;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WaitArguments {
    pub(super) id: String,
    #[serde(default)]
    pub(super) wait_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CancelArguments {
    pub(super) id: String,
    #[serde(default)]
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListArguments {
    #[serde(default)]
    pub(super) state: Listed,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) limit: Option<i32>,
    #[serde(default)]
    pub(super) cursor: String,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Listed {
    #[default]
    Pending,
    Answered,
    Declined,
    Cancelled,
    TimedOut,
    All,
}

impl From<Listed> for EventState {
    fn from(listed: Listed) -> Self {
        match listed {
            Listed::Pending => Self::Pending,
            Listed::Answered => Self::Answered,
            Listed::Declined => Self::Declined,
            Listed::Cancelled => Self::Cancelled,
            Listed::TimedOut => Self::TimedOut,
            Listed::All => Self::Unspecified,
        }
    }
}

/// What the model has given, as arguments of one tool.
///
/// # Errors
/// An argument that there is not, or that is of another kind.
pub(super) fn read<T: DeserializeOwned>(given: Option<JsonObject>) -> Result<T, Refused> {
    let given = Value::Object(given.unwrap_or_default());
    serde_json::from_value(given).map_err(|error| Refused::other(format!("the arguments: {error}")))
}
