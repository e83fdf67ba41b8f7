//! Numbers as JSON Schema sees them: 1.0 is a whole number, and equal to 1.

use serde_json::{Number, Value as Json};

/// A whole number, 0 or more, that counts something.
pub(super) fn count(json: &Json) -> Option<usize> {
    let number = json.as_f64().filter(|number| number.fract() == 0.0 && *number >= 0.0)?;
    // What counts more than can be there counts as that.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    Some(number as usize)
}

/// Whether it has no fraction.
pub(super) fn is_whole(number: &Number) -> bool {
    number.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// As a double. Numbers of arguments are all held by one.
pub(super) fn double(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// Whether `number` is a multiple of `of`, but for what doubles lose.
pub(super) fn is_multiple(number: &Number, of: f64) -> bool {
    const SLACK: f64 = 1e-9;
    let times = double(number) / of;
    times.is_finite() && (times - times.round()).abs() <= SLACK * times.abs().max(1.0)
}

/// Whether two values are the same: numbers by what they are, objects whatever the order of their members.
pub(super) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        #[expect(clippy::float_cmp, reason = "equal numbers are the same double")]
        (Json::Number(a), Json::Number(b)) => double(a) == double(b),
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}
