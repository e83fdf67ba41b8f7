//! Tables on the terminal: columns that line up whatever is written in them, and lines that never wrap.

use hitl_proto::visible;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::terminal::Style;

/// Between two columns.
const GAP: &str = "  ";
/// Columns of the terminal that the last cell of a row has at least.
const LAST_MIN: usize = 12;

/// What one cell shows, and how.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// `text` on one line, with what cannot be seen written out.
    pub(super) fn new(text: &str, style: Style) -> Self {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self { text: visible::line(&words).into_owned(), style }
    }

    /// At most `columns` of the terminal wide.
    pub(super) fn at_most(mut self, columns: usize) -> Self {
        self.text = cut(&self.text, columns);
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Style::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

/// The rows, one a line. Every column but the last is as wide as its widest cell; the last is cut to what is left of
/// `columns`, if there is such a limit.
pub(super) fn aligned(rows: &[Vec<Cell>], columns: Option<usize>) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.text.width().max(*width);
        }
    }
    let before: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
    let last_max = columns.map(|columns| columns.saturating_sub(before).max(LAST_MIN));
    let lines = rows.iter().map(|row| {
        let Some((last, others)) = row.split_last() else { return String::new() };
        let others = others.iter().zip(&widths).map(|(cell, width)| {
            let space = " ".repeat(width - cell.text.width());
            cell.style.paint(&cell.text) + &space + GAP
        });
        let text = last_max.map_or_else(|| last.text.clone(), |max| cut(&last.text, max));
        let line = others.collect::<String>() + &last.style.paint(&text);
        line.trim_end().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The start of `text` that is at most `columns` wide, with an ellipsis if something is left out.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = text.chars().take_while(|character| {
        let width = character.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    });
    let mut start: String = fits.collect();
    start.truncate(start.trim_end().len());
    start + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 3]], columns: Option<usize>) -> String {
        let rows: Vec<_> = rows.iter().map(|row| row.map(Cell::from).to_vec()).collect();
        aligned(&rows, columns)
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["A", "B", "C"], ["äöü", "b", "c"], ["x", "yy", ""]];
        assert_eq!(table(&rows, None), "A    B   C\näöü  b   c\nx    yy");
    }

    #[test]
    fn wide_characters_take_the_two_columns_that_a_terminal_gives_them() {
        let rows = [["日本", "b", "c"], ["xxxx", "b", "c"], ["e\u{301}", "b", "c"]];
        assert_eq!(table(&rows, None), "日本  b  c\nxxxx  b  c\ne\u{301}     b  c");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_and_what_is_cut_says_so() {
        let long = "日本語の長い質問とその続きがここにあります";
        let rows = [["id", "name", long], ["id", "name", "Deploy to production now, or never?"]];
        for columns in [24, 60, 80, 160] {
            let shown = table(&rows, Some(columns));
            for line in shown.lines() {
                assert!(line.width() <= columns, "{columns}: {line}");
            }
            let is_cut = columns < 60;
            assert_eq!(shown.contains('…'), is_cut, "{columns}: {shown}");
        }
        assert_eq!(cut("Deploy to production", 10), "Deploy to…");
        assert_eq!(cut("日本語", 4), "日…");
    }

    #[test]
    fn a_cell_is_one_line_and_cannot_command_the_terminal() {
        assert_eq!(Cell::from("a\n b\x1b[31m\u{202E}c").text, "a b\\u{1B}[31m\\u{202E}c");
    }
}
