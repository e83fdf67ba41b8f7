//! The message about an event, in blocks.
//!
//! Slack reads `&`, `<` and `>` in text, so they are escaped; a mention or a link in somebody's text is text then. What
//! others wrote stands in a quotation or in a box of code, so that none of it looks like a line of ours.

use hitl_core::{ChoiceOption, Event, EventKey, Input, Risk, Timestamp};
use hitl_proto::visible;
use serde_json::{Value, json};

use crate::channels::Told;
use crate::channels::digest::{self, Digest, Exhibit};

/// Most characters of a header, of a section, and of a button, as Slack counts.
const HEADER_CHARS_MAX: usize = 150;
const SECTION_CHARS_MAX: usize = 3_000;
const BUTTON_CHARS_MAX: usize = 75;
/// Most options that have buttons. Who wants to pick from more follows the link.
const BUTTONS_MAX: usize = 5;

/// How the ids of buttons that answer begin; the number of the answer follows.
pub(crate) const ANSWER: &str = "hitl_answer_";
/// The id of the button that only opens the page. Slack tells of it like of any other.
pub(crate) const OPEN: &str = "hitl_open";

/// One answer that a button gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Choice {
    /// What the button says.
    pub(crate) label: String,
    /// The answer.
    pub(crate) value: hitl_core::Value,
}

/// The answers for which there are buttons; none if the input asks for more than a press, or the event for a word that
/// has to be typed.
pub(crate) fn choices(event: &Event) -> Vec<Choice> {
    let request = &*event.request;
    if request.require_confirmation && request.risk == Risk::High {
        return Vec::new();
    }
    let choices: Vec<Choice> = match &request.input {
        Input::Bool(input) => [true, false]
            .map(|truth| Choice::of(input.label(truth), hitl_core::Value::Bool(truth)))
            .into(),
        Input::Choice(input) if !input.is_multiple() && input.options.len() <= BUTTONS_MAX => {
            let value =
                |option: &ChoiceOption| hitl_core::Value::Choice(vec![option.value.clone()]);
            input.options.iter().map(|option| Choice::of(option.title(), value(option))).collect()
        }
        _ => return Vec::new(),
    };
    // Two that are cut might look the same.
    let are_whole = choices.iter().all(|choice| choice.label.chars().count() <= BUTTON_CHARS_MAX);
    if are_whole { choices } else { Vec::new() }
}

impl Choice {
    fn of(label: &str, value: hitl_core::Value) -> Self {
        Self { label: visible::line(label).into_owned(), value }
    }
}

/// The message as it stands, as members of a call: `text` for notifications, and `blocks`.
pub(crate) fn message(event: &Event, link: Option<&str>, note: &str) -> Value {
    let digest = Digest::of(event);
    let mut blocks = vec![header(&digest.title)];
    if !note.is_empty() {
        blocks.push(section(&quote(note)));
    }
    match &digest.ended {
        Some(ended) => {
            let said = if ended.said.is_empty() {
                String::new()
            } else {
                format!("\n{}", quote(&ended.said))
            };
            let what = escape(&ended.what);
            blocks.push(section(&format!("*{what}*\n{}{said}", escape(&ended.by))));
            blocks.extend(prompt(&digest));
        }
        None => {
            blocks.extend(digest.risk_word().map(|word| section(&format!(":warning: *{word}*"))));
            blocks.extend(prompt(&digest));
            blocks.extend(digest.evidence.iter().map(exhibit));
            blocks.extend(actions(event, link));
        }
    }
    blocks.push(context(&about(event, &digest)));
    let text = match &digest.ended {
        Some(ended) => format!("{}: {}", digest.title, ended.what),
        None => digest.title.clone(),
    };
    json!({"text": escape(&text), "blocks": blocks})
}

/// What is said in the thread of a message whose event still waits.
pub(crate) fn reminder(event: &Event, told: Told, note: &str) -> Value {
    let request = &*event.request;
    let lead = match told {
        Told::Escalated => "This has waited too long",
        _ => "This still waits for an answer",
    };
    let until = moment(request.deadline, &digest::when(request.deadline));
    let note = if note.is_empty() { String::new() } else { format!("\n{}", quote(note)) };
    let text = format!("{lead}. Answer by {until}.{note}");
    json!({"text": cut(&text, SECTION_CHARS_MAX), "blocks": [section(&text)]})
}

fn header(title: &str) -> Value {
    json!({"type": "header", "text": plain(title, HEADER_CHARS_MAX)})
}

fn prompt(digest: &Digest) -> Option<Value> {
    (!digest.prompt.is_empty()).then(|| section(&quote(&digest.prompt)))
}

fn exhibit(exhibit: &Exhibit) -> Value {
    let head = format!("*{}*", escape(&exhibit.head));
    let more = if exhibit.is_cut { "\n_more on the page_" } else { "" };
    if exhibit.lines.is_empty() {
        return section(&format!("{head}{more}"));
    }
    // What would end the box is taken apart.
    let lines = escape(&exhibit.lines.join("\n")).replace("```", "`` `");
    let room = SECTION_CHARS_MAX - head.chars().count() - more.len() - 10;
    section(&format!("{head}\n```{}```{more}", cut(&lines, room)))
}

/// The buttons: those that answer, and the one that opens the page.
fn actions(event: &Event, link: Option<&str>) -> Option<Value> {
    let choices = choices(event);
    let is_bool = matches!(event.request.input, Input::Bool(_));
    let answers = choices.iter().enumerate().map(|(at, choice)| {
        let mut button = json!({
            "type": "button",
            "action_id": format!("{ANSWER}{at}"),
            "text": plain(&choice.label, BUTTON_CHARS_MAX),
            "value": reference(&event.request.key()),
        });
        if is_bool && at == 0 {
            button["style"] = json!("primary");
        }
        if event.request.require_confirmation || event.request.risk != Risk::Low {
            button["confirm"] = confirm(event.request.risk, &choice.label);
        }
        button
    });
    let open = link.map(|link| {
        let text = if choices.is_empty() { "Read and answer" } else { "Read all" };
        json!({"type": "button", "action_id": OPEN, "text": plain(text, BUTTON_CHARS_MAX), "url": link})
    });
    let elements: Vec<Value> = answers.chain(open).collect();
    (!elements.is_empty())
        .then(|| json!({"type": "actions", "block_id": "hitl", "elements": elements}))
}

fn confirm(risk: Risk, label: &str) -> Value {
    let risk = match risk {
        Risk::Low => "",
        Risk::Medium => "This is a question of medium risk. ",
        Risk::High => "This is a question of high risk. ",
    };
    json!({
        "title": plain("Are you sure?", 100),
        "text": plain(&format!("{risk}Your answer: {label}"), 300),
        "confirm": plain("Answer", 30),
        "deny": plain("Not yet", 30),
    })
}

/// What a button stands for beside its number: the event.
pub(crate) fn reference(EventKey { namespace, id }: &EventKey) -> String {
    format!("{namespace}/{id}")
}

/// The event that [`reference`] names.
pub(crate) fn referred(text: &str) -> Option<EventKey> {
    let (namespace, id) = text.split_once('/')?;
    Some(EventKey { namespace: namespace.parse().ok()?, id: id.parse().ok()? })
}

fn about(event: &Event, digest: &Digest) -> String {
    let mut lines = vec![format!("Asked by {}", escape(&digest.asker))];
    if digest.ended.is_none() {
        lines.push(format!(
            "Answer by {}; {}",
            moment(event.request.deadline, &digest.deadline),
            escape(&digest.on_timeout)
        ));
    }
    lines.push(escape(&digest.about));
    lines.join("\n")
}

/// An instant in the reader's own time zone, as Slack shows it; `words` where it cannot.
fn moment(instant: Timestamp, words: &str) -> String {
    let seconds = instant.ms().div_euclid(1000);
    format!("<!date^{seconds}^{{date_short_pretty}}, {{time}}|{words}>")
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [mrkdwn(text)]})
}

/// Text with our own marks in it. Names of channels and people in it mean nothing.
fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": cut(text, SECTION_CHARS_MAX), "verbatim": true})
}

/// Text without any marks.
fn plain(text: &str, chars_max: usize) -> Value {
    json!({"type": "plain_text", "text": cut(text, chars_max), "emoji": false})
}

fn quote(text: &str) -> String {
    format!(">{}", escape(text).replace('\n', "\n>"))
}

/// `text` without what Slack reads in it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The first so many characters of `text`, and no part of an escaped one.
fn cut(text: &str, chars_max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(chars_max) else {
        return text.to_owned();
    };
    let mut kept: String = text[..end].chars().take(chars_max - 1).collect();
    if let Some(at) = kept.rfind('&').filter(|at| !kept[*at..].contains(';')) {
        kept.truncate(at);
    }
    kept + "…"
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
