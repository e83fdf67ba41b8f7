//! The rules of evidence. Each item is bounded by itself, and all of them together by their bytes and by what takes a
//! page more room than its text: lines of diffs and cells of tables.

use serde::de::IgnoredAny;

use super::{Content, Diff, Evidence, Fact};
use crate::create::one_line;
use crate::limits;
use crate::lookalike::is_blank;
use crate::rejection::Violation;
use crate::strict_json;
use crate::web_address::WebAddress;

/// How much of something all items together have and may have, how much one has, and what it is called.
type Bound = (usize, usize, fn(&Size) -> usize, &'static str);

/// Records every rule that the items break.
pub(crate) fn check(broken: &mut Vec<Violation>, items: &[Evidence]) {
    if items.len() > limits::EVIDENCE_ITEMS_MAX {
        let message = format!("must be at most {} items", limits::EVIDENCE_ITEMS_MAX);
        broken.push(Violation::new("evidence", message));
        return;
    }
    let sizes: Vec<_> = items.iter().map(Size::of).collect();
    let all = sizes.iter().fold(Size::default(), Size::plus);
    let bounds: [Bound; 3] = [
        (all.bytes, limits::EVIDENCE_BYTES_MAX, |size| size.bytes, "bytes of text"),
        (all.diff_lines, limits::EVIDENCE_DIFF_LINES_MAX, |size| size.diff_lines, "lines in diffs"),
        (all.cells, limits::EVIDENCE_CELLS_MAX, |size| size.cells, "cells in tables"),
    ];
    for (given, max, part, what) in bounds {
        let largest = (0..items.len()).max_by_key(|at| part(&sizes[*at]));
        if let Some(at) = largest.filter(|_| given > max) {
            let message = format!(
                "is the largest of the evidence, which has {given} {what} in all: shorten it to at most {max}"
            );
            broken.push(Violation::new(format!("evidence[{at}]"), message));
            // What is too long is not looked at.
            return;
        }
    }
    for (at, item) in items.iter().enumerate() {
        Item { path: format!("evidence[{at}]"), broken: &mut *broken }.check(item);
    }
}

/// What an item takes.
#[derive(Clone, Copy, Default)]
struct Size {
    bytes: usize,
    diff_lines: usize,
    cells: usize,
}

impl Size {
    fn of(item: &Evidence) -> Self {
        let words = item.title.len() + item.note.len();
        let bytes = |texts: &[&String]| texts.iter().map(|text| text.len()).sum::<usize>();
        let lines = |text: &str| text.lines().count();
        let (content, diff_lines, cells) = match &item.content {
            Content::Facts(facts) => {
                let fact = |Fact { label, value, url }: &Fact| bytes(&[label, value, url]);
                (facts.iter().map(fact).sum(), 0, 0)
            }
            Content::Text(text) | Content::Json(text) => (text.len(), 0, 0),
            Content::Code { code, language } => (bytes(&[code, language]), 0, 0),
            Content::Diff(Diff::Texts { before, after }) => {
                (bytes(&[before, after]), lines(before) + lines(after), 0)
            }
            Content::Diff(Diff::Unified(text)) => (text.len(), lines(text), 0),
            Content::Table { columns, rows } => {
                let cells = || rows.iter().flatten().chain(columns);
                // A row without cells takes its place too.
                (cells().map(String::len).sum(), 0, cells().count() + rows.len())
            }
            Content::Link { url, label } => (bytes(&[url, label]), 0, 0),
        };
        Self { bytes: words + content, diff_lines, cells }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            diff_lines: self.diff_lines + other.diff_lines,
            cells: self.cells + other.cells,
        }
    }
}

/// One item, and where what it breaks is recorded.
struct Item<'a> {
    path: String,
    broken: &'a mut Vec<Violation>,
}

impl Item<'_> {
    fn check(&mut self, item: &Evidence) {
        self.line("title", &item.title, limits::NAME_CHARS_MAX);
        self.line("note", &item.note, limits::NAME_CHARS_MAX);
        match &item.content {
            Content::Facts(facts) => self.facts(facts),
            Content::Text(text) => self.seen("text.text", text),
            Content::Code { code, language } => {
                self.seen("code.code", code);
                self.line("code.language", language, limits::LANGUAGE_CHARS_MAX);
            }
            Content::Json(text) => self.json(text),
            Content::Diff(Diff::Texts { before, after }) => {
                if before == after {
                    self.refuse("diff.texts", "must have two texts that differ");
                }
            }
            Content::Diff(Diff::Unified(text)) => self.seen("diff.unified", text),
            Content::Table { columns, rows } => self.table(columns, rows),
            Content::Link { url, label } => {
                self.address("link.url", url);
                self.line("link.label", label, limits::NAME_CHARS_MAX);
            }
        }
    }

    fn facts(&mut self, facts: &[Fact]) {
        if !(1..=limits::FACTS_MAX).contains(&facts.len()) {
            self.refuse("facts.facts", format!("must be 1 to {} facts", limits::FACTS_MAX));
            return;
        }
        for (at, Fact { label, value, url }) in facts.iter().enumerate() {
            let field = |name: &str| format!("facts.facts[{at}].{name}");
            self.seen(&field("label"), label);
            self.line(&field("label"), label, limits::NAME_CHARS_MAX);
            if value.chars().count() > limits::FACT_VALUE_CHARS_MAX {
                let message =
                    format!("must have at most {} characters", limits::FACT_VALUE_CHARS_MAX);
                self.refuse(&field("value"), message);
            }
            if !url.is_empty() {
                self.address(&field("url"), url);
            }
        }
    }

    fn json(&mut self, text: &str) {
        let read = strict_json::check(text.as_bytes()).and_then(|()| {
            let read = serde_json::from_str::<IgnoredAny>(text).map(drop);
            read.map_err(|error| format!("must be JSON: {error}"))
        });
        if let Err(message) = read {
            self.refuse("json.json", message);
        }
    }

    fn table(&mut self, columns: &[String], rows: &[Vec<String>]) {
        if !(1..=limits::TABLE_COLUMNS_MAX).contains(&columns.len()) {
            let message = format!("must be 1 to {} columns", limits::TABLE_COLUMNS_MAX);
            self.refuse("table.columns", message);
            return;
        }
        if rows.len() > limits::TABLE_ROWS_MAX {
            self.refuse("table.rows", format!("must be at most {} rows", limits::TABLE_ROWS_MAX));
            return;
        }
        for (at, column) in columns.iter().enumerate() {
            self.line(&format!("table.columns[{at}]"), column, limits::NAME_CHARS_MAX);
        }
        for (at, row) in rows.iter().enumerate() {
            if row.len() != columns.len() {
                let message = format!(
                    "must have {} cells, as there are columns, has {}",
                    columns.len(),
                    row.len()
                );
                self.refuse(&format!("table.rows[{at}].cells"), message);
            }
            let is_long = |cell: &String| cell.chars().count() > limits::CELL_CHARS_MAX;
            if let Some(cell) = row.iter().position(is_long) {
                let message = format!("must have at most {} characters", limits::CELL_CHARS_MAX);
                self.refuse(&format!("table.rows[{at}].cells[{cell}]"), message);
            }
        }
    }

    fn address(&mut self, field: &str, url: &str) {
        if url.len() > limits::URL_BYTES_MAX {
            self.refuse(field, format!("must have at most {} bytes", limits::URL_BYTES_MAX));
        } else if WebAddress::of(url).is_none() {
            self.refuse(
                field,
                "must be an absolute http or https URL, without a name or password before the host",
            );
        }
    }

    fn seen(&mut self, field: &str, text: &str) {
        if is_blank(text) {
            self.refuse(field, "must have a character that can be seen");
        }
    }

    fn line(&mut self, field: &str, text: &str, chars_max: usize) {
        one_line(self.broken, &format!("{}.{field}", self.path), text, chars_max);
    }

    fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.broken.push(Violation::new(format!("{}.{field}", self.path), message));
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
