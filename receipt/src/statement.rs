//! What a receipt says, once it is proven that it was signed.

use serde_json::Value;

/// The text of a receipt that was verified, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement(Value);

impl Statement {
    /// Reads the text of a receipt.
    ///
    /// # Errors
    /// In words, what is not understood.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match value.get("format").and_then(Value::as_str) {
            Some("hitl.receipt.v1" | "hitl.receipt.v2" | "hitl.receipt.v3") => Ok(Self(value)),
            Some(other) => Err(format!("its format is {other:?}")),
            None => Err("it names no format".to_owned()),
        }
    }

    /// All of it: `question` and `response`, as the JSON of the API has them.
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The namespace of the event.
    pub fn namespace(&self) -> &str {
        self.text("/question/namespace")
    }

    /// The id of the event.
    pub fn event_id(&self) -> &str {
        self.text("/question/id")
    }

    /// How the event ended, such as `EVENT_STATE_ANSWERED`.
    pub fn state(&self) -> &str {
        self.text("/response/state")
    }

    /// When the event ended, in RFC 3339.
    pub fn time(&self) -> &str {
        self.text("/response/time")
    }

    /// The text at `pointer` (RFC 6901); empty if there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}
