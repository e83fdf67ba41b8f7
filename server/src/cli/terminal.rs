//! Writes to the terminal what others have written, so that none of it can command the terminal.
//!
//! Prompts, names and answers are anybody's text. A control character in them could move the cursor,
//! set the clipboard or hide what a person is asked; one that turns the direction of writing could
//! show another question than was asked.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write as _};

use anstyle::{AnsiColor, Effects};
use hitl_proto::visible;

use super::table;

/// How a text looks on a terminal that shows colours. Colour never speaks alone: the text says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    /// What heads a table.
    Heading,
    /// What matters less.
    Quiet,
    /// What should be done soon.
    Soon,
    /// What is nearly too late.
    Late,
    /// White on black, whatever the terminal's own colours.
    Code,
}

impl Style {
    /// `text` with what makes a terminal show it so. Only [`print_painted`] may write it.
    pub(super) fn paint(self, text: &str) -> String {
        let style = match self {
            Self::Plain => anstyle::Style::new(),
            Self::Heading => anstyle::Style::new().effects(Effects::BOLD),
            Self::Quiet => anstyle::Style::new().effects(Effects::DIMMED),
            Self::Soon => AnsiColor::Yellow.on_default(),
            Self::Late => AnsiColor::Red.on_default().effects(Effects::BOLD),
            Self::Code => AnsiColor::BrightWhite.on(AnsiColor::Black),
        };
        format!("{style}{text}{style:#}")
    }
}

/// The columns and lines of the terminal that stdout is, if it is one and has a size.
pub(super) fn size() -> Option<(usize, usize)> {
    let (width, height) = terminal_size::terminal_size_of(io::stdout())?;
    Some((width.0.into(), height.0.into())).filter(|(columns, lines)| *columns > 0 && *lines > 0)
}

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

/// Prints what was painted, without its colours where nobody sees them or `NO_COLOR` is set. What others wrote in it
/// must be visible by now.
pub(super) fn print_painted(text: &str) -> anyhow::Result<()> {
    match writeln!(anstream::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// As [`note`], of what was painted: see [`print_painted`].
pub(super) fn note_painted(text: &str) {
    // As in `note`.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Prints what was painted in the stead of all that the terminal shows.
pub(super) fn redraw(text: &str) -> anyhow::Result<()> {
    print_painted(&format!("\x1b[H\x1b[J{text}"))
}

/// Tells the person at the terminal something that is not a result.
pub(super) fn note(text: &str) {
    // There is nobody left to tell that stderr is closed.
    let _ = writeln!(io::stderr(), "{}", visible::text(text));
}

/// Columns of a terminal that does not say.
const COLUMNS_USUAL: usize = 80;

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
            let columns = terminal_size::terminal_size_of(io::stderr());
            let columns = columns.map_or(COLUMNS_USUAL, |(width, _)| width.0.into());
            // One that fills the line would wrap, and then only its last part would be written over.
            let text = table::cut(&visible::line(text), columns.saturating_sub(1));
            let _ = write!(io::stderr(), "\r\x1b[2K{text}");
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
