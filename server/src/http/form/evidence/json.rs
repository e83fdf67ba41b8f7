//! JSON in lines that can be folded: every member and every number as it was written.
//!
//! The text was checked when the event was created, so it nests no deeper than the checker allows.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Most values of all JSON of a page that are laid out: each is a line.
pub(super) const VALUES_MAX: usize = 10_000;
/// Longest list or object that stands on one line.
const LINE_BYTES_MAX: usize = 60;
/// Deepest list or object that stands open.
const OPEN_DEPTH_MAX: usize = 3;

/// A line of JSON, or the beginning or the end of some that can be folded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of a value.
    Line {
        /// What it is called, as JSON; empty if that is nothing.
        name: String,
        /// The value, in pieces.
        pieces: Vec<Piece>,
        /// What stands behind it.
        comma: &'static str,
    },
    /// The first line of a list or an object.
    Open {
        /// As above.
        name: String,
        /// Its bracket.
        bracket: char,
        /// How many values are in it.
        count: usize,
        /// Whether it stands open.
        is_open: bool,
    },
    /// The last line of it.
    Close {
        /// Its bracket.
        bracket: char,
        /// As above.
        comma: &'static str,
    },
}

impl Part {
    /// Has it stand open, whatever its depth.
    pub(super) fn open(&mut self) {
        if let Self::Open { is_open, .. } = self {
            *is_open = true;
        }
    }
}

/// What of a line has a colour of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// As it was written.
    pub(super) text: String,
    /// A class of the style sheet.
    pub(super) tone: &'static str,
}

/// `text` in lines; none if that would take more than the `values_left`, or if it is not what was checked.
pub(super) fn parts(text: &str, values_left: &mut usize) -> Option<Vec<Part>> {
    let mut writer = Writer { parts: Vec::new(), values_left: *values_left };
    let value: &RawValue = serde_json::from_str(text).ok()?;
    writer.write(String::new(), value, "", 0)?;
    *values_left = writer.values_left;
    Some(writer.parts)
}

struct Writer {
    parts: Vec<Part>,
    values_left: usize,
}

impl Writer {
    fn write(
        &mut self,
        name: String,
        value: &RawValue,
        comma: &'static str,
        depth: usize,
    ) -> Option<()> {
        self.values_left = self.values_left.checked_sub(1)?;
        let text = value.get();
        if let Some(pieces) = one_line(text) {
            self.parts.push(Part::Line { name, pieces, comma });
            return Some(());
        }
        let (open, close) = if text.starts_with('{') { ('{', '}') } else { ('[', ']') };
        let Members(members) = serde_json::from_str(text).ok()?;
        let (count, is_open) = (members.len(), depth < OPEN_DEPTH_MAX);
        self.parts.push(Part::Open { name, bracket: open, count, is_open });
        for (at, (name, member)) in members.into_iter().enumerate() {
            let comma = if at + 1 < count { "," } else { "" };
            self.write(name, member, comma, depth + 1)?;
        }
        self.parts.push(Part::Close { bracket: close, comma });
        Some(())
    }
}

/// The pieces of a value that stands on one line: a text, a number, a word, or a short list or object of those.
fn one_line(text: &str) -> Option<Vec<Piece>> {
    if !text.starts_with(['{', '[']) {
        return Some(vec![scalar(text)]);
    }
    if text.len() > LINE_BYTES_MAX || text[1..].contains(['{', '[']) {
        return None;
    }
    let Members(members) = serde_json::from_str(text).ok()?;
    let (open, close) = if text.starts_with('{') { ("{", "}") } else { ("[", "]") };
    let plain = |text: &str| Piece { text: text.to_owned(), tone: "" };
    let mut pieces = vec![plain(open)];
    for (at, (name, member)) in members.into_iter().enumerate() {
        if at > 0 {
            pieces.push(plain(", "));
        }
        if !name.is_empty() {
            pieces.push(Piece { text: name, tone: "k" });
            pieces.push(plain(": "));
        }
        pieces.push(scalar(member.get()));
    }
    pieces.push(plain(close));
    Some(pieces)
}

fn scalar(text: &str) -> Piece {
    let tone = if text.starts_with('"') { "s" } else { "v" };
    Piece { text: text.to_owned(), tone }
}

/// What is in a list or an object, each with its name as JSON; those of a list have none.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list or an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = list.next_element()? {
            members.push((String::new(), member));
        }
        Ok(Members(members))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some((name, member)) = object.next_entry::<&RawValue, _>()? {
            members.push((name.get().to_owned(), member));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts as text, with a mark for what is folded.
    fn written(text: &str) -> Vec<String> {
        let mut left = VALUES_MAX;
        let named = |name: &str| if name.is_empty() { String::new() } else { format!("{name}: ") };
        let part = |part: Part| match part {
            Part::Line { name, pieces, comma } => {
                let value: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
                format!("{}{value}{comma}", named(&name))
            }
            Part::Open { name, bracket, count, is_open } => {
                format!(
                    "{}{bracket}{}",
                    named(&name),
                    if is_open { String::new() } else { format!(" {count}") }
                )
            }
            Part::Close { bracket, comma } => format!("{bracket}{comma}"),
        };
        parts(text, &mut left).unwrap().into_iter().map(part).collect()
    }

    #[test]
    fn everything_is_as_it_was_written_and_in_its_order() {
        let text = r#" {"z": "progressive \u202e\"", "a": [5, 25 ,50], "n": 12345678901234567890.10e400,
            "o": {"error_rate_percent": 0.5, "regions": ["eu-central-1"]}, "e": [], "t": true}"#;
        assert_eq!(
            written(text),
            [
                "{",
                r#""z": "progressive \u202e\"","#,
                r#""a": [5, 25, 50],"#,
                r#""n": 12345678901234567890.10e400,"#,
                r#""o": {"#,
                r#""error_rate_percent": 0.5,"#,
                r#""regions": ["eu-central-1"]"#,
                "},",
                r#""e": [],"#,
                r#""t": true"#,
                "}",
            ]
        );
        assert_eq!(written("[1,2]"), ["[1, 2]"]);
        assert_eq!(written("\"x\""), ["\"x\""]);
    }

    #[test]
    fn what_is_deep_is_folded() {
        let deep = r#"{"a":{"b":{"c":{"d":{"e":[[1]]}}}}}"#;
        assert!(written(deep).contains(&r#""c": { 1"#.to_owned()), "{:?}", written(deep));
    }

    #[test]
    fn what_is_too_much_is_not_laid_out() {
        let mut left = 10;
        let long = format!("[{}]", vec!["1"; 100].join(","));
        assert_eq!(parts(&long, &mut left), None);
        assert_eq!(left, 10);
        assert!(parts("[[1],[2],[3]]", &mut left).is_some());
        assert_eq!(left, 6);
    }
}
