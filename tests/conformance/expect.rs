//! Whether what came back is what must come back: at least what is written, and exactly that where something is.

use anyhow::{Result, bail, ensure};
use serde_json::Value as Json;

/// Fails with the first place where `actual` lacks what is `expected`. Objects may have more fields; lists may not have
/// more items. `{"$contains": "text"}` stands for any string with that in it, `{"$lacks": "text"}` for one without,
/// `{"$present": true}` for anything but null, `{"$absent": true}` for nothing.
pub(crate) fn matches(expected: &Json, actual: &Json, place: &str) -> Result<()> {
    if let Some(text) = expected.get("$contains").and_then(Json::as_str) {
        let found = actual.as_str().is_some_and(|actual| actual.contains(text));
        ensure!(found, "{place}: {actual} does not contain {text:?}");
        return Ok(());
    }
    if let Some(text) = expected.get("$lacks").and_then(Json::as_str) {
        let lacks = actual.as_str().is_some_and(|actual| !actual.contains(text));
        ensure!(lacks, "{place}: {actual} is no text without {text:?}");
        return Ok(());
    }
    if expected.get("$present").is_some() {
        ensure!(!actual.is_null() && actual != "", "{place}: nothing there");
        return Ok(());
    }
    if expected.get("$absent").is_some() {
        ensure!(actual.is_null(), "{place}: {actual} is there");
        return Ok(());
    }
    match (expected, actual) {
        (Json::Object(expected), Json::Object(fields)) => {
            for (name, expected) in expected {
                let actual = fields.get(name).unwrap_or(&Json::Null);
                matches(expected, actual, &format!("{place}.{name}"))?;
            }
        }
        (Json::Array(expected), Json::Array(items)) => {
            ensure!(
                expected.len() == items.len(),
                "{place}: {} items, not {}: {actual}",
                items.len(),
                expected.len()
            );
            for (index, (expected, actual)) in expected.iter().zip(items).enumerate() {
                matches(expected, actual, &format!("{place}.{index}"))?;
            }
        }
        // A number with a fraction may come without it; one without must come as it is, to the last digit.
        (Json::Number(expected), Json::Number(number))
            if expected.is_f64() && expected.as_f64() == number.as_f64() => {}
        _ if expected == actual => {}
        _ => bail!("{place}: {actual}, not {expected}"),
    }
    Ok(())
}
