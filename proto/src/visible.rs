//! Text that others wrote, with every character that cannot be seen written as an escape such as `\u{202E}`.
//!
//! Prompts, names, reasons and answers are anybody's text. A control character in them commands a terminal or forges a
//! line; one that turns the direction of writing shows another question than was asked; one without width makes two
//! texts look alike. All of them are written out, but for the few that ordinary writing needs where it needs them: the
//! joiners within the scripts and the emoji that they shape, and the selectors of a character's variant behind it.
//!
//! An escape stands for nothing but itself: what is stored, sent and answered is never changed.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The flags that are spelled in characters without a shape: those of England, Scotland and Wales.
const SPELLED_FLAGS: [&str; 3] = [
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}",
];

/// `text` for where it is shown in full: its line breaks and tabs stay. A line break written as CR LF is one, too.
pub fn text(text: &str) -> Cow<'_, str> {
    show(text, |character| matches!(character, '\n' | '\t'))
}

/// `text` for where it must stay on its line: line breaks and tabs are written out as well.
pub fn line(text: &str) -> Cow<'_, str> {
    show(text, |_| false)
}

/// The same, cut to `chars_max` characters.
pub fn cut_line(text: &str, chars_max: usize) -> String {
    // Nothing that is cut off is looked at: the text may be long.
    let end = text.char_indices().nth(chars_max + 1).map_or(text.len(), |(at, _)| at);
    let shown = line(&text[..end]);
    match shown.char_indices().nth(chars_max) {
        None => shown.into_owned(),
        Some(_) => shown.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn show(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|character| is_hidden(character) && !stays(character)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(flag) = SPELLED_FLAGS.iter().find(|flag| rest.starts_with(**flag)) {
            shown.push_str(flag);
            rest = &rest[flag.len()..];
            before = None;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        let after = rest.chars().next();
        let seen = !is_hidden(character) || stays(character) || belongs(before, character, after);
        if seen {
            shown.push(character);
        } else if !(character == '\r' && after.is_some_and(|after| after == '\n' && stays(after))) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{{{:X}}}", u32::from(character));
        }
        before = Some(character).filter(|_| seen);
    }
    Cow::Owned(shown)
}

/// Whether the character has no shape of its own: controls, what directs or joins, and all that Unicode lets programs
/// ignore.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a hidden character does between its neighbours what it was made for. `before` is `None` behind an escape,
/// so that no row of them hides behind one letter.
fn belongs(before: Option<char>, character: char, after: Option<char>) -> bool {
    let Some(before) = before else { return false };
    match character {
        '\u{200D}' if is_pictograph(before) || before == '\u{FE0F}' => {
            after.is_some_and(is_pictograph)
        }
        '\u{200C}' | '\u{200D}' => {
            is_joined(before) && (is_virama(before) || after.is_some_and(is_joined))
        }
        '\u{FE0E}' | '\u{FE0F}' => {
            is_pictograph(before) || is_han(before) || matches!(before, '0'..='9' | '#' | '*')
        }
        '\u{FE00}'..='\u{FE02}' => is_han(before) || matches!(before, '\u{2200}'..='\u{22FF}'),
        '\u{E0100}'..='\u{E01EF}' => is_han(before),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => matches!(before, '\u{1820}'..='\u{18AA}'),
        _ => false,
    }
}

/// Whether the character is a symbol of the blocks in which emoji are.
fn is_pictograph(character: char) -> bool {
    matches!(character,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21FF}'
        | '\u{2300}'..='\u{23FF}' | '\u{24C2}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
        | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}'
        | '\u{1F000}'..='\u{1FAFF}')
}

fn is_han(character: char) -> bool {
    matches!(character,
        '\u{3001}'..='\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

/// Whether the character is of a script whose letters join, so that its writers need to say where they do not: Arabic
/// and its kin, the scripts of India and of its neighbours, and Mongolian.
fn is_joined(character: char) -> bool {
    let in_script = matches!(character,
        '\u{620}'..='\u{65F}' | '\u{66E}'..='\u{6D3}' | '\u{6D5}'..='\u{6DC}' | '\u{6DF}'..='\u{6EF}'
        | '\u{6FA}'..='\u{8FF}' | '\u{900}'..='\u{DFF}' | '\u{F00}'..='\u{109F}' | '\u{1780}'..='\u{18AA}'
        | '\u{1CD0}'..='\u{1CFF}' | '\u{A8E0}'..='\u{A8FF}' | '\u{FB50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{11000}'..='\u{11FFF}');
    in_script && !is_hidden(character)
}

/// Whether the character takes a letter's vowel away, which is where a joiner says how the next letter is bound.
fn is_virama(character: char) -> bool {
    matches!(character,
        '\u{94D}' | '\u{9CD}' | '\u{A4D}' | '\u{ACD}' | '\u{B4D}' | '\u{BCD}' | '\u{C4D}' | '\u{CCD}'
        | '\u{D3B}'..='\u{D3C}' | '\u{D4D}' | '\u{DCA}' | '\u{1039}'..='\u{103A}' | '\u{17D2}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let hidden = [
            0x0, 0x7, 0x8, 0xB, 0xD, 0x1B, 0x7F, 0x80, 0x9B, 0x9F, 0xAD, 0x34F, 0x61C, 0x115F,
            0x1160, 0x17B4, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A,
            0x202E, 0x2060, 0x2064, 0x2066, 0x2069, 0x206F, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0,
            0xFFF9, 0x1D173, 0xE0001, 0xE0041, 0xE007F, 0xE0100, 0xE01EF,
        ];
        for code in hidden {
            let character = char::from_u32(code).unwrap();
            for (text_, shown) in [
                (format!("a{character}b"), format!("a\\u{{{code:X}}}b")),
                (format!("{character}"), format!("\\u{{{code:X}}}")),
            ] {
                assert_eq!(text(&text_), shown);
                assert_eq!(line(&text_), shown);
            }
        }
    }

    #[test]
    fn line_breaks_stay_only_where_text_is_shown_in_full() {
        assert_eq!(text("a\n\tb\r\nc\rd"), "a\n\tb\nc\\u{D}d");
        assert_eq!(line("a\n\tb\r\nc"), "a\\u{A}\\u{9}b\\u{D}\\u{A}c");
        assert_eq!(text("a\u{85}b\u{2028}c"), "a\\u{85}b\\u{2028}c", "other line breaks");
    }

    #[test]
    fn ordinary_writing_stays_as_it_is() {
        for ordinary in [
            "Grüße, 12 × 3 ≠ 4 – “ok”\u{A0}€",
            "می\u{200C}خواهم",
            "क\u{94D}\u{200D}ष र\u{94D}\u{200D} न\u{94D}\u{200C}",
            "ක\u{DCA}\u{200D}ර",
            "👩\u{200D}💻 👨\u{200D}👩\u{200D}👧 🏳\u{FE0F}\u{200D}🌈 👩🏽\u{200D}⚕\u{FE0F} ❤\u{FE0F} 1\u{FE0F}\u{20E3} 🇩🇪",
            SPELLED_FLAGS[1],
            "葛\u{E0100}飾区",
            "עברית ועוד",
            "한국어 日本語 ไทย",
        ] {
            assert_eq!(text(ordinary), ordinary);
        }
    }

    #[test]
    fn what_writing_needs_elsewhere_hides_nothing_here() {
        for (sly, shown) in [
            ("pay\u{200D}pal", "pay\\u{200D}pal"),
            ("a\u{FE0F}b", "a\\u{FE0F}b"),
            // Selectors in a row carry bytes that nobody sees.
            ("😀\u{FE0F}\u{FE0E}\u{E0148}", "😀\u{FE0F}\\u{FE0E}\\u{E0148}"),
            ("می\u{200C}\u{200C}خ", "می\\u{200C}\\u{200C}خ"),
            ("👩\u{200D}", "👩\\u{200D}"),
            ("👩\u{200D}x", "👩\\u{200D}x"),
            ("\u{1F3F4}\u{E0068}\u{E0069}\u{E007F}", "\u{1F3F4}\\u{E0068}\\u{E0069}\\u{E007F}"),
        ] {
            assert_eq!(text(sly), shown);
        }
    }

    #[test]
    fn a_cut_line_says_that_it_was_cut() {
        assert_eq!(cut_line("äöü\n", 9), "äöü\\u{A}");
        assert_eq!(cut_line("äöüäöü", 6), "äöüäöü");
        assert_eq!(cut_line("äöüäöüä", 6), "äöüäö…");
        assert_eq!(cut_line(&"\u{202E}".repeat(100_000), 5), "\\u{2…");
    }
}
