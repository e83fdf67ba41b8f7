//! Evidence, made in a line.

use crate::v1::diff_evidence::Diff;
use crate::v1::evidence::Content;
use crate::v1::{
    CodeEvidence, DiffEvidence, DiffTexts, Evidence, Fact, FactsEvidence, JsonEvidence,
    LinkEvidence, TableEvidence, TableRow, TextEvidence,
};

impl Evidence {
    /// Names and what they stand for, in order.
    pub fn facts<L: Into<String>, V: Into<String>>(
        title: impl Into<String>,
        facts: impl IntoIterator<Item = (L, V)>,
    ) -> Self {
        let fact = |(label, value): (L, V)| Fact {
            label: label.into(),
            value: value.into(),
            url: String::new(),
        };
        let facts = facts.into_iter().map(fact).collect();
        Self::of(title, Content::Facts(FactsEvidence { facts }))
    }

    /// Text as it is, whose long lines are wrapped.
    pub fn text(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self::of(title, Content::Text(TextEvidence { text: text.into() }))
    }

    /// Source code in `language`, such as `sql`, or in none that is known if that is empty.
    pub fn code(
        title: impl Into<String>,
        code: impl Into<String>,
        language: impl Into<String>,
    ) -> Self {
        let code = CodeEvidence { code: code.into(), language: language.into() };
        Self::of(title, Content::Code(code))
    }

    /// A JSON value, as text.
    pub fn json(title: impl Into<String>, json: impl Into<String>) -> Self {
        Self::of(title, Content::Json(JsonEvidence { json: json.into() }))
    }

    /// What changes from one text to another.
    pub fn diff(
        title: impl Into<String>,
        before: impl Into<String>,
        after: impl Into<String>,
    ) -> Self {
        let texts = DiffTexts { before: before.into(), after: after.into() };
        Self::of(title, Content::Diff(DiffEvidence { diff: Some(Diff::Texts(texts)) }))
    }

    /// What changes, as `git diff` writes it.
    pub fn unified_diff(title: impl Into<String>, unified: impl Into<String>) -> Self {
        let diff = Some(Diff::Unified(unified.into()));
        Self::of(title, Content::Diff(DiffEvidence { diff }))
    }

    /// Rows, each with one cell for each of the columns.
    pub fn table<C, R, T>(
        title: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
        rows: impl IntoIterator<Item = R>,
    ) -> Self
    where
        C: Into<String>,
        R: IntoIterator<Item = T>,
        T: Into<String>,
    {
        let row = |row: R| TableRow { cells: row.into_iter().map(Into::into).collect() };
        let columns = columns.into_iter().map(Into::into).collect();
        let rows = rows.into_iter().map(row).collect();
        Self::of(title, Content::Table(TableEvidence { columns, rows }))
    }

    /// A place on the web: an absolute http or https URL.
    pub fn link(title: impl Into<String>, url: impl Into<String>) -> Self {
        let link = LinkEvidence { url: url.into(), label: String::new() };
        Self::of(title, Content::Link(link))
    }

    /// With what is worth knowing about it, such as a file name.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn of(title: impl Into<String>, content: Content) -> Self {
        Self { title: title.into(), note: String::new(), content: Some(content) }
    }
}
