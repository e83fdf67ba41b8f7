//! Reads what `--default` says as an answer to the question asked.

use hitl::v1::Value;
use hitl::v1::input::Kind as InputKind;
use hitl::{Choices, DataType, Object};
use hitl_core::{BoolInput, FloatInput, Input, IntInput, parse, strict_json, value};

use super::exit::Usage;

/// Reads `text` as the server reads a typed answer.
pub(super) fn read(input: &InputKind, text: &str) -> anyhow::Result<Value> {
    let scalar = match input {
        InputKind::Str(_) => return Ok(text.to_owned().to_value(input)?),
        InputKind::Choice(_) => {
            let picked = Choices(text.lines().map(str::to_owned).collect());
            return Ok(picked.to_value(input)?);
        }
        InputKind::Object(_) => {
            strict_json::check(text.as_bytes()).map_err(|error| wrong(text, &error))?;
            let json: serde_json::Value = serde_json::from_str(text)
                .map_err(|error| wrong(text, &format!("is not JSON: {error}")))?;
            return Ok(Object(json).to_value(input)?);
        }
        InputKind::Int(_) => Input::Int(IntInput::default()),
        InputKind::Float(_) => Input::Float(FloatInput::default()),
        InputKind::Bool(_) => Input::Bool(BoolInput::default()),
    };
    let value = parse::text(&scalar, text).map_err(|violations| {
        let broken = violations.first().map(|violation| violation.message.as_str());
        wrong(text, broken.unwrap_or("does not fit"))
    })?;
    Ok(match value {
        value::Value::Int(number) => number.to_value(input)?,
        value::Value::Float(number) => number.to_value(input)?,
        value::Value::Bool(truth) => truth.to_value(input)?,
        other => return Err(wrong(text, &format!("is a {}", other.kind()))),
    })
}

fn wrong(text: &str, why: &str) -> anyhow::Error {
    Usage(format!("--default {text:?} {why}"), "ask").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hitl::v1::value::Kind;
    use hitl::v1::{self, ChoiceValue};

    #[test]
    fn a_default_is_of_the_type_of_the_answer() {
        for (input, text, kind) in [
            (InputKind::Int(v1::IntInput::default()), "-3", Kind::Int(-3)),
            (InputKind::Float(v1::FloatInput::default()), "1", Kind::Float(1.0)),
            (InputKind::Str(v1::StrInput::default()), " a ", Kind::Str(" a ".to_owned())),
            (InputKind::Bool(v1::BoolInput::default()), "no", Kind::Bool(false)),
            (
                InputKind::Choice(v1::ChoiceInput::default()),
                "a\nb",
                Kind::Choice(ChoiceValue { selected: vec!["a".to_owned(), "b".to_owned()] }),
            ),
        ] {
            assert_eq!(read(&input, text).unwrap().kind, Some(kind));
        }
    }

    #[test]
    fn what_is_not_of_that_type_is_wrong_usage() {
        for (input, text) in [
            (InputKind::Int(v1::IntInput::default()), "1.5"),
            (InputKind::Bool(v1::BoolInput::default()), "perhaps"),
            (InputKind::Object(v1::ObjectInput::default()), "{"),
            (InputKind::Object(v1::ObjectInput::default()), r#"{"a": 1, "a": 2}"#),
        ] {
            assert!(read(&input, text).unwrap_err().is::<Usage>(), "{text}");
        }
    }
}
