//! How templates write text: harmless to the page, and with what cannot be seen written out.
//!
//! `askama.toml` makes this the escaper of all templates. What a browser sends back as it is (names and values of
//! controls, texts in boxes) must stay as it is, and says so: `|escape("xml")` is the escaper that knows only markup.

use std::fmt;

use askama::filters::{Escaper, Html};
use hitl_proto::visible;

/// Escapes for pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, page: W, text: &str) -> fmt::Result {
        Html.write_escaped_str(page, &visible::text(text))
    }
}
