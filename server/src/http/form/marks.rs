//! `[[B]]` in a prompt: a mark that leads to the item of evidence with that letter.

use std::fmt::Write as _;

use askama::filters::Escaper;
use hitl_core::evidence::letter;

use crate::http::visible::Visible;

/// `text` as HTML in which every mark of one of `items` leads there. `None` if there is none.
pub(super) fn in_text(text: &str, items: usize) -> Option<String> {
    let mut html = String::with_capacity(text.len() + 128);
    let mut rest = text;
    while let Some((before, item, after)) = next(rest, items) {
        escape(&mut html, before);
        html.push_str(&mark(item));
        rest = after;
    }
    if html.is_empty() {
        return None;
    }
    escape(&mut html, rest);
    Some(html)
}

/// The same for HTML that the cleaner has written. What stands in code or in a link stays as it is.
pub(super) fn in_html(clean: &str, items: usize) -> String {
    let mut html = String::with_capacity(clean.len() + 128);
    // How many elements around this place leave marks alone.
    let mut inert = 0_usize;
    let mut rest = clean;
    while !rest.is_empty() {
        // The cleaner escapes every `<` that is no tag's.
        let text_end = rest.find('<').unwrap_or(rest.len());
        let (text, tag) = rest.split_at(text_end);
        let marked = if inert == 0 { marked(text, items) } else { None };
        html.push_str(marked.as_deref().unwrap_or(text));
        let tag_end = tag.find('>').map_or(tag.len(), |end| end + 1);
        let (tag, after) = tag.split_at(tag_end);
        match tag.trim_start_matches(['<', '/']).split([' ', '>']).next() {
            Some("a" | "code" | "pre") if tag.starts_with("</") => inert = inert.saturating_sub(1),
            Some("a" | "code" | "pre") => inert += 1,
            _ => {}
        }
        html.push_str(tag);
        rest = after;
    }
    html
}

fn marked(clean_text: &str, items: usize) -> Option<String> {
    let mut html = String::new();
    let mut rest = clean_text;
    while let Some((before, item, after)) = next(rest, items) {
        html.push_str(before);
        html.push_str(&mark(item));
        rest = after;
    }
    if html.is_empty() {
        return None;
    }
    html.push_str(rest);
    Some(html)
}

/// What stands before the next mark, of which item it is, and what stands behind it.
fn next(text: &str, items: usize) -> Option<(&str, usize, &str)> {
    let is_mark = |at: &usize| {
        let item = text.as_bytes().get(at + 2)?.checked_sub(b'A').map(usize::from)?;
        (item < items && text[at + 3..].starts_with("]]")).then_some(item)
    };
    let (at, item) = text.match_indices("[[").find_map(|(at, _)| Some((at, is_mark(&at)?)))?;
    Some((&text[..at], item, &text[at + 5..]))
}

fn mark(item: usize) -> String {
    let letter = letter(item);
    format!("<a class=\"ref\" href=\"#{}\" aria-label=\"Evidence {letter}\">{letter}</a>", id(item))
}

/// The id of the item in the page.
pub(super) fn id(item: usize) -> String {
    format!("e-{}", letter(item).to_ascii_lowercase())
}

fn escape(html: &mut String, text: &str) {
    let mut escaped = String::new();
    Visible.write_escaped_str(&mut escaped, text).expect("writing to a string cannot fail");
    let _ = write!(html, "{escaped}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: &str = "<a class=\"ref\" href=\"#e-b\" aria-label=\"Evidence B\">B</a>";

    #[test]
    fn a_mark_in_text_leads_to_its_item_and_all_else_is_escaped() {
        let shown = in_text("<i> [[B]] & [[C]] [[b]] [[[B]]] [[BB]]\u{202e}", 2).unwrap();
        assert_eq!(shown, format!("&#60;i&#62; {B} &#38; [[C]] [[b]] [[[B]]] [[BB]]\\u{{202E}}"));
        for none in ["[[B]", "[[", "[[]]", "[[ß]]", "[[A", "x"] {
            assert_eq!(in_text(none, 2), None, "{none}");
        }
        assert_eq!(in_text("[[A]]", 0), None);
    }

    #[test]
    fn a_mark_in_markdown_is_one_only_where_people_read() {
        let html = |markdown: &str| {
            let clean = crate::http::markdown::to_html(markdown).unwrap();
            in_html(&clean, 2)
        };
        assert_eq!(html("See **[[B]]**."), format!("<p>See <strong>{B}</strong>.</p>\n"));
        for inert in ["`[[B]]`", "```\n[[B]]\n```", "[see [[B]] there](https://a.example)"] {
            assert!(!html(inert).contains("class=\"ref\""), "{inert}: {}", html(inert));
        }
        assert!(html("`x` [[A]]").contains("e-a"));
    }
}
