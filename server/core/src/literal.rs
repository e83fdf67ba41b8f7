//! Numbers of JSON as they are written, before a double has rounded them.
//!
//! JSON has one kind of number and no limit to its digits, and most readers make a double of it:
//! 9007199254740993.0 becomes …992, and 4503599627370497.5 the whole number …498. Whether a number
//! is whole, and which, is therefore decided here, on its digits.

use std::borrow::Cow;

/// The number that a literal of JSON denotes, as far as it can be one of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A whole number of 64 bits.
    Is(i64),
    /// A whole number of more than 64 bits.
    TooLarge,
    /// Not a whole number.
    Not,
}

/// Most digits of a whole number of 64 bits.
const DIGITS_MAX: usize = 19;

/// Reads `literal`, which must be a number as JSON writes it, by its digits alone.
pub fn whole(literal: &str) -> Whole {
    let (sign, unsigned) = match literal.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", literal),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{before}{after}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Whole::Is(0);
    }
    let zeros_behind = digits.len() - digits.trim_end_matches('0').len();
    // The number is `significant` times ten to the power of `power`.
    let power = exponent_of(exponent)
        .saturating_add(length(zeros_behind))
        .saturating_sub(length(after.len()));
    if power < 0 {
        return Whole::Not;
    }
    let Some(zeros) = usize::try_from(power).ok().filter(|zeros| *zeros < DIGITS_MAX) else {
        return Whole::TooLarge;
    };
    if significant.len() + zeros > DIGITS_MAX {
        return Whole::TooLarge;
    }
    let number = format!("{sign}{significant}{}", "0".repeat(zeros)).parse();
    number.map_or(Whole::TooLarge, Whole::Is)
}

/// An exponent, held within 64 bits: one that large decides the matter whatever its digits are.
fn exponent_of(text: &str) -> i64 {
    let bound = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    text.parse().unwrap_or(bound)
}

fn length(digits: usize) -> i64 {
    i64::try_from(digits).unwrap_or(i64::MAX)
}

/// `json`, which must be JSON text, with every whole number of 64 bits written in digits alone, so
/// that a reader who makes doubles of all other numbers still reads it exactly.
///
/// # Errors
/// That a number which is not one of 64 bits would be read as one, for want of digits.
pub fn exact(json: &str) -> Result<Cow<'_, str>, String> {
    let mut written = String::new();
    let mut copied = 0;
    for (start, end) in (Numbers { json: json.as_bytes(), at: 0 }) {
        let literal = &json[start..end];
        // Readers read those exactly, and what is no number they refuse.
        if literal.bytes().all(|byte| byte.is_ascii_digit()) || !is_number(literal) {
            continue;
        }
        let double: f64 = literal.parse().unwrap_or(f64::NAN);
        let digits = match whole(literal) {
            Whole::Is(number) => number.to_string(),
            // As a double it is the least that no number of 64 bits reaches, and some readers take it for one.
            Whole::Not | Whole::TooLarge if double == BEYOND => "9223372036854775808".to_owned(),
            Whole::Not | Whole::TooLarge
                if double.fract() == 0.0 && (-BEYOND..BEYOND).contains(&double) =>
            {
                return Err(format!(
                    "the number {} has more digits than a number of 64 bits keeps: leave out those \
                     that do not matter",
                    shortened(literal)
                ));
            }
            Whole::Not | Whole::TooLarge => continue,
        };
        written.push_str(&json[copied..start]);
        written.push_str(&digits);
        copied = end;
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(json));
    }
    written.push_str(&json[copied..]);
    Ok(Cow::Owned(written))
}

/// The first number of `json`, which must be JSON text, that two programs may read as different ones: a whole number
/// that a double does not hold for certain, or a fraction that one rounds away or has no room for.
pub fn first_ambiguous(json: &str) -> Option<&str> {
    /// 2^53 - 1, the most of RFC 7493.
    const SAFE_MAX: i64 = 9_007_199_254_740_991;
    /// A double of that many digits is read back from them.
    const DIGITS_MAX: usize = 17;
    let numbers = Numbers { json: json.as_bytes(), at: 0 }.map(|(start, end)| &json[start..end]);
    let is_ambiguous = |literal: &&str| match whole(literal) {
        Whole::Is(number) => !(-SAFE_MAX..=SAFE_MAX).contains(&number),
        Whole::TooLarge => true,
        Whole::Not => {
            let mantissa = literal.split(['e', 'E']).next().unwrap_or_default();
            let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
            let significant = digits.trim_start_matches('0').trim_end_matches('0').len();
            let double: f64 = literal.parse().unwrap_or(f64::NAN);
            significant > DIGITS_MAX || !double.is_finite() || double.fract() == 0.0
        }
    };
    numbers.into_iter().find(is_ambiguous)
}

/// Two to the power of 63: the least double that is greater than every number of 64 bits with a sign.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// Whether `text` is a number as JSON writes it.
fn is_number(text: &str) -> bool {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let has_leading_zero = before.len() > 1 && before.starts_with('0');
    is_digits(before) && !has_leading_zero && is_digits(after) && is_digits(exponent)
}

/// So much of a literal as a message can hold.
pub(crate) fn shortened(literal: &str) -> String {
    const CHARS_MAX: usize = 40;
    match literal.char_indices().nth(CHARS_MAX) {
        None => literal.to_owned(),
        Some((end, _)) => format!("{}…", &literal[..end]),
    }
}

/// Where the numbers of a JSON text are. Of what is no JSON it finds anything, for the next reader to refuse.
struct Numbers<'a> {
    json: &'a [u8],
    at: usize,
}

impl Iterator for Numbers<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        while let Some(byte) = self.json.get(self.at) {
            match byte {
                b'"' => self.skip_string(),
                b'-' | b'0'..=b'9' => {
                    let start = self.at;
                    let is_part =
                        |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                    while self.json.get(self.at).is_some_and(is_part) {
                        self.at += 1;
                    }
                    return Some((start, self.at));
                }
                _ => self.at += 1,
            }
        }
        None
    }
}

impl Numbers<'_> {
    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.json.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_whole_by_its_digits_and_not_by_its_double() {
        let cases = [
            ("4503599627370497.5", Whole::Not),
            ("9007199254740993.0", Whole::Is(9_007_199_254_740_993)),
            ("1.00000000000000001", Whole::Not),
            ("0.99999999999999999999", Whole::Not),
            ("1e3", Whole::Is(1000)),
            ("1.5E+1", Whole::Is(15)),
            ("1200e-2", Whole::Is(12)),
            ("1250e-2", Whole::Not),
            ("-0.0e9", Whole::Is(0)),
            ("0e99999999999999999999", Whole::Is(0)),
            ("1e99999999999999999999", Whole::TooLarge),
            ("1e-99999999999999999999", Whole::Not),
            ("9223372036854775807.000", Whole::Is(i64::MAX)),
            ("9223372036854775808", Whole::TooLarge),
            ("-9223372036854775808.0", Whole::Is(i64::MIN)),
            ("-9223372036854775809", Whole::TooLarge),
            ("0.00000000000000000001e20", Whole::Is(1)),
        ];
        for (literal, expected) in cases {
            assert_eq!(whole(literal), expected, "{literal}");
        }
        let long = format!("1{}", "0".repeat(1_000_000));
        assert_eq!(whole(&long), Whole::TooLarge);
        assert_eq!(whole(&format!("{long}e-1000000")), Whole::Is(1));
    }

    #[test]
    fn whole_numbers_are_written_in_digits_and_all_else_stays() {
        let cases = [
            (
                r#"{"a": 9007199254740993.0, "b": [1e3, 0.5]}"#,
                r#"{"a": 9007199254740993, "b": [1000, 0.5]}"#,
            ),
            (r#"{"1e3": "2.0 \" 3.0"}"#, r#"{"1e3": "2.0 \" 3.0"}"#),
            ("9223372036854775808", "9223372036854775808"),
            ("9223372036854775808.0", "9223372036854775808"),
            ("9223372036854775807.5", "9223372036854775808"),
            ("[01.0, 1., .5, +1, -007, 1e, 2-3]", "[01.0, 1., .5, +1, -007, 1e, 2-3]"),
            ("1e300", "1e300"),
            ("-9223372036854775808.0", "-9223372036854775808"),
        ];
        for (text, expected) in cases {
            assert_eq!(exact(text).unwrap(), expected);
        }
        for misread in
            ["4503599627370497.5", "[1.00000000000000001]", "-9223372036854775809", "1e-400"]
        {
            assert!(exact(misread).is_err(), "{misread}");
        }
    }

    #[test]
    fn a_number_that_programs_read_differently_is_found() {
        let plain = r#"{"1e400": [0, -0.0, 0.1, 1e3, 9007199254740991, 1.7976931348623157e300]}"#;
        // A number of 300 digits is one, whichever way it is written.
        assert_eq!(first_ambiguous(plain), Some("1.7976931348623157e300"));
        assert_eq!(first_ambiguous(&plain.replace("e300", "e-300")), None);
        for number in [
            "9007199254740992",
            "-9007199254740993.0",
            "1e400",
            "1e-400",
            "0.12345678901234567890",
            "4503599627370497.5",
        ] {
            assert_eq!(first_ambiguous(&format!("[1, {{\"a\": {number}}}]")), Some(number));
        }
    }

    proptest! {
        #[test]
        fn every_whole_number_survives_any_way_to_write_it(number: i64, zeros in 0_usize..30) {
            let point = format!("{number}.{}", "0".repeat(zeros + 1));
            prop_assert_eq!(whole(&point), Whole::Is(number));
            let down = format!("{number}{}e-{zeros}", "0".repeat(zeros));
            prop_assert_eq!(whole(&down), Whole::Is(number));
            let text = exact(&point).unwrap().into_owned();
            prop_assert_eq!(text, number.to_string());
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), json in r#"[-+0-9.eE"\\\[\],é]{0,30}"#) {
            let _ = exact(&text);
            let _ = exact(&json);
            let _ = whole(&text);
        }

        #[test]
        fn no_double_is_refused(
            number in proptest::num::f64::NORMAL
                | proptest::num::f64::SUBNORMAL
                | proptest::num::f64::ZERO
        ) {
            let text = serde_json::Value::from(number).to_string();
            let exact = exact(&text).unwrap();
            prop_assert_eq!(serde_json::from_str::<f64>(&exact).unwrap(), number);
        }
    }
}
