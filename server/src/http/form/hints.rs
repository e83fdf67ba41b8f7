//! What would be accepted, in words, before anybody has to be told that something was not.

use hitl_core::{Input, StrFormat, StrInput};

/// What `input` accepts; empty if the controls say it all.
pub(super) fn hint(input: &Input) -> String {
    match input {
        Input::Int(input) => format!("A whole number{}.", bounds(input.min, input.max)),
        Input::Float(input) => format!("A number{}.", bounds(input.min, input.max)),
        Input::Str(input) => str_hint(input),
        Input::Choice(input) if input.is_multiple() => {
            let (min, max) = (input.min_selected, input.max_selected);
            let all = u32::try_from(input.options.len()).unwrap_or(u32::MAX);
            match (min, max) {
                (0, max) if max >= all => "Pick as many as you like, or none.".to_owned(),
                (1, max) if max >= all => "Pick one or more.".to_owned(),
                (0, max) => format!("Pick up to {max}, or none."),
                (min, max) if min == max => format!("Pick {min}."),
                (min, max) => format!("Pick {min} to {max}."),
            }
        }
        Input::Choice(_) | Input::Bool(_) | Input::Object(_) | Input::Review(_) => String::new(),
    }
}

fn str_hint(input: &StrInput) -> String {
    let length = match (input.min_length.filter(|min| *min > 0), input.max_length) {
        (Some(min), Some(max)) if min == max => format!("Exactly {min} characters."),
        (Some(min), Some(max)) => format!("{min} to {max} characters."),
        (Some(min), None) => format!("At least {min} characters."),
        (None, Some(max)) => format!("At most {max} characters."),
        (None, None) => String::new(),
    };
    // A browser's boxes for days and times explain themselves.
    let explained = |format: &StrFormat| matches!(format, StrFormat::Date | StrFormat::DateTime);
    let format = input.format.filter(|format| !explained(format));
    let format = format.map(|format| sentence(format.description()));
    let pattern = input.pattern.as_ref().map(|pattern| format!("Must match the pattern {pattern}"));
    let parts = [Some(length).filter(|text| !text.is_empty()), format, pattern];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn bounds<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
        (Some(min), None) => format!(", at least {min}"),
        (None, Some(max)) => format!(", at most {max}"),
        (None, None) => String::new(),
    }
}
