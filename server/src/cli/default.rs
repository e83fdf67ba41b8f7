//! Reads what `--default` says as an answer to the question asked.

use hitl::v1;
use hitl::v1::input::Kind as InputKind;
use hitl::v1::value::Kind;
use hitl_core::{
    BoolInput, FloatInput, Input, IntInput, ObjectInput, ReviewDecision, ReviewInput, Value, parse,
};

use super::exit::Usage;

/// Reads `text` as the server reads a typed answer.
pub(super) fn read(input: &InputKind, text: &str) -> anyhow::Result<v1::Value> {
    let input = match input {
        InputKind::Str(_) => return Ok(message(Value::Str(text.to_owned()))),
        InputKind::Choice(_) => {
            let picked = text.lines().map(str::to_owned).collect();
            return Ok(message(Value::Choice(picked)));
        }
        InputKind::Object(v1::ObjectInput { json_schema }) => {
            Input::Object(ObjectInput { json_schema: json_schema.clone() })
        }
        // Decisions have one form whatever they are on; what the action is does not matter to it.
        InputKind::Review(_) => Input::Review(ReviewInput {
            action: String::new(),
            arguments: String::new(),
            json_schema: String::new(),
            allow: ReviewDecision::ALL.to_vec(),
        }),
        InputKind::Int(_) => Input::Int(IntInput::default()),
        InputKind::Float(_) => Input::Float(FloatInput::default()),
        InputKind::Bool(_) => Input::Bool(BoolInput::default()),
    };
    let value = parse::text(&input, text).map_err(|broken| {
        let broken = broken.iter().map(|violation| match violation.field.as_str() {
            "value" => violation.message.clone(),
            field => format!("{field} {}", violation.message),
        });
        wrong(text, &broken.collect::<Vec<_>>().join("; "))
    })?;
    Ok(message(value))
}

pub(super) fn message(value: Value) -> v1::Value {
    let kind = match value {
        Value::Int(number) => Kind::Int(number),
        Value::Float(number) => Kind::Float(number),
        Value::Str(text) => Kind::Str(text),
        Value::Bool(truth) => Kind::Bool(truth),
        Value::Choice(selected) => Kind::Choice(v1::ChoiceValue { selected }),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, field)| (name, message(field)));
            Kind::Object(v1::ObjectValue { fields: fields.collect() })
        }
        Value::Review(value) => Kind::Review(v1::ReviewValue {
            decision: decision(value.decision).into(),
            arguments: value.arguments,
            message: value.message,
            shown_digest: value.shown_digest,
            approved_digest: value.approved_digest,
        }),
    };
    v1::Value { kind: Some(kind) }
}

fn decision(decision: ReviewDecision) -> v1::ReviewDecision {
    match decision {
        ReviewDecision::Approve => v1::ReviewDecision::Approve,
        ReviewDecision::Edit => v1::ReviewDecision::Edit,
        ReviewDecision::Reject => v1::ReviewDecision::Reject,
        ReviewDecision::Respond => v1::ReviewDecision::Respond,
    }
}

fn wrong(text: &str, why: &str) -> anyhow::Error {
    Usage(format!("--default {text:?} {why}"), "ask").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hitl::v1::ChoiceValue;

    #[test]
    fn a_default_is_of_the_type_of_the_answer() {
        for (input, text, kind) in [
            (InputKind::Int(v1::IntInput::default()), "-3", Kind::Int(-3)),
            (InputKind::Float(v1::FloatInput::default()), "1", Kind::Float(1.0)),
            (InputKind::Float(v1::FloatInput::default()), "−1,5", Kind::Float(-1.5)),
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
    fn the_whole_numbers_of_an_object_keep_all_their_digits() {
        let json_schema = r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#.to_owned();
        let input = InputKind::Object(v1::ObjectInput { json_schema });
        let value = read(&input, r#"{"n": 9007199254740993.0}"#).unwrap();
        let n = v1::Value { kind: Some(Kind::Int(9_007_199_254_740_993)) };
        let fields = [("n".to_owned(), n)].into();
        assert_eq!(value.kind, Some(Kind::Object(v1::ObjectValue { fields })));
        for bad in [r#"{"n": 4503599627370497.5}"#, r#"{"m": 1}"#, r#"{"n": 1, "n": 2}"#] {
            assert!(read(&input, bad).unwrap_err().is::<Usage>(), "{bad}");
        }
    }

    #[test]
    fn what_is_not_of_that_type_is_wrong_usage() {
        for (input, text) in [
            (InputKind::Int(v1::IntInput::default()), "1.5"),
            (InputKind::Bool(v1::BoolInput::default()), "perhaps"),
            (InputKind::Object(v1::ObjectInput::default()), "{"),
        ] {
            assert!(read(&input, text).unwrap_err().is::<Usage>(), "{text}");
        }
    }
}
