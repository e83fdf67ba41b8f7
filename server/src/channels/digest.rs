//! What a channel says of an event: the question in short, what it rests on, until when, who asks, and how it ended.
//!
//! It is text of a bounded size, in which every hidden character is written out. Each channel escapes it in its own way
//! and adds the link.

use hitl_core::evidence::letter;
use hitl_core::{
    Channel, Content, CredentialKind, Diff, Event, Evidence, Input, OnTimeout, Outcome, Proof,
    Request, Response, Risk, State, Timestamp, Value, limits,
};
use hitl_proto::visible;

use crate::diff::{self, Row};

/// Most characters of a title.
const TITLE_CHARS_MAX: usize = 150;
/// Most characters of a prompt. Whoever wants more follows the link.
const PROMPT_CHARS_MAX: usize = 2_000;
/// Most lines and characters of one item of evidence.
const ITEM_LINES_MAX: usize = 12;
const LINE_CHARS_MAX: usize = 200;
/// Most items of evidence that show what they hold. Of the others the name is said.
const ITEMS_FULL_MAX: usize = 6;
/// Most characters of a value, a reason or a comment.
const SAID_CHARS_MAX: usize = 300;
/// The run of whoever names none, which says nothing.
const SCOPE_DEFAULT: &str = "run";

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Digest {
    /// The question in one line.
    pub(crate) title: String,
    /// The question, if it is more than the title.
    pub(crate) prompt: String,
    /// How much is at stake.
    pub(crate) risk: Risk,
    /// What the question rests on.
    pub(crate) evidence: Vec<Exhibit>,
    /// Where the event stands: its namespace, its name, and the run that asks if it has a name.
    pub(crate) about: String,
    /// Who asks, and how that is known.
    pub(crate) asker: String,
    /// When it was asked.
    pub(crate) asked: String,
    /// Until when it can be answered.
    pub(crate) deadline: String,
    /// What happens then.
    pub(crate) on_timeout: String,
    /// How it ended; `None` while it waits.
    pub(crate) ended: Option<Ending>,
}

/// One item of evidence in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exhibit {
    /// Its letter and its name.
    pub(crate) head: String,
    /// What it holds, the first lines of it.
    pub(crate) lines: Vec<String>,
    /// Whether there is more.
    pub(crate) is_cut: bool,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// In which way.
    pub(crate) state: State,
    /// In one line, such as `Answered: Yes`.
    pub(crate) what: String,
    /// By whom and when, in one line.
    pub(crate) by: String,
    /// What was said beside it; may be empty.
    pub(crate) said: String,
}

impl Digest {
    /// What is said of `event`.
    pub(crate) fn of(event: &Event) -> Self {
        let request = &*event.request;
        let title = title(request);
        let prompt = prompt(request);
        let prompt = if prompt == title { String::new() } else { prompt };
        Self {
            prompt,
            title,
            risk: request.risk,
            evidence: request.evidence.iter().enumerate().map(exhibit).collect(),
            about: about(request),
            asker: asker(request.created_by.as_ref()),
            asked: when(request.create_time),
            deadline: when(request.deadline),
            on_timeout: match &request.on_timeout {
                OnTimeout::Fail => "then it ends without an answer".to_owned(),
                OnTimeout::Default(value) => {
                    format!("then it ends with the default: {}", shown(&request.input, value))
                }
            },
            ended: event.response.as_ref().map(|response| Ending::of(request, response)),
        }
    }

    /// What the risk is called; `None` if it is nothing out of the ordinary.
    pub(crate) fn risk_word(&self) -> Option<&'static str> {
        match self.risk {
            Risk::Low => None,
            Risk::Medium => Some("Medium risk"),
            Risk::High => Some("High risk"),
        }
    }
}

impl Ending {
    fn of(request: &Request, response: &Response) -> Self {
        let (what, said) = match &response.outcome {
            Outcome::Answered { value } => {
                (format!("Answered: {}", shown(&request.input, value)), response.comment.as_str())
            }
            Outcome::Declined { reason } => ("Declined".to_owned(), reason.as_str()),
            Outcome::Cancelled { reason } => ("Withdrawn".to_owned(), reason.as_str()),
            Outcome::TimedOut { default: None } => ("Nobody answered in time".to_owned(), ""),
            Outcome::TimedOut { default: Some(value) } => {
                let value = shown(&request.input, value);
                (format!("Nobody answered in time; it went on with {value}"), "")
            }
        };
        let time = when(response.time);
        let by = match response.responder.as_ref() {
            None => time,
            Some(responder) => {
                let name = responder.proof.as_ref().map_or("", |proof| proof.name.as_str());
                let name = if name.is_empty() { responder.name.as_str() } else { name };
                let way = way(responder.channel);
                let name = visible::cut_line(name, limits::NAME_CHARS_MAX);
                match name.as_str() {
                    "" => format!("{way}, {time}"),
                    name => format!("by {name} {way}, {time}"),
                }
            }
        };
        let said = cut_text(said, SAID_CHARS_MAX);
        Self { state: response.outcome.state(), what, by, said }
    }
}

/// By what way a response came.
fn way(channel: Channel) -> &'static str {
    match channel {
        Channel::Grpc | Channel::Http => "by the API",
        Channel::Form => "on the web",
        Channel::Mcp => "by MCP",
        Channel::Slack => "in Slack",
    }
}

/// An instant in UTC, which is the same for all who read it.
pub(crate) fn when(instant: Timestamp) -> String {
    instant.utc().format("%-d %B %Y, %H:%M UTC").to_string()
}

fn title(request: &Request) -> String {
    let line = if request.title.is_empty() {
        request.prompt.trim().lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    } else {
        &request.title
    };
    let line = if line.trim().is_empty() { &request.name } else { line };
    visible::cut_line(&unmarked(line.trim(), request.evidence.len()), TITLE_CHARS_MAX)
}

fn prompt(request: &Request) -> String {
    cut_text(&unmarked(request.prompt.trim(), request.evidence.len()), PROMPT_CHARS_MAX)
}

/// `text` with each mark of evidence, such as `[[B]]`, as `(B)`.
fn unmarked(text: &str, items: usize) -> String {
    (0..items.min(limits::EVIDENCE_ITEMS_MAX)).map(letter).fold(text.to_owned(), |text, letter| {
        text.replace(&format!("[[{letter}]]"), &format!("({letter})"))
    })
}

/// `text` with what cannot be seen written out, cut to so many characters.
fn cut_text(text: &str, chars_max: usize) -> String {
    let end = text.char_indices().nth(chars_max).map_or(text.len(), |(at, _)| at);
    let mut cut = visible::text(&text[..end]).into_owned();
    if end < text.len() {
        cut.push('…');
    }
    cut
}

fn about(request: &Request) -> String {
    let mut about = format!("{} / {}", request.namespace, visible::line(&request.name));
    if request.scope != SCOPE_DEFAULT {
        about.push_str(" / ");
        about.push_str(&visible::line(&request.scope));
    }
    about
}

/// Who asks, as the server knows it: nobody's own word.
fn asker(proof: Option<&Proof>) -> String {
    let Some(proof) = proof else {
        return "Not known: this server asks for no credential".to_owned();
    };
    let how = match proof.known_by {
        CredentialKind::None => return "Not known: this server asks for no credential".to_owned(),
        CredentialKind::Owner => {
            return "The user of the machine that the server runs on".to_owned();
        }
        CredentialKind::Link => "by a link",
        CredentialKind::Token => "by its token",
        CredentialKind::Person => "who has signed in",
        CredentialKind::ClientCertificate => "by its certificate",
    };
    let name = if proof.name.is_empty() { &proof.id } else { &proof.name };
    format!("{}, known {how}", visible::cut_line(name, limits::NAME_CHARS_MAX))
        .replace("known who", "who")
}

/// `value` in one line, in the words in which `input` asked for it.
pub(crate) fn shown(input: &Input, value: &Value) -> String {
    let text = match (input, value) {
        (Input::Bool(input), Value::Bool(truth)) => input.label(*truth).to_owned(),
        (Input::Choice(input), Value::Choice(selected)) => {
            let title = |value: &String| {
                let option = input.options.iter().find(|option| option.value == *value);
                option.map_or(value.as_str(), |option| option.title()).to_owned()
            };
            selected.iter().map(title).collect::<Vec<_>>().join(", ")
        }
        (_, Value::Str(text)) => text.clone(),
        (Input::Object(object), Value::Object(members)) => {
            let fields = object.fields().unwrap_or_default();
            let given = fields.iter().filter_map(|field| {
                let value = members.get(&field.name)?;
                Some(format!("{}: {}", field.label(), shown(&field.input, value)))
            });
            given.collect::<Vec<_>>().join("; ")
        }
        (_, other) => other.to_json().to_string(),
    };
    visible::cut_line(&text, SAID_CHARS_MAX)
}

fn exhibit((at, item): (usize, &Evidence)) -> Exhibit {
    let name = visible::cut_line(item.name(), TITLE_CHARS_MAX);
    let head = match item.note.as_str() {
        "" => format!("{}. {name}", letter(at)),
        note => format!("{}. {name} ({})", letter(at), visible::cut_line(note, TITLE_CHARS_MAX)),
    };
    if at >= ITEMS_FULL_MAX {
        return Exhibit { head, lines: Vec::new(), is_cut: true };
    }
    // One more than is shown tells that there is more.
    let mut lines = lines(&item.content);
    let is_cut = lines.len() > ITEM_LINES_MAX;
    lines.truncate(ITEM_LINES_MAX);
    Exhibit { head, lines, is_cut }
}

/// The first lines of what an item shows, and one more if there are more.
fn lines(content: &Content) -> Vec<String> {
    let line = |text: &str| visible::cut_line(text, LINE_CHARS_MAX);
    let of_text =
        |text: &str| text.lines().take(ITEM_LINES_MAX + 1).map(line).collect::<Vec<String>>();
    match content {
        Content::Facts(facts) => {
            let fact = |fact: &hitl_core::Fact| {
                let value = if fact.value.is_empty() { &fact.url } else { &fact.value };
                line(&format!("{}: {value}", fact.label))
            };
            facts.iter().take(ITEM_LINES_MAX + 1).map(fact).collect()
        }
        Content::Text(text) | Content::Json(text) => of_text(text),
        Content::Code { code, .. } => of_text(code),
        Content::Diff(Diff::Unified(text)) => changes(&diff::unified(text)),
        Content::Diff(Diff::Texts { before, after }) => changes(&diff::texts(before, after)),
        Content::Table { columns, rows } => {
            let row = |cells: &Vec<String>| line(&cells.join(" | "));
            std::iter::once(columns).chain(rows).take(ITEM_LINES_MAX + 1).map(row).collect()
        }
        Content::Link { url, label } if label.is_empty() => vec![line(url)],
        Content::Link { url, label } => vec![line(&format!("{label}: {url}"))],
    }
}

/// The first lines that change, without those that stay.
fn changes(rows: &[Row<'_>]) -> Vec<String> {
    let said = |sign: char, side: &diff::Side<'_>| {
        let text: String = side.pieces.iter().map(|piece| piece.text).collect();
        visible::cut_line(&format!("{sign} {text}"), LINE_CHARS_MAX)
    };
    let row = |row: &Row<'_>| match row {
        Row::Same(_) | Row::Folded(_) => Vec::new(),
        Row::Note(text) => vec![visible::cut_line(text, LINE_CHARS_MAX)],
        Row::Change { old, new } => {
            let old = old.iter().map(|old| said('-', old));
            old.chain(new.iter().map(|new| said('+', new))).collect()
        }
    };
    rows.iter().flat_map(row).take(ITEM_LINES_MAX + 1).collect()
}

#[cfg(test)]
#[path = "digest_tests.rs"]
pub(super) mod tests;
