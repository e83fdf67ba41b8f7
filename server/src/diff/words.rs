//! Which words of a line differ.

use imara_diff::{Algorithm, Diff, InternedInput};

use super::Piece;

/// Longest lines, both together, that are compared word by word.
const BYTES_MAX: usize = 4096;
/// Least part of the longer line that has to stay, in percent, for two lines to be alike.
const ALIKE_PERCENT: usize = 35;

/// Two lines in pieces.
pub(super) struct Words<'a> {
    pub(super) old: Vec<Piece<'a>>,
    pub(super) new: Vec<Piece<'a>>,
}

/// The pieces of two lines; none if they have too little in common to be one line that was changed.
pub(super) fn alike<'a>(old: &'a str, new: &'a str) -> Option<Words<'a>> {
    if old.len() + new.len() > BYTES_MAX {
        return None;
    }
    let (old_words, new_words) = (split(old), split(new));
    let mut input = InternedInput::default();
    input.update_before(old_words.iter().copied());
    input.update_after(new_words.iter().copied());
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_no_heuristic(&input);
    let old_pieces = pieces(old, &old_words, |word| diff.is_removed(word));
    let new_pieces = pieces(new, &new_words, |word| diff.is_added(word));
    let kept = new_pieces.iter().filter(|piece| !piece.differs);
    let kept: usize = kept.map(|piece| piece.text.trim().len()).sum();
    let longer = old.trim().len().max(new.trim().len());
    (kept * 100 >= longer * ALIKE_PERCENT).then_some(Words { old: old_pieces, new: new_pieces })
}

/// Letters and digits that belong together, spaces that do, and every other character by itself.
fn split(line: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, character) in line.char_indices() {
        let kind = kind(character);
        if at > 0 && (before != Some(kind) || kind == Kind::Other) {
            words.push(&line[start..at]);
            start = at;
        }
        before = Some(kind);
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    words
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Space,
    Other,
}

fn kind(character: char) -> Kind {
    match character {
        '_' => Kind::Word,
        _ if character.is_alphanumeric() => Kind::Word,
        _ if character.is_whitespace() => Kind::Space,
        _ => Kind::Other,
    }
}

/// The words of `line`, neighbours of one kind as one piece.
fn pieces<'a>(line: &'a str, words: &[&str], differs: impl Fn(u32) -> bool) -> Vec<Piece<'a>> {
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    let (mut start, mut end) = (0, 0);
    for (number, word) in (0..).zip(words) {
        let differs = differs(number);
        match pieces.last_mut() {
            Some(piece) if piece.differs == differs => piece.text = &line[start..end + word.len()],
            _ => {
                start = end;
                pieces.push(Piece { text: &line[start..end + word.len()], differs });
            }
        }
        end += word.len();
    }
    pieces
}
