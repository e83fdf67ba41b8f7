//! Text as people type and paste it: with spaces around it, and with characters in it that nobody sees.

use std::fmt::Write as _;

/// `text` without what nobody sees at its ends.
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Whether nothing is seen where `c` stands, and it is no space either.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// `c` for a message: itself where it can be seen, its number unless everybody has it on the keyboard, and what it is.
pub(crate) fn named(c: char) -> String {
    let kind = kind(c);
    let mut name = String::new();
    if !c.is_control() && !c.is_whitespace() && !is_invisible(c) {
        name.push('"');
        name.push(c);
        name.push_str("\" ");
    }
    // Writing to a String cannot fail.
    let _ = match c.is_ascii_graphic() {
        true => write!(name, "({kind})"),
        false => write!(name, "(U+{:04X}, {kind})", u32::from(c)),
    };
    name
}

fn kind(c: char) -> &'static str {
    match c {
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => "a line break",
        '\t' => "a tab",
        '\u{a0}' => "a no-break space",
        '\u{200b}' => "a zero width space",
        '\u{feff}' => "a byte order mark",
        '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "a mark for the direction of writing"
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => "a dash",
        '\'' | '"' | '\u{2018}'..='\u{201f}' | '«' | '»' | '`' | '´' => "a quotation mark",
        '_' => "a low line",
        '\u{66b}' => "an Arabic decimal separator",
        '\u{66c}' => "an Arabic thousands separator",
        '$' | '¢'..='¥' | '\u{20a0}'..='\u{20cf}' => "a currency sign",
        '%' | '٪' | '‰' => "a percent sign",
        c if is_invisible(c) => "an invisible character",
        c if c.is_control() => "a control character",
        c if c.is_whitespace() => "a space",
        c if c.is_ascii_alphabetic() => "a letter",
        c if c.is_numeric() => "a digit or number that is not one of 0 to 9",
        c if c.is_alphabetic() => "a letter",
        _ => "a sign",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_goes_from_the_ends_and_from_nowhere_else() {
        let text = "\u{feff}\u{a0} ann\u{200d}e@example.org\u{200b}\r\n";
        assert_eq!(trimmed(text), "ann\u{200d}e@example.org");
        assert_eq!(trimmed("\u{200e}\u{2009}"), "");
    }

    #[test]
    fn a_character_is_named_so_that_it_can_be_found() {
        for (c, name) in [
            ('€', "\"€\" (U+20AC, a currency sign)"),
            ('\u{200b}', "(U+200B, a zero width space)"),
            ('٤', "\"٤\" (U+0664, a digit or number that is not one of 0 to 9)"),
            ('\t', "(U+0009, a tab)"),
            ('x', "\"x\" (a letter)"),
        ] {
            assert_eq!(named(c), name);
        }
    }
}
