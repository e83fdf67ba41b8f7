//! What a message says in plain words, for channels that show text to people.

use hitl_core::{Event, Outcome, Value};
use hitl_proto::visible;

use super::{Message, Told};

/// A message in words, within bounds; hidden characters of others' text are made visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    /// One line that says what it is about.
    pub(super) title: String,
    /// The rest, in lines: the prompt, or how the event has ended.
    pub(super) body: String,
}

impl Words {
    /// `message` with a title and a body of so many characters at most.
    pub(super) fn of(message: &Message, title_max: usize, body_max: usize) -> Self {
        let request = &message.event.request;
        let name = if request.title.is_empty() { &request.name } else { &request.title };
        let lead = match message.told {
            Told::Asked => "",
            Told::Reminder => "Reminder: ",
            Told::Escalated => "Escalated: ",
            Told::Updated => "Updated: ",
            Told::Ended => "Ended: ",
            Told::Test => "Test: ",
        };
        let title = visible::cut_line(&format!("{lead}{name}"), title_max);
        let mut parts = Vec::new();
        if !message.note.is_empty() {
            parts.push(visible::text(&message.note).into_owned());
        }
        match ended(&message.event) {
            Some(ended) => parts.push(ended),
            None => {
                parts.push(visible::text(&request.prompt).into_owned());
                parts.push(format!("Until {}, in {}", request.deadline, request.namespace));
            }
        }
        Self { title, body: cut(&parts.join("\n\n"), body_max) }
    }
}

/// How `event` has ended, if it has.
pub(super) fn ended(event: &Event) -> Option<String> {
    let response = event.response.as_ref()?;
    let who = response.responder.as_ref().map(|responder| {
        let proved = responder.proof.as_ref().map(|proof| proof.name.as_str());
        let name = proved.filter(|name| !name.is_empty()).unwrap_or(&responder.name);
        visible::cut_line(name, 100)
    });
    let by =
        who.filter(|name| !name.is_empty()).map(|name| format!(" by {name}")).unwrap_or_default();
    let because = |reason: &str| match reason {
        "" => String::new(),
        reason => format!(": {}", visible::text(reason)),
    };
    let said = match &response.outcome {
        Outcome::Answered { value } => format!("Answered{by}: {}", shown(value)),
        Outcome::Declined { reason } => format!("Declined{by}{}", because(reason)),
        Outcome::Cancelled { reason } => format!("Cancelled{by}{}", because(reason)),
        Outcome::TimedOut { default: None } => "Nobody answered in time".to_owned(),
        Outcome::TimedOut { default: Some(value) } => {
            format!("Nobody answered in time; the default is {}", shown(value))
        }
    };
    let comment = because(&response.comment);
    Some(if comment.is_empty() { said } else { format!("{said}\nComment{comment}") })
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Str(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Choice(picked) => picked.join(", "),
        Value::Review(review) => {
            let decision = format!("{:?}", review.decision).to_lowercase();
            if review.message.is_empty() {
                decision
            } else {
                format!("{decision}: {}", review.message)
            }
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{name}: {}", shown(value));
            fields.iter().map(field).collect::<Vec<_>>().join("; ")
        }
    };
    visible::text(&text).into_owned()
}

/// The beginning of `text`.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max.saturating_sub(1)) {
        Some((end, _)) if text[end..].chars().nth(1).is_some() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ended_message, message};
    use super::*;

    #[test]
    fn a_question_shows_its_prompt_and_an_end_says_how() {
        let asked = Words::of(&message(Told::Asked), 100, 1_000);
        assert_eq!(asked.title, "Ship it?");
        assert!(asked.body.starts_with("Version 7 is ready."), "{}", asked.body);
        let ended = Words::of(&ended_message(), 100, 1_000);
        assert_eq!(ended.title, "Ended: Ship it?");
        assert_eq!(ended.body, "Answered by ann: yes\nComment: go");
    }

    #[test]
    fn texts_are_cut_to_what_there_is_room_for() {
        let short = Words::of(&message(Told::Reminder), 12, 10);
        assert_eq!((short.title.chars().count(), short.body.chars().count()), (12, 10));
        assert_eq!((cut("abc", 3), cut("abcd", 3)), ("abc".to_owned(), "ab…".to_owned()));
    }
}
