//! What text, JSON and form fields are read as, and what is refused rather than guessed.

use proptest::prelude::*;

use super::*;
use crate::choice::ChoiceOption;
use crate::input::{BoolInput, FloatInput, IntInput, StrFormat, StrInput};

fn choice(min_selected: u32, max_selected: u32) -> Input {
    let option = |value: &str, label: &str| ChoiceOption {
        value: value.into(),
        label: label.into(),
        description: String::new(),
    };
    let options = vec![option("a", "Apple"), option("b", "Pear"), option("c", "")];
    Input::Choice(ChoiceInput { options, min_selected, max_selected })
}

fn object() -> Input {
    let json_schema = r#"{"type":"object","required":["age"],"properties":{
        "age":{"type":"integer"},"nick":{"type":"string"},"ok":{"type":"boolean"}}}"#;
    Input::Object(ObjectInput { json_schema: json_schema.into() })
}

fn int() -> Input {
    Input::Int(IntInput::default())
}

fn float() -> Input {
    Input::Float(FloatInput::default())
}

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

proptest! {
    #[test]
    fn every_int_survives_text_and_json(number: i64) {
        prop_assert_eq!(text(&int(), &number.to_string()).unwrap(), Value::Int(number));
        prop_assert_eq!(json(&int(), &number.to_string()).unwrap(), Value::Int(number));
        prop_assert_eq!(json(&int(), &format!("\"{number}\"")).unwrap(), Value::Int(number));
    }

    #[test]
    fn every_finite_float_survives_text_and_json(number in proptest::num::f64::NORMAL | proptest::num::f64::ZERO) {
        prop_assert_eq!(text(&float(), &format!("{number:?}")).unwrap(), Value::Float(number));
        prop_assert_eq!(json(&float(), &Value::Float(number).to_json().to_string()).unwrap(), Value::Float(number));
    }

    #[test]
    fn every_text_survives(string in any::<String>()) {
        let input = Input::Str(StrInput::default());
        prop_assert_eq!(text(&input, &string).unwrap(), Value::Str(string.clone()));
        let quoted = serde_json::Value::from(string.as_str()).to_string();
        prop_assert_eq!(json(&input, &quoted).unwrap(), Value::Str(string));
    }

    #[test]
    fn no_text_makes_any_kind_panic(string in any::<String>()) {
        for input in [int(), float(), Input::Bool(BoolInput::default()), choice(1, 1), object()] {
            let _ = text(&input, &string);
            let _ = json(&input, &string);
            let _ = form(&input, &[("value".to_owned(), string.clone())]);
        }
    }
}

#[test]
fn int_text_is_ascii_digits_within_64_bits() {
    for good in ["42", " 42\n", "+42", "-9223372036854775808", "9223372036854775807"] {
        assert!(text(&int(), good).is_ok(), "{good:?}");
    }
    for bad in ["", "1_000", "١٢", "1.0", "0x10", "9223372036854775808", "--1", "1e3"] {
        assert!(text(&int(), bad).is_err(), "{bad:?}");
    }
}

#[test]
fn float_text_is_a_finite_number() {
    for bad in ["", "nan", "NaN", "inf", "-Infinity", "1e999", "1_0", "e", "."] {
        assert!(text(&float(), bad).is_err(), "{bad:?}");
    }
    assert_eq!(text(&float(), "-1.5e3").unwrap(), Value::Float(-1500.0));
}

#[test]
fn bool_text_is_one_of_two_strict_lists() {
    let input = Input::Bool(BoolInput::default());
    for (words, truth) in [("true 1 yes y t TRUE Yes", true), ("false 0 no n f No F", false)] {
        for word in words.split(' ') {
            assert_eq!(text(&input, word).unwrap(), Value::Bool(truth), "{word}");
        }
    }
    for bad in ["", "on", "approve", "2", "tru", "yess"] {
        assert!(text(&input, bad).is_err(), "{bad:?}");
    }
}

#[test]
fn json_of_another_kind_is_refused_not_converted() {
    for (input, bad) in [
        (int(), "1.5"),
        (int(), "1e300"),
        (int(), "9223372036854775808"),
        (int(), "null"),
        (int(), "true"),
        (float(), "[]"),
        (Input::Bool(BoolInput::default()), "1"),
        (Input::Str(StrInput::default()), "5"),
        (Input::Str(StrInput::default()), "null"),
        (choice(1, 1), "[1]"),
        (object(), "[]"),
        (object(), r#"{"age":1,"other":2}"#),
    ] {
        assert!(json(&input, bad).is_err(), "{} from {bad}", input.kind());
    }
    assert_eq!(json(&int(), "3.0").unwrap(), Value::Int(3));
}

#[test]
fn options_are_named_by_value_or_by_label() {
    assert_eq!(
        text(&choice(1, 2), "a\nPear").unwrap(),
        Value::Choice(vec!["a".into(), "b".into()])
    );
}

#[test]
fn an_empty_form_is_no_answer() {
    for input in
        [int(), Input::Str(StrInput::default()), choice(1, 1), Input::Bool(BoolInput::default())]
    {
        assert!(form(&input, &[]).is_err(), "{}", input.kind());
        assert!(form(&input, &pairs(&[("value", "")])).is_err(), "{}", input.kind());
    }
    let none_is_enough = Input::Str(StrInput { min_length: Some(0), ..StrInput::default() });
    assert_eq!(form(&none_is_enough, &pairs(&[("value", "")])).unwrap(), Value::Str(String::new()));
}

#[test]
fn a_form_fills_an_object_field_by_field() {
    let given =
        pairs(&[("value.age", "7"), ("value.nick", ""), ("value.ok", "yes"), ("csrf", "x")]);
    let fields = [("age".to_owned(), Value::Int(7)), ("ok".to_owned(), Value::Bool(true))];
    assert_eq!(form(&object(), &given).unwrap(), Value::Object(fields.into()));

    let broken = form(&object(), &pairs(&[("value.age", "x"), ("value.ok", "maybe")])).unwrap_err();
    let fields: Vec<_> = broken.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["value.age", "value.ok"]);
}

#[test]
fn an_object_with_unreadable_fields_hears_of_its_other_faults_at_the_same_time() {
    let json_schema = r#"{"type":"object","required":["age","name"],"properties":{
        "age":{"type":"integer"},"name":{"type":"string"},"nick":{"type":"string","minLength":2}}}"#;
    let input = Input::Object(ObjectInput { json_schema: json_schema.into() });
    let broken = json(&input, r#"{"age":"old","nick":"Z"}"#).unwrap_err();
    let fields: Vec<_> = broken.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, ["value.age", "value.name", "value.nick"]);
}

#[test]
fn a_whole_number_in_json_is_exact_or_refused() {
    for (text, number) in [
        ("9007199254740993.0", 9_007_199_254_740_993),
        ("1e3", 1_000),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808.0", i64::MIN),
    ] {
        assert_eq!(json(&int(), text).unwrap(), Value::Int(number), "{text}");
        let object_text = format!("{{\"age\":{text}}}");
        let fields = [("age".to_owned(), Value::Int(number))];
        assert_eq!(json(&object(), &object_text).unwrap(), Value::Object(fields.into()), "{text}");
    }
    for text in [
        "4503599627370497.5",
        "1.00000000000000001",
        "9223372036854775808.0",
        "-9223372036854775809",
        "1e99999999999999999999",
        "1e-99999999999999999999",
    ] {
        assert!(json(&int(), text).is_err(), "{text}");
        assert!(json(&object(), &format!("{{\"age\":{text}}}")).is_err(), "{text}");
    }
    assert_eq!(
        json(&float(), "4503599627370497.5").unwrap(),
        Value::Float(4_503_599_627_370_498.0)
    );
    assert!(json(&float(), "1e400").is_err() && json(&float(), "1e-400").is_err());
}

#[test]
fn a_byte_order_mark_before_json_is_no_part_of_it() {
    assert_eq!(json(&int(), "\u{feff} 5").unwrap(), Value::Int(5));
    let fields = [("age".to_owned(), Value::Int(5))];
    assert_eq!(text(&object(), "\u{feff}{\"age\":5}").unwrap(), Value::Object(fields.into()));
}

#[test]
fn typed_text_in_a_format_loses_what_nobody_sees_around_it_and_other_text_keeps_it() {
    for (format, good) in [
        (StrFormat::Email, "ann@example.org"),
        (StrFormat::Uri, "https://example.org/a"),
        (StrFormat::Date, "2026-11-22"),
        (StrFormat::DateTime, "2026-11-22T13:37:00Z"),
    ] {
        let input = Input::Str(StrInput { format: Some(format), ..StrInput::default() });
        let typed = format!("\u{feff} \u{a0}{good}\u{200b}\r\n");
        let value = Value::Str(good.to_owned());
        assert_eq!(text(&input, &typed).unwrap(), value);
        assert_eq!(form(&input, &pairs(&[("value", typed.as_str())])).unwrap(), value);
        let exact = json(&input, &serde_json::Value::from(typed.as_str()).to_string()).unwrap();
        assert!(input.check(&exact).is_err(), "a program is held to what it says");
    }
    let plain = Input::Str(StrInput::default());
    assert_eq!(text(&plain, " a ").unwrap(), Value::Str(" a ".into()));
    assert_eq!(form(&plain, &pairs(&[("value", " a ")])).unwrap(), Value::Str(" a ".into()));
}

#[test]
fn a_bool_and_an_option_are_read_without_what_nobody_sees_around_them() {
    let yes = text(&Input::Bool(BoolInput::default()), "\u{200b}Yes\u{a0}").unwrap();
    assert_eq!(yes, Value::Bool(true));
    let both = text(&choice(1, 2), "a \n\u{feff}Pear").unwrap();
    assert_eq!(both, Value::Choice(vec!["a".into(), "b".into()]));
    assert_eq!(text(&choice(1, 1), " ").unwrap(), Value::Choice(vec![" ".into()]));
}

#[test]
fn an_object_that_names_a_field_twice_is_no_answer() {
    for twice in [
        r#"{"age":1,"age":2}"#,
        r#"{"age":1,"ok":true,"\u0061ge":1}"#,
        r#"{"age":1,"nick":{"x":1,"x":2}}"#,
    ] {
        for broken in [json(&object(), twice), text(&object(), twice)] {
            assert!(broken.unwrap_err()[0].message.contains("two members named"), "{twice}");
        }
    }
}

#[test]
fn a_form_that_gives_a_field_twice_is_no_answer() {
    assert!(form(&int(), &pairs(&[("value", "1"), ("value", "2")])).is_err());
    let twice = pairs(&[("value.age", "1"), ("value.ok", "yes"), ("value.ok", "no")]);
    let broken = form(&object(), &twice).unwrap_err();
    assert_eq!((broken.len(), broken[0].field.as_str()), (1, "value.ok"));
}
