//! Which inputs make sense and which values fit them, every kind against every other.

use proptest::prelude::*;

use super::*;
use crate::choice::ChoiceOption;

fn option(value: &str) -> ChoiceOption {
    ChoiceOption { value: value.into(), ..ChoiceOption::default() }
}

fn choice(values: &[&str], min_selected: u32, max_selected: u32) -> Input {
    Input::Choice(ChoiceInput {
        options: values.iter().map(|v| option(v)).collect(),
        min_selected,
        max_selected,
    })
}

fn str_of(input: StrInput) -> Input {
    Input::Str(input)
}

fn inputs() -> Vec<Input> {
    let json_schema = r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#.to_owned();
    vec![
        Input::Int(IntInput::default()),
        Input::Float(FloatInput::default()),
        Input::Str(StrInput::default()),
        Input::Bool(BoolInput::default()),
        choice(&["x"], 1, 1),
        Input::Object(ObjectInput { json_schema }),
    ]
}

fn values() -> Vec<Value> {
    vec![
        Value::Int(1),
        Value::Float(1.0),
        Value::Str("1".into()),
        Value::Bool(true),
        Value::Choice(vec!["x".into()]),
        Value::Object([("a".to_owned(), Value::Int(1))].into()),
    ]
}

fn fields(broken: Vec<Violation>) -> Vec<String> {
    broken.into_iter().map(|violation| violation.field).collect()
}

#[test]
fn each_kind_of_input_accepts_its_own_kind_of_value_and_no_other() {
    for input in inputs() {
        assert_eq!(input.check_self(), []);
        for value in values() {
            assert_eq!(
                input.check(&value).is_ok(),
                input.kind() == value.kind(),
                "{input:?} {value:?}"
            );
        }
    }
}

#[test]
fn floats_refuse_nan_and_the_infinities() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Input::Float(FloatInput::default()).check(&Value::Float(bad)).is_err());
        assert!(!Input::Float(FloatInput { min: Some(bad), max: None }).check_self().is_empty());
    }
}

#[test]
fn text_is_measured_in_characters_not_bytes() {
    let input =
        str_of(StrInput { min_length: Some(2), max_length: Some(3), ..StrInput::default() });
    for (text, fits) in [("é", false), ("éé", true), ("🙂🙂🙂", true), ("abcd", false)] {
        assert_eq!(input.check(&Value::Str(text.into())).is_ok(), fits, "{text}");
    }
}

#[test]
fn a_pattern_is_searched_for_and_must_compile_within_its_limits() {
    let with =
        |pattern: &str| str_of(StrInput { pattern: Some(pattern.into()), ..StrInput::default() });
    assert!(with("b+").check(&Value::Str("abc".into())).is_ok());
    assert!(with("^b+$").check(&Value::Str("abc".into())).is_err());
    for bad in ["(", "(?=x)", "(a{1000}){1000}", &"a".repeat(limits::PATTERN_BYTES_MAX + 1)] {
        assert_eq!(fields(with(bad).check_self()), ["input.str.pattern"]);
    }
}

#[test]
fn a_pattern_that_engines_read_differently_is_refused_at_create_and_says_what_to_write() {
    let with =
        |pattern: &str| str_of(StrInput { pattern: Some(pattern.into()), ..StrInput::default() });
    for (pattern, instead) in [("[a&&b]", "backslash"), ("a++", "(?:a+)+"), (r"a\Z", "write $")] {
        let broken = with(pattern).check_self();
        assert_eq!(broken[0].field, "input.str.pattern");
        assert!(broken[0].message.contains(instead), "{pattern}: {}", broken[0].message);
    }
    // What was accepted once can be answered still.
    assert!(with("^[a&&a]+$").check(&Value::Str("aa".into())).is_ok());
}

#[test]
fn digits_and_words_of_patterns_are_ascii() {
    let json_schema =
        r#"{"type":"object","properties":{"a":{"type":"string","pattern":"^\\d+$"}}}"#;
    let object = Input::Object(ObjectInput { json_schema: json_schema.to_owned() });
    let with = |text: &str| Value::Object([("a".to_owned(), Value::Str(text.into()))].into());
    assert!(object.check(&with("1234")).is_ok());
    assert_eq!(fields(object.check(&with("१२३४")).unwrap_err()), ["value.a"]);
}

#[test]
fn what_the_patterns_of_one_event_take_is_bounded_together() {
    let property =
        |n: usize| format!(r#""f{n}":{{"type":"string","pattern":"(?:a?){{900}}a{{900}}!"}}"#);
    let object = |count: usize| {
        let properties: Vec<_> = (0..count).map(property).collect();
        let json_schema =
            format!(r#"{{"type":"object","properties":{{{}}}}}"#, properties.join(","));
        Input::Object(ObjectInput { json_schema })
    };
    // Each text alone would be within the budget of one answer, and all of them together are not.
    let text = Value::Str("a".repeat(10_000));
    let answer = Value::Object((0..3).map(|n| (format!("f{n}"), text.clone())).collect());
    let broken = object(3).check(&answer).unwrap_err();
    let refused: Vec<_> = broken.iter().filter(|v| v.message.contains("too much work")).collect();
    assert_eq!(refused.len(), 2, "{broken:?}");
    assert!(refused[0].message.contains("shorten it to"), "{}", refused[0].message);

    assert_eq!(object(3).check_self(), []);
    assert_eq!(fields(object(100).check_self()), ["input.object.json_schema"]);
}

#[test]
fn a_pattern_for_which_the_shortest_text_is_too_much_work_is_refused_at_create() {
    let pattern = Some("(?:a?){900}a{900}!".to_owned());
    let of = |min| {
        str_of(StrInput { pattern: pattern.clone(), min_length: Some(min), ..StrInput::default() })
    };
    assert_eq!(of(1_000).check_self(), []);
    assert_eq!(fields(of(100_000).check_self()), ["input.str.pattern"]);
}

#[test]
fn a_value_larger_than_the_limit_is_refused() {
    let input = str_of(StrInput::default());
    assert!(input.check(&Value::Str("x".repeat(limits::VALUE_BYTES_MAX))).is_ok());
    assert!(input.check(&Value::Str("x".repeat(limits::VALUE_BYTES_MAX + 1))).is_err());
}

#[test]
fn a_choice_refuses_unknown_and_duplicate_options_and_keeps_the_order_of_the_input() {
    let input = choice(&["a", "b", "c"], 1, 2);
    let pick = |selected: &[&str]| {
        input.check(&Value::Choice(selected.iter().map(|&s| s.to_owned()).collect()))
    };
    assert_eq!(pick(&["c", "a"]).unwrap(), Value::Choice(vec!["a".into(), "c".into()]));
    for bad in [&["d"][..], &["a", "a"], &[], &["a", "b", "c"]] {
        assert_eq!(fields(pick(bad).unwrap_err()), ["value"], "{bad:?}");
    }
}

#[test]
fn inputs_that_no_answer_could_fit_are_refused() {
    let cases = [
        (Input::Int(IntInput { min: Some(1), max: Some(0) }), "input.int.max"),
        (
            str_of(StrInput { min_length: Some(2), max_length: Some(1), ..StrInput::default() }),
            "input.str.max_length",
        ),
        (choice(&[], 1, 1), "input.choice.options"),
        (choice(&["a", "a"], 1, 1), "input.choice.options[1].value"),
        (choice(&[""], 1, 1), "input.choice.options[0].value"),
        (choice(&["a"], 2, 2), "input.choice.min_selected"),
        (choice(&["a"], 0, 0), "input.choice.max_selected"),
        (
            Input::Bool(BoolInput { true_label: "No".into(), false_label: String::new() }),
            "input.bool.false_label",
        ),
    ];
    for (input, field) in cases {
        assert!(fields(input.check_self()).contains(&field.to_owned()), "{input:?}");
    }
}

#[test]
fn what_a_person_could_not_tell_apart_or_see_is_refused() {
    let labelled = |labels: [&str; 2]| {
        let options = labels.iter().zip(["a", "b"]).map(|(label, value)| ChoiceOption {
            value: value.into(),
            label: (*label).into(),
            description: String::new(),
        });
        Input::Choice(ChoiceInput { options: options.collect(), min_selected: 1, max_selected: 1 })
    };
    let bool = |true_label: &str, false_label: &str| {
        Input::Bool(BoolInput { true_label: true_label.into(), false_label: false_label.into() })
    };
    for (input, field) in [
        (labelled(["Europe", "Europe"]), "input.choice.options[1].label"),
        (labelled(["Europe", "Europe "]), "input.choice.options[1].label"),
        (labelled(["Europe", "Eu\u{200b}rope"]), "input.choice.options[1].label"),
        (labelled(["b", ""]), "input.choice.options[1].value"),
        (labelled(["", " "]), "input.choice.options[1].label"),
        (choice(&["a", "\u{a0}a"], 1, 1), "input.choice.options[1].value"),
        (choice(&["a", "\u{3164}"], 1, 1), "input.choice.options[1].value"),
        (bool("Ship it", "Ship  it"), "input.bool.false_label"),
        (bool("\u{200b}", ""), "input.bool.true_label"),
        (bool("", "Yes\u{2060}"), "input.bool.false_label"),
    ] {
        assert_eq!(fields(input.check_self()), [field], "{input:?}");
    }
    for input in [labelled(["Europe", "europe"]), choice(&["m", "M"], 1, 1), bool("y", "Y")] {
        assert_eq!(input.check_self(), [], "{input:?}");
    }
}

proptest! {
    #[test]
    fn int_bounds_are_inclusive_and_exact(min: i64, max: i64, number: i64) {
        let (min, max) = (min.min(max), min.max(max));
        let input = Input::Int(IntInput { min: Some(min), max: Some(max) });
        prop_assert!(input.check(&Value::Int(min)).is_ok() && input.check(&Value::Int(max)).is_ok());
        prop_assert_eq!(input.check(&Value::Int(number)).is_ok(), (min..=max).contains(&number));
    }

    #[test]
    fn what_is_stored_is_read_back_the_same(number: i64, text: String, double in -1e300_f64..1e300) {
        for value in [Value::Int(number), Value::Str(text), Value::Float(double), Value::Choice(vec![])] {
            let stored = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), value);
        }
    }
}
