//! Whether two texts look the same to a person who has to tell them apart.
//!
//! What a form offers side by side must differ in what is seen: a space at the end, two spaces for
//! one, a character that has no width, an accent that is written as two characters or a letter in
//! its full-width form is nothing that anybody could pick by. Letters of different case do differ
//! to the eye, and lists that programs make (of files, of branches) hold both.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use crate::rejection::Violation;

/// A braille cell without dots: a symbol to Unicode, and a space to the eye.
const BRAILLE_BLANK: char = '\u{2800}';

/// Refuses texts that stand beside each other and cannot be told apart, or that show nothing.
#[derive(Debug, Default)]
pub(crate) struct Lookalikes<'a>(HashMap<String, &'a str>);

impl<'a> Lookalikes<'a> {
    /// Records a violation at `field` if `text` shows nothing, or looks like a text before it.
    pub(crate) fn add(&mut self, broken: &mut Vec<Violation>, field: &str, text: &'a str) {
        if is_blank(text) {
            broken.push(Violation::new(field, "must have a character that can be seen"));
        } else if let Some(before) = self.0.insert(seen(text), text) {
            let message =
                format!("looks like {before:?} before it: nobody could tell the two apart");
            broken.push(Violation::new(field, message));
        }
    }
}

/// Whether nothing of `text` is seen.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| is_space(c) || is_invisible(c))
}

/// `text` as it is seen: texts that look the same become equal.
pub(crate) fn seen(text: &str) -> String {
    // What has no width goes first, or it would keep what it separates from being composed.
    let shown: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&shown);
    let words = composed.split(is_space).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c == BRAILLE_BLANK
}

fn is_invisible(c: char) -> bool {
    let is_annotation_mark = matches!(c, '\u{fff9}'..='\u{fffb}');
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    (c.is_control() && !is_space(c)) || is_annotation_mark || ignorable.contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_eye_cannot_tell_apart_is_the_same() {
        for (a, b) in [
            ("yes", "yes "),
            ("yes", "\u{a0}yes\u{3000}"),
            ("a b", "a  b"),
            ("a b", "a\u{2009}b"),
            ("a b", "a\tb"),
            ("a b", "a\u{2800}b"),
            ("yes", "y\u{200b}es"),
            ("yes", "\u{feff}yes\u{2060}"),
            ("yes", "y\u{ad}es"),
            ("yes", "\u{202e}yes\u{202c}"),
            ("yes", "yes\u{e0041}"),
            ("yes", "yes\u{3164}"),
            ("yes", "\u{fff9}yes"),
            ("❤", "❤\u{fe0f}"),
            ("é", "e\u{301}"),
            ("é", "e\u{200d}\u{301}"),
            ("Å", "\u{212b}"),
            ("ABC 12", "ＡＢＣ　１２"),
            ("office", "o\u{fb03}ce"),
        ] {
            assert_eq!(seen(a), seen(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn what_the_eye_tells_apart_stays_apart() {
        for (a, b) in
            [("yes", "Yes"), ("a b", "ab"), ("e", "é"), ("1", "l"), ("日", "曰"), ("-", "–")]
        {
            assert_ne!(seen(a), seen(b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_text_without_a_character_that_is_seen_is_blank() {
        for blank in
            ["", " ", "\t\n", "\u{a0}\u{3000}", "\u{200b}", "\u{3164}", "\u{2800}", "\u{7}"]
        {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in ["a", " . ", "\u{1F642}", "é"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
