//! What is shown beside the question, ready for the page.

mod json;
mod table;

use askama::Template;
use hitl_core::evidence::letter;
use hitl_core::{Content, Diff, Evidence, Fact, Input, Request, ReviewInput, WebAddress, receipt};
use sha2::{Digest as _, Sha256};

use super::marks;
use crate::diff::{self, Row};
use json::Part;
use table::Column;

/// Longest code and JSON, in lines, that stand open.
const OPEN_LINES_MAX: usize = 12;

/// All of it.
#[derive(Template)]
#[template(path = "evidence.html")]
pub(super) struct Shown<'a> {
    /// The items, in their order.
    items: Vec<Item<'a>>,
    /// By what anybody can tell the question from another.
    digest: Digest,
}

/// One item.
struct Item<'a> {
    /// None for the action of a review, which prompts do not refer to.
    letter: Option<char>,
    id: String,
    name: &'a str,
    note: &'a str,
    /// What kind it is, and how much of it there is.
    size: String,
    body: Body<'a>,
    /// Whether it stands open without being asked for.
    is_open: bool,
}

/// What an item shows.
enum Body<'a> {
    Facts(Vec<(&'a Fact, Option<WebAddress>)>),
    Text(&'a str),
    Code(&'a str),
    Json(Vec<Part>),
    Diff(Vec<Row<'a>>),
    Table { columns: Vec<Column<'a>>, rows: &'a [Vec<String>] },
    Link { label: &'a str, address: Option<WebAddress>, url: &'a str },
}

impl Item<'_> {
    /// Whether it can be folded away: what is long.
    fn folds(&self) -> bool {
        !matches!(self.body, Body::Facts(_) | Body::Link { .. })
    }
}

/// The SHA-256 of what a receipt says of a question.
pub(super) struct Digest {
    /// In 64 hexadecimal digits.
    pub(super) whole: String,
}

impl Digest {
    pub(super) fn of(request: &Request) -> Self {
        let hash = Sha256::digest(receipt::question_text(request));
        Self { whole: hash.iter().map(|byte| format!("{byte:02x}")).collect() }
    }

    /// Its beginning.
    fn head(&self) -> &str {
        &self.whole[..4]
    }

    /// Its end.
    fn tail(&self) -> &str {
        &self.whole[60..]
    }
}

/// What `request` shows beside its prompt; none if that is nothing.
pub(super) fn of(request: &Request) -> Option<Shown<'_>> {
    let mut values_left = json::VALUES_MAX;
    let action = match &request.input {
        Input::Review(review) => Some(action(review, &mut values_left)),
        _ => None,
    };
    let evidence = request.evidence.iter().enumerate();
    let evidence = evidence.map(|(at, evidence)| item(at, evidence, &mut values_left));
    let items: Vec<_> = action.into_iter().chain(evidence).collect();
    (!items.is_empty()).then(|| Shown { items, digest: Digest::of(request) })
}

/// What a review is about: all of it stands open, since it is what is decided on.
fn action<'a>(review: &'a ReviewInput, values_left: &mut usize) -> Item<'a> {
    let (size, mut body) = json_body(&review.arguments, values_left);
    if let Body::Json(parts) = &mut body {
        parts.iter_mut().for_each(Part::open);
    }
    Item {
        letter: None,
        id: "action".to_owned(),
        name: &review.action,
        note: "",
        size,
        body,
        is_open: true,
    }
}

fn json_body<'a>(text: &'a str, values_left: &mut usize) -> (String, Body<'a>) {
    match json::parts(text, values_left) {
        Some(parts) => (said("JSON", parts.len(), "line"), Body::Json(parts)),
        None => ("JSON, as it was written".to_owned(), Body::Code(text)),
    }
}

fn item<'a>(at: usize, evidence: &'a Evidence, values_left: &mut usize) -> Item<'a> {
    let (size, body, is_open) = match &evidence.content {
        Content::Facts(facts) => {
            let fact = |fact: &'a Fact| (fact, WebAddress::of(&fact.url));
            (String::new(), Body::Facts(facts.iter().map(fact).collect()), true)
        }
        Content::Text(text) => (String::new(), Body::Text(text), true),
        Content::Code { code, language } => {
            let lines = code.lines().count();
            (said(language, lines, "line"), Body::Code(code), lines <= OPEN_LINES_MAX)
        }
        Content::Json(text) => {
            let (size, body) = json_body(text, values_left);
            let is_open = matches!(&body, Body::Json(parts) if parts.len() <= OPEN_LINES_MAX);
            (size, body, is_open)
        }
        Content::Diff(diff) => {
            let rows = match diff {
                Diff::Texts { before, after } => diff::texts(before, after),
                Diff::Unified(text) => diff::unified(text),
            };
            let (added, cut) = diff::count(&rows);
            (format!("+{added} \u{2212}{cut}"), Body::Diff(rows), true)
        }
        Content::Table { columns, rows } => {
            let columns = table::columns(columns, rows);
            (said("", rows.len(), "row"), Body::Table { columns, rows }, true)
        }
        Content::Link { url, label } => {
            let address = WebAddress::of(url);
            (String::new(), Body::Link { label, address, url }, true)
        }
    };
    let (name, note) = (evidence.name(), evidence.note.as_str());
    Item { letter: Some(letter(at)), id: marks::id(at), name, note, size, body, is_open }
}

/// Such as `sql, 12 lines`.
fn said(kind: &str, count: usize, unit: &str) -> String {
    let comma = if kind.is_empty() { "" } else { ", " };
    let plural = if count == 1 { "" } else { "s" };
    format!("{kind}{comma}{count} {unit}{plural}")
}
