//! How much a prompt may ask for: a prompt of 64 kB can spell tables of millions of cells.
//!
//! The parser builds its whole tree before it hands out the first event. So what multiplies in the tree is counted in
//! the text before: cells that a row leaves out, and containers within containers, which every line goes through again.
//! What multiplies later is counted as the events come.

use std::fmt;

use pulldown_cmark::Event;

/// Deepest nesting that is rendered; a prompt that goes deeper is not written for people.
const DEPTH_MAX: usize = 32;

/// Most marks of quotes and lists at the start of a line.
const MARKS_MAX: usize = 64;

/// Most cells of tables, those included that are left out.
const CELLS_MAX: usize = 32 * 1024;

/// Most events of the parser: one for each byte of the longest prompt.
const EVENTS_MAX: usize = 64 * 1024;

/// Longest HTML, before it is cleaned.
const HTML_BYTES_MAX: usize = 1024 * 1024;

/// Rendering the prompt would take more than it may.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMuch;

/// Refuses a prompt whose tree would be too large. It counts at most half as much again as there would be.
///
/// # Errors
/// The tree might be too large.
pub(super) fn look(markdown: &str) -> Result<(), TooMuch> {
    let (mut columns, mut cells) = (0, 0);
    for line in markdown.split(['\n', '\r']) {
        if marks(line) > MARKS_MAX {
            return Err(TooMuch);
        }
        // An empty line ends a table; nothing else is sure to.
        if line.bytes().all(|byte| matches!(byte, b' ' | b'\t')) {
            columns = 0;
        }
        columns = columns.max(columns_declared(line));
        cells += columns;
        if cells > CELLS_MAX {
            return Err(TooMuch);
        }
    }
    Ok(())
}

/// How many marks of containers the line may begin with.
fn marks(line: &str) -> usize {
    let is_other = |byte: u8| {
        !matches!(byte, b' ' | b'\t' | b'>' | b'-' | b'*' | b'+' | b'.' | b')' | b'0'..=b'9')
    };
    let bytes = line.as_bytes();
    let bytes = &bytes[..bytes.iter().position(|byte| is_other(*byte)).unwrap_or(bytes.len())];
    let followed = bytes.windows(2).filter(|pair| {
        matches!(pair[0], b'-' | b'*' | b'+' | b'.' | b')') && matches!(pair[1], b' ' | b'\t')
    });
    followed.count() + bytes.iter().filter(|byte| **byte == b'>').count()
}

/// The columns of the table that begins here, if the line can be the one below a table's head, `|---|---|`; else 0.
fn columns_declared(line: &str) -> usize {
    let may_be_delimiters = line.bytes().all(|byte| {
        matches!(
            byte,
            b'|' | b'-' | b':' | b' ' | b'\t' | b'>' | b'*' | b'+' | b'.' | b')' | b'0'..=b'9'
        )
    });
    match line.bytes().filter(|byte| *byte == b'|').count() {
        pipes @ 1.. if may_be_delimiters && line.contains('-') => pipes + 1,
        _ => 0,
    }
}

/// Counts the events of the parser, and how deeply they nest.
#[derive(Default)]
pub(super) struct Count {
    events: usize,
    depth: usize,
}

impl Count {
    /// # Errors
    /// With `event` it is too much.
    pub(super) fn add(&mut self, event: &Event<'_>) -> Result<(), TooMuch> {
        match event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.events += 1;
        if self.depth > DEPTH_MAX || self.events > EVENTS_MAX { Err(TooMuch) } else { Ok(()) }
    }
}

/// HTML of a bounded length; what would be longer is an error of the writer.
#[derive(Default)]
pub(super) struct Bounded(pub(super) String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > HTML_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_lines_declare_nothing() {
        for line in ["", "| a | b |", "- [ ] a|b", "---", "* * *", "1. a", "> quote", "a | b - c"] {
            assert_eq!(columns_declared(line), 0, "{line}");
            assert!(marks(line) <= 3, "{line}");
        }
        assert_eq!(marks(&"-".repeat(200)), 0, "a rule is no list");
        assert_eq!(columns_declared("> - |:--|--:|"), 4);
        assert_eq!(marks("> > - 1. + a"), 5);
    }

    #[test]
    fn html_is_written_as_far_as_it_may_be() {
        use fmt::Write as _;
        let mut html = Bounded("x".repeat(HTML_BYTES_MAX - 1));
        assert!(html.write_str("ab").is_err());
        assert!(html.write_str("a").is_ok());
        assert!(html.write_str("a").is_err());
    }

    #[test]
    fn a_large_table_fits_and_one_that_pads_its_rows_does_not() {
        let large = format!(
            "{}\n{}\n{}",
            "|name".repeat(8),
            "|-".repeat(8),
            "|a|b|c|d|e|f|g|h|\n".repeat(3_000)
        );
        assert_eq!(look(&large), Ok(()));
        let padded = format!("{}\n{}\n{}", "|a".repeat(362), "|-".repeat(362), "a\n".repeat(724));
        for prefix in ["", "> ", "- ", "1. > "] {
            let quoted = padded.replace('\n', &format!("\n{prefix}"));
            assert_eq!(look(&quoted), Err(TooMuch), "{prefix:?}");
            assert_eq!(look(&quoted.replace('\n', "\r")), Err(TooMuch), "{prefix:?}");
        }
        let small = format!("{}\n{}\n{}\n", "|a".repeat(90), "|-".repeat(90), "a\n".repeat(90));
        assert_eq!(look(&small), Ok(()));
        assert_eq!(look(&small.repeat(20)), Err(TooMuch), "many of them are as bad");
    }
}
