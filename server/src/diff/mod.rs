//! What differs between two texts, in rows as people read them.
//!
//! The lines that differ are found by imara-diff, whose heuristics bound its work on any input; what is within a line
//! by the same over its words. A diff that is unified already is taken as it is, and shown in the same rows.

mod unified;
mod words;

use std::ops::Range;

use imara_diff::{Algorithm, Diff, InternedInput};

pub(crate) use unified::unified;
use words::Words;

/// Unchanged lines before and after a change.
const CONTEXT: usize = 3;
/// Fewest lines that are folded away.
const FOLDED_MIN: usize = 4;

/// One row of a diff.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Row<'a> {
    /// A line that stays.
    Same(Line<'a>),
    /// A line that goes, one that comes, or one that becomes the other.
    Change {
        /// Its number before, and what it says there.
        old: Option<Side<'a>>,
        /// Its number after, and what it says there.
        new: Option<Side<'a>>,
    },
    /// Lines that stay, and are far from what changes.
    Folded(Vec<Line<'a>>),
    /// What is said about the lines that follow.
    Note(&'a str),
}

/// A line that is the same on both sides.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Its number before, from 1; none if that is not known.
    pub(crate) old: Option<u32>,
    /// Its number after.
    pub(crate) new: Option<u32>,
    /// What it says, without the line break.
    pub(crate) text: &'a str,
}

/// A line on one side.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Side<'a> {
    /// Its number, from 1; none if that is not known.
    pub(crate) number: Option<u32>,
    /// What it says, in pieces of which each is the same on the other side or not.
    pub(crate) pieces: Vec<Piece<'a>>,
}

/// A piece of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// What it says.
    pub(crate) text: &'a str,
    /// Whether the other side says something else there.
    pub(crate) differs: bool,
}

/// How many lines come and how many go.
pub(crate) fn count(rows: &[Row<'_>]) -> (usize, usize) {
    let changes = rows.iter().filter_map(|row| match row {
        Row::Change { old, new } => Some((usize::from(new.is_some()), usize::from(old.is_some()))),
        _ => None,
    });
    changes.fold((0, 0), |(added, cut), (new, old)| (added + new, cut + old))
}

/// The rows of what changes from `before` to `after`.
pub(crate) fn texts<'a>(before: &'a str, after: &'a str) -> Vec<Row<'a>> {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let (old, new) = (lines(before), lines(after));
    let (mut rows, mut at) = (Vec::new(), (0, 0));
    let mut hunks = diff.hunks().peekable();
    if hunks.peek().is_none() {
        return rows;
    }
    for hunk in hunks {
        let (cut, added) = (span(&hunk.before), span(&hunk.after));
        let kept = same(&new, at, added.start);
        fold(&mut rows, kept, if at == (0, 0) { Place::First } else { Place::Between });
        change(&mut rows, &numbered(&old, &cut), &numbered(&new, &added));
        match (ends_bare(before, &old, &cut), ends_bare(after, &new, &added)) {
            (true, false) if !added.is_empty() => {
                rows.push(Row::Note("A line break at the end is new"));
            }
            (false, true) if !cut.is_empty() => {
                rows.push(Row::Note("No line break at the end any more"));
            }
            _ => {}
        }
        at = (cut.end, added.end);
    }
    fold(&mut rows, same(&new, at, new.len()), Place::Last);
    rows
}

/// The lines of a text without their line breaks. If every line ends in CR LF, that is one.
fn lines(text: &str) -> Vec<&str> {
    let lines: Vec<_> = text.split_terminator('\n').collect();
    if lines.iter().all(|line| line.ends_with('\r')) {
        return lines.iter().map(|line| &line[..line.len() - 1]).collect();
    }
    lines
}

/// Whether the last line of `text` is among `range`, and has no line break.
fn ends_bare(text: &str, lines: &[&str], range: &Range<usize>) -> bool {
    range.end == lines.len() && !range.is_empty() && !text.ends_with('\n')
}

fn span(range: &Range<u32>) -> Range<usize> {
    let at = |token: u32| usize::try_from(token).unwrap_or(usize::MAX);
    at(range.start)..at(range.end)
}

/// The lines from `at`, of either side, to `end` of the new one.
fn same<'a>(new: &[&'a str], at: (usize, usize), end: usize) -> Vec<Line<'a>> {
    let line = |(nth, text): (usize, &&'a str)| Line {
        old: number(at.0 + nth),
        new: number(at.1 + nth),
        text,
    };
    new[at.1..end].iter().enumerate().map(line).collect()
}

fn numbered<'a>(lines: &[&'a str], range: &Range<usize>) -> Vec<(Option<u32>, &'a str)> {
    range.clone().map(|at| (number(at), lines[at])).collect()
}

fn number(index: usize) -> Option<u32> {
    u32::try_from(index + 1).ok()
}

/// Where unchanged lines are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Between,
    Last,
}

/// Adds unchanged lines, those in the middle folded.
fn fold<'a>(rows: &mut Vec<Row<'a>>, mut kept: Vec<Line<'a>>, place: Place) {
    let before = if place == Place::First { 0 } else { CONTEXT };
    let after = if place == Place::Last { 0 } else { CONTEXT };
    if kept.len() < before + after + FOLDED_MIN {
        rows.extend(kept.into_iter().map(Row::Same));
        return;
    }
    let tail = kept.split_off(kept.len() - after);
    let folded = kept.split_off(before);
    rows.extend(kept.into_iter().map(Row::Same));
    rows.push(Row::Folded(folded));
    rows.extend(tail.into_iter().map(Row::Same));
}

/// Adds lines that go and lines that come. Two that are alike stand in one row, with the words that differ.
fn change<'a>(
    rows: &mut Vec<Row<'a>>,
    cut: &[(Option<u32>, &'a str)],
    added: &[(Option<u32>, &'a str)],
) {
    let whole = |&(number, text): &(Option<u32>, &'a str)| Side {
        number,
        pieces: vec![Piece { text, differs: false }],
    };
    let cut_row = |line| Row::Change { old: Some(whole(line)), new: None };
    let added_row = |line| Row::Change { old: None, new: Some(whole(line)) };
    let mut shown = 0;
    for at in 0..cut.len().min(added.len()) {
        let Some(Words { old, new }) = words::alike(cut[at].1, added[at].1) else { continue };
        rows.extend(cut[shown..at].iter().map(cut_row));
        rows.extend(added[shown..at].iter().map(added_row));
        let side = |number, pieces| Some(Side { number, pieces });
        rows.push(Row::Change { old: side(cut[at].0, old), new: side(added[at].0, new) });
        shown = at + 1;
    }
    rows.extend(cut[shown..].iter().map(cut_row));
    rows.extend(added[shown..].iter().map(added_row));
}

#[cfg(test)]
mod tests;
