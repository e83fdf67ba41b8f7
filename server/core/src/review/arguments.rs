//! What an action would be taken with: JSON that every program reads alike, and its digest.

use serde_json::Value as Json;

use crate::limits;
use crate::literal;
use crate::strict_json;

/// `text` as JSON.
///
/// # Errors
/// What keeps it from being read, or what two programs would read as different things.
pub fn read(text: &str) -> Result<Json, String> {
    if text.len() > limits::ARGUMENTS_BYTES_MAX {
        return Err(format!("must have at most {} bytes", limits::ARGUMENTS_BYTES_MAX));
    }
    let text = without_mark(text);
    strict_json::check(text.as_bytes())?;
    let read = serde_json::from_str(text).map_err(|error| format!("must be JSON: {error}"))?;
    match literal::first_ambiguous(text) {
        None => Ok(read),
        Some(number) => Err(format!(
            "has the number {}, of which not every program keeps all digits: write it as text",
            literal::shortened(number)
        )),
    }
}

/// `text` without the byte order mark that editors put there, and that is no part of JSON.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The SHA-256, in 64 lower-case hexadecimal digits, of `{"action": …, "arguments": …}` in its canonical form.
///
/// # Errors
/// What keeps the arguments from being read.
pub fn digest(action: &str, arguments: &str) -> Result<String, String> {
    Ok(hitl_canonical::action_digest(action, &read(arguments)?))
}
