//! JSON Schema (draft 2020-12) of arguments: which schemas are taken, and whether a value fits one.
//!
//! Each step of a check is counted, since a schema of some hundred bytes can ask for more of them than there is time:
//! references that double at each level, alternatives of alternatives. Whether a check is too much work depends on the
//! schema and the value alone, never on the machine. Patterns are in the dialect of all patterns here, and bounded like
//! them. What would restrict and is not known here is refused when the event is created, and what only describes is
//! passed over.

mod keywords;
mod numbers;
mod steps;
mod types;

use serde_json::Value as Json;

use crate::limits;
use crate::pattern::Work;
use crate::rejection::Violation;
use crate::strict_json;
use steps::Checker;

/// The schema that `text` is, if it is one that may be used; none if it is empty.
pub(super) fn check_self(text: &str) -> Result<Option<Json>, Vec<Violation>> {
    if text.is_empty() {
        return Ok(None);
    }
    let refuse = |message: String| vec![Violation::new("json_schema", message)];
    if text.len() > limits::SCHEMA_BYTES_MAX {
        return Err(refuse(format!("must have at most {} bytes", limits::SCHEMA_BYTES_MAX)));
    }
    strict_json::check(text.as_bytes()).map_err(refuse)?;
    let schema = serde_json::from_str(text)
        .map_err(|error| refuse(format!("must be a JSON Schema: {error}")))?;
    let broken = keywords::check(&schema);
    if broken.is_empty() { Ok(Some(schema)) } else { Err(broken) }
}

/// The schema that an accepted `text` is.
pub(super) fn read(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}

/// Every rule of `schema` that `value` breaks, up to 20, with paths that start at `path`.
pub(super) fn check(schema: &Json, value: &Json, path: &str, work: &mut Work) -> Vec<Violation> {
    let mut checker = Checker::new(schema, work);
    checker.check(schema, value, path)
}

#[cfg(test)]
mod tests;
