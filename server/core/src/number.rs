//! Numbers as people type them.
//!
//! The form of a number is `-1234.5`. People also type what their keyboard, their country or the
//! page that they copy from puts there: other minus signs and digits, spaces and commas. All of
//! that is understood as long as it can mean one number only. What can mean two is refused with
//! both, since a thousandth of what was meant is worse than one more try.

use crate::input::refuse;
use crate::rejection::Violation;
use crate::typed::{is_invisible, named, trimmed};

type Result<T> = std::result::Result<T, String>;

/// What is wanted, said by the parts of a number that are typed.
const WHOLE: &str = "must be a whole number, such as 42";
const ANY: &str = "must be a number, such as 1.5";

/// Reads a whole number as people type it.
///
/// # Errors
/// How to write it.
pub fn int(text: &str) -> std::result::Result<i64, Vec<Violation>> {
    read_int(text).map_err(refuse)
}

/// Reads a number as people type it.
///
/// # Errors
/// How to write it.
pub fn float(text: &str) -> std::result::Result<f64, Vec<Violation>> {
    read_float(text).map_err(refuse)
}

fn read_int(text: &str) -> Result<i64> {
    let plain = plain(text, WHOLE)?;
    let Parts { sign, mantissa, exponent } = Parts::of(&plain).ok_or(WHOLE)?;
    let Mantissa { whole, fraction, is_doubtful } = Mantissa::of(mantissa).ok_or(WHOLE)?;
    if is_doubtful || (exponent.is_none() && could_be_groups(mantissa)) {
        return Err(two_meanings(sign, &whole, &fraction));
    }
    if exponent.is_some() || mantissa_has_fraction(mantissa, &fraction) {
        return Err(WHOLE.to_owned());
    }
    let number = format!("{sign}{whole}").parse();
    number.map_err(|_| format!("must lie between {} and {}", i64::MIN, i64::MAX))
}

fn read_float(text: &str) -> Result<f64> {
    let plain = plain(text, ANY)?;
    let Parts { sign, mantissa, exponent } = Parts::of(&plain).ok_or(ANY)?;
    let Mantissa { whole, fraction, is_doubtful } = Mantissa::of(mantissa).ok_or(ANY)?;
    if is_doubtful {
        return Err(two_meanings(sign, &whole, &fraction));
    }
    let exponent = exponent.unwrap_or("0");
    let number: f64 =
        format!("{sign}0{whole}.{fraction}0e{exponent}").parse().map_err(|_| ANY.to_owned())?;
    if number.is_infinite() {
        return Err("is too large for a number of 64 bits".to_owned());
    }
    if number == 0.0 && whole.bytes().chain(fraction.bytes()).any(|digit| digit != b'0') {
        return Err("is too close to 0 for a number of 64 bits".to_owned());
    }
    Ok(number)
}

/// `text` in digits, signs, points, commas, `e`, and one kind of space and of apostrophe.
fn plain(text: &str, wanted: &str) -> Result<String> {
    // It turns digits around: nobody can say what was seen.
    if text.contains('\u{202e}') {
        return Err(stranger('\u{202e}', wanted));
    }
    let mut plain = String::new();
    for c in trimmed(text).chars() {
        let c = match c {
            c if is_invisible(c) => continue,
            // The full width forms of ASCII, in its order.
            '\u{ff0b}'..='\u{ff5a}' => {
                char::from_u32(u32::from(c) - 0xfee0).expect("a full width form has an ASCII form")
            }
            '\u{2010}'..='\u{2013}' | '\u{2212}' | '\u{fe63}' => '-',
            '\u{fe62}' => '+',
            '\u{fe50}' => ',',
            '\u{fe52}' => '.',
            '\u{2018}' | '\u{2019}' | '\u{2bc}' => '\'',
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                return Err(stranger(c, wanted));
            }
            c if c.is_whitespace() => ' ',
            c => c,
        };
        match c {
            '0'..='9' | '+' | '-' | '.' | ',' | '\'' | ' ' => plain.push(c),
            'e' | 'E' => plain.push('e'),
            c => return Err(stranger(c, wanted)),
        }
    }
    Ok(plain)
}

fn stranger(c: char, wanted: &str) -> String {
    format!("{wanted}, and must not hold {}", named(c))
}

fn two_meanings(sign: &str, whole: &str, fraction: &str) -> String {
    format!("can mean {sign}{whole}{fraction} or {sign}{whole}.{fraction}: write one of these")
}

/// A number taken apart.
struct Parts<'a> {
    sign: &'static str,
    mantissa: &'a str,
    exponent: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(plain: &'a str) -> Option<Self> {
        let (sign, unsigned) = match plain.strip_prefix(['+', '-']) {
            // A typeset minus often has a space behind it.
            Some(unsigned) if plain.starts_with('-') => ("-", unsigned.trim_start()),
            Some(unsigned) => ("", unsigned.trim_start()),
            None => ("", plain),
        };
        let Some((mantissa, exponent)) = unsigned.split_once('e') else {
            return Some(Self { sign, mantissa: unsigned, exponent: None });
        };
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        is_digits(digits).then_some(Self { sign, mantissa, exponent: Some(exponent) })
    }
}

/// The digits of a number.
struct Mantissa {
    whole: String,
    fraction: String,
    /// Whether its one comma may stand before a fraction or between thousands.
    is_doubtful: bool,
}

impl Mantissa {
    fn of(text: &str) -> Option<Self> {
        let point = decimal_separator(text)?;
        let (whole, fraction) = match point {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, ""),
        };
        let is_comma = point.is_some_and(|at| text[at..].starts_with(','));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit())
            || (fraction.is_empty() && (is_comma || whole.is_empty()))
        {
            return None;
        }
        Some(Self {
            whole: ungrouped(whole)?,
            fraction: fraction.to_owned(),
            is_doubtful: is_comma && could_be_groups(text),
        })
    }
}

/// Where the fraction of `text` begins, if it has one; none at all if it cannot be read.
fn decimal_separator(text: &str) -> Option<Option<usize>> {
    let count = |separator: char| text.matches(separator).count();
    let last = text.rfind(['.', ',']);
    match (count('.'), count(',')) {
        (0, 0) => Some(None),
        // Several of one kind stand between thousands, and so does the only one of its kind before the other.
        (0, 2..) | (2.., 0) => Some(None),
        (0, 1) | (1, 0) => Some(last),
        (points, commas) => {
            let is_point = text[last?..].starts_with('.');
            let is_alone = if is_point { points == 1 } else { commas == 1 };
            is_alone.then_some(last)
        }
    }
}

/// Whether `text` is a group of one to three digits, a separator and another group of three, which reads as thousands.
fn could_be_groups(text: &str) -> bool {
    text.split_once(['.', ',']).is_some_and(|(first, second)| {
        is_digits(first)
            && first.len() <= 3
            && !first.starts_with('0')
            && is_digits(second)
            && second.len() == 3
    })
}

/// The digits of `text` without what stands between its thousands, if that is one thing and stands nowhere else.
fn ungrouped(text: &str) -> Option<String> {
    let Some(separator) = text.chars().find(|c| !c.is_ascii_digit()) else {
        return Some(text.to_owned());
    };
    let mut groups = text.split(separator);
    let first = groups.next()?;
    let is_first = first.len() <= 3 && is_digits(first) && !first.starts_with('0');
    let separates = matches!(separator, ' ' | '\'' | '.' | ',');
    (separates && is_first && groups.all(|group| group.len() == 3 && is_digits(group)))
        .then(|| text.replace(separator, ""))
}

/// Whether the mantissa of a whole number was typed with a fraction, even an empty one.
fn mantissa_has_fraction(mantissa: &str, fraction: &str) -> bool {
    !fraction.is_empty() || mantissa.ends_with('.')
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
#[path = "number_tests.rs"]
mod tests;
