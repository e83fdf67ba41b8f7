//! What people type for a number, and what of it can mean one number only.

use proptest::prelude::*;

use super::{read_float, read_int};

#[test]
fn what_keyboards_and_typesetters_put_into_numbers_is_understood() {
    for (text, number) in [
        ("\u{feff}42\u{200b}", 42.0),
        ("4\u{2060}2", 42.0),
        ("\u{200e}-5", -5.0),
        ("−5", -5.0),
        ("–5", -5.0),
        ("- 5", -5.0),
        ("＋１２", 12.0),
        ("－１２", -12.0),
        ("1 234 567", 1_234_567.0),
        ("1\u{a0}234", 1_234.0),
        ("12\u{202f}345", 12_345.0),
        ("-1\u{2009}234", -1_234.0),
        ("1'234'567", 1_234_567.0),
        ("1’234", 1_234.0),
        ("1,234,567", 1_234_567.0),
        ("1.234.567", 1_234_567.0),
        ("007", 7.0),
    ] {
        assert_eq!(read_float(text), Ok(number), "{text:?}");
        #[expect(clippy::cast_possible_truncation, reason = "all of them are whole and small")]
        let whole = number as i64;
        assert_eq!(read_int(text), Ok(whole), "{text:?}");
    }
}

#[test]
fn a_decimal_comma_is_understood_where_it_can_be_nothing_else() {
    for (text, number) in [
        ("1,5", 1.5),
        ("-0,25", -0.25),
        (",5", 0.5),
        ("0,125", 0.125),
        ("1234,567", 1234.567),
        ("1,2345", 1.2345),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 234,567", 1234.567),
        ("1'234.567", 1234.567),
        ("1.234.567,89", 1_234_567.89),
        ("１，５", 1.5),
        ("2,5e−3", 0.0025),
        ("1.234", 1.234),
        ("5.", 5.0),
        (".5", 0.5),
    ] {
        assert_eq!(read_float(text), Ok(number), "{text:?}");
        assert!(read_int(text).is_err(), "{text:?}");
    }
}

#[test]
fn what_can_mean_two_numbers_is_refused_with_both() {
    let both = "can mean 1234 or 1.234: write one of these";
    assert_eq!(read_float("1,234").unwrap_err(), both);
    assert_eq!(read_int("1,234").unwrap_err(), both);
    assert_eq!(read_int("1.234").unwrap_err(), both);
    let both = "can mean -12000 or -12.000: write one of these";
    assert_eq!(read_float("-12,000").unwrap_err(), both);
}

#[test]
fn a_character_that_belongs_to_no_number_is_named() {
    for (text, character) in [
        ("€5", "\"€\" (U+20AC, a currency sign)"),
        ("5 %", "\"%\" (a percent sign)"),
        ("٤٢", "\"٤\" (U+0664, a digit or number that is not one of 0 to 9)"),
        ("4²", "\"²\" (U+00B2, a digit or number that is not one of 0 to 9)"),
        ("1_000", "\"_\" (a low line)"),
        ("\u{202e}12", "(U+202E, a mark for the direction of writing)"),
        ("1\t2", "(U+0009, a tab)"),
        ("—5", "\"—\" (U+2014, a dash)"),
        ("1٫5", "\"٫\" (U+066B, an Arabic decimal separator)"),
        ("NaN", "\"N\" (a letter)"),
    ] {
        for message in [read_int(text).unwrap_err(), read_float(text).unwrap_err()] {
            assert!(message.contains("number, such as"), "{text:?}: {message}");
            assert!(message.ends_with(character), "{text:?}: {message}");
        }
    }
}

#[test]
fn what_is_no_number_is_refused_whatever_it_looks_like() {
    for bad in [
        "",
        " ",
        "-",
        "+",
        ".",
        ",",
        "e",
        "e5",
        "5e",
        "5e+",
        "1e2e3",
        "--1",
        "5-",
        "1-2",
        "1+1",
        "5,",
        "1-234",
        "1+234",
        "1 23",
        "12 34",
        "1 2345",
        "1234 567",
        "1,23,456",
        "12,34,567",
        "0,123,456",
        "1 234'567",
        "1.2.3",
        "1,2,3",
        "1,234.567.890",
        "1.2,3.4",
        "1 .5",
        "1. 5",
        "''",
        "'",
        "1'",
        "(5)",
        "1 e5",
    ] {
        assert!(read_int(bad).is_err(), "{bad:?}");
        assert!(read_float(bad).is_err(), "{bad:?}: {:?}", read_float(bad));
    }
    assert!(read_int("1e3").is_err(), "a person who types an exponent does not count");
    assert!(read_float("1e999").unwrap_err().contains("too large"));
    assert!(read_float("1e-999").unwrap_err().contains("too close to 0"));
    assert_eq!(read_float("0e999"), Ok(0.0));
    assert!(read_int("9 223 372 036 854 775 808").unwrap_err().contains("lie between"));
    assert_eq!(read_int("-9 223 372 036 854 775 808"), Ok(i64::MIN));
}

proptest! {
    #[test]
    fn a_number_survives_the_ways_of_countries(number in -9_999_999_i64..9_999_999, cents in 0_u8..100) {
        let digits = number.unsigned_abs().to_string();
        let mut groups: Vec<&str> = digits.as_bytes().rchunks(3)
            .map(|group| std::str::from_utf8(group).unwrap()).collect();
        groups.reverse();
        let sign = if number < 0 { "-" } else { "" };
        let expected: f64 = format!("{sign}{digits}.{cents:02}").parse().unwrap();
        let ways = [(",", "."), (".", ","), (" ", ","), ("'", "."), ("\u{202f}", ","), ("", ","), ("", ".")];
        for (between, point) in ways {
            let text = format!("{sign}{}{point}{cents:02}", groups.join(between));
            prop_assert_eq!(read_float(&text), Ok(expected), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), near in r"[-+0-9., 'eE－１，\u{a0}]{0,12}") {
        let _ = (read_int(&text), read_float(&text), read_int(&near), read_float(&near));
    }
}
