//! Bodies that are no message of the API: plain objects whose members are taken out one by one.

use std::collections::BTreeMap;

use hitl_core::strict_json;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::Failure;

/// The members of a body, each as it was written, so that no number loses digits on the way.
pub(super) struct Members(BTreeMap<String, Box<RawValue>>);

impl Members {
    /// The members of `body`, which must be an object that names each of them once.
    pub(super) fn read(body: &[u8]) -> Result<Self, Failure> {
        strict_json::check(body).map_err(|message| Failure::invalid("body", message))?;
        let members = serde_json::from_slice(body).map_err(|error| {
            Failure::invalid("body", format!("must be an object in JSON: {error}"))
        })?;
        Ok(Self(members))
    }

    /// Takes a member out as it was written.
    pub(super) fn json(&mut self, name: &str) -> Option<String> {
        Some(self.0.remove(name)?.get().to_owned())
    }

    /// Takes a text out; null is as good as absent.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let Some(json) = self.json(name) else { return Ok(None) };
        match serde_json::from_str(&json) {
            Ok(Value::String(text)) => Ok(Some(text)),
            Ok(Value::Null) => Ok(None),
            _ => Err(Failure::invalid(name, "must be text in quotes, such as \"text\"")),
        }
    }

    /// Refuses whatever has not been taken out.
    pub(super) fn nothing_else(self) -> Result<(), Failure> {
        match self.0.first_key_value() {
            None => Ok(()),
            Some((name, _)) => Err(Failure::invalid(name, "means nothing here")),
        }
    }
}
