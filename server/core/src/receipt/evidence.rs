//! What a receipt says of the evidence beside a question.

use serde_json::{Value as Json, json};

use super::Members;
use crate::evidence::{Content, Diff, Evidence, Fact};

/// One item, as in the JSON of the API.
pub(super) fn item(Evidence { title, note, content }: &Evidence) -> Json {
    let mut members = Members::default();
    members.add_unless_empty("title", title);
    members.add_unless_empty("note", note);
    let mut shown = Members::default();
    let kind = match content {
        Content::Facts(facts) => {
            shown.add_list("facts", facts.iter().map(fact));
            "facts"
        }
        Content::Text(text) => {
            shown.add_unless_empty("text", text);
            "text"
        }
        Content::Code { code, language } => {
            shown.add_unless_empty("code", code);
            shown.add_unless_empty("language", language);
            "code"
        }
        Content::Json(text) => {
            shown.add_unless_empty("json", text);
            "json"
        }
        Content::Diff(Diff::Texts { before, after }) => {
            let mut texts = Members::default();
            texts.add_unless_empty("before", before);
            texts.add_unless_empty("after", after);
            shown.add("texts", texts);
            "diff"
        }
        // One of several, and so there even where it is empty.
        Content::Diff(Diff::Unified(text)) => {
            shown.add("unified", text.as_str());
            "diff"
        }
        Content::Table { columns, rows } => {
            shown.add_list("columns", columns.iter().map(|column| json!(column)));
            shown.add_list("rows", rows.iter().map(|row| row_of(row)));
            "table"
        }
        Content::Link { url, label } => {
            shown.add_unless_empty("url", url);
            shown.add_unless_empty("label", label);
            "link"
        }
    };
    members.add(kind, shown);
    members.into()
}

fn fact(Fact { label, value, url }: &Fact) -> Json {
    let mut members = Members::default();
    members.add_unless_empty("label", label);
    members.add_unless_empty("value", value);
    members.add_unless_empty("url", url);
    members.into()
}

fn row_of(cells: &[String]) -> Json {
    let mut members = Members::default();
    members.add_list("cells", cells.iter().map(|cell| json!(cell)));
    members.into()
}
