//! Why something is no pattern, with what to write instead.

use regex_syntax::ast::{Error, ErrorKind};

use super::dialect::column;

/// What is wrong with the pattern, as a sentence without a subject.
pub(super) fn of(error: &Error) -> String {
    let span = error.span();
    let at = error.pattern().get(span.start.offset..span.end.offset).unwrap_or_default();
    let wrong = match error.kind() {
        ErrorKind::EscapeUnrecognized | ErrorKind::ClassEscapeInvalid => escape(at),
        ErrorKind::UnsupportedBackreference => {
            "a backslash before a digit is not supported: write out what may repeat, or \\x00 for \
             a character by its number"
                .to_owned()
        }
        ErrorKind::UnsupportedLookAround => {
            "look-ahead and look-behind are not supported: match the text itself, and check the \
             rest where the answer is used"
                .to_owned()
        }
        ErrorKind::ClassRangeLiteral => {
            "a class such as \\w cannot begin or end a range: write \\- for a hyphen".to_owned()
        }
        ErrorKind::RepetitionMissing => {
            "there is nothing to repeat before this sign: write a backslash before it for the \
             character itself"
                .to_owned()
        }
        ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountUnclosed
        | ErrorKind::RepetitionCountInvalid
        | ErrorKind::DecimalEmpty => {
            "a repetition is written {n}, {n,} or {n,m} with n at most m, such as {0,5}: write \\{ \
             for a brace"
                .to_owned()
        }
        ErrorKind::FlagUnrecognized
        | ErrorKind::FlagUnexpectedEof
        | ErrorKind::FlagRepeatedNegation { .. }
        | ErrorKind::FlagDanglingNegation => {
            "a group begins with (, (?: or (?P<name>, or with flags out of i, m, s and U, such as \
             (?i)"
                .to_owned()
        }
        ErrorKind::SpecialWordBoundaryUnclosed
        | ErrorKind::SpecialWordBoundaryUnrecognized
        | ErrorKind::SpecialWordOrRepetitionUnexpectedEof => {
            "a brace behind \\b is not supported: write \\{ for a brace".to_owned()
        }
        other => other.to_string(),
    };
    format!("{wrong} (at character {})", column(span))
}

/// What to write for an escape that RE2 does not have.
fn escape(at: &str) -> String {
    let instead = match at.chars().nth(1) {
        Some('Z') => "write $ for the end of the text",
        Some('Q' | 'E') => "write a backslash before each character that is meant as itself",
        Some('h') => "write [ \\t]",
        Some('R') => "write (?:\\r\\n|\\n|\\r)",
        Some('X' | 'C') => "write (?s:.) for any one character",
        Some('e' | 'c') => "write the character by its number, such as \\x1b",
        _ => "write the character without a backslash, if it is meant as itself",
    };
    format!("{at} is not supported: {instead}")
}
