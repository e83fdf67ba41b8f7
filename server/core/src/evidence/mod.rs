//! What is shown beside a question so that a person can decide.

mod check;

use serde::{Deserialize, Serialize};

pub(crate) use check::check;

/// How much is at stake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing out of the ordinary.
    #[default]
    Low,
    /// Worth a second look.
    Medium,
    /// Hard to undo, or dear.
    High,
}

impl Risk {
    /// For fields that are left out of records at their default, as they were before there were such fields.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(crate) fn is_low(&self) -> bool {
        *self == Self::Low
    }
}

/// One item, fixed when the event is created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the item is called; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What is worth knowing about it, such as a file name; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// What is shown.
    pub content: Content,
}

/// What an item shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Names and what they stand for.
    Facts(Vec<Fact>),
    /// Text as it is.
    Text(String),
    /// Source code.
    Code {
        /// The code.
        code: String,
        /// The language it is in; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        language: String,
    },
    /// A JSON value, as text.
    Json(String),
    /// What changes from one text to another.
    Diff(Diff),
    /// Rows and columns.
    Table {
        /// What the columns are called.
        columns: Vec<String>,
        /// The rows, each with one cell for each column.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rows: Vec<Vec<String>>,
    },
    /// A place on the web.
    Link {
        /// Where that is.
        url: String,
        /// What is there; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        label: String,
    },
}

/// One name and what it stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The name.
    pub label: String,
    /// What it stands for; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// Where there is more; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// What changes from one text to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diff {
    /// Both texts.
    Texts {
        /// How it is now; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        before: String,
        /// How it would be; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        after: String,
    },
    /// In unified form.
    Unified(String),
}

impl Content {
    /// A word for the kind, for an item without a title.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Facts(_) => "Facts",
            Self::Text(_) => "Text",
            Self::Code { .. } => "Code",
            Self::Json(_) => "JSON",
            Self::Diff(_) => "Changes",
            Self::Table { .. } => "Table",
            Self::Link { .. } => "Link",
        }
    }
}

impl Evidence {
    /// What the item is called: its title, or else a word for its kind.
    pub fn name(&self) -> &str {
        if self.title.is_empty() { self.content.word() } else { &self.title }
    }
}

/// The letter of the item at `index`, as prompts and pages call it.
///
/// # Panics
/// There is no such item, since events have at most 20.
pub fn letter(index: usize) -> char {
    const LETTERS: &[u8; crate::limits::EVIDENCE_ITEMS_MAX] = b"ABCDEFGHIJKLMNOPQRST";
    char::from(LETTERS[index])
}
