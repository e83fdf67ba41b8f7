//! Refuses JSON that says one thing twice, or nests without end, before anything reads it.
//!
//! An object that names a member twice has no one meaning: of two readers one takes the first and
//! the other the last, and a person who looks at it sees both. So every text that comes from
//! outside passes here, whoever reads it afterwards. Only names and nesting are looked at: text
//! that is no JSON passes, and is refused by whoever reads it next.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::de::DeserializeOwned;

/// Deepest nesting of arrays and objects that is read. Our deepest message needs seven.
pub const DEPTH_MAX: usize = 32;

/// `text` as what it describes.
///
/// # Errors
/// What is wrong, with line and column, in words for whoever wrote the text.
pub fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    check(text)?;
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

/// Refuses `text` if one of its objects has two members of the same name, or if it nests too deep.
///
/// # Errors
/// What is wrong, with line and column, in words for whoever wrote the text.
pub fn check(text: &[u8]) -> Result<(), String> {
    let mut open: Vec<Option<Names>> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' | b'[' => {
                if open.len() == DEPTH_MAX {
                    return Err(format!("is nested more than {DEPTH_MAX} deep"));
                }
                open.push((byte == b'{').then(Names::default));
            }
            b'}' | b']' => drop(open.pop()),
            b',' => {
                if let Some(Some(names)) = open.last_mut() {
                    names.is_next = true;
                }
            }
            b'"' => {
                let end = end_of_string(text, at);
                if let Some(Some(names)) = open.last_mut()
                    && std::mem::take(&mut names.is_next)
                    && let Some(name) = name(&text[at..end])
                    && let Some(twice) = names.seen.replace(name)
                {
                    let (line, column) = place(text, at);
                    return Err(format!(
                        "has two members named {twice:?}, the second at line {line} column {column}"
                    ));
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(())
}

/// The names of an object that is not closed yet.
struct Names<'a> {
    seen: HashSet<Cow<'a, str>>,
    /// Whether the next string is a name.
    is_next: bool,
}

impl Default for Names<'_> {
    fn default() -> Self {
        Self { seen: HashSet::new(), is_next: true }
    }
}

/// Where the string that begins at `start` is over.
fn end_of_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The name that `literal` spells; none if it is no string of JSON.
fn name(literal: &[u8]) -> Option<Cow<'_, str>> {
    if literal.contains(&b'\\') {
        // One name can be spelled in many ways.
        return serde_json::from_slice(literal).ok().map(Cow::Owned);
    }
    let inner = literal.get(1..literal.len().checked_sub(1)?)?;
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

fn place(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    (line, at - line_start + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;

    #[test]
    fn a_name_that_comes_twice_is_refused_wherever_it_is_and_however_it_is_spelled() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":{},"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"\u0061":1,"\u0061":2}"#,
            r#"[0,{"x":[{"a":{"a":1},"a":2}]}]"#,
            r#"{"":1,"":2}"#,
            r#"{"a\"b":1,"a\"b":2}"#,
            r#"{"a\\":1,"a\\":2}"#,
            "{\"a\" : [1, 2] ,\n \"a\":2}",
        ] {
            let message = check(text.as_bytes()).expect_err(text);
            assert!(message.starts_with("has two members named"), "{text}: {message}");
            assert!(read::<Json>(text.as_bytes()).is_err(), "{text}");
        }
        let message = check(b"{\"a\":1,\n  \"a\":2}").unwrap_err();
        assert_eq!(message, "has two members named \"a\", the second at line 2 column 3");
    }

    #[test]
    fn names_of_different_objects_and_texts_that_are_no_names_may_repeat() {
        for text in [
            r#"{"a":{"a":{"a":"a"}},"b":["a","a",{"a":"b"}],"A":"a","a ":"a"}"#,
            r#"[{"a":1},{"a":1}]"#,
            r#"{"a":"\",\"a\":","b":"{\"a\":1,\"a\":2}"}"#,
            "42",
            "\"a\"",
            "",
        ] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded_without_following_it() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert_eq!(check(deep(DEPTH_MAX).as_bytes()), Ok(()));
        assert_eq!(check(format!("[{},{}]", deep(31), deep(31)).as_bytes()), Ok(()));
        for n in [DEPTH_MAX + 1, 1_000_000] {
            assert!(check(deep(n).as_bytes()).unwrap_err().contains("32 deep"), "{n}");
        }
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::hash_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_a_writer_wrote_is_read_the_same(json in json()) {
            for text in [json.to_string(), format!("{json:#}")] {
                prop_assert_eq!(read::<Json>(text.as_bytes()), Ok(json.clone()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in r#"[\[\]{}",:\\a-c\n]{0,40}"#) {
            let _ = check(&bytes);
            let _ = check(text.as_bytes());
        }
    }
}
