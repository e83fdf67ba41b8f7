//! Writes to the terminal what others have written, so that none of it can command the terminal.
//!
//! Prompts, names and answers are anybody's text. A control character in them could move the cursor,
//! set the clipboard or hide what a person is asked; one that turns the direction of writing could
//! show another question than was asked.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};

/// The text with everything that is not to be seen made visible, except line breaks and tabs.
pub(super) fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        if commands(character) {
            // Writing to a String cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

/// The same on one line, cut to `limit` characters.
pub(super) fn one_line(text: &str, limit: usize) -> String {
    let line = safe(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(limit) {
        None => line,
        Some(_) => line.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn commands(character: char) -> bool {
    let directs = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}');
    directs || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// Prints a result to stdout: to a terminal safely, to a program as it is. A reader that has gone
/// away, as `head` does, is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    let shown = if stdout.is_terminal() { safe(text) } else { text.to_owned() };
    match writeln!(stdout, "{shown}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Tells the person at the terminal something that is not a result.
pub(super) fn note(text: &str) {
    // There is nobody left to tell that stderr is closed.
    let _ = writeln!(io::stderr(), "{}", safe(text));
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
            let _ = write!(io::stderr(), "\r\x1b[2K{}", safe(text));
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
    fn nothing_that_commands_a_terminal_gets_through() {
        let text = "a\x1b]52;c;eA==\x07\r\u{9b}2J\u{202e}b\u{7f}\n\tü";
        let shown = "a\\u{1b}]52;c;eA==\\u{7}\\u{d}\\u{9b}2J\\u{202e}b\\u{7f}\n\tü";
        assert_eq!(safe(text), shown);
    }

    #[test]
    fn one_line_is_one_line_of_limited_length() {
        assert_eq!(one_line(" a\n b\tc ", 10), "a b c");
        assert_eq!(one_line("äöüäöü", 6), "äöüäöü");
        assert_eq!(one_line("äöüäöüä", 6), "äöüäö…");
    }
}
