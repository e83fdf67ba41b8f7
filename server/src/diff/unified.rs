//! Diffs that are unified already.

use super::{Line, Row, change};

/// The rows of a diff as `git diff` and `diff -u` write it. What is no part of one is a note.
pub(crate) fn unified(text: &str) -> Vec<Row<'_>> {
    let mut reader = Reader::default();
    let has_hunks = text.lines().any(|line| Hunk::read(line).is_some());
    if !has_hunks {
        // Only signs, without a place.
        reader.hunk = Some(Hunk { old: Span::UNKNOWN, new: Span::UNKNOWN });
    }
    for line in text.lines() {
        reader.read(line);
    }
    reader.flush();
    reader.rows
}

/// Lines on one side.
#[derive(Clone, Copy)]
struct Span {
    /// The number of the next; none if that is not known.
    next: Option<u32>,
    /// How many are left.
    left: u32,
}

impl Span {
    const UNKNOWN: Self = Self { next: None, left: u32::MAX };

    /// Reads `12,3`, or `12` for one line.
    fn read(text: &str) -> Option<Self> {
        let (start, count) = text.split_once(',').unwrap_or((text, "1"));
        Some(Self { next: Some(start.parse().ok()?), left: count.parse().ok()? })
    }

    /// The number of the next line, which is taken.
    fn take(&mut self) -> Option<u32> {
        self.left = self.left.saturating_sub(1);
        let number = self.next;
        self.next = number.and_then(|number| number.checked_add(1));
        number
    }
}

/// Where a part of a diff belongs.
struct Hunk {
    old: Span,
    new: Span,
}

impl Hunk {
    /// Reads `@@ -1,2 +3,4 @@` and whatever is behind it.
    fn read(line: &str) -> Option<Self> {
        let (old, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
        let (new, _) = rest.split_once(" @@")?;
        Some(Self { old: Span::read(old)?, new: Span::read(new)? })
    }

    fn is_over(&self) -> bool {
        self.old.left == 0 && self.new.left == 0
    }
}

#[derive(Default)]
struct Reader<'a> {
    rows: Vec<Row<'a>>,
    hunk: Option<Hunk>,
    cut: Vec<(Option<u32>, &'a str)>,
    added: Vec<(Option<u32>, &'a str)>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, line: &'a str) {
        if self.hunk.as_ref().is_some_and(Hunk::is_over) {
            self.hunk = None;
        }
        let sign = line.chars().next();
        let text = line.get(1..).unwrap_or_default();
        match (&mut self.hunk, sign) {
            (Some(hunk), Some('-')) => {
                // What came belongs to a change before this one.
                let number = hunk.old.take();
                if !self.added.is_empty() {
                    self.flush();
                }
                self.cut.push((number, text));
            }
            (Some(hunk), Some('+')) => self.added.push((hunk.new.take(), text)),
            // Some tools take the space of an empty line away.
            (Some(hunk), Some(' ') | None) => {
                let same = Line { old: hunk.old.take(), new: hunk.new.take(), text };
                self.flush();
                self.rows.push(Row::Same(same));
            }
            _ => {
                self.flush();
                self.hunk = Hunk::read(line).or(self.hunk.take());
                if !line.is_empty() {
                    self.rows.push(Row::Note(line));
                }
            }
        }
    }

    fn flush(&mut self) {
        change(&mut self.rows, &self.cut, &self.added);
        self.cut.clear();
        self.added.clear();
    }
}
