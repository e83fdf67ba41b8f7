//! `hitl answer` without a value: asks for it at the terminal, as its type wants, until it fits.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use anyhow::Context;
use hitl_core::schema::Field;
use hitl_core::{
    ChoiceInput, ChoiceOption, Input, ObjectInput, ReviewDecision, ReviewInput, ReviewValue,
    StrFormat, StrInput, Value, Violation, parse,
};
use hitl_proto::visible;

/// Ends an answer of several lines.
const END_OF_TEXT: &str = ".";

/// A conversation with a person.
pub(super) struct Dialog<R, W> {
    /// What the person types, a line at a time.
    pub(super) typed: R,
    /// What the person sees.
    pub(super) shown: W,
}

/// What came of asking for one thing.
enum Got {
    Value(Value),
    /// The person left out what is optional.
    Nothing,
    /// There is no more to read: the person has left.
    Left,
}

impl<R: BufRead, W: Write> Dialog<R, W> {
    /// An answer that fits `input`, or nothing if the person leaves.
    ///
    /// # Errors
    /// The terminal cannot be read or written, or the schema of an object cannot be read.
    pub(super) fn answer(&mut self, input: &Input) -> anyhow::Result<Option<Value>> {
        let got = match input {
            Input::Object(object) => return self.object(object),
            Input::Review(review) => return self.review(review),
            simple => self.one(simple, None)?,
        };
        Ok(match got {
            Got::Value(value) => Some(value),
            Got::Nothing | Got::Left => None,
        })
    }

    /// What the server said against an answer.
    pub(super) fn refused(&mut self, why: &str) -> io::Result<()> {
        writeln!(self.shown, "  {}", visible::line(why))
    }

    fn object(&mut self, object: &ObjectInput) -> anyhow::Result<Option<Value>> {
        let fields = object.fields().map_err(|broken| {
            anyhow::anyhow!("the fields of this question cannot be read: {}", sentences(&broken))
        })?;
        let mut values = BTreeMap::new();
        for (index, field) in fields.iter().enumerate() {
            let optional = if field.required { "" } else { ", optional" };
            let label = visible::line(field.label());
            writeln!(self.shown, "\n{label} ({} of {}{optional})", index + 1, fields.len())?;
            if !field.description.is_empty() {
                writeln!(self.shown, "  {}", visible::line(&field.description))?;
            }
            match self.one(&field.input, Some(field))? {
                Got::Value(value) => drop(values.insert(field.name.clone(), value)),
                Got::Nothing => {}
                Got::Left => return Ok(None),
            }
        }
        Ok(Some(Value::Object(values)))
    }

    /// A decision on an action that was shown before.
    fn review(&mut self, review: &ReviewInput) -> anyhow::Result<Option<Value>> {
        let option = |decision: &ReviewDecision| ChoiceOption {
            value: decision.name().to_owned(),
            ..ChoiceOption::default()
        };
        let decisions = Input::Choice(ChoiceInput {
            options: review.allow.iter().map(option).collect(),
            min_selected: 1,
            max_selected: 1,
        });
        let Got::Value(Value::Choice(picked)) = self.one(&decisions, None)? else {
            return Ok(None);
        };
        let decision = picked.first().and_then(|name| ReviewDecision::from_name(name));
        let decision = decision.context("one of those that were offered was picked")?;
        let digest = review.digest();
        let input = Input::Review(review.clone());
        loop {
            let mut value =
                ReviewValue { shown_digest: digest.clone(), ..ReviewValue::of(decision) };
            let said = match decision {
                ReviewDecision::Approve => Some(String::new()),
                ReviewDecision::Edit => self.lines("The new arguments as JSON")?,
                ReviewDecision::Reject => self.lines("Why; nothing to say no more")?,
                ReviewDecision::Respond => self.lines("What to go on with instead")?,
            };
            let Some(said) = said else { return Ok(None) };
            match decision {
                ReviewDecision::Edit => value.arguments = said,
                _ => value.message = said,
            }
            match input.check(&Value::Review(value)) {
                Ok(value) => return Ok(Some(value)),
                Err(broken) => self.refused(&sentences(&broken))?,
            }
            if decision == ReviewDecision::Approve {
                return Ok(None);
            }
        }
    }

    /// Text of any number of lines.
    fn lines(&mut self, what: &str) -> io::Result<Option<String>> {
        writeln!(self.shown, "  {what}; end it with a line that holds a full stop alone")?;
        self.read(&Input::Str(StrInput { multiline: true, ..StrInput::default() }))
    }

    /// Asks until the answer fits. A field is one of several, and may be left out.
    fn one(&mut self, input: &Input, field: Option<&Field>) -> io::Result<Got> {
        if let Input::Choice(choice) = input {
            self.show_options(choice)?;
        }
        let default = field.and_then(|field| field.default.as_ref());
        let rest = match (field, default) {
            (_, Some(value)) => format!("; nothing for {}", shown(value)),
            (Some(field), None) if !field.required => "; nothing to leave it out".to_owned(),
            _ => String::new(),
        };
        loop {
            writeln!(self.shown, "  {}{rest}", hint(input))?;
            let Some(text) = self.read(input)? else { return Ok(Got::Left) };
            match (text.is_empty(), default, field) {
                (true, Some(value), _) => return Ok(Got::Value(value.clone())),
                (true, None, Some(field)) if !field.required => return Ok(Got::Nothing),
                _ => {}
            }
            match fitting(input, &text) {
                Ok(value) => return Ok(Got::Value(value)),
                Err(broken) => self.refused(&sentences(&broken))?,
            }
        }
    }

    fn show_options(&mut self, choice: &ChoiceInput) -> io::Result<()> {
        for (index, option) in choice.options.iter().enumerate() {
            let title = visible::line(option.title());
            let description = visible::line(&option.description);
            let space = if description.is_empty() { "" } else { ": " };
            writeln!(self.shown, "  {:>2}  {title}{space}{description}", index + 1)?;
        }
        Ok(())
    }

    /// What the person types for `input`, without the end of its last line.
    fn read(&mut self, input: &Input) -> io::Result<Option<String>> {
        let is_long = matches!(input, Input::Str(StrInput { multiline: true, .. }));
        let mut lines: Vec<String> = Vec::new();
        loop {
            write!(self.shown, "> ")?;
            self.shown.flush()?;
            let mut line = String::new();
            if self.typed.read_line(&mut line)? == 0 {
                writeln!(self.shown)?;
                return Ok(None);
            }
            let line = line.trim_end_matches(['\n', '\r']);
            if !is_long {
                return Ok(Some(line.to_owned()));
            }
            if line == END_OF_TEXT {
                return Ok(Some(lines.join("\n")));
            }
            lines.push(line.to_owned());
        }
    }
}

/// `text` as an answer to `input`.
fn fitting(input: &Input, text: &str) -> Result<Value, Vec<Violation>> {
    let value = match input {
        Input::Choice(choice) => Value::Choice(picked(choice, text)),
        _ => parse::text(input, text)?,
    };
    input.check(&value)
}

/// The options that `text` names: one by its value or label, or several by their numbers.
fn picked(choice: &ChoiceInput, text: &str) -> Vec<String> {
    let text = text.trim();
    let by_name =
        choice.options.iter().find(|option| option.value == text || option.title() == text);
    if let Some(option) = by_name {
        return vec![option.value.clone()];
    }
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    let one = |word: &str| {
        let index = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let option = index.and_then(|index| choice.options.get(index));
        // What is no option stays as it was written, for the refusal to repeat.
        option.map_or_else(|| word.to_owned(), |option| option.value.clone())
    };
    words.map(one).collect()
}

/// What is wanted, in a line.
fn hint(input: &Input) -> String {
    match input {
        Input::Int(input) => format!("A whole number{}", range(input.min, input.max)),
        Input::Float(input) => format!("A number{}", range(input.min, input.max)),
        Input::Bool(input) => {
            let [yes, no] = [true, false].map(|truth| input.label(truth));
            let label = |label: &str, word: &str| match label.eq_ignore_ascii_case(word) {
                true => String::new(),
                false => format!(" ({})", visible::line(label)),
            };
            format!("yes{} or no{}", label(yes, "yes"), label(no, "no"))
        }
        Input::Choice(choice) if choice.is_multiple() => {
            "The numbers of those you pick, such as 1 2".to_owned()
        }
        Input::Choice(_) => "The number of the one you pick".to_owned(),
        Input::Str(StrInput { multiline: true, .. }) => {
            "Text of any number of lines; end it with a line that holds a full stop alone"
                .to_owned()
        }
        Input::Str(input) => match input.format {
            None => "Text",
            Some(StrFormat::Email) => "An e-mail address",
            Some(StrFormat::Uri) => "An address such as https://example.org/",
            Some(StrFormat::Date) => "A day such as 2026-11-22",
            Some(StrFormat::DateTime) => "A moment such as 2026-11-22T13:37:00+01:00",
        }
        .to_owned(),
        Input::Object(_) | Input::Review(_) => "The answer as JSON".to_owned(),
    }
}

fn range<N: std::fmt::Display>(min: Option<N>, max: Option<N>) -> String {
    match (min, max) {
        (None, None) => String::new(),
        (Some(min), None) => format!(", at least {min}"),
        (None, Some(max)) => format!(", at most {max}"),
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Str(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Choice(picked) => picked.join(", "),
        Value::Object(_) | Value::Review(_) => String::new(),
    };
    visible::line(&text).into_owned()
}

fn sentences(broken: &[Violation]) -> String {
    let all = broken.iter().map(|violation| match violation.field.as_str() {
        "value" => format!("The answer {}.", violation.message),
        field => format!("{field} {}.", violation.message),
    });
    all.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hitl_core::{BoolInput, IntInput};

    /// What comes of asking somebody who types `typed`, and what is shown.
    fn asked(input: &Input, typed: &str) -> (Option<Value>, String) {
        let mut dialog = Dialog { typed: typed.as_bytes(), shown: Vec::new() };
        let answer = dialog.answer(input).unwrap();
        (answer, String::from_utf8(dialog.shown).unwrap())
    }

    fn choice(max_selected: u32) -> Input {
        let option = |value: &str, label: &str| ChoiceOption {
            value: value.to_owned(),
            label: label.to_owned(),
            ..ChoiceOption::default()
        };
        let options = vec![option("eu", "Europe"), option("us", "America"), option("7", "Mars")];
        Input::Choice(ChoiceInput { options, min_selected: 1, max_selected })
    }

    #[test]
    fn it_asks_until_the_answer_fits_and_says_what_is_wrong() {
        let input = Input::Int(IntInput { min: Some(1), max: Some(9) });
        let (answer, shown) = asked(&input, "ten\n10\n\n 7 \n");
        assert_eq!(answer, Some(Value::Int(7)));
        assert_eq!(shown.matches("A whole number from 1 to 9\n> ").count(), 4, "{shown}");
        assert!(shown.contains("must be at most 9"), "{shown}");
    }

    #[test]
    fn whoever_leaves_has_answered_nothing() {
        assert_eq!(asked(&Input::Int(IntInput::default()), "ten\n").0, None);
    }

    #[test]
    fn yes_and_no_are_shown_with_what_they_mean_here() {
        let input = BoolInput { true_label: "Ship it".to_owned(), ..BoolInput::default() };
        let (answer, shown) = asked(&Input::Bool(input), "y\n");
        assert_eq!(answer, Some(Value::Bool(true)));
        assert!(shown.contains("yes (Ship it) or no\n"), "{shown}");
    }

    #[test]
    fn options_are_picked_by_number_or_name() {
        for (typed, picked) in [("1\n", "eu"), ("us\n", "us"), ("Europe\n", "eu"), ("7\n", "7")] {
            assert_eq!(asked(&choice(1), typed).0, Some(Value::Choice(vec![picked.to_owned()])));
        }
        let both = vec!["eu".to_owned(), "us".to_owned()];
        for typed in ["1 2\n", "2,1\n", "4\n1, 2\n"] {
            assert_eq!(asked(&choice(2), typed).0, Some(Value::Choice(both.clone())), "{typed}");
        }
    }

    #[test]
    fn a_text_of_several_lines_ends_with_a_full_stop() {
        let input = Input::Str(StrInput { multiline: true, ..StrInput::default() });
        assert_eq!(asked(&input, "a\n\nb\n.\n").0, Some(Value::Str("a\n\nb".to_owned())));
    }

    #[test]
    fn the_fields_of_an_object_are_asked_for_one_by_one_in_their_order() {
        let json_schema = r#"{"type": "object", "required": ["region"], "properties": {
            "region": {"type": "string", "enum": ["eu", "us"], "title": "Where to"},
            "replicas": {"type": "integer", "minimum": 1, "default": 3},
            "note": {"type": "string"}}}"#;
        let input = Input::Object(ObjectInput { json_schema: json_schema.to_owned() });
        let (answer, shown) = asked(&input, "2\n\n\n");
        let expected = [
            ("region".to_owned(), Value::Choice(vec!["us".to_owned()])),
            ("replicas".to_owned(), Value::Int(3)),
        ];
        assert_eq!(answer, Some(Value::Object(expected.into())), "{shown}");
        assert!(shown.contains("Where to (1 of 3)") && shown.contains("note (3 of 3, optional)"));
    }

    #[test]
    fn an_action_is_decided_on_by_number_and_edited_until_it_fits() {
        let review = ReviewInput {
            action: "refund".to_owned(),
            arguments: r#"{"amount": 120}"#.to_owned(),
            json_schema: r#"{"properties": {"amount": {"maximum": 100}}}"#.to_owned(),
            allow: ReviewDecision::ALL.to_vec(),
        };
        let input = Input::Review(review);
        let decided = |typed: &str| match asked(&input, typed) {
            (Some(Value::Review(value)), _) => (value.decision, value.arguments, value.message),
            (other, shown) => panic!("{other:?} {shown}"),
        };
        let approved = (ReviewDecision::Approve, r#"{"amount": 120}"#.to_owned(), String::new());
        assert_eq!(decided("1\n"), approved);
        assert_eq!(decided("reject\ntoo\nmuch\n.\n").2, "too\nmuch");
        assert_eq!(
            decided("2\n{\"amount\": 101}\n.\n{\n\"amount\": 99}\n.\n").1,
            "{\n\"amount\": 99}"
        );
        assert_eq!(decided("4\n.\nask Bob\n.\n").2, "ask Bob");
        let (left, shown) = asked(&input, "2\n{\"amount\": 101}\n.\n");
        assert_eq!(left, None);
        assert!(shown.contains("value.arguments.amount must be at most 100, is 101"), "{shown}");
    }

    #[test]
    fn what_the_program_wrote_cannot_command_the_terminal() {
        let input = BoolInput { true_label: "\x1b[2Jyes\nno".to_owned(), ..BoolInput::default() };
        let (_, shown) = asked(&Input::Bool(input), "y\n");
        assert!(!shown.contains('\x1b') && shown.lines().count() == 2, "{shown}");
    }
}
