//! Prompts in Markdown: what is rendered holds only what a prompt may, or the prompt is too much.

use hitl_server::http::markdown;

use crate::page;

pub(super) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(html) = markdown::to_html(text) {
        page::check(&html, &[page::PROMPT]);
    }
}
