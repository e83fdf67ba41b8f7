//! What is wrong with an answer, in words for people. The API says the same in words for programs.

use super::fields::Control;

/// `message`, which says what is wrong with what was entered into `control`, as a sentence that stands alone.
pub(super) fn plain(message: &str, control: &Control) -> String {
    if message == "is required" {
        return missing(control).to_owned();
    }
    let said = bound(message).or_else(|| length(message)).unwrap_or_else(|| {
        let words = message.strip_prefix("must be ").unwrap_or(message);
        capital(&words.replacen(", and must not hold ", ". It must not hold ", 1))
    });
    if said.ends_with(['.', '?', '!']) { said } else { format!("{said}.") }
}

fn missing(control: &Control) -> &'static str {
    match control {
        Control::Pick { multiple: true, .. } => "Pick at least one.",
        Control::Pick { .. } | Control::Select { .. } => "Pick one.",
        Control::Moment { .. } => "Give a day and a time.",
        Control::Line { .. } | Control::Area { .. } => "This is needed.",
    }
}

/// A number out of its bounds.
fn bound(message: &str) -> Option<String> {
    let (rule, given) = message.strip_prefix("must be ")?.split_once(", is ")?;
    let is_bound = rule.starts_with("at least ") || rule.starts_with("at most ");
    is_bound.then(|| format!("{}. You wrote {given}.", capital(rule)))
}

/// A text that is too short or too long.
fn length(message: &str) -> Option<String> {
    let (rule, given) = message.strip_prefix("must have ")?.split_once(" characters, has ")?;
    let given: u64 = given.parse().ok()?;
    if let Some(min) = rule.strip_prefix("at least ") {
        let missing = min.parse::<u64>().ok()?.checked_sub(given)?;
        return Some(format!("{missing} more {}, please: at least {min}.", characters(missing)));
    }
    let max = rule.strip_prefix("at most ")?;
    let extra = given.checked_sub(max.parse().ok()?)?;
    Some(format!("{extra} {} too many: at most {max}.", characters(extra)))
}

fn characters(count: u64) -> &'static str {
    if count == 1 { "character" } else { "characters" }
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_would_be_right() {
        let line = Control::Area { value: String::new() };
        let one = Control::Pick { multiple: false, options: Vec::new() };
        let some = Control::Pick { multiple: true, options: Vec::new() };
        for (message, control, words) in [
            ("is required", &line, "This is needed."),
            ("is required", &one, "Pick one."),
            ("is required", &some, "Pick at least one."),
            ("must be at most 9, is 12", &line, "At most 9. You wrote 12."),
            ("must be at least 0.5, is -1", &line, "At least 0.5. You wrote -1."),
            (
                "must have at least 20 characters, has 5",
                &line,
                "15 more characters, please: at least 20.",
            ),
            ("must have at most 4 characters, has 5", &line, "1 character too many: at most 4."),
            ("must be a whole number, such as 42", &line, "A whole number, such as 42."),
            (
                "must be a whole number, such as 42, and must not hold \"o\" (a letter)",
                &line,
                "A whole number, such as 42. It must not hold \"o\" (a letter).",
            ),
            ("must match the pattern ^v", &line, "Must match the pattern ^v."),
        ] {
            assert_eq!(plain(message, control), words);
        }
    }
}
