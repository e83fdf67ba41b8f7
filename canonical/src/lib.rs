//! Canonical JSON (RFC 8785): one text for each value, so that whoever has the value can make the same bytes.
//!
//! Members are ordered by the UTF-16 code units of their names, numbers are written as ECMAScript writes them, and
//! there is no space. Numbers are doubles there: whole numbers that a double does not hold must come in as text.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// No double has more digits.
const EXACT_DIGITS: usize = 767;

/// The SHA-256 of an action and what it is taken with, in 64 lower-case hexadecimal digits: of
/// `{"action": …, "arguments": …}` in its canonical form.
///
/// ```
/// let arguments = serde_json::json!({"to": "Ada", "amount": 120, "notify": true});
/// let digest = hitl_canonical::action_digest("refund", &arguments);
/// assert_eq!(digest, "6e754bf35ee93590a88fc501983653a2da86e76841c678157cd4aec356b9ffd5");
/// ```
pub fn action_digest(action: &str, arguments: &Value) -> String {
    let mut canonical = String::from("{\"action\":");
    canonical.push_str(&string(action));
    canonical.push_str(",\"arguments\":");
    write(&mut canonical, arguments);
    canonical.push('}');
    let hash = Sha256::digest(canonical);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `value` in its canonical form.
pub fn text(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value);
    text
}

fn write(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(it) => text.push_str(&number(it)),
        Value::String(it) => text.push_str(&string(it)),
        Value::Array(items) => list(text, ['[', ']'], items, write),
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            list(text, ['{', '}'], sorted, |text, (name, value)| {
                text.push_str(&string(name));
                text.push(':');
                write(text, value);
            });
        }
    }
}

fn list<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    text.push(open);
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

/// What `serde_json` escapes, and how, is what the RFC says.
fn string(it: &str) -> String {
    serde_json::to_string(it).expect("text is always JSON")
}

fn number(it: &Number) -> String {
    double(it.as_f64().expect("every number of serde_json is a double, or is made one"))
}

/// A finite double as ECMAScript's `Number.prototype.toString` writes it.
fn double(it: f64) -> String {
    if it == 0.0 {
        return "0".to_owned();
    }
    let (digits, exponent) = shortest(it.abs());
    let sign = if it < 0.0 { "-" } else { "" };
    let count = i32::try_from(digits.len()).expect("a double has 17 digits at most");
    // How many digits stand before the point.
    let point = exponent + 1;
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let written = match point {
        _ if count <= point && point <= 21 => digits + &zeros(point - count),
        1..=21 => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
            format!("{whole}.{fraction}")
        }
        -5..=0 => format!("0.{}{digits}", zeros(-point)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{first}{dot}{rest}e{exponent:+}")
        }
    };
    format!("{sign}{written}")
}

/// The fewest digits that are read as the same double, and the power of ten of the first. Of several the nearest are
/// taken, as Rust does, and of two that are equally near the even ones, as Rust does not.
fn shortest(it: f64) -> (String, i32) {
    let split = |scientific: String| {
        let (digits, exponent) = scientific.split_once('e').expect("that is its form");
        (digits.replace('.', ""), exponent.parse::<i32>().expect("that is its form"))
    };
    let (digits, exponent) = split(format!("{it:e}"));
    let (exact, exact_exponent) = split(format!("{it:.EXACT_DIGITS$e}"));
    let exact = exact.trim_end_matches('0');
    let is_tie =
        exact.len() == digits.len() + 1 && exact.ends_with('5') && exponent == exact_exponent;
    if let Some(lower) = is_tie.then(|| exact[..digits.len()].parse::<u64>().ok()).flatten() {
        let even = (lower + lower % 2).to_string();
        let after_first = i32::try_from(digits.len() - 1).expect("a double has 17 digits at most");
        let read = format!("{even}e{}", exponent - after_first).parse();
        if even.len() == digits.len() && read == Ok(it) {
            return (even, exponent);
        }
    }
    (digits, exponent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_are_written_as_the_rfc_lists_them() {
        for (bits, written) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(double(f64::from_bits(bits)), written, "{bits:x}");
        }
    }

    /// RFC 8785, sections 3.2.2 and 3.2.3.
    #[test]
    fn the_examples_of_the_rfc_become_its_texts() {
        let literals: Value = serde_json::from_str(
            r#"{
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        assert_eq!(
            text(&literals),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\
             \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
        let names: Value = serde_json::from_str(
            r#"{
              "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh",
              "1": "One", "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
              "\u00f6": "Latin Small Letter O With Diaeresis"
            }"#,
        )
        .unwrap();
        assert_eq!(
            text(&names),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
             \"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\",\
             \"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        );
    }

    #[test]
    fn nothing_is_empty_or_spaced_in_two_ways() {
        assert_eq!(text(&json!({"b": [], "a": {}, "": [1, [2]]})), r#"{"":[1,[2]],"a":{},"b":[]}"#);
        assert_eq!(text(&json!(["\u{8}\u{c}\t\u{7f}\u{1f}"])), "[\"\\b\\f\\t\u{7f}\\u001f\"]");
    }

    proptest! {
        #[test]
        fn a_number_is_read_back_as_the_same_double(bits: u64) {
            let it = f64::from_bits(bits);
            prop_assume!(it.is_finite());
            prop_assert_eq!(double(it).parse::<f64>().unwrap(), it);
        }

        #[test]
        fn a_text_is_read_back_as_the_same_text(it: String) {
            prop_assert_eq!(serde_json::from_str::<String>(&string(&it)).unwrap(), it);
        }
    }
}
