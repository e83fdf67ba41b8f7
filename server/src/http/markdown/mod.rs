//! Prompts in markdown, made harmless.
//!
//! Whoever writes a prompt may be a program under somebody else's influence, so a prompt gets no
//! say outside its box: raw HTML is shown as text, images are left out (each is a beacon), what
//! cannot be seen is written out, and a link shows the host that it leads to, whatever its text
//! says. What remains is rendered by pulldown-cmark and then cleaned by ammonia, so that a slip in
//! one is caught by the other. All of it is bounded: a prompt that would make too much of itself is
//! not rendered.

mod bounds;
mod link;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use hitl_proto::visible;
use pulldown_cmark::{CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

pub use bounds::TooMuch;
use bounds::{Bounded, Count};
use link::Target;

const OPTIONS: Options = Options::ENABLE_TABLES.union(Options::ENABLE_STRIKETHROUGH);

/// How much of a prompt its first line is looked for in.
const FIRST_LINE_BYTES_MAX: usize = 2048;

const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

const TAGS: [&str; 25] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "span",
];

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::empty();
    cleaner
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
        ]))
        // Looking something up must not cost what was typed so far.
        .set_tag_attribute_value("a", "target", "_blank")
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny);
    cleaner
});

/// `markdown` as HTML that can be put into a page.
///
/// # Errors
/// It would take too much; show the text as it is.
pub fn to_html(markdown: &str) -> Result<String, TooMuch> {
    bounds::look(markdown)?;
    let (mut count, mut author) = (Count::default(), Author::default());
    let mut events = Vec::new();
    for event in Parser::new_ext(markdown, OPTIONS) {
        count.add(&event)?;
        events.extend(author.harmless(event));
    }
    let mut unsafe_html = Bounded::default();
    html::write_html_fmt(&mut unsafe_html, events.into_iter()).map_err(|_| TooMuch)?;
    Ok(link::labelled(&CLEANER.clean(&unsafe_html.0).to_string()))
}

/// The text of the first paragraph, heading or other block of `markdown`, in one line, for where nothing is laid out.
pub(super) fn first_line(markdown: &str) -> String {
    let end = markdown.floor_char_boundary(FIRST_LINE_BYTES_MAX);
    let mut line = String::new();
    for event in Parser::new_ext(&markdown[..end], OPTIONS) {
        match event {
            Event::Text(text) | Event::Code(text) => line.push_str(&text),
            Event::SoftBreak | Event::HardBreak => line.push(' '),
            Event::End(end) if ends_block(end) && !line.trim().is_empty() => break,
            _ => {}
        }
    }
    line.trim().to_owned()
}

fn ends_block(end: TagEnd) -> bool {
    matches!(
        end,
        TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::CodeBlock
            | TagEnd::Item
            | TagEnd::TableRow
            | TagEnd::TableHead
    )
}

/// What an author may say.
#[derive(Default)]
struct Author {
    /// Of every link around this place, whether it is one.
    links: Vec<bool>,
}

impl Author {
    fn harmless<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        Some(match event {
            Event::Html(raw) | Event::InlineHtml(raw) | Event::Text(raw) => Event::Text(seen(raw)),
            Event::Code(code) => Event::Code(seen(code)),
            // The text within, which describes the image, stays.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => return None,
            Event::Start(Tag::Link { link_type, dest_url, .. }) => {
                let target = target(link_type, &dest_url);
                self.links.push(target.is_some());
                let (dest_url, nothing) = (target?.href.into(), CowStr::Borrowed(""));
                let link_type = LinkType::Inline;
                Event::Start(Tag::Link { link_type, dest_url, title: nothing.clone(), id: nothing })
            }
            Event::End(TagEnd::Link) if !self.links.pop().unwrap_or(false) => return None,
            Event::Start(Tag::Heading { level, .. }) => {
                let level = below_title(level);
                Event::Start(Tag::Heading {
                    level,
                    id: None,
                    classes: Vec::new(),
                    attrs: Vec::new(),
                })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below_title(level))),
            other => other,
        })
    }
}

fn target(link_type: LinkType, address: &str) -> Option<Target> {
    match link_type {
        // `<a@b.example>` is the one kind of link whose scheme is not written.
        LinkType::Email => Target::of(&format!("mailto:{address}")),
        _ => Target::of(address),
    }
}

fn seen(text: CowStr<'_>) -> CowStr<'_> {
    match visible::text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(shown) => shown.into(),
    }
}

/// The page has one title of its own.
fn below_title(level: HeadingLevel) -> HeadingLevel {
    HeadingLevel::try_from(level as usize + 1).unwrap_or(HeadingLevel::H6)
}
