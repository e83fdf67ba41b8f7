//! The question as the page says it: what it asks in its heading, and the rest below.

use hitl_core::{PromptFormat, Request};

use super::marks;
use crate::http::markdown;

/// Most characters of a heading. A longer beginning of a prompt is no heading.
const TITLE_CHARS_MAX: usize = 160;

/// The prompt as it goes into the page.
pub(super) enum Prompt<'a> {
    /// To be escaped, with its line breaks.
    Text(&'a str),
    /// The same with marks in it, escaped already.
    Marked(String),
    /// To be escaped like text, and said to be Markdown that is not rendered.
    Unrendered(&'a str),
    /// Clean already.
    Html(String),
}

impl<'a> Prompt<'a> {
    /// The prompt of `request`, with the marks of its evidence.
    pub(super) fn of(request: &'a Request) -> Self {
        Self::plain(request).marked(request.evidence.len())
    }

    fn marked(self, items: usize) -> Self {
        match self {
            Self::Text(text) => marks::in_text(text, items).map_or(Self::Text(text), Self::Marked),
            Self::Html(html) if items > 0 => Self::Html(marks::in_html(&html, items)),
            other => other,
        }
    }

    fn plain(request: &'a Request) -> Self {
        let text = request.prompt.as_str();
        match request.prompt_format {
            PromptFormat::Text => Self::Text(text),
            PromptFormat::Markdown => {
                markdown::to_html(text).map_or_else(|_| Self::Unrendered(text), Self::Html)
            }
        }
    }
}

/// The question.
pub(super) struct Asked<'a> {
    /// What it asks.
    pub(super) title: Title<'a>,
    /// What else is said.
    pub(super) body: Option<Prompt<'a>>,
}

/// What a question asks, in one line.
pub(super) enum Title<'a> {
    /// To be escaped.
    Text(&'a str),
    /// Clean already.
    Html(String),
}

impl<'a> Asked<'a> {
    /// The question of `request`: its title is the heading, or else the first line or paragraph of its prompt. If that
    /// is too long for one, the name is.
    pub(super) fn of(request: &'a Request) -> Self {
        let prompt = Prompt::plain(request);
        let split = match &prompt {
            _ if !request.title.is_empty() => None,
            Prompt::Text(text) | Prompt::Unrendered(text) => first_line(text),
            Prompt::Html(html) => first_block(html),
            Prompt::Marked(_) => None,
        };
        let head = if request.title.is_empty() { &request.name } else { &request.title };
        let whole = split.unwrap_or(Self { title: Title::Text(head), body: Some(prompt) });
        whole.marked(request.evidence.len())
    }

    fn marked(self, items: usize) -> Self {
        let title = match self.title {
            Title::Text(text) => marks::in_text(text, items).map_or(Title::Text(text), Title::Html),
            Title::Html(html) if items > 0 => Title::Html(marks::in_html(&html, items)),
            html @ Title::Html(_) => html,
        };
        Self { title, body: self.body.map(|body| body.marked(items)) }
    }
}

/// What `request` asks, as text in one line, for lists.
pub(in crate::http) fn plain_title(request: &Request) -> String {
    let line = match request.prompt_format {
        _ if !request.title.is_empty() => request.title.clone(),
        PromptFormat::Text => request.prompt.trim().lines().next().unwrap_or_default().to_owned(),
        PromptFormat::Markdown => markdown::first_line(&request.prompt),
    };
    match line.char_indices().nth(TITLE_CHARS_MAX) {
        None if line.is_empty() => request.name.clone(),
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

fn first_line(text: &str) -> Option<Asked<'_>> {
    let text = text.trim();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let rest = rest.trim_start_matches(['\r', '\n']);
    let body = (!rest.is_empty()).then_some(Prompt::Text(rest));
    fits(first).then(|| Asked { title: Title::Text(first.trim()), body })
}

/// The first paragraph or heading of what the renderer made, which nests none in another.
fn first_block(html: &str) -> Option<Asked<'static>> {
    let tag = ["p", "h2", "h3"].into_iter().find(|tag| html.starts_with(&format!("<{tag}>")))?;
    let inner = &html[tag.len() + 2..];
    let (first, rest) = inner.split_once(&format!("</{tag}>"))?;
    let rest = rest.trim();
    let body = (!rest.is_empty()).then(|| Prompt::Html(rest.to_owned()));
    let is_one_line = !first.contains("<br") && !first.trim().contains('\n');
    (is_one_line && fits(first)).then(|| Asked { title: Title::Html(first.to_owned()), body })
}

fn fits(title: &str) -> bool {
    !title.trim().is_empty() && title.chars().count() <= TITLE_CHARS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(asked: Option<Asked<'_>>) -> Option<(String, Option<String>)> {
        let asked = asked?;
        let title = match asked.title {
            Title::Text(text) => text.to_owned(),
            Title::Html(html) => html,
        };
        let body = asked.body.map(|body| match body {
            Prompt::Text(text) | Prompt::Unrendered(text) => text.to_owned(),
            Prompt::Html(html) | Prompt::Marked(html) => html,
        });
        Some((title, body))
    }

    #[test]
    fn the_first_line_of_a_text_is_what_it_asks() {
        let some =
            |title: &str, body: Option<&str>| Some((title.to_owned(), body.map(str::to_owned)));
        assert_eq!(parts(first_line("Ship it?")), some("Ship it?", None));
        assert_eq!(
            parts(first_line("\nShip?\r\n\r\n  so\nsaid")),
            some("Ship?", Some("  so\nsaid"))
        );
        assert_eq!(parts(first_line(&"long ".repeat(40))), None);
        assert_eq!(parts(first_line("  ")), None);
    }

    #[test]
    fn the_first_paragraph_of_what_was_rendered_is_what_it_asks() {
        let split = |markdown: &str| parts(first_block(&markdown::to_html(markdown).unwrap()));
        let (title, body) = split("Ship **it**?\n\n| a |\n|---|\n| 1 |").unwrap();
        assert_eq!(title, "Ship <strong>it</strong>?");
        assert!(body.unwrap().starts_with("<table>"));
        assert_eq!(split("# Ship it?").unwrap(), ("Ship it?".to_owned(), None));
        for other in ["- a\n- b", "one\ntwo", "> quoted", "```\ncode\n```", &"long ".repeat(40)] {
            assert!(split(other).is_none(), "{other}");
        }
    }
}
