//! Writes to the terminal what others have written, so that none of it can command the terminal.
//!
//! Prompts, names and answers are anybody's text. A control character in them could move the cursor,
//! set the clipboard or hide what a person is asked; one that turns the direction of writing could
//! show another question than was asked.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write as _};

use hitl_proto::visible;

/// The text on one line, with runs of spaces as one, cut to `limit` characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    visible::cut_line(&words, limit)
}

/// The text with what cannot be seen made visible. Every line after the first is indented by `columns`, so that none of
/// them looks like one of ours.
pub(super) fn indented(text: &str, columns: usize) -> String {
    visible::text(text).replace('\n', &format!("\n{:columns$}", ""))
}

/// Prints a result to stdout: to a terminal safely, to a program as it is. A reader that has gone
/// away, as `head` does, is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let shown = if stdout.is_terminal() { visible::text(text) } else { Cow::Borrowed(text) };
    match writeln!(stdout, "{shown}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Tells the person at the terminal something that is not a result.
pub(super) fn note(text: &str) {
    // There is nobody left to tell that stderr is closed.
    let _ = writeln!(io::stderr(), "{}", visible::text(text));
}

/// A line on stderr that is written over: nothing at all when stderr is not a terminal.
#[derive(Debug)]
pub(super) struct StatusLine {
    on: bool,
}

impl StatusLine {
    pub(super) fn new() -> Self {
        Self { on: io::stderr().is_terminal() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    pub(super) fn set(&self, text: &str) {
        if self.on {
            // As in `note`.
            let _ = write!(io::stderr(), "\r\x1b[2K{}", visible::line(text));
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.set("");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_or_forges_a_line_gets_through() {
        let text = "a\x1b]52;c;eA==\x07\r\u{9b}2J\u{202e}b\u{7f}\n\tü\u{2028}c\r\nd";
        let shown =
            "a\\u{1B}]52;c;eA==\\u{7}\\u{D}\\u{9B}2J\\u{202E}b\\u{7F}\n  \tü\\u{2028}c\n  d";
        assert_eq!(indented(text, 2), shown);
    }

    #[test]
    fn one_line_is_one_line_of_limited_length() {
        assert_eq!(one_line(" a\n b\tc ", 10), "a b c");
        assert_eq!(one_line("äöüäöü", 6), "äöüäöü");
        assert_eq!(one_line("äöüäöüä", 6), "äöüäö…");
        assert_eq!(one_line("a\u{202E}\u{2028}\u{85}b", 60), "a\\u{202E} b");
    }
}
