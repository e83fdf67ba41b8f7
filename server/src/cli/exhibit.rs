//! Evidence in the words of the terminal.

use hitl::v1::diff_evidence::Diff;
use hitl::v1::evidence::Content;
use hitl::v1::input::Kind;
use hitl::v1::{DiffEvidence, DiffTexts, Event, Evidence, Fact, FactsEvidence, TableEvidence};
use hitl_core::evidence::letter;
use hitl_core::limits;

use hitl_proto::visible;

use super::terminal;
use crate::diff::{self, Line, Row, Side};

/// Widest column of a table.
const COLUMN_CHARS_MAX: usize = 40;

/// What `event` shows beside its prompt: the action that is reviewed, and its evidence.
pub(super) fn of(event: &Event) -> String {
    let parts = [action(event), all(&event.evidence)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn action(event: &Event) -> String {
    let input = event.input.as_ref().and_then(|input| input.kind.as_ref());
    let Some(Kind::Review(review)) = input else { return String::new() };
    let read: Option<serde_json::Value> = serde_json::from_str(&review.arguments).ok();
    // What has lines already is shown as it was written.
    let arguments = match read {
        Some(json) if !review.arguments.trim().contains('\n') => format!("{json:#}"),
        _ => review.arguments.clone(),
    };
    let arguments = visible::text(arguments.trim_end()).replace('\n', "\n    ");
    format!("Action: {}\n    {arguments}", visible::line(&review.action))
}

/// All items, each below a line with its letter. Whatever others wrote is indented, so that none of it looks like ours.
pub(super) fn all(items: &[Evidence]) -> String {
    let shown = items.iter().take(limits::EVIDENCE_ITEMS_MAX).enumerate().map(|(at, item)| {
        let text = content(item.content.as_ref());
        format!("{}\n    {}", head(at, item), text.trim_end().replace('\n', "\n    "))
    });
    shown.collect::<Vec<_>>().join("\n")
}

fn head(at: usize, item: &Evidence) -> String {
    let kind = match &item.content {
        Some(Content::Facts(_)) => "Facts",
        Some(Content::Text(_)) => "Text",
        Some(Content::Code(_)) => "Code",
        Some(Content::Json(_)) => "JSON",
        Some(Content::Diff(_)) => "Changes",
        Some(Content::Table(_)) => "Table",
        Some(Content::Link(_)) => "Link",
        None => "Something that this program does not know",
    };
    let title = if item.title.is_empty() {
        kind.to_owned()
    } else {
        visible::line(&item.title).into_owned()
    };
    let note = if item.note.is_empty() {
        String::new()
    } else {
        format!(" ({})", visible::line(&item.note))
    };
    format!("[{}] {title}{note}", letter(at))
}

/// What an item shows, with what cannot be seen made visible, and only its own line breaks.
fn content(content: Option<&Content>) -> String {
    match content {
        Some(Content::Facts(FactsEvidence { facts })) => facts_text(facts),
        Some(Content::Text(item)) => visible::text(&item.text).into_owned(),
        Some(Content::Code(item)) => visible::text(&item.code).into_owned(),
        Some(Content::Json(item)) => visible::text(&item.json).into_owned(),
        Some(Content::Diff(DiffEvidence {
            diff: Some(Diff::Texts(DiffTexts { before, after })),
        })) => rows(&diff::texts(before, after)),
        Some(Content::Diff(DiffEvidence { diff: Some(Diff::Unified(text)) })) => {
            rows(&diff::unified(text))
        }
        Some(Content::Table(item)) => table(item),
        Some(Content::Link(item)) if item.label.is_empty() => visible::line(&item.url).into_owned(),
        Some(Content::Link(item)) => {
            format!("{}: {}", visible::line(&item.label), visible::line(&item.url))
        }
        Some(Content::Diff(DiffEvidence { diff: None })) | None => String::new(),
    }
}

fn facts_text(facts: &[Fact]) -> String {
    let line = |Fact { label, value, url }: &Fact| {
        let link =
            if url.is_empty() { String::new() } else { format!(" <{}>", visible::line(url)) };
        format!("{}: {}{link}\n", visible::line(label), terminal::indented(value, 2))
    };
    facts.iter().map(line).collect()
}

fn rows(rows: &[Row<'_>]) -> String {
    let same = |Line { text, .. }: &Line<'_>| format!("  {}\n", visible::line(text));
    let side = |sign: char, side: &Side<'_>| {
        let text: String = side.pieces.iter().map(|piece| piece.text).collect();
        format!("{sign} {}\n", visible::line(&text))
    };
    let row = |row: &Row<'_>| match row {
        Row::Same(line) => same(line),
        Row::Folded(lines) => format!("… {} lines that stay\n", lines.len()),
        Row::Note(text) => format!("# {}\n", visible::line(text)),
        Row::Change { old, new } => {
            let old = old.iter().map(|old| side('-', old));
            old.chain(new.iter().map(|new| side('+', new))).collect()
        }
    };
    rows.iter().map(row).collect()
}

fn table(TableEvidence { columns, rows }: &TableEvidence) -> String {
    let cell = |text: &String| visible::cut_line(text, COLUMN_CHARS_MAX);
    let lines = std::iter::once(columns).chain(rows.iter().map(|row| &row.cells));
    let lines: Vec<Vec<String>> = lines.map(|line| line.iter().map(cell).collect()).collect();
    let width = |at: usize| {
        let cells = lines.iter().filter_map(|line| line.get(at));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns.len()).map(width).collect();
    let line = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    lines.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_form_for_the_terminal() {
        let fact =
            Fact { url: "https://a.example/".into(), label: "Tests".into(), value: "ok".into() };
        let facts = Content::Facts(FactsEvidence { facts: vec![fact] });
        let items = [
            Evidence { content: Some(facts), ..Evidence::default() },
            Evidence::diff("Migration", "a b c\nd\n", "a x c\nd\n").with_note("0142.sql"),
            Evidence::table("Rows", ["name", "n"], [["long name", "1"], ["b", "20"]]),
            Evidence::json("Plan", "{\n  \"a\": 1\n}\n"),
            Evidence::link("", "https://a.example/"),
        ];
        let shown = all(&items);
        let expected = "\
[A] Facts
    Tests: ok <https://a.example/>
[B] Migration (0142.sql)
    - a b c
    + a x c
      d
[C] Rows
    name       n
    long name  1
    b          20
[D] Plan
    {
      \"a\": 1
    }
[E] Link
    https://a.example/";
        assert_eq!(shown, expected);
    }

    #[test]
    fn nothing_of_it_looks_like_a_line_of_ours_or_commands_the_terminal() {
        let evil = "x\nhitl: ok\r\nstate  ANSWERED\x1b[2J\u{202e}";
        let items = [
            Evidence::facts(evil, [(evil, evil)]).with_note(evil),
            Evidence::text(evil, evil),
            Evidence::code(evil, evil, evil),
            Evidence::json(evil, evil),
            Evidence::diff(evil, evil, ""),
            Evidence::unified_diff(evil, evil),
            Evidence::table(evil, [evil], [[evil]]),
            Evidence::link(evil, evil),
        ];
        let shown = all(&items);
        assert!(
            shown.lines().all(|line| line.starts_with("    ") || line.starts_with('[')),
            "{shown}"
        );
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown}");
        assert!(!shown.contains('\u{202e}'));
    }
}
